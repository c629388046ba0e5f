"""Netlist and target -> clock and slowest path after placing and routing, from nextpnr."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..compiler.errors import ToolError
from ..sim.tools import nextpnr
from .targets import Target


@dataclass(frozen=True, slots=True)
class Hop:
    """Nanoseconds on the way to a cell, or through it."""

    cell: str
    ns: float


@dataclass(frozen=True, slots=True)
class Routed:
    """What one placement seed gave: the highest clock, and the path that limits it, from its first
    register to its last."""

    seed: int
    fmax_mhz: float
    path: tuple[Hop, ...]


def route(target: Target, netlist: str, clock_mhz: float, seed: int, directory: Path) -> Routed:
    """Place and route `netlist`, a file in `directory`, aiming at a clock."""
    report = directory / f"report_{seed}.json"
    nextpnr().run(
        *target.router, "--json", netlist, "--report", report.name, "--freq", f"{clock_mhz:g}",
        "--seed", str(seed), "--timing-allow-fail", "--lpf-allow-unconstrained", "--quiet",
        cwd=directory,
    )
    return read_report(json.loads(report.read_text()), seed)


def read_report(report: Mapping[str, Any], seed: int) -> Routed:
    """The figures of nextpnr's own report of a design with one clock."""
    clocks = report["fmax"]
    if len(clocks) != 1:
        raise ToolError(f"nextpnr reports {len(clocks)} clocks where the design has one.")
    [(clock, figures)] = clocks.items()
    within = [
        p["path"] for p in report["critical_paths"]
        if p["from"].endswith(f"edge {clock}") and p["to"].endswith(f"edge {clock}")
    ]
    slowest = max(within, key=lambda path: sum(step["delay"] for step in path), default=[])
    path = tuple(Hop(step["to"]["cell"], step["delay"]) for step in slowest)
    return Routed(seed, figures["achieved"], path)
