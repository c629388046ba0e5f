"""Design and target -> area, logic levels, routed clock and slowest path, by stage and source line."""

import re
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..compiler.driver import Design
from ..sim.tools import nextpnr
from .netlist import Area, Netlist, Place
from .route import Routed, route
from .synthesis import FLAT, HARNESS, synthesise, write_sources
from .targets import Target

PROGRAM = "pipeline"
"""The part of the gate that is the program."""
_NODE = re.compile(r"stage_\d+\.[nv](\d+)(?!\d)")
"""How the pipeline's signals are named: after a node of the dataflow graph, n before and v behind
a register."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a path: where it is, the source line that it computes (where known), and its
    nanoseconds."""

    place: Place
    line: str | None
    ns: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a design takes of a device.

    `areas` are those of the gate by place, `harness` is what only measuring needs. `levels` are the
    most look-up tables between two registers, by the place where the path ends. `fmax_mhz` has a
    figure per placement seed; `path` limits the median one.
    """

    areas: dict[Place, Area]
    harness: Area
    levels: dict[Place, int]
    fmax_mhz: tuple[float, ...]
    path: tuple[Segment, ...]

    @property
    def gate(self) -> Area:
        """All of the gate."""
        return Area.total(self.areas.values())

    @property
    def program(self) -> Area:
        """The program pipeline."""
        return Area.total(area for place, area in self.areas.items() if place.part == PROGRAM)

    @property
    def surroundings(self) -> Area:
        """Buffer, window, egress, counters: the gate without the program."""
        return Area.total(area for place, area in self.areas.items() if place.part != PROGRAM)

    def stage_levels(self, stages: int) -> list[int]:
        """The longest chain of look-up tables of each pipeline stage."""
        return [self.levels.get(Place(PROGRAM, k), 0) for k in range(stages)]

    @property
    def median_mhz(self) -> float | None:
        """The clock of the middle seed, the lower of two middle ones; nothing if none was routed."""
        return statistics.median_low(self.fmax_mhz) if self.fmax_mhz else None


def measure(
    design: Design, target: Target, seeds: int, progress: Callable[[str], None]
) -> Measurement:
    """Synthesise a design, and route it with `seeds` placements if there are any.

    `progress` is told what begins. ToolError if a tool is missing, which is found out first, or fails.
    """
    if seeds:
        nextpnr()
    with tempfile.TemporaryDirectory(prefix="rxgate-synth-") as name:
        directory = Path(name)
        progress("writing Verilog")
        write_sources(design, directory)
        progress("synthesising")
        gate, flat = synthesise(target, directory)
        runs = []
        for seed in range(1, seeds + 1):
            progress(f"placing and routing, seed {seed} of {seeds}")
            runs.append(route(target, FLAT, design.options.clock_mhz, seed, directory))
    middle = sorted(runs, key=lambda run: run.fmax_mhz)[(len(runs) - 1) // 2 :][:1]
    return Measurement(
        gate.areas(),
        flat.areas()[Place(HARNESS)],
        gate.levels(),
        tuple(run.fmax_mhz for run in runs),
        segments(middle[0], flat, design) if middle else (),
    )


def segments(run: Routed, flat: Netlist, design: Design) -> tuple[Segment, ...]:
    """The slowest path in pieces of one source line each.

    A path lies in the stage whose register it ends in. Its line is that of the value that a cell is
    named after, which for logic that was merged is the register's behind it.
    """
    if not run.path:
        return ()
    end = flat.place(run.path[-1].cell)
    found: list[Segment] = []
    for hop in run.path:
        line = _line(hop.cell, design) if end.stage >= 0 else None
        if found and line in (found[-1].line, None):
            found[-1] = Segment(end, found[-1].line, found[-1].ns + hop.ns)
        else:
            found.append(Segment(end, line, hop.ns))
    return tuple(found)


def _line(cell: str, design: Design) -> str | None:
    """The source line of the value that a cell of the pipeline is named after."""
    named = _NODE.search(cell)
    nodes = design.schedule.function.nodes
    if named is None or int(named[1]) >= len(nodes):
        return None
    origin = nodes[int(named[1])].origin
    line = design.program.line(origin) if origin >= 0 else None
    return f"{line.file}:{line.line}" if line else None


def to_json(found: Measurement, design: Design, target: Target) -> dict[str, Any]:
    """What `synth --json` prints."""
    stages = design.schedule.latency
    return {
        "fmax_mhz": _rounded(found.median_mhz),
        "fmax_by_seed": [_rounded(mhz) for mhz in found.fmax_mhz],
        **found.gate.to_json(),
        "levels": max(found.levels.values(), default=0),
        "stages": stages,
        "latency_cycles": design.gate.latency,
        "target": target.name,
        "width": design.options.width,
        "seeds": len(found.fmax_mhz),
        "critical_path": [_piece(s) for s in found.path],
        "areas": {
            "program": found.program.to_json(),
            "surroundings": found.surroundings.to_json(),
            "harness": found.harness.to_json(),
        },
        "parts": _by_part(found.areas),
        "stage_levels": found.stage_levels(stages),
        "part_levels": _deepest(found.levels),
    }


def _by_part(areas: dict[Place, Area]) -> dict[str, dict[str, float]]:
    parts = sorted({place.part for place in areas})
    return {
        part: Area.total(a for p, a in areas.items() if p.part == part).to_json() for part in parts
    }


def _deepest(levels: dict[Place, int]) -> dict[str, int]:
    parts = sorted({place.part for place in levels})
    return {part: max(n for p, n in levels.items() if p.part == part) for part in parts}


def _piece(s: Segment) -> dict[str, Any]:
    stage = s.place.stage if s.place.stage >= 0 else None
    return {"stage": stage, "line": s.line, "ns": round(s.ns, 3), "part": s.place.part}


def _rounded(mhz: float | None) -> float | None:
    return None if mhz is None else round(mhz, 2)
