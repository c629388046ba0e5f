"""bpf(2), without a library -> maps, type information, loaded programs and their test runs.

Numbers and structures are those of include/uapi/linux/bpf.h. Every function raises OSError as the
kernel answers, and `load` raises Refused with the verifier's words.
"""

import ctypes
import errno
import os
import platform
import struct
import sys
from enum import IntEnum
from functools import cache
from typing import Any

_NUMBERS = {"x86_64": 321, "aarch64": 280}
_ATTR_SIZE = 144
_MAP_CREATE, _MAP_UPDATE, _PROG_LOAD, _TEST_RUN, _BTF_LOAD, _MAP_FREEZE = 0, 2, 5, 10, 18, 22
_ARRAY = 2
_READ_ONLY, _MMAPABLE = 1 << 7, 1 << 10
_LOG_SIZE = 1 << 24
_LOG_LINES = 6
_TEST_RUN_ATTR = struct.Struct("<IIIIQQII")
"""prog_fd, retval, data_size_in, data_size_out, data_in, data_out, repeat, duration."""
_ROOM = 1 << 16
"""Bytes for the packet that comes out of a test run."""


class ProgramType(IntEnum):
    """enum bpf_prog_type, as far as it is used here."""

    SCHED_CLS = 3
    XDP = 6


class Refused(Exception):
    """The kernel's verifier refuses the program; its last words."""


@cache
def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _bpf(command: int, attr: bytes) -> tuple[int, bytes]:
    """The call's result and the attributes as the kernel left them."""
    buffer = ctypes.create_string_buffer(attr.ljust(_ATTR_SIZE, b"\0"), _ATTR_SIZE)
    number = _NUMBERS[platform.machine()]
    result = _libc().syscall(number, command, ctypes.byref(buffer), _ATTR_SIZE)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"bpf(): {os.strerror(code)}")
    return result, buffer.raw


@cache
def unavailable() -> str | None:
    """Why programs cannot be loaded here; None when they can."""
    if sys.platform != "linux" or platform.machine() not in _NUMBERS:
        return f"no bpf(2) known for {sys.platform} on {platform.machine()}"
    try:
        os.close(array_map(8, writable=True))
        code = bytes.fromhex("b700000000000000" "9500000000000000")
        os.close(load(code, "probe", ProgramType.SCHED_CLS))
    except OSError as error:
        return f"bpf(2) is not permitted: {error.strerror}"
    except Refused as error:
        return f"bpf(2) refuses an empty program: {error}"
    return None


def array_map(size: int, *, writable: bool) -> int:
    """A one-entry array of `size` bytes: mappable for us, or read-only for programs."""
    flags = _MMAPABLE if writable else _READ_ONLY
    return _bpf(_MAP_CREATE, struct.pack("<IIIII", _ARRAY, 4, size, 1, flags))[0]


def fill_and_freeze(fd: int, value: bytes) -> None:
    """Write a map's only entry and make it constant."""
    key, content = ctypes.create_string_buffer(4), ctypes.create_string_buffer(value, len(value))
    addresses = ctypes.addressof(key), ctypes.addressof(content)
    _bpf(_MAP_UPDATE, struct.pack("<IIQQQ", fd, 0, *addresses, 0))
    _bpf(_MAP_FREEZE, struct.pack("<I", fd))


def load_btf(btf: bytes) -> int:
    """Load type information."""
    content = ctypes.create_string_buffer(btf, len(btf))
    attr = struct.pack("<QQII", ctypes.addressof(content), 0, len(btf), 0)
    return _bpf(_BTF_LOAD, attr)[0]


def load(
    code: bytes, name: str, kind: ProgramType, btf: int = 0, functions: bytes = b""
) -> int:
    """Load a program.

    `functions` are bpf_func_info records (first slot, BTF type), which need the descriptor `btf`.
    """
    insns = ctypes.create_string_buffer(code, len(code))
    infos = ctypes.create_string_buffer(functions, len(functions))
    gpl = ctypes.create_string_buffer(b"GPL")

    def attr(log_level: int, log: Any) -> bytes:
        return struct.pack(
            "<IIQQIIQII16sIIIIQI",
            kind, len(code) // 8, ctypes.addressof(insns), ctypes.addressof(gpl), log_level,
            len(log) if log_level else 0, ctypes.addressof(log) if log_level else 0, 0, 0,
            _object_name(name), 0, 0, btf, 8 if functions else 0,
            ctypes.addressof(infos) if functions else 0, len(functions) // 8,
        )

    try:
        return _bpf(_PROG_LOAD, attr(0, b""))[0]
    except OSError as error:
        if error.errno == errno.EPERM:
            raise
    log = ctypes.create_string_buffer(_LOG_SIZE)
    try:
        return _bpf(_PROG_LOAD, attr(1, log))[0]
    except OSError as error:
        lines = log.value.decode(errors="replace").strip().splitlines()
        said = [line for line in lines if not line.startswith("processed ")][-_LOG_LINES:]
        raise Refused("\n".join(said) or str(error.strerror)) from None


def _object_name(name: str) -> bytes:
    """The part of a name that the kernel accepts."""
    return "".join(c for c in name if c.isascii() and (c.isalnum() or c == "_"))[:15].encode()


def test_run(program: int, frame: bytes, repeat: int) -> tuple[int, bytes, int]:
    """Run a loaded program on a frame: its 32-bit return value, the frame afterwards, ns per run."""
    content = ctypes.create_string_buffer(frame, len(frame))
    after = _room()
    attr = _TEST_RUN_ATTR.pack(
        program, 0, len(frame), _ROOM, ctypes.addressof(content), ctypes.addressof(after), repeat, 0
    )
    _, returned, _, size, _, _, _, ns = _TEST_RUN_ATTR.unpack_from(_bpf(_TEST_RUN, attr)[1])
    return returned, ctypes.string_at(after, size), ns


@cache
def _room() -> Any:
    return ctypes.create_string_buffer(_ROOM)
