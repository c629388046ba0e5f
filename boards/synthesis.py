"""Design and target -> netlists of the device's cells, from Yosys."""

import json
from pathlib import Path

from ..compiler.driver import TOP, Design
from ..compiler.errors import ToolError
from ..hdl.verilog import to_verilog
from ..sim.tools import yosys
from .harness import GATE, Harness
from .netlist import Netlist
from .targets import Target

HARNESS = "harness"
STAGES = f"{TOP}.pipeline.stage_*"
"""The modules of the program's stages."""
FLAT = "flat.json"
"""The whole design without hierarchy, for a router."""


def write_sources(design: Design, directory: Path) -> None:
    """The Verilog of the design, as `compile` writes it, and of the harness around it."""
    (directory / f"{TOP}.v").write_text(design.verilog)
    harness = Harness.around(design.gate, TOP)
    (directory / f"{HARNESS}.v").write_text(to_verilog(harness, HARNESS))


def synthesise(target: Target, directory: Path) -> tuple[Netlist, Netlist]:
    """The gate in its harness: (the gate for itself, both without hierarchy).

    Nothing is moved or merged between the two; the gate's own modules are dissolved, the stages of the
    program before mapping only if there is a router.
    """
    apart = [] if target.router else [STAGES]
    _run(
        directory,
        f"read_verilog {TOP}.v {HARNESS}.v",
        *(f"setattr -mod -set keep_hierarchy 1 {module}" for module in (TOP, *apart)),
        f"{target.synthesis} -top {HARNESS}",
        *(f"setattr -mod -unset keep_hierarchy {module}" for module in apart),
        *(("flatten", "clean") if apart else ()),
        "write_json kept.json",
        f"setattr -mod -unset keep_hierarchy {TOP}",
        "flatten",
        "clean",
        f"write_json {FLAT}",
    )
    return (
        _read(directory / "kept.json", target, TOP),
        _read(directory / FLAT, target, HARNESS, GATE),
    )


def _run(directory: Path, *lines: str) -> None:
    script = directory / "script.ys"
    script.write_text("\n".join(lines) + "\n")
    yosys().run("-q", script.name, cwd=directory)


def _read(path: Path, target: Target, module: str, gate: str = "") -> Netlist:
    netlist = Netlist(json.loads(path.read_text())["modules"][module], target.cells, gate)
    unknown = [kind for kind in netlist.others if kind != TOP]
    if unknown:
        raise ToolError(
            f"Yosys made cells for {target.name} that rxgate cannot count: {', '.join(unknown)}."
        )
    return netlist
