"""A seed -> Ethernet frames of many protocols and sizes, whole and broken; the same for every run.

Plain Python, a hundred thousand frames a second; behind as many, frames vary those before them, which
is ten times as fast. IPv4 header checksums are right, but for frames
corrupted on purpose; transport checksums are right in every second packet, and random in others.
"""

import random
from collections.abc import Callable
from enum import Enum
from struct import pack

from .packet_layers import QINQ, VLAN, Layers
from .packet_values import MACS, Dice, Values


class Mix(Enum):
    """Kinds of traffic; sizes are bytes of the frame, without FCS."""

    MIXED = "mixed"
    IMIX = "imix"
    ALL_64 = "64"
    ALL_65 = "65"
    JUMBO = "jumbo"
    RUNTS = "runts"


_SIZES = {
    Mix.IMIX: (64,) * 7 + (594,) * 4 + (1518,),
    Mix.ALL_64: (64,),
    Mix.ALL_65: (65,),
    Mix.JUMBO: (9000,),
}
_RUNT = 13
_MINIMUM = 60
DRAWN = 100_000
"""Frames of one sequence that are drawn anew."""


def generate(count: int, seed: int, mix: Mix | str = Mix.MIXED) -> list[bytes]:
    """`count` frames that depend on `seed` and `mix` alone."""
    mix = Mix(mix)
    maker = FrameMaker(random.Random(f"{seed} {mix.value}"))
    return drawn(count, maker.dice.rng, lambda: _frame(maker, mix))


def drawn(count: int, rng: random.Random, draw: Callable[[], bytes]) -> list[bytes]:
    """`count` frames, the first `DRAWN` of which `draw` gives.

    Of those behind them half are such as were before, and half have one of their first 128 bytes
    changed.
    """
    frames = [draw() for _ in range(min(count, DRAWN))]
    more = count - len(frames)
    if more <= 0:
        return frames
    places, values = rng.randbytes(more), rng.randbytes(more)
    frames += [
        b"%b%c%b" % (f[:at], value, f[at + 1 :]) if at < 128 and at < len(f) else f
        for f, at, value in zip(rng.choices(frames, k=more), places, values, strict=True)
    ]
    return frames


def _frame(maker: "FrameMaker", mix: Mix) -> bytes:
    match mix:
        case Mix.MIXED:
            return maker.frame()
        case Mix.RUNTS:
            return maker.whole()[: 1 + maker.dice.below(_RUNT)]
    return maker.sized(maker.dice.pick(_SIZES[mix]))


class FrameMaker:
    """Draws frames; `values` says what their fields are drawn from."""

    def __init__(self, rng: random.Random, values: Values | None = None) -> None:
        self.dice = Dice(rng)
        self.values = values or Values()
        self.layers = Layers(self.dice, self.values)

    def whole(self) -> bytes:
        """A well-formed frame, mostly padded to the Ethernet minimum."""
        d = self.dice
        kind, body = self.layers.network()
        head = d.pick(MACS) + (d.pick(MACS) if d.chance(0.8) else d.payload(6))
        r = d.rng.random()
        if r < 0.4:
            for n in range(1 if r < 0.25 else 2 if r < 0.37 else 3):
                outer = QINQ if n == 0 and r > 0.25 and d.chance(0.7) else VLAN
                tci = d.mostly(self.values.vlans, 12) | d.pick((0, 0, 0x6000, 0xF000))
                head += pack("!HH", outer, tci)
        frame = b"%b%b%b" % (head, pack("!H", kind), body)
        return frame.ljust(_MINIMUM, b"\0") if d.chance(0.7) else frame

    def frame(self) -> bytes:
        """A frame as networks and attackers send them: mostly whole, some broken."""
        d, r = self.dice, self.dice.rng.random()
        if r < 0.01:
            return d.payload(d.below(200))
        frame = self.whole()
        if r < 0.08:
            return frame[: d.below(min(len(frame), 120) + 1)]
        if r < 0.14:
            at = d.below(min(len(frame), 80))
            return b"%b%b%b" % (frame[:at], bytes((d.bits(8),)), frame[at + 1 :])
        if r < 0.20 and self.values.sizes:
            return self.fit(frame, d.pick(self.values.sizes))
        return frame

    def sized(self, size: int) -> bytes:
        """A frame of exactly `size` bytes; what its headers say of lengths may differ."""
        return self.fit(self.whole(), size)

    def fit(self, frame: bytes, size: int) -> bytes:
        """The frame cut or continued with random bytes to `size`."""
        missing = size - len(frame)
        return frame[:size] if missing <= 0 else frame + self.dice.payload(missing)
