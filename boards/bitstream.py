"""Verilog and constraints in a directory -> netlist, placement and bitstream of an ECP5."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..sim.tools import ecppack, nextpnr, yosys
from .pins import Device
from .timing import Timing, read_timing

TOP = "top"
"""The module, and the stem of all files."""


def synthesise(sources: tuple[str, ...], directory: Path) -> dict[str, Any]:
    """The module `top`, without hierarchy, as Yosys' JSON has it; also in top.json."""
    script = directory / "top.ys"
    lines = (f"read_verilog {' '.join(sources)}", f"synth_ecp5 -top {TOP}", f"write_json {TOP}.json")
    script.write_text("\n".join(lines) + "\n")
    yosys().run("-q", script.name, cwd=directory)
    return json.loads((directory / f"{TOP}.json").read_text())["modules"][TOP]


def route(device: Device, seed: int, clocks_mhz: Mapping[str, float], directory: Path) -> Timing:
    """Places and routes top.json with top.lpf, into top_<seed>.config."""
    report = directory / f"{TOP}_{seed}.json"
    nextpnr().run(
        *device.router, "--json", f"{TOP}.json", "--lpf", f"{TOP}.lpf",
        "--textcfg", f"{TOP}_{seed}.config", "--report", report.name, "--seed", str(seed),
        "--timing-allow-fail", "--quiet",
        cwd=directory,
    )
    return read_timing(json.loads(report.read_text()), seed, clocks_mhz)


def pack(seed: int, directory: Path) -> bytes:
    """The bitstream of a placement."""
    ecppack().run("--compress", f"{TOP}_{seed}.config", f"{TOP}.bit", cwd=directory)
    return (directory / f"{TOP}.bit").read_bytes()
