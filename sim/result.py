"""What a simulation saw -> figures, mismatches, and the object that `sim --json` prints."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from .golden import Expectation
from .surroundings import OutFrame


class Engine(Enum):
    """Who runs the Verilog."""

    FAST = "fast"
    COCOTB = "cocotb"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A difference between hardware and golden model.

    `index` counts packets from 0; it and `expected` are None when no single packet is at fault.
    `actual` is None when nothing left, or when it is not known.
    """

    what: str
    index: int | None = None
    expected: Expectation | None = None
    actual: OutFrame | None = None

    def __str__(self) -> str:
        return self.what if self.index is None else f"packet {self.index}: {self.what}"


@dataclass(frozen=True, slots=True)
class SimResult:
    """One run. `mismatches` holds the first of `mismatch_count`.

    `cycles` go from the first accepted beat to the last beat in or out, both included.
    `input_stalls` are cycles with s_axis_tvalid and no tready. `latency_cycles` is the shortest
    time from a frame's first beat in to its first beat out, None when nothing came out. `counts`
    are the stat_* ports at the end, without the prefix. `images` counts the different commits of
    tunables that packets were launched after, 0 without tunables. `seconds` are of wall clock.
    """

    engine: Engine
    seed: int
    packets: int
    cycles: int
    input_stalls: int
    latency_cycles: int | None
    counts: Mapping[str, int]
    mismatches: tuple[Mismatch, ...] = ()
    mismatch_count: int = 0
    images: int = 0
    seconds: float = field(default=0.0, compare=False)

    @property
    def agreed(self) -> bool:
        """Whether the hardware did all that it must."""
        return not self.mismatch_count

    @property
    def cycles_per_packet(self) -> float:
        """Cycles of the whole run by packets; 0 without packets."""
        return self.cycles / self.packets if self.packets else 0.0

    def to_json(self) -> dict[str, object]:
        """The object that `sim --json` prints; `mismatches` is their number."""
        figures: dict[str, object] = {
            "packets": self.packets,
            "mismatches": self.mismatch_count,
            "cycles": self.cycles,
            "input_stalls": self.input_stalls,
            "cycles_per_packet": self.cycles_per_packet,
            "latency_cycles": self.latency_cycles,
            "counts": dict(self.counts),
            "seed": self.seed,
        }
        if self.images:
            figures["tunable_images"] = self.images
        return figures
