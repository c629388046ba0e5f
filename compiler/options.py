"""What the user chooses around a program."""

from dataclasses import dataclass
from enum import Enum

from ..ctx_map.models import MICROSOFT_KEY
from ..ctx_map.nics import FRONT_END, Nic
from .delay_tables import DELAYS
from .unfold import DEFAULT_MAX_UNROLL
from .verify import DEFAULT_MAX_WINDOW

WIDTHS = (8, 16, 32, 64, 128, 256, 512)
MAX_WINDOW = 4096
"""The largest header window that may be asked for, bytes."""

MAX_UNROLL = 65_536
"""The most iterations of a loop that may be asked for."""


class Route(Enum):
    """Where descriptor fields come from."""

    SHELL = "shell"
    FRONT_END = "front-end"


class Scheduler(Enum):
    """How operations come to their stages; both take as few stages as there can be."""

    FEWEST_BITS = "fewest-bits"
    ASAP = "asap"


class Objective(Enum):
    """What the schedule is to save."""

    LATENCY = "latency"
    AREA = "area"


@dataclass(frozen=True, slots=True)
class Options:
    """Choices that change the circuit.

    `width` is in bits per beat; `max_window` and `max_frame` in bytes, `max_unroll` in iterations of
    a loop. `target` is one of `delay_tables.DELAYS`: a stage holds what fits a cycle of `clock_mhz`
    there. For `LATENCY` there are as few stages as that allows, and as few register bits as they
    leave; for `AREA` there are more where that saves logic or register bits. `nic` says which metadata
    XDP programs get. `mark_drops` lets dropped frames through, marked in tuser.
    `trace` adds a port with every pipeline register, `control_port` one for the host (AXI4-Lite),
    through which it changes the read-only variables that `tunables` name; these imply it. Without
    `narrow` every value has the width of its instruction and nothing is simplified: that and `ASAP`
    are for comparison.
    """

    width: int = 512
    route: Route = Route.FRONT_END
    nic: Nic = FRONT_END
    strip_vlan: bool = False
    hash_key: bytes = MICROSOFT_KEY
    max_window: int = DEFAULT_MAX_WINDOW
    max_frame: int = 9216
    max_unroll: int = DEFAULT_MAX_UNROLL
    mark_drops: bool = False
    backpressure: bool = True
    prandom_seed: int = 0
    target: str = "generic"
    clock_mhz: float = 250.0
    objective: Objective = Objective.LATENCY
    trace: bool = False
    control_port: bool = False
    tunables: tuple[str, ...] = ()
    narrow: bool = True
    scheduler: Scheduler = Scheduler.FEWEST_BITS

    def __post_init__(self) -> None:
        if self.width not in WIDTHS:
            raise ValueError(f"width must be one of {WIDTHS}, not {self.width!r}")
        if len(self.hash_key) != 40:
            raise ValueError(f"hash_key must have 40 bytes, not {len(self.hash_key)!r}")
        if not 1 <= self.max_window <= MAX_WINDOW:
            raise ValueError(f"max_window must be 1 to {MAX_WINDOW} bytes, not {self.max_window!r}")
        if not 1 <= self.max_unroll <= MAX_UNROLL:
            raise ValueError(f"max_unroll must be 1 to {MAX_UNROLL}, not {self.max_unroll!r}")
        if not 64 <= self.max_frame <= 65535:
            raise ValueError(f"max_frame must be 64 to 65535 bytes, not {self.max_frame!r}")
        if not 0.001 <= self.clock_mhz <= 100_000:
            raise ValueError(f"clock_mhz must be 0.001 to 100000 MHz, not {self.clock_mhz!r}")
        if self.target not in DELAYS:
            raise ValueError(f"target must be one of {tuple(DELAYS)}, not {self.target!r}")
        if len(set(self.tunables)) != len(self.tunables):
            raise ValueError(f"tunable must name each variable once, not {self.tunables!r}")
        if self.route is Route.SHELL and self.strip_vlan:
            raise ValueError("strip_vlan is work of the front end; a shell strips by itself")
