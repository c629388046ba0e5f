"""Verilog of a gate -> a simulator with cocotb inside, compiled once and kept.

cocotb's own runner needs make, perl and python on PATH, and compiles Verilator's run-time library
for each design. Only the ports are visible from Python, which leaves the rest to be optimised.
"""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import cocotb_tools.config

from ..compiler.errors import ToolError
from . import model, tools
from .model import TOP

_VERILATOR = (
    "--cc", "--exe", "--vpi", "--prefix", "Vtop", "-O3",
    "--output-split", "0", "--x-assign", "unique", "--x-initial", "unique",
    "-Wno-fatal", "-Wno-WIDTH", "--quiet",
)  # fmt: skip
_CXX = model.CXX_FLAGS
_VPI = ("verilated_vpi.cpp", "verilated_dpi.cpp")
_PORTS = ("clk", "rst", "s_axis_*", "m_axis_*", "s_axil_*", "stat_*", "ktime_ns", "trace_*", "trace")


def build_bench(
    verilog: str, *, waves: bool = False, top: str = TOP, ports: Sequence[str] = _PORTS
) -> Path:
    """The simulator of the module `top` of `verilog`, named like it in a folder of its own.

    Python sees the `ports`. With `waves` it can write FST files. Random start values are chosen when
    it runs.
    """
    if waves and not tools.zlib_header():
        raise ToolError("Waves need zlib.h. Install zlib1g-dev (`apt-get install zlib1g-dev`).")
    visible = "`verilator_config\n" + "".join(
        f'public_flat_rw -module "{top}" -var "{port}"\n' for port in ports
    )
    flags = (*_VERILATOR, "--top-module", top, *(["--trace-fst"] if waves else []))
    libraries = Path(cocotb_tools.config.libs_dir)
    main = Path(cocotb_tools.config.share_dir) / "lib" / "verilator" / "verilator.cpp"
    made_of = (verilog, visible, *flags, *_CXX, *model.identity(), str(libraries))
    benches = model.cache() / "benches"
    bench = benches / model.digest((*made_of, main.read_text()))
    if (bench / top).exists():
        os.utime(bench)
        return bench / top
    runtime = [*model.runtime(waves), *_vpi()]
    with model.aside(benches) as folder:
        (folder / "rxgate.v").write_text(verilog)
        (folder / "ports.vlt").write_text(visible)
        tools.verilator().run(*flags, "--Mdir", "model", "ports.vlt", "rxgate.v", cwd=folder)
        parts = [f"model/{p.name}" for p in sorted((folder / "model").glob("*.cpp"))]
        unity = folder / "unity.cpp"
        unity.write_text("".join(f'#include "{part}"\n' for part in (*parts, main)))
        (folder / "bench").mkdir()
        tools.cxx().run(
            *_CXX, *model.includes(), f"-DVM_TRACE={int(waves)}", f"-DVM_TRACE_FST={int(waves)}",
            "-DVM_COVERAGE=0", "-I", "model", "-I", model.HARNESS, unity.name, *runtime,
            "-o", f"bench/{top}", f"-L{libraries}", f"-Wl,-rpath,{libraries}",
            "-lcocotbvpi_verilator", "-lpthread", *(["-lz"] if waves else []),
            cwd=folder,
        )  # fmt: skip
        try:
            (folder / "bench").rename(bench)
        except OSError:
            if not (bench / top).exists():
                raise
    _prune(benches)
    return bench / top


def _prune(benches: Path) -> None:
    """Remove the simulators that were used longest ago."""
    found = [p for p in benches.iterdir() if not p.name.startswith(".")]
    found.sort(key=lambda p: p.stat().st_mtime)
    for path in found[: max(0, len(found) - model.KEPT)]:
        shutil.rmtree(path, ignore_errors=True)


def _vpi() -> list[Path]:
    """Object files of what Verilator's run-time library needs for cocotb."""
    folder = model.cache() / "runtime"
    root = Path(tools.verilator().env["VERILATOR_ROOT"]) / "include"
    objects = []
    for name in _VPI:
        wanted = folder / f"{model.digest((name, *_CXX, *model.identity()))}.o"
        if not wanted.exists():
            with model.aside(folder) as scratch:
                tools.cxx().run(
                    *_CXX, *model.includes(), "-c", root / name, "-o", "part.o", cwd=scratch
                )
                (scratch / "part.o").replace(wanted)
        objects.append(wanted)
    return objects
