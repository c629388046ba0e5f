"""A line of bytes -> the registers of a board, whatever the line does to some of the bytes."""

import time
from collections.abc import Callable
from typing import Protocol

from ...compiler.errors import RxgateError
from ...ctx_map.link import BOARD_REGISTERS, SILENCE, VERSION, Operation, Status
from ...ctx_map.registers import BY_NAME, COMMANDS, COUNTERS, MAGIC, MAP_VERSION, WORD_BITS
from .protocol import Reply, Request, find_reply

ATTEMPTS = 20
ANSWER_SECONDS = 0.1
"""How long a reply may take; a request and a reply are 2.1 ms on the line."""
_NUMBERS = 256
_VERSION_SHIFT = 16


class HostError(RxgateError):
    """The board does not answer, or refuses."""


class Line(Protocol):
    """A serial line."""

    def write(self, data: bytes) -> None: ...

    def read(self, seconds: float) -> bytes:
        """The bytes that came, waiting up to so long for the first."""
        ...


class Client:
    """Speaks to the board behind a line, after greeting it."""

    def __init__(self, line: Line, clock: Callable[[], float] = time.monotonic) -> None:
        self.line = line
        self.retries = 0
        """Requests that had to be sent again."""
        self._clock = clock
        self._number = 0
        self._greet()

    def _greet(self) -> None:
        version = self._ask(Operation.GREET, 0, 0)
        if version != VERSION:
            raise HostError(
                f"the board speaks version {version} of the protocol, and this rxgate {VERSION}"
            )
        magic, layout = self.read_word(BY_NAME["magic"].offset), self.read("map_version")
        if magic != MAGIC:
            raise HostError(f"behind the line is no gate of rxgate: its first register is {magic:#x}")
        if layout >> _VERSION_SHIFT != MAP_VERSION >> _VERSION_SHIFT:
            raise HostError(
                f"the board's registers are those of version {layout >> _VERSION_SHIFT}, and this"
                f" rxgate knows those of {MAP_VERSION >> _VERSION_SHIFT}"
            )

    def read_word(self, offset: int) -> int:
        """A register's word at a byte offset."""
        return self._ask(Operation.READ, offset, 0)

    def write_word(self, offset: int, value: int) -> None:
        """Write a word at a byte offset."""
        self._ask(Operation.WRITE, offset, value)

    def read(self, name: str) -> int:
        """A whole register, by its name."""
        register = BY_NAME[name]
        words = (self.read_word(register.offset + 4 * n) for n in range(register.words))
        return sum(word << WORD_BITS * n for n, word in enumerate(words))

    def board(self, name: str) -> int:
        """A register of the board."""
        names = [register.name for register in BOARD_REGISTERS]
        return self._ask(Operation.BOARD, names.index(name), 0)

    def command(self, *names: str) -> None:
        """Commands that act in the same cycle."""
        bits = {bit.name: 1 << bit.position for bit in COMMANDS}
        self.write_word(BY_NAME["command"].offset, sum(bits[name] for name in names))

    def counters(self) -> dict[str, int]:
        """All counters, as they were in one cycle."""
        self.command("snapshot")
        return {name: self.read(name) for name in COUNTERS}

    def _ask(self, operation: Operation, address: int, data: int) -> int:
        """Sends a request until it is answered."""
        self._number = (self._number + 1) % _NUMBERS
        request = Request(operation, self._number, address, data)
        for attempt in range(ATTEMPTS):
            if attempt:
                self.retries += 1
                # What the board has of the last request is forgotten meanwhile.
                self._wait(SILENCE * 2)
            self.line.write(request.encode())
            reply = self._reply()
            if reply is not None:
                if reply.status is Status.REFUSED:
                    raise HostError(f"the board refuses to {operation.name.lower()} {address:#06x}")
                return reply.data
        raise HostError(
            f"the board does not answer ({ATTEMPTS} requests); is the port the right one, and the"
            " design loaded?"
        )

    def _reply(self) -> Reply | None:
        """The reply with the number of the last request, if it comes in time."""
        end, text = self._clock() + ANSWER_SECONDS, b""
        while (left := end - self._clock()) > 0:
            got = self.line.read(left)
            text += got
            reply, text = find_reply(text)
            while reply is not None:
                if reply.number == self._number:
                    return reply
                reply, text = find_reply(text)
        return None

    def _wait(self, seconds: float) -> None:
        """Drops what comes until then."""
        end = self._clock() + seconds
        while (left := end - self._clock()) > 0:
            self.line.read(left)
