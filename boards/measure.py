"""Design and target -> area, logic levels, routed clock and slowest path, by stage and source line."""

import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..compiler.driver import Design
from ..sim.tools import nextpnr
from .harness import GATE
from .netlist import Area, Place
from .path import Segment, lines, segments
from .route import route
from .synthesis import FLAT, HARNESS, synthesise, write_sources
from .targets import Target

PROGRAM = "pipeline"
"""The part of the gate that is the program."""
_GATE = f"{GATE}."


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a design takes of a device.

    `areas` are those of the gate by place, `harness` is what only measuring needs. `levels` are the
    most look-up tables between two registers, by the place where the path ends. `fmax_mhz` has a
    figure per placement seed; `path` limits the median one, between the cells `ends`, and
    `lines` are the source lines that it computes.
    """

    areas: dict[Place, Area]
    harness: Area
    levels: dict[Place, int]
    fmax_mhz: tuple[float, ...]
    path: tuple[Segment, ...]
    ends: tuple[str, str]
    lines: tuple[str, ...]

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
    ordered = sorted(runs, key=lambda run: run.fmax_mhz)
    middle = ordered[(len(runs) - 1) // 2] if runs else None
    path = middle.path if middle else ()
    return Measurement(
        gate.areas(),
        flat.areas()[Place(HARNESS)],
        gate.levels(),
        tuple(run.fmax_mhz for run in runs),
        segments(path, flat, design),
        (path[0].cell.removeprefix(_GATE), path[-1].cell.removeprefix(_GATE)) if path else ("", ""),
        lines(path, flat, design),
    )


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
        "critical_from": found.ends[0],
        "critical_to": found.ends[1],
        "critical_lines": list(found.lines),
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
