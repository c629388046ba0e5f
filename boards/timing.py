"""nextpnr's report -> how fast each clock of a design can be, and what limits it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..compiler.errors import ToolError
from .route import Hop

SYSTEM = "system"
"""The name of the clock that comes from the PLL; the others are named after their ports."""
_DERIVED = re.compile(r"^\$glbnet\$|\$TRELLIS_IO_IN$")


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock, in MHz: what it could be, and what it has to be. `path` limits it."""

    name: str
    fmax_mhz: float
    constraint_mhz: float
    path: tuple[Hop, ...]

    @property
    def met(self) -> bool:
        """Whether it is fast enough."""
        return self.fmax_mhz >= self.constraint_mhz

    @property
    def margin(self) -> float:
        """How much faster than it has to be, as a ratio; less than 1 if it is too slow."""
        return self.fmax_mhz / self.constraint_mhz


@dataclass(frozen=True, slots=True)
class Timing:
    """What a placement `seed` gave: its clocks by name, and the cells it took of those that there
    are, as (used, available)."""

    seed: int
    clocks: tuple[Clock, ...]
    cells: Mapping[str, tuple[int, int]]

    @property
    def met(self) -> bool:
        """Whether all clocks are fast enough."""
        return all(clock.met for clock in self.clocks)

    @property
    def worst(self) -> Clock:
        """The clock with the least margin."""
        return min(self.clocks, key=lambda clock: clock.margin)


def read_timing(report: Mapping[str, Any], seed: int, wanted: Mapping[str, float]) -> Timing:
    """The clocks of nextpnr's own report; `wanted` are the ones that have to be there, with their
    MHz. A clock that is constrained to less than that, or not there, is an error."""
    clocks = []
    for net, figures in report["fmax"].items():
        port = _DERIVED.sub("", net)
        name = port if port in wanted else SYSTEM
        clocks.append(Clock(name, figures["achieved"], figures["constraint"], _path(report, net)))
    found = {clock.name: clock.constraint_mhz for clock in clocks}
    if len(found) != len(clocks) or found != {n: found.get(n) for n in wanted}:
        raise ToolError(
            f"nextpnr reports the clocks {', '.join(report['fmax'])}, and those of the design are"
            f" {', '.join(wanted)}."
        )
    if slow := [n for n, mhz in wanted.items() if found[n] < mhz - 0.01]:
        raise ToolError(f"nextpnr was not told how fast {', '.join(slow)} has to be.")
    cells = {
        name: (count["used"], count["available"])
        for name, count in report["utilization"].items()
    }
    return Timing(seed, tuple(sorted(clocks, key=lambda c: list(wanted).index(c.name))), cells)


def _path(report: Mapping[str, Any], net: str) -> tuple[Hop, ...]:
    """The slowest path between two registers of a clock."""
    within = [
        p["path"] for p in report["critical_paths"]
        if p["from"].endswith(f"edge {net}") and p["to"].endswith(f"edge {net}")
    ]
    slowest = max(within, key=lambda path: sum(step["delay"] for step in path), default=[])
    return tuple(Hop(step["to"]["cell"], step["delay"]) for step in slowest)
