"""Type information for the kernel: of a program's functions, and the numbers of its own.

A function that a packet load can end early must be known to return an int, which only BTF says
(Documentation/bpf/btf.rst; kernel: check_abnormal_return).
"""

import struct
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from ..compiler.load.btf import function_ids
from .bpf_syscall import Refused

_KERNEL = Path("/sys/kernel/btf/vmlinux")
_MAGIC, _VERSION = 0xEB9F, 1
_HEADER = struct.Struct("<HBBIIIII")
_KIND_INT, _KIND_FUNC, _KIND_FUNC_PROTO = 1, 12, 13
_SIGNED = 1


def functions_btf(starts: Sequence[int]) -> tuple[bytes, bytes]:
    """(BTF, bpf_func_info records) for static functions `int f(void)` that start at these slots."""
    strings = b"\0int\0"
    types = _type(1, _KIND_INT, 4) + struct.pack("<I", _SIGNED << 24 | 32)
    types += _type(0, _KIND_FUNC_PROTO, 1)
    infos = b""
    for number, start in enumerate(starts):
        types += _type(len(strings), _KIND_FUNC, 2)
        strings += f"f{number}".encode() + b"\0"
        infos += struct.pack("<II", start, 3 + number)
    header = _HEADER.pack(
        _MAGIC, _VERSION, 0, _HEADER.size, 0, len(types), len(types), len(strings)
    )
    return header + types + strings, infos


@cache
def _kernel_functions() -> Mapping[str, int]:
    return function_ids(_KERNEL.read_bytes()) if _KERNEL.exists() else {}


def kernel_function(name: str) -> int:
    """The number by which a call names a function of the running kernel; Refused without one."""
    if name not in _kernel_functions():
        raise Refused(f"this kernel has no function {name}, or does not tell where ({_KERNEL})")
    return _kernel_functions()[name]


def _type(name: int, kind: int, size_or_type: int) -> bytes:
    return struct.pack("<III", name, kind << 24, size_or_type)
