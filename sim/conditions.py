"""How the traffic of a simulation comes and goes, the same for both engines."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Conditions:
    """How the frames come in and go out, besides back to back.

    `idle` and `stall` are probabilities per cycle of a pause at the source, even within a frame,
    and at the sink. `empty_end` is the share of the frames which fill their last beat that end
    with another beat without bytes. With `random_start` all registers and memories start random.
    The time is `ktime_start` + `ktime_step` times the cycle, in ns. `waves` names an FST file.
    """

    seed: int = 0
    idle: float = 0.0
    stall: float = 0.0
    empty_end: float = 0.0
    random_start: bool = False
    ktime_start: int = 1_000_000_000
    ktime_step: int = 4
    waves: Path | None = None


PLAIN = Conditions()
"""Back to back, nothing random."""
