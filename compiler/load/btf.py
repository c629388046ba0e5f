"""BTF of an object file -> what it says of functions (kernel: Documentation/bpf/btf.rst, section 2).

A program is what its section and its code say; BTF only fills gaps. Damaged BTF says nothing.
"""

import struct
from dataclasses import dataclass, field

from .image import Image

MAGIC = 0xEB9F
_INT, _PTR, _ARRAY, _STRUCT, _UNION, _ENUM, _FWD, _TYPEDEF = 1, 2, 3, 4, 5, 6, 7, 8
_VOLATILE, _CONST, _RESTRICT, _FUNC, _FUNC_PROTO, _VAR, _DATASEC = 9, 10, 11, 12, 13, 14, 15
_DECL_TAG, _TYPE_TAG, _ENUM64 = 17, 18, 19
_FIXED = {_INT: 4, _ARRAY: 12, _VAR: 4, _DECL_TAG: 4}
_EACH = {_STRUCT: 12, _UNION: 12, _ENUM: 8, _FUNC_PROTO: 8, _DATASEC: 12, _ENUM64: 12}
"""Bytes after a type's 12-byte head: once, and for each member."""
_THROUGH = (_PTR, _TYPEDEF, _VOLATILE, _CONST, _RESTRICT, _TYPE_TAG)
_KERNEL_FUNCTIONS = ".ksyms"


@dataclass(frozen=True, slots=True)
class _Type:
    kind: int
    name: str
    ref: int
    more: bytes


@dataclass(frozen=True, slots=True)
class Btf:
    """What BTF says; all of it is empty without BTF.

    `parameters` has the struct behind each function's first parameter, `kernel` the functions that
    the program expects from the kernel.
    """

    known: bool = False
    parameters: dict[str, str] = field(default_factory=dict)
    kernel: frozenset[str] = frozenset()


def read_btf(image: Image) -> Btf:
    """The types of an object."""
    section = image.named(".BTF")
    if section is None:
        return Btf()
    try:
        types = _types(section.data)
        return Btf(True, _parameters(types), _declared(types))
    except (struct.error, ValueError, IndexError):
        return Btf()


def function_ids(data: bytes) -> dict[str, int]:
    """Function name -> its type's number; `data` is all of a BTF section, such as the kernel's own.

    Raises ValueError, struct.error or IndexError when it is damaged.
    """
    return {t.name: n for n, t in enumerate(_types(data)) if t.kind == _FUNC}


def _types(data: bytes) -> list[_Type]:
    magic, _, _, header, at, size, names, length = struct.unpack_from("<HBBIIIII", data)
    if magic != MAGIC:
        raise ValueError("no BTF")
    strings = data[header + names : header + names + length]
    at, end = header + at, header + at + size
    types = [_Type(0, "", 0, b"")]
    while at < end:
        name, info, ref = struct.unpack_from("<III", data, at)
        kind, count = info >> 24 & 0x1F, info & 0xFFFF
        more = _FIXED.get(kind, 0) + _EACH.get(kind, 0) * count
        text = strings[name : strings.index(b"\0", name)].decode(errors="replace")
        types.append(_Type(kind, text, ref, data[at + 12 : at + 12 + more]))
        at += 12 + more
    return types


def _parameters(types: list[_Type]) -> dict[str, str]:
    found = {}
    for t in types:
        if t.kind == _FUNC and types[t.ref].kind == _FUNC_PROTO and len(types[t.ref].more) >= 8:
            (first,) = struct.unpack_from("<4xI", types[t.ref].more)
            for _ in types:
                if types[first].kind not in _THROUGH:
                    break
                first = types[first].ref
            if types[first].kind in (_STRUCT, _FWD):
                found[t.name] = types[first].name
    return found


def _declared(types: list[_Type]) -> frozenset[str]:
    return frozenset(
        types[index].name
        for t in types if t.kind == _DATASEC and t.name == _KERNEL_FUNCTIONS
        for (index,) in struct.iter_unpack("<I8x", t.more) if types[index].kind == _FUNC
    )
