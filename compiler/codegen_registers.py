"""What lives across a cut -> the registers of the cut.

A value has a register of its own behind the stage that computes it. From there on it is carried in
one register with all others that are not new, which keeps their order: so a cut moves few runs of
bits, however many values it holds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Signal, Value


@dataclass(frozen=True, slots=True)
class Run:
    """Bits `low` to `low + count - 1` of a register."""

    register: Signal
    low: int
    count: int


@dataclass(frozen=True, slots=True)
class Held:
    """Where a value of `width` bits stands: its bits `mask`, side by side, from bit `low` upward."""

    register: Signal
    low: int
    mask: int
    width: int

    @property
    def packed(self) -> Value:
        """The bits that are there."""
        return self.register[self.low : self.low + self.mask.bit_count()]

    def runs(self, mask: int) -> Iterable[Run]:
        """Where the bits `mask` stand, which must be among those that are there."""
        for low, count in _bit_runs(mask):
            below = self.mask & (1 << low) - 1
            yield Run(self.register, self.low + below.bit_count(), count)

    def value(self) -> Value:
        """The whole value; the bits that are not there, which nobody reads, are 0."""
        parts: list[Value] = []
        at, taken = 0, self.low
        for low, count in _bit_runs(self.mask):
            if low > at:
                parts.append(Const(0, low - at))
            parts.append(self.register[taken : taken + count])
            at, taken = low + count, taken + count
        if at < self.width:
            parts.append(Const(0, self.width - at))
        return Cat(*parts)


def _bit_runs(mask: int) -> list[tuple[int, int]]:
    """Runs of ones in `mask`: (lowest bit, count)."""
    runs = []
    while mask:
        low = (mask & -mask).bit_length() - 1
        count = (~(mask >> low) & (mask >> low) + 1).bit_length() - 1
        runs.append((low, count))
        mask &= ~(((1 << count) - 1) << low)
    return runs


def hold(m: Module, name: str, value: Value, mask: int) -> Held:
    """A register for the bits `mask` of a new value."""
    register = Signal(mask.bit_count(), name=name, reset_less=True)
    m.d.sync += register.eq(Cat(*(value[low : low + count] for low, count in _bit_runs(mask))))
    return Held(register, 0, mask, len(value))


def carry(m: Module, held: Mapping[int, Held], cut: Mapping[int, int]) -> dict[int, Held]:
    """One register for all of `held` that `cut` keeps, each with the bits that `cut` says."""
    kept = {n: h for n, h in held.items() if n in cut}
    if not kept:
        return {}
    register = Signal(sum(cut[n].bit_count() for n in kept), name="carried", reset_less=True)
    joined: list[Run] = []
    following, at = {}, 0
    for n, h in kept.items():
        for run in h.runs(cut[n]):
            last = joined[-1] if joined else None
            if last and last.register is run.register and last.low + last.count == run.low:
                joined[-1] = Run(last.register, last.low, last.count + run.count)
            else:
                joined.append(run)
        following[n] = Held(register, at, cut[n], h.width)
        at += cut[n].bit_count()
    m.d.sync += register.eq(Cat(*(r.register[r.low : r.low + r.count] for r in joined)))
    return following
