"""Frames <-> AXI4-Stream beats on cocotb handles: source, sink, and a monitor of the rules.

Each part has a `step()` that acts on one rising clock edge: what it reads there is what stood just
before the edge, what it writes holds from just after it. `run` steps any number of them together,
which costs one trigger a cycle; a part alone is `cocotb.start_soon(run(dut.clk, part))`.

Byte 0 of a frame is bits 7:0 of its first beat. Only whole bytes from bit 0 up are kept, a beat
that is not the last is full, and a last beat may hold no byte at all (Arm IHI 0051A section 2).
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol

Beat = tuple[int, int, int, int]
"""tdata, tkeep, tlast, tuser."""


class ProtocolError(AssertionError):
    """A stream broke a rule; the text names stream, cycle and rule."""


@dataclass(frozen=True, slots=True)
class UserBits:
    """A value for the tuser bits under `mask`; the others have no meaning."""

    value: int = 0
    mask: int = 0


NO_USER = UserBits()


def to_beats(
    data: bytes,
    size: int,
    first: UserBits = NO_USER,
    last: UserBits = NO_USER,
    *,
    user_width: int = 0,
    junk: Random | None = None,
    empty_end: bool = False,
) -> list[Beat]:
    """A frame in beats of `size` bytes; `first` and `last` are tuser of its first and last beat.

    `junk` draws the bytes and the `user_width` bits that have no meaning, otherwise 0. With
    `empty_end` a frame that fills its last beat ends with one more, which holds no byte.
    """
    ends = list(range(size, len(data), size))
    parts = [data[end - size : end] for end in ends]
    parts.append(data[ends[-1] if ends else 0 :])
    if empty_end and len(parts[-1]) == size:
        parts.append(b"")
    beats: list[Beat] = []
    for n, part in enumerate(parts):
        is_last = n == len(parts) - 1
        value = int.from_bytes(part, "little")
        user = mask = 0
        if n == 0:
            user, mask = first.value, first.mask
        if is_last:
            user, mask = user | last.value, mask | last.mask
        if junk is not None:
            if len(part) < size:
                value |= junk.getrandbits(8 * (size - len(part))) << 8 * len(part)
            user |= junk.getrandbits(user_width) & ~mask if user_width else 0
        beats.append((value, (1 << len(part)) - 1, int(is_last), user))
    return beats


class Bus:
    """The handles of one stream, `<prefix>_tdata` and its like."""

    def __init__(self, dut: Any, prefix: str) -> None:
        self.name = prefix
        self.data, self.keep, self.valid, self.ready, self.last, self.user = (
            getattr(dut, f"{prefix}_t{name}")
            for name in ("data", "keep", "valid", "ready", "last", "user")
        )
        self.size = len(self.keep)
        """Bytes per beat."""
        # Reading through the handles' `value` takes three times as long: it makes a LogicArray.
        self._valid, self._ready, self._data, self._keep, self._last, self._user = (
            handle._handle.get_signal_val_binstr
            for handle in (self.valid, self.ready, self.data, self.keep, self.last, self.user)
        )

    def is_valid(self) -> bool:
        """Whether tvalid is high now."""
        return self._valid() == "1"

    def is_ready(self) -> bool:
        """Whether tready is high now."""
        return self._ready() == "1"

    def beat(self) -> Beat:
        """The payload now."""
        return int(self._data(), 2), int(self._keep(), 2), int(self._last()), int(self._user(), 2)


class Part(Protocol):
    """Something that acts on every rising clock edge."""

    def step(self) -> None: ...


async def run(clock: Any, *parts: Part, cycles: int | None = None) -> None:
    """Step all parts at every rising edge, in this order; for ever, or for so many cycles."""
    edge = clock.rising_edge
    steps = [part.step for part in parts]
    while cycles is None or cycles > 0:
        await edge
        for step in steps:
            step()
        if cycles is not None:
            cycles -= 1


class Source:
    """Drives beats as fast as they are taken, but in cycles for which `idle` yields true.

    A beat that is offered stays so until it is taken. `taken` counts these, the last one in cycle
    `last_at`; `stalls` counts the cycles in which one was offered in vain; `begun` the frames of
    which a beat has been offered. `taken_at` has the cycle in which each frame's first was taken.
    """

    def __init__(self, bus: Bus, idle: Iterator[bool] | None = None) -> None:
        self.bus = bus
        self.idle = idle
        self.queue: deque[Beat] = deque()
        self.cycle = self.taken = self.stalls = self.begun = self.last_at = 0
        self.taken_at: list[int] = []
        self._inside = False
        self._offered: Beat | None = None
        self._driven: Beat = (0, 0, 0, 0)
        bus.valid.value = 0
        for handle in (bus.data, bus.keep, bus.last, bus.user):
            handle.value = 0

    def send(self, beats: Iterable[Beat]) -> None:
        """Queue the beats of a frame."""
        self.queue.extend(beats)

    @property
    def done(self) -> bool:
        """Whether all has been taken."""
        return not self.queue and self._offered is None

    def abort(self) -> None:
        """For a reset: withdraw the frame that has begun, with all its beats."""
        beat = self._offered
        unfinished = beat is not None or self._inside
        self.bus.valid.value, self._offered, self._inside = 0, None, False
        while unfinished:
            beat = beat or self.queue.popleft()
            unfinished, beat = not beat[2], None

    def step(self) -> None:
        """One rising edge."""
        self.cycle += 1
        bus, beat = self.bus, self._offered
        if beat is not None:
            if not bus.is_ready():
                self.stalls += 1
                return
            self.taken += 1
            self.last_at = self.cycle
            if not self._inside:
                self.taken_at.append(self.cycle)
            self._inside = not beat[2]
        if not self.queue or (self.idle is not None and next(self.idle)):
            if beat is not None:
                bus.valid.value, self._offered = 0, None
            return
        self._offered = following = self.queue.popleft()
        self.begun += not self._inside
        if beat is None:
            bus.valid.value = 1
        driven, self._driven = self._driven, following
        for handle, old, new in zip(
            (bus.data, bus.keep, bus.last, bus.user), driven, following, strict=True
        ):
            if old != new:
                handle.value = new


class Sink:
    """Is ready, but in cycles for which `stall` yields true."""

    def __init__(self, bus: Bus, stall: Iterator[bool] | None = None) -> None:
        self.bus = bus
        self.stall = stall
        self._ready = stall is None
        bus.ready.value = int(self._ready)

    def step(self) -> None:
        """One rising edge."""
        if self.stall is not None and next(self.stall) == self._ready:
            self._ready = not self._ready
            self.bus.ready.value = int(self._ready)


@dataclass(frozen=True, slots=True)
class Collected:
    """A frame that crossed a stream: its bytes, tuser of its first and last beat, and cycles."""

    data: bytes
    first_user: int
    last_user: int
    begin: int
    end: int


class Monitor:
    """Collects the frames that cross a stream, and raises ProtocolError when it breaks a rule.

    Bits of tuser under `steady` must be the same in all beats of a frame, those under `closing`
    must be 0 before the last. Without `empty_end` only a frame of 0 bytes has an empty beat.
    Cycles count from 1, the first edge that was seen. `beats` crossed, the last one at `last_at`.
    """

    def __init__(
        self, bus: Bus, *, steady: int = 0, closing: int = 0, empty_end: bool = True
    ) -> None:
        self.bus = bus
        self.steady, self.closing, self.empty_end = steady, closing, empty_end
        self.frames: list[Collected] = []
        self.cycle = self.beats = self.last_at = 0
        self._full = (1 << bus.size) - 1
        self._waiting: Beat | None = None
        self._parts: list[bytes] = []
        self._first_user = self._begin = 0

    @property
    def inside(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._parts)

    @property
    def waiting(self) -> bool:
        """Whether a beat is offered and not taken."""
        return self._waiting is not None

    def reset(self) -> None:
        """Forget the frame that has begun and the beat that waits."""
        self._waiting, self._parts = None, []

    def step(self) -> None:
        """One rising edge."""
        self.cycle += 1
        bus = self.bus
        if not bus.is_valid():
            if self._waiting is not None:
                self._fail("tvalid fell before tready")
            return
        beat = bus.beat()
        if self._waiting is not None and beat != self._waiting:
            self._fail(f"{self._changed(beat)} changed before tready")
        if not bus.is_ready():
            self._waiting = beat
            return
        self._waiting = None
        self.beats += 1
        self.last_at = self.cycle
        self._take(*beat)

    def _take(self, data: int, keep: int, last: int, user: int) -> None:
        size = self.bus.size
        if keep != self._full:
            if keep & keep + 1:
                self._fail(f"tkeep has holes: {keep:#x}")
            if not last:
                self._fail(f"a beat before the last is not full: tkeep {keep:#x}")
            if not keep and self._parts and not self.empty_end:
                self._fail("an empty beat ends a frame that has bytes")
        if not self._parts:
            self._first_user, self._begin = user, self.cycle
        elif (user ^ self._first_user) & self.steady:
            self._fail(f"tuser changed within a frame: {self._first_user:#x}, then {user:#x}")
        if not last and user & self.closing:
            self._fail(f"tuser {user:#x} has a bit that belongs to the last beat")
        self._parts.append(data.to_bytes(size, "little")[: keep.bit_length()])
        if last:
            frame = b"".join(self._parts)
            self.frames.append(Collected(frame, self._first_user, user, self._begin, self.cycle))
            self._parts = []

    def _changed(self, beat: Beat) -> str:
        assert self._waiting is not None
        names = ("tdata", "tkeep", "tlast", "tuser")
        pairs = zip(names, beat, self._waiting, strict=True)
        return ", ".join(name for name, new, old in pairs if new != old)

    def _fail(self, rule: str) -> None:
        raise ProtocolError(f"{self.bus.name}, cycle {self.cycle}: {rule}")


def chance(probability: float, rng: Random) -> Iterator[bool] | None:
    """An endless iterator that is true with this probability; None for never."""
    if not 0 <= probability < 1:
        raise ValueError(f"Probability must be at least 0 and below 1, not {probability!r}")
    if probability == 0:
        return None
    return iter(lambda: rng.random() < probability, None)
