"""Debug information of an object file -> the source line of each instruction.

BTF line information is used where it exists (kernel: Documentation/bpf/btf.rst, section 4.2),
else DWARF's line program. Debug information never decides what a program does, so damaged debug
information yields no lines, and no error.
"""

import io
import posixpath
import struct
from collections.abc import Iterator, Mapping

from elftools.elf.elffile import ELFFile

from ..errors import SourceLine
from .image import Image

Lines = dict[str, dict[int, SourceLine]]
"""Section name -> byte offset in that section -> line."""

_MAGIC = 0xEB9F
_ABS64 = 2


def read_lines(image: Image, blob: bytes) -> Lines:
    """The lines of every code section."""
    try:
        lines = _from_btf(image)
    except (struct.error, ValueError):
        lines = {}
    if lines:
        return lines
    try:
        return _from_dwarf(image, blob)
    except Exception:  # pyelftools raises many kinds of things on damaged DWARF
        return {}


def with_text(lines: Mapping[int, SourceLine], file: str, text: str) -> dict[int, SourceLine]:
    """`lines`, with the text of those that lie in the source file named `file`."""
    source = text.splitlines()
    return {
        slot: SourceLine(file, line.line, source[line.line - 1])
        if (line.file, line.text) == (file, "") and 0 < line.line <= len(source) else line
        for slot, line in lines.items()
    }


def _from_btf(image: Image) -> Lines:
    btf, ext = image.named(".BTF"), image.named(".BTF.ext")
    if btf is None or ext is None:
        return {}
    magic, _, _, header, _, _, start, size = struct.unpack_from("<HBBIIIII", btf.data)
    ext_magic, _, _, ext_header, _, _, at, length = struct.unpack_from("<HBBIIIII", ext.data)
    if magic != _MAGIC or ext_magic != _MAGIC or length == 0:
        return {}
    strings = btf.data[header + start : header + start + size]
    table = ext.data[ext_header + at : ext_header + at + length]
    lines: Lines = {}
    for section, offset, file, text, line in _records(table):
        known = lines.setdefault(_string(strings, section), {})
        name = posixpath.normpath(_string(strings, file))
        known[offset] = SourceLine(name, line, _string(strings, text))
    return lines


def _records(table: bytes) -> Iterator[tuple[int, int, int, int, int]]:
    (record,) = struct.unpack_from("<I", table)
    if record < 16:
        raise ValueError("BTF line record too small")
    at = 4
    while at < len(table):
        section, count = struct.unpack_from("<II", table, at)
        at += 8
        for _ in range(count):
            offset, file, text, line_column = struct.unpack_from("<IIII", table, at)
            yield section, offset, file, text, line_column >> 10
            at += record


def _string(strings: bytes, at: int) -> str:
    return strings[at : strings.index(b"\0", at)].decode(errors="replace")


def _from_dwarf(image: Image, blob: bytes) -> Lines:
    section = image.named(".debug_line")
    if section is None:
        return {}
    patched = bytearray(blob)
    for r in image.relocs.get(section.index, ()):
        if r.kind == _ABS64 and isinstance(r.symbol.section, int):
            # The upper half of an address tells the code section, the lower half the offset.
            at = section.file_offset + r.offset
            (addend,) = struct.unpack_from("<Q", patched, at)
            address = r.symbol.section << 32 | (r.symbol.value + addend + r.addend) & 0xFFFF_FFFF
            struct.pack_into("<Q", patched, at, address)
    dwarf = ELFFile(io.BytesIO(bytes(patched))).get_dwarf_info(relocate_dwarf_sections=False)
    lines: Lines = {}
    for unit in dwarf.iter_CUs():
        program = dwarf.line_program_for_CU(unit)
        if program is None:
            continue
        files = program["file_entry"]
        first = 0 if program["version"] >= 5 else 1
        for entry in program.get_entries():
            state = entry.state
            if state is None or state.end_sequence or state.line == 0:
                continue
            name = image.sections[state.address >> 32].name
            file = files[state.file - first].name.decode(errors="replace")
            lines.setdefault(name, {})[state.address & 0xFFFF_FFFF] = SourceLine(file, state.line)
    return lines
