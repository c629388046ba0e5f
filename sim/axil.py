"""Reads and writes of a host <-> AXI4-Lite on cocotb handles, and the registers by their names.

`Master` is a part to be stepped at every rising edge, as those of sim/axis.py. Its reads and writes
are awaited by any number of coroutines; all channels are driven independently of each other.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from cocotb.triggers import Event

from ..ctx_map.registers import (
    BY_NAME,
    COMMANDS,
    COUNTERS,
    WORD_BITS,
    WORD_BYTES,
    Register,
    Tunable,
)
from .axis import ProtocolError

OKAY, SLVERR = 0, 2
ALL_BYTES = (1 << WORD_BYTES) - 1
_PREFIX = "s_axil_"
_COMMANDS = {bit.name: 1 << bit.position for bit in COMMANDS}


class ResponseError(AssertionError):
    """An access was answered with something else than OKAY; the text names address and response."""


def hold_still(dut: Any) -> None:
    """Drive the inputs of the control port so that nothing happens on it, if there is one."""
    if hasattr(dut, f"{_PREFIX}awvalid"):
        for name in ("awvalid", "wvalid", "arvalid", "bready", "rready"):
            getattr(dut, _PREFIX + name).value = 0


class _Sender:
    """A channel to the port: payloads, each offered until it is taken."""

    def __init__(self, dut: Any, channel: str, names: tuple[str, ...]) -> None:
        self.valid, self.ready, *self.payload = (
            getattr(dut, _PREFIX + name) for name in (f"{channel}valid", f"{channel}ready", *names)
        )
        self.queue: deque[tuple[int, ...]] = deque()
        self._offering = False
        self.valid.value = 0

    def step(self, pause: bool) -> None:
        if self._offering and not int(self.ready.value):
            return
        self._offering = bool(self.queue) and not pause
        self.valid.value = int(self._offering)
        if self._offering:
            for handle, value in zip(self.payload, self.queue.popleft(), strict=True):
                handle.value = value


class _Receiver:
    """A channel from the port, with the rule that what waits stays as it is."""

    def __init__(self, dut: Any, channel: str, names: tuple[str, ...]) -> None:
        self.channel = channel
        self.valid, self.ready, *self.payload = (
            getattr(dut, _PREFIX + name) for name in (f"{channel}valid", f"{channel}ready", *names)
        )
        self._ready = False
        self._waiting: tuple[int, ...] | None = None
        self.ready.value = 0

    def step(self, pause: bool) -> tuple[int, ...] | None:
        """What crosses the channel at this edge."""
        now = None
        if int(self.valid.value):
            now = tuple(int(handle.value) for handle in self.payload)
        if self._waiting not in (None, now):
            raise ProtocolError(f"{_PREFIX}{self.channel}: changed before it was taken")
        taken = now if self._ready else None
        self._waiting = None if self._ready else now
        self._ready = not pause
        self.ready.value = int(self._ready)
        return taken


class _Access:
    """A transfer that is under way, and its answer."""

    def __init__(self) -> None:
        self.done = Event()
        self.answer: tuple[int, ...] = ()


class Master:
    """The host's side of the control port; channels pause in cycles for which `pause` yields true."""

    def __init__(self, dut: Any, pause: Iterator[bool] | None = None) -> None:
        self.pause = pause
        self._aw = _Sender(dut, "aw", ("awaddr",))
        self._w = _Sender(dut, "w", ("wdata", "wstrb"))
        self._ar = _Sender(dut, "ar", ("araddr",))
        self._b = _Receiver(dut, "b", ("bresp",))
        self._r = _Receiver(dut, "r", ("rresp", "rdata"))
        self._writes: deque[_Access] = deque()
        self._reads: deque[_Access] = deque()

    def step(self) -> None:
        """One rising edge."""
        for sender in (self._aw, self._w, self._ar):
            sender.step(self._pauses())
        for receiver, accesses in ((self._b, self._writes), (self._r, self._reads)):
            answer = receiver.step(self._pauses())
            if answer is not None:
                if not accesses:
                    raise ProtocolError(f"{_PREFIX}{receiver.channel}: an answer to nothing")
                access = accesses.popleft()
                access.answer = answer
                access.done.set()

    def _pauses(self) -> bool:
        return self.pause is not None and next(self.pause)

    async def write_word(self, address: int, value: int, strobe: int = ALL_BYTES) -> int:
        """Write a word; the response."""
        access = _Access()
        self._writes.append(access)
        self._aw.queue.append((address,))
        self._w.queue.append((value, strobe))
        await access.done.wait()
        return access.answer[0]

    async def read_word(self, address: int) -> tuple[int, int]:
        """Read a word; the response and the value."""
        access = _Access()
        self._reads.append(access)
        self._ar.queue.append((address,))
        await access.done.wait()
        response, value = access.answer
        return response, value

    async def read(self, name: str) -> int:
        """A register by its name, all words of it.

        Raises
        ------
        ResponseError
            The port answers with an error.
        """
        register = BY_NAME[name]
        value = 0
        for n in range(register.words):
            response, word = await self.read_word(register.offset + n * WORD_BYTES)
            _check(register, response)
            value |= word << n * WORD_BITS
        return value

    async def command(self, *names: str) -> None:
        """Write a command: "snapshot", "clear", "commit" or several; it has acted on return."""
        register = BY_NAME["command"]
        value = sum(_COMMANDS[name] for name in names)
        _check(register, await self.write_word(register.offset, value))

    async def counters(self, *, clear: bool = False) -> dict[str, int]:
        """All counters as they were in one cycle, in which they are cleared if that is wanted."""
        await self.command("snapshot", *(["clear"] if clear else []))
        return {name: await self.read(name) for name in COUNTERS}

    async def tune(self, values: Mapping[Tunable, bytes]) -> None:
        """Write tunables and commit them: packets that are launched after that see them all."""
        for tunable, value in values.items():
            if len(value) != tunable.size:
                raise ValueError(f"{tunable.name} has {tunable.size} bytes, not {len(value)}")
            for at in range(0, tunable.size, WORD_BYTES):
                word = int.from_bytes(value[at : at + WORD_BYTES], "little")
                _check(tunable, await self.write_word(tunable.offset + at, word))
        await self.command("commit")

    async def written(self, tunable: Tunable) -> bytes:
        """What was last written to a tunable, committed or not."""
        value = b""
        for n in range(tunable.words):
            response, word = await self.read_word(tunable.offset + n * WORD_BYTES)
            _check(tunable, response)
            value += word.to_bytes(WORD_BYTES, "little")
        return value[: tunable.size]


def _check(register: Register | Tunable, response: int) -> None:
    if response != OKAY:
        raise ResponseError(
            f"{register.name} at {register.offset:#06x} is answered with response {response}"
        )
