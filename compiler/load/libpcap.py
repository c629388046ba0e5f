"""libpcap's C interface -> the few calls that filters and captures need, errors as exceptions.

The library is the one that the `libpcap` wheel bundles, so that an expression gives the same
instructions on every machine; where the wheel has none for a platform, the system's own is taken.
"""

import ctypes as ct
import importlib.util
import os
import platform
import sys
from collections.abc import Iterable, Iterator, Sequence
from ctypes.util import find_library
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import ToolError
from .classic_insn import ClassicInsn

DLT_EN10MB = 1
"""Ethernet, with the destination address at byte 0."""
SNAP_LENGTH = 262144
"""What tcpdump asks for; a filter returns it for a match."""

_ERROR_BYTES = 256
_NANOSECONDS = 1
_NETMASK_UNKNOWN = 0xFFFF_FFFF
_END_OF_FILE = -2


class LibpcapError(Exception):
    """libpcap refused; the text is its own."""


class Packet(NamedTuple):
    """A captured packet: its bytes, its length on the wire, and when, in ns since 1970."""

    data: bytes
    length: int
    time_ns: int


class _Insn(ct.Structure):
    _fields_ = (
        ("code", ct.c_ushort), ("jt", ct.c_ubyte), ("jf", ct.c_ubyte), ("k", ct.c_uint32),
    )


class _Program(ct.Structure):
    _fields_ = (("length", ct.c_uint), ("insns", ct.POINTER(_Insn)))


class _Time(ct.Structure):
    _fields_ = (
        ("seconds", ct.c_long),
        ("fraction", ct.c_int32 if sys.platform == "darwin" else ct.c_long),
    )


class _Header(ct.Structure):
    _fields_ = (("time", _Time), ("captured", ct.c_uint32), ("length", ct.c_uint32))


def _bundled() -> Path | None:
    """The library inside the wheel, found without importing it (that needs a system libpcap)."""
    spec = importlib.util.find_spec("libpcap")
    if spec is None or not spec.submodule_search_locations:
        return None
    system, name = {
        "linux": ("linux", "libpcap.so"), "darwin": ("macos", "libpcap.dylib"),
    }.get(sys.platform, ("", ""))
    root = Path(spec.submodule_search_locations[0]) / "_platform" / system
    path = root / platform.machine() / "tcpdump" / name
    return path if path.is_file() else None


@cache
def _library() -> Any:
    """The loaded library with the types of the calls declared."""
    path = _bundled() or find_library("pcap")
    if path is None:
        raise ToolError(
            "libpcap is missing: install the Python package `libpcap`, or the system's own "
            "(Debian: libpcap0.8)."
        )
    lib = ct.CDLL(str(path))
    handle, text, packet = ct.c_void_p, ct.c_char_p, ct.POINTER(_Header)
    for name, result, arguments in (
        ("open_dead_with_tstamp_precision", handle, (ct.c_int, ct.c_int, ct.c_uint)),
        ("open_offline_with_tstamp_precision", handle, (text, ct.c_uint, text)),
        ("close", None, (handle,)),
        ("geterr", text, (handle,)),
        ("datalink", ct.c_int, (handle,)),
        ("datalink_val_to_name", text, (ct.c_int,)),
        ("compile", ct.c_int, (handle, ct.POINTER(_Program), text, ct.c_int, ct.c_uint32)),
        ("freecode", None, (ct.POINTER(_Program),)),
        ("offline_filter", ct.c_int, (ct.POINTER(_Program), packet, text)),
        ("next_ex", ct.c_int, (handle, ct.POINTER(packet), ct.POINTER(handle))),
        ("dump_open", handle, (handle, text)),
        ("dump", None, (handle, packet, text)),
        ("dump_flush", ct.c_int, (handle,)),
        ("dump_close", None, (handle,)),
        ("lib_version", text, ()),
    ):
        function = getattr(lib, f"pcap_{name}")
        function.restype, function.argtypes = result, arguments
    return lib


@cache
def _dead() -> int:
    """A handle for Ethernet with no interface or file behind it."""
    return _library().pcap_open_dead_with_tstamp_precision(DLT_EN10MB, SNAP_LENGTH, _NANOSECONDS)


def version() -> str:
    """The version that the library names."""
    return _library().pcap_lib_version().decode()


def compile_filter(expression: str) -> tuple[ClassicInsn, ...]:
    """An expression -> optimised classic BPF for Ethernet frames."""
    lib, program = _library(), _Program()
    status = lib.pcap_compile(_dead(), program, expression.encode(), 1, _NETMASK_UNKNOWN)
    if status < 0:
        raise LibpcapError(lib.pcap_geterr(_dead()).decode(errors="replace"))
    try:
        return tuple(
            ClassicInsn(i.code, i.jt, i.jf, i.k) for i in program.insns[: program.length]
        )
    finally:
        lib.pcap_freecode(program)


def run_filter(insns: Sequence[ClassicInsn], frames: Iterable[bytes]) -> list[int]:
    """What libpcap's own interpreter returns for each frame; the program must be well-formed."""
    lib = _library()
    array = (_Insn * len(insns))(*insns)
    program, header = _Program(len(insns), array), _Header()
    results = []
    for frame in frames:
        header.captured = header.length = len(frame)
        results.append(lib.pcap_offline_filter(program, header, frame) & 0xFFFF_FFFF)
    return results


def read_file(path: Path) -> Iterator[Packet]:
    """The packets of an Ethernet pcap or pcapng file, in order."""
    lib, message = _library(), ct.create_string_buffer(_ERROR_BYTES)
    handle = lib.pcap_open_offline_with_tstamp_precision(os.fsencode(path), _NANOSECONDS, message)
    if handle is None:
        raise LibpcapError(message.value.decode(errors="replace"))
    try:
        link = lib.pcap_datalink(handle)
        if link != DLT_EN10MB:
            name = lib.pcap_datalink_val_to_name(link)
            raise LibpcapError(f"link type is {name.decode() if name else link}, not Ethernet")
        header, data = ct.POINTER(_Header)(), ct.c_void_p()
        while (status := lib.pcap_next_ex(handle, header, data)) == 1:
            h = header.contents
            time_ns = h.time.seconds * 1_000_000_000 + h.time.fraction
            yield Packet(ct.string_at(data, h.captured), h.length, time_ns)
        if status != _END_OF_FILE:
            raise LibpcapError(lib.pcap_geterr(handle).decode(errors="replace"))
    finally:
        lib.pcap_close(handle)


def write_file(path: Path, packets: Iterable[Packet]) -> None:
    """Packets -> an Ethernet pcap file with nanosecond times."""
    lib = _library()
    dumper = lib.pcap_dump_open(_dead(), os.fsencode(path))
    if dumper is None:
        raise LibpcapError(lib.pcap_geterr(_dead()).decode(errors="replace"))
    try:
        header = _Header()
        for packet in packets:
            header.time.seconds, header.time.fraction = divmod(packet.time_ns, 1_000_000_000)
            header.captured, header.length = len(packet.data), packet.length
            lib.pcap_dump(dumper, header, packet.data)
        if lib.pcap_dump_flush(dumper) != 0:
            raise LibpcapError(f"{path}: the file could not be written to its end")
    finally:
        lib.pcap_dump_close(dumper)
