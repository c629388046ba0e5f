"""What a bench is to do, what it saw -> files between it and the process that started it."""

import pickle
from dataclasses import dataclass, field
from pathlib import Path

from ..ctx_map.registers import Tunable
from .retune import Retune
from .surroundings import OutFrame


@dataclass(frozen=True, slots=True)
class Send:
    """A frame to send: its bytes, error bit, and tuser at its first beat."""

    data: bytes
    err: bool
    user: int


@dataclass(frozen=True, slots=True)
class Job:
    """A run. `user_width` and `user_mask` are the bits of s_axis_tuser, and those for first beats.

    `idle`, `stall` and `empty_end` are shares, as in Conditions. With `reads_time` there are the
    ports of a program that reads the time. With `count_each` counters are read in every cycle, to
    tell which frames were admitted. `retunes` change the `tunables`, which are `image` after a reset,
    through the control port. The gate is reset again whenever so many beats as the next of
    `resets` says have been accepted: the rest of a frame that was on its way is not sent. A run
    ends as a fault after `patience` cycles in which no beat moved.
    """

    frames: tuple[Send, ...]
    user_width: int
    user_mask: int
    seed: int = 0
    idle: float = 0.0
    stall: float = 0.0
    empty_end: float = 0.0
    reads_time: bool = False
    count_each: bool = False
    ktime_start: int = 0
    ktime_step: int = 0
    tunables: tuple[Tunable, ...] = ()
    image: bytes = b""
    retunes: tuple[Retune, ...] = ()
    resets: tuple[int, ...] = ()
    patience: int = 20_000
    progress: Path | None = None


@dataclass(slots=True)
class Stretch:
    """What was seen from one reset to the next, or to the end; cycles count from the first edge.

    `start` is the index of the first frame sent. `entered` has the cycle in which each frame's
    first beat was taken, `left` each frame that left, with that of its first beat. `commits` says
    after how many commits each packet was launched, `images` what tunables were after each commit.
    `last` is the cycle of the last beat in or out. `faults` are broken rules, each with its cycle in
    the text.
    """

    start: int = 0
    entered: list[int] = field(default_factory=list)
    admitted: list[bool] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    commits: list[int] = field(default_factory=list)
    images: list[bytes] = field(default_factory=list)
    left: list[tuple[OutFrame, int]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    last: int = 0
    stalls: int = 0


def save(path: Path, what: Job | list[Stretch]) -> None:
    """Write one of them."""
    path.write_bytes(pickle.dumps(what))


def load_job(path: Path) -> Job:
    """What `save` wrote."""
    job = pickle.loads(path.read_bytes())
    assert isinstance(job, Job)
    return job


def load_stretches(path: Path) -> list[Stretch]:
    """What `save` wrote."""
    stretches = pickle.loads(path.read_bytes())
    assert isinstance(stretches, list)
    return stretches
