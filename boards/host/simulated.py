"""Requests -> the replies of a board that is not there, for trying the host's side.

Its registers are plain numbers; it keeps the rules of ctx_map/link.py. `Noise` is what a line may do.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from struct import unpack

from ...ctx_map.link import (
    BOARD_REGISTERS,
    CRC_BYTES,
    REQUEST_BYTES,
    REQUEST_SYNC,
    SILENCE,
    VERSION,
    Operation,
    Status,
)
from ...ctx_map.registers import BY_NAME, COMMANDS, COUNTERS, REGISTERS, Access, Tunable
from .protocol import Reply

_WORD = 0xFFFF_FFFF


@dataclass
class Registers:
    """Words by offset, as hdl/control.py has them; `totals` are the running counters."""

    identification: dict[str, int]
    tunables: Sequence[Tunable] = ()
    totals: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTERS, 0))
    writes: list[tuple[int, int]] = field(default_factory=list)
    """Every write that acted, as (offset, value)."""

    def __post_init__(self) -> None:
        self.words: dict[int, int] = {}
        for register in REGISTERS:
            self._set(register.name, self.identification.get(register.name, 0))
        for tunable in self.tunables:
            whole = tunable.initial.ljust(4 * tunable.words, b"\0")
            for n in range(tunable.words):
                self.words[tunable.offset + 4 * n] = int.from_bytes(whole[4 * n : 4 * n + 4], "little")
        self.shown = self._written()

    def read(self, offset: int) -> int | None:
        """A word, or nothing if there is none."""
        return self.words.get(offset)

    def write(self, offset: int, value: int) -> bool:
        """Whether the word could be written."""
        register = next((r for r in REGISTERS if r.offset <= offset < r.end), None)
        if offset not in self.words or (register and register.access is Access.READ):
            return False
        self.writes.append((offset, value))
        if offset == BY_NAME["command"].offset:
            self._command({b.name for b in COMMANDS if value >> b.position & 1})
        else:
            self.words[offset] = value
        return True

    def _command(self, names: set[str]) -> None:
        if "snapshot" in names:
            for name, total in self.totals.items():
                self._set(name, total)
        if "clear" in names:
            self.totals = dict.fromkeys(self.totals, 0)
        if "commit" in names:
            self.shown = self._written()
            self._set("commits", self.words[BY_NAME["commits"].offset] + 1)

    def _written(self) -> dict[str, bytes]:
        return {
            t.name: b"".join(
                self.words[t.offset + 4 * n].to_bytes(4, "little") for n in range(t.words)
            )[: t.size]
            for t in self.tunables
        }

    def _set(self, name: str, value: int) -> None:
        for n in range(BY_NAME[name].words):
            self.words[BY_NAME[name].offset + 4 * n] = value >> 32 * n & _WORD


class SimulatedBoard:
    """Takes bytes with their times in seconds, and gives the bytes of replies."""

    def __init__(self, registers: Registers, board: dict[str, int] | None = None) -> None:
        self.registers = registers
        self.board = {r.name: 0 for r in BOARD_REGISTERS} | (board or {})
        self._request: bytearray | None = None
        self._heard = 0.0
        self._last: Reply | None = None

    def hear(self, data: bytes, now: float) -> bytes:
        """What the board answers to these bytes."""
        answer = b""
        for byte in data:
            if now - self._heard > SILENCE:
                self._request = None
            self._heard = now
            if self._request is None:
                self._request = bytearray() if byte == REQUEST_SYNC else None
                continue
            self._request.append(byte)
            if len(self._request) == REQUEST_BYTES + CRC_BYTES:
                answer += self._answer(bytes(self._request))
                self._request = None
        return answer

    def _answer(self, request: bytes) -> bytes:
        inner, crc = request[:REQUEST_BYTES], request[REQUEST_BYTES:]
        if zlib.crc32(inner).to_bytes(CRC_BYTES, "little") != crc:
            return b""
        operation, number, address, data = unpack("<BBHI", inner)
        if operation == Operation.GREET:
            self._last = None
            return Reply(number, Status.DONE, VERSION).encode()
        if self._last is None or self._last.number != number:
            self._last = self._act(operation, number, address, data)
        return self._last.encode()

    def _act(self, operation: int, number: int, address: int, data: int) -> Reply:
        value: int | None = None
        if operation == Operation.READ:
            value = self.registers.read(address)
        elif operation == Operation.WRITE:
            value = 0 if self.registers.write(address, data) else None
        elif operation == Operation.BOARD:
            value = self.board[BOARD_REGISTERS[address % len(BOARD_REGISTERS)].name]
        if value is None:
            return Reply(number, Status.REFUSED, 0)
        return Reply(number, Status.DONE, value)


@dataclass
class Noise:
    """What a line does to bytes; each is the chance that it befalls one."""

    rng: Random
    flip: float = 0.0
    lose: float = 0.0
    repeat: float = 0.0

    def disturb(self, data: bytes) -> bytes:
        """The bytes as they arrive."""
        out = bytearray()
        for byte in data:
            if self.rng.random() < self.lose:
                continue
            if self.rng.random() < self.flip:
                byte ^= 1 << self.rng.randrange(8)
            out.append(byte)
            if self.rng.random() < self.repeat:
                out.append(byte)
        return bytes(out)


class NoisyLine:
    """A line to a simulated board; its time passes only when somebody waits."""

    def __init__(self, board: SimulatedBoard, noise: Noise) -> None:
        self.now = 1.0
        self._board = board
        self._noise = noise
        self._coming = b""

    def clock(self) -> float:
        """The time of the line, in seconds."""
        return self.now

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._coming += self._board.hear(self._noise.disturb(data), self.now)

    def read(self, seconds: float) -> bytes:
        """What came; or the time passes."""
        came, self._coming = self._noise.disturb(self._coming), b""
        self.now += 0.001 if came else seconds
        return came
