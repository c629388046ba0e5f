"""Verilog of a gate -> a program that simulates it, compiled once and kept.

Models are kept in $XDG_CACHE_HOME/rxgate or ~/.cache/rxgate under a digest of everything that they
are made of. Several processes may build at once: each works aside and renames into place.
"""

import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ..compiler.errors import ToolError
from . import tools

TOP = "rxgate"
"""The module's name."""
KEPT = 400
"""Files of one kind in the cache."""
HARNESS = Path(__file__).parent
_HARNESS = (
    "harness.cpp", "harness_stream.h", "harness_judge.h", "harness_host.h", "harness_io.h",
    "native_abi.h", "lz4.h",
)
_VERILATOR = (
    "--cc", "-O3", "--output-split", "0", "--x-assign", "unique", "--x-initial", "unique", "-Wno-fatal",
    "-Wno-WIDTH", "--quiet",
)
CXX_FLAGS = ("-std=c++20", "-O1", "-fno-strict-aliasing", "-w")
_RUNTIME = ("verilated.cpp", "verilated_threads.cpp")


def build_model(verilog: str, *, waves: bool = False) -> Path:
    """The simulator of `verilog`; with `waves` it can write FST files.

    Random start values are chosen when it runs, not here.
    """
    if waves and not tools.zlib_header():
        raise ToolError("Waves need zlib.h. Install zlib1g-dev (`apt-get install zlib1g-dev`).")
    sources = [(HARNESS / name).read_text() for name in _HARNESS]
    return kept(
        "models", (verilog, str(waves), *flags(), *sources),
        lambda folder: compile_model(folder, verilog, HARNESS / "harness.cpp", waves=waves),
    )


def kept(
    kind: str, made_of: Iterable[str], make: Callable[[Path], Path], *, suffix: str = ""
) -> Path:
    """What `make` makes, in a folder that it is given; or made, of the same things, before."""
    folder = cache() / kind
    wanted = folder / (digest(made_of) + suffix)
    if wanted.exists():
        os.utime(wanted)
        return wanted
    with aside(folder) as scratch:
        make(scratch).replace(wanted)
    prune(folder)
    return wanted


def flags() -> tuple[str, ...]:
    """How models are made, and by which tools, for digests."""
    return (*_VERILATOR, *CXX_FLAGS, *identity())


def compile_model(
    folder: Path, verilog: str, harness: Path, *, top: str = TOP, visible: str = "",
    waves: bool = False, hasty: bool = False,
) -> Path:
    """The simulator of `verilog`, whose module `top` `harness` drives; made and left in `folder`.

    `visible` are lines of a Verilator configuration that say what else than ports can be read. A
    `hasty` one compiles in half the time and runs several times slower.
    """
    verilator, cxx = tools.verilator(), tools.cxx()
    objects = runtime(waves)
    (folder / "rxgate.v").write_text(verilog)
    (folder / "visible.vlt").write_text(f"`verilator_config\n{visible}")
    verilator.run(
        *_VERILATOR, *(["--trace-fst"] if waves else []), "--top-module", top, "--prefix", f"V{top}",
        "--Mdir", "model", "visible.vlt", "rxgate.v", cwd=folder,
    )
    parts = [f"model/{p.name}" for p in sorted((folder / "model").glob("*.cpp"))]
    parts.append(str(harness))
    unity = folder / "unity.cpp"
    unity.write_text("".join(f'#include "{part}"\n' for part in parts))
    cxx.run(
        *CXX_FLAGS, *(["-O0"] if hasty else []), *includes(), f"-DVM_TRACE={int(waves)}",
        f"-DVM_TRACE_FST={int(waves)}", "-I", "model", "-I", HARNESS, unity.name, *objects,
        "-o", "model.exe", "-lpthread", "-ldl",
        *(["-lz"] if waves else []),
        cwd=folder,
    )
    return folder / "model.exe"


def identity() -> tuple[str, ...]:
    """What the tools are, for digests."""
    found = tools.verilator(), tools.cxx()
    return (sys.platform, *(f"{t.command} {t.version}" for t in found))


def runtime(waves: bool) -> list[Path]:
    """Object files of Verilator's run-time library."""
    sources = [*_RUNTIME, *(["verilated_fst_c.cpp"] if waves else [])]
    folder = cache() / "runtime"
    objects = []
    for name in sources:
        wanted = folder / f"{digest((name, str(waves), *CXX_FLAGS, *identity()))}.o"
        if not wanted.exists():
            root = Path(tools.verilator().env["VERILATOR_ROOT"])
            with aside(folder) as scratch:
                tools.cxx().run(
                    *CXX_FLAGS, *includes(), f"-DVM_TRACE={int(waves)}",
                    f"-DVM_TRACE_FST={int(waves)}",
                    "-I", HARNESS, "-c", root / "include" / name, "-o", "part.o", cwd=scratch,
                )
                (scratch / "part.o").replace(wanted)
        objects.append(wanted)
    return objects


def includes() -> tuple[str, ...]:
    root = Path(tools.verilator().env["VERILATOR_ROOT"]) / "include"
    return ("-I", str(root), "-I", str(root / "vltstd"))


def cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "rxgate"


@contextlib.contextmanager
def aside(near: Path) -> Iterator[Path]:
    """A folder inside `near`, for the time of a `with` statement."""
    try:
        near.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.TemporaryDirectory(prefix=".build-", dir=near)
    except OSError as error:
        raise ToolError(
            f"The cache {near} cannot be written: {error.strerror}. Set XDG_CACHE_HOME to a folder "
            "that can."
        ) from None
    with scratch as path:
        yield Path(path)


def digest(parts: Iterable[str]) -> str:
    state = hashlib.sha256()
    for part in parts:
        blob = part.encode()
        state.update(len(blob).to_bytes(8, "big") + blob)
    return state.hexdigest()[:32]


def prune(folder: Path) -> None:
    """Remove the files of a cache that were used longest ago."""
    found = [p for p in folder.iterdir() if not p.name.startswith(".")]
    if len(found) <= KEPT:
        return
    found.sort(key=lambda p: p.stat().st_mtime)
    for path in found[: len(found) - KEPT]:
        path.unlink(missing_ok=True)
