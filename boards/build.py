"""Program and board -> a bitstream, and what became of it: clocks, cells, slowest path."""

import json
import re
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..compiler.driver import TOP as GATE
from ..compiler.driver import Design, compile_program
from ..compiler.errors import RxgateError
from ..compiler.insn import Program
from ..compiler.options import Options
from ..hdl.verilog import to_verilog
from ..sim.tools import ecppack, nextpnr, yosys
from . import bitstream
from .core_file import core_file
from .ecp5 import PLL_OUTPUT
from .filter import CLOCK_MHZ
from .kit import Kit
from .lpf import lpf
from .netlist import Netlist
from .path import Segment, lines, segments
from .pins import Device, device, pins
from .targets import ECP5_CELLS
from .timing import SYSTEM, Timing
from .top import SETTLE, Top
from .xdc import xdc

MAX_FRAME = 1996
"""Bytes without FCS of the longest frame that IEEE 802.3 clause 3.2.7 knows, an envelope frame."""
WIDTH = 8
"""Bits of the gate: at 125 MHz these are a gigabit."""
BITSTREAM = f"{bitstream.TOP}.bit"
"""The file that a programmer loads."""
DELAYS = "ecp5-8"
"""Those of most boards."""
_GATE = "filter.gate"
"""Where the gate is in the design."""
_CELLS = {
    "TRELLIS_COMB": "lut", "TRELLIS_FF": "ff", "DP16KD": "bram", "MULT18X18D": "dsp",
}
_DIGITS = 2
_DEPTH = 2
"""Levels of the hierarchy that a place outside the gate is told with."""
_CELL = re.compile(r"_(?:LUT4|CCU2C|PFUMX|L6MUX21|TRELLIS_FF|TRELLIS_DPR16X4|DP16KD)_?|\$")
"""What tools put behind the signal that a cell is named after."""


class TimingError(RxgateError):
    """A clock of the design cannot be as fast as it has to be."""


@dataclass(frozen=True, slots=True)
class Place:
    """A piece of a path: where it is, the source line that it computes, nanoseconds."""

    where: str
    line: str | None
    ns: float


@dataclass(frozen=True, slots=True)
class Built:
    """A design that was placed and routed: what each seed gave, and the bitstream of the best.

    `path` limits the clock with the least margin; `lines` are the source lines that it computes.
    """

    device: Device
    timings: tuple[Timing, ...]
    best: Timing
    path: tuple[Place, ...]
    lines: tuple[str, ...]
    bitstream: bytes


def board_design(program: Program, options: Options, delays: str = DELAYS) -> Design:
    """The program for a board: a gate that keeps frames until they are known to be good, of stages that
    a device of these `delays` can do."""
    taken = replace(
        options, width=WIDTH, backpressure=False, clock_mhz=float(CLOCK_MHZ), target=delays,
        control_port=True,
    )
    design = compile_program(program, taken)
    return replace(design, config=replace(design.config, store_and_forward=True))


def clocks(kit: Kit) -> dict[str, float]:
    """The clocks of a board's design, in MHz."""
    ports = "ab"[: len(kit.ports)]
    return {SYSTEM: CLOCK_MHZ, **{f"eth_{letter}_rx_clk": CLOCK_MHZ for letter in ports}}


def sources(design: Design, kit: Kit, settle: int = SETTLE) -> dict[str, str]:
    """The design of a board as files: the gate, what is around it, and the constraints."""
    wires = pins(kit)
    inputs = {"osc": kit.oscillator_mhz} | {n: f for n, f in clocks(kit).items() if n != SYSTEM}
    return {
        f"{GATE}.v": design.verilog,
        "top.v": to_verilog(Top(kit, wires, design.gate, GATE, settle), bitstream.TOP),
        "top.lpf": lpf(wires, inputs),
        "top.xdc": xdc(wires, inputs, "osc", SYSTEM, CLOCK_MHZ, PLL_OUTPUT),
        "top.core": core_file(
            design.program.name, kit.name, (f"{GATE}.v", "top.v"), "top.lpf", "top.xdc",
            bitstream.TOP, device(kit),
        ),
    }


def build(design: Design, kit: Kit, seeds: int, jobs: int, progress: Callable[[str], None]) -> Built:
    """Synthesise, place and route with each of `seeds` seeds, `jobs` at a time, and pack the best.

    `progress` is told what begins. ToolError if a tool is missing, which is found out first, or fails.
    """
    for tool in (yosys, nextpnr, ecppack):
        tool()
    target = device(kit)
    with tempfile.TemporaryDirectory(prefix="rxgate-build-") as name:
        directory = Path(name)
        progress("writing Verilog")
        for file, text in sources(design, kit).items():
            (directory / file).write_text(text)
        progress("synthesising")
        module = bitstream.synthesise((f"{GATE}.v", "top.v"), directory)
        timings: list[Timing] = []
        with ThreadPoolExecutor(jobs) as pool:
            tasks = [
                pool.submit(bitstream.route, target, seed, clocks(kit), directory)
                for seed in range(1, seeds + 1)
            ]
            progress(f"placing and routing, 0 of {seeds} done")
            for n, task in enumerate(as_completed(tasks), 1):
                timings.append(task.result())
                progress(f"placing and routing, {n} of {seeds} done")
        timings.sort(key=lambda timing: timing.seed)
        best = max(timings, key=lambda timing: timing.worst.margin)
        progress("packing")
        packed = bitstream.pack(best.seed, directory)
    netlist = Netlist(module, ECP5_CELLS, _GATE)
    path, named = explained(best, netlist, design)
    return Built(target, tuple(timings), best, path, named, packed)


def check_timing(built: Built) -> None:
    """TimingError if a clock is too slow."""
    late = [clock for clock in built.best.clocks if not clock.met]
    if not late:
        return
    each = ", ".join(
        f"{c.name} reaches {c.fmax_mhz:.1f} of {c.constraint_mhz:g} MHz" for c in late
    )
    places = ", ".join(dict.fromkeys(p.where for p in built.path))
    code = f"; it computes {', '.join(built.lines)}" if built.lines else ""
    tried = len(built.timings)
    raise TimingError(
        f"timing is not met: {each} (the best of {tried} seed{'s' * (tried > 1)}). The slowest path"
        f" is in {places}{code}. Try more --seeds, or --allow-timing-fail to write what there is."
    )


def to_json(built: Built, design: Design, kit: Kit) -> dict[str, Any]:
    """What build.json holds."""
    return {
        "board": kit.name,
        "device": built.device.name,
        "program": design.program.name,
        "met": built.best.met,
        "clocks": _clocks(built.best),
        "utilisation": {
            name: dict(zip(("used", "available"), built.best.cells.get(cell, (0, 0)), strict=True))
            for cell, name in _CELLS.items()
        },
        "seed": built.best.seed,
        "seeds": {str(t.seed): {"met": t.met, "clocks": _clocks(t)} for t in built.timings},
        "critical_clock": built.best.worst.name,
        "critical_path": [
            {"where": p.where, "line": p.line, "ns": round(p.ns, 3)} for p in built.path
        ],
        "critical_lines": list(built.lines),
        "tunables": [
            {"name": t.name, "offset": t.offset, "bytes": t.size} for t in design.config.tunables
        ],
        "tools": {tool().name: tool().version for tool in (yosys, nextpnr)},
    }


def output_files(built: Built, design: Design, kit: Kit) -> Mapping[str, str | bytes]:
    """What a build writes."""
    report = json.dumps(to_json(built, design, kit), indent=2) + "\n"
    return {BITSTREAM: built.bitstream, **sources(design, kit), "build.json": report}


def _clocks(timing: Timing) -> dict[str, dict[str, float]]:
    return {
        c.name: {"fmax_mhz": round(c.fmax_mhz, _DIGITS), "constraint_mhz": c.constraint_mhz}
        for c in timing.clocks
    }


def explained(
    timing: Timing, netlist: Netlist, design: Design
) -> tuple[tuple[Place, ...], tuple[str, ...]]:
    """The path that limits the clock with the least margin, in pieces; and its source lines."""
    path = timing.worst.path
    if path and path[-1].cell.startswith(f"{_GATE}."):
        pieces = (_in_gate(segment) for segment in segments(path, netlist, design))
        return tuple(pieces), lines(path, netlist, design)
    parts: dict[str, float] = {}
    for hop in path:
        where = ".".join(_CELL.split(hop.cell)[0].split(".")[:_DEPTH]) or hop.cell
        parts[where] = parts.get(where, 0.0) + hop.ns
    return tuple(Place(where, None, ns) for where, ns in parts.items()), ()


def _in_gate(segment: Segment) -> Place:
    place = segment.place
    where = f"stage {place.stage}" if place.stage >= 0 else f"gate.{place.part}"
    return Place(where, segment.line, segment.ns)
