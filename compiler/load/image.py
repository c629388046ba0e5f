"""Bytes of an ELF file -> sections, symbols and relocations as plain values, all bounds checked.

pyelftools is called here, and in lines.py for DWARF, and nowhere else: on damaged files it raises
exceptions of many kinds, which end here as `ElfError`.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass

from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection

from ..errors import ElfError

WRITE, ALLOC, EXECUTE = 1, 2, 4
"""Section flags (ELF specification, sh_flags)."""
_HEADER = 64
_SECTION_HEADER = 64


@dataclass(frozen=True, slots=True)
class Section:
    """A section; `data` is empty for one without contents in the file."""

    index: int
    name: str
    flags: int
    data: bytes
    file_offset: int

    @property
    def is_code(self) -> bool:
        """True when it holds instructions."""
        return bool(self.flags & EXECUTE)


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol; `section` is an index, or SHN_UNDEF, SHN_ABS or SHN_COMMON."""

    name: str
    kind: str
    is_global: bool
    section: int | str
    value: int
    size: int


@dataclass(frozen=True, slots=True)
class Reloc:
    """A relocation at byte `offset` of a section; `addend` adds to what the bytes there say."""

    offset: int
    kind: int
    symbol: Symbol
    addend: int


@dataclass(frozen=True, slots=True)
class Image:
    """An object file. `relocs` is keyed by section index: those of code, data and line numbers."""

    sections: tuple[Section, ...]
    symbols: tuple[Symbol, ...]
    relocs: Mapping[int, tuple[Reloc, ...]]

    def named(self, name: str) -> Section | None:
        """The first section of that name."""
        return next((s for s in self.sections if s.name == name), None)

    def of(self, symbol: Symbol) -> Section | None:
        """The section that a symbol lies in."""
        if isinstance(symbol.section, int) and symbol.section < len(self.sections):
            return self.sections[symbol.section]
        return None


def read_image(blob: bytes, name: str) -> Image:
    """Read an eBPF object; `name` is the file's, for diagnostics."""
    _check_header(blob, name)
    try:
        return _read(blob, name)
    except ElfError:
        raise
    except Exception as e:  # pyelftools: construct errors, KeyError, ValueError, ... on damage
        raise ElfError(
            f"{name} is a damaged ELF file ({type(e).__name__} while reading its tables). "
            "Build it again."
        ) from e


def _check_header(blob: bytes, name: str) -> None:
    if blob[:4] != b"\x7fELF":
        raise ElfError(f"{name} is not an ELF file: it does not begin with the ELF magic number.")
    if len(blob) < _HEADER:
        raise ElfError(f"{name} is truncated: {len(blob)} bytes, the ELF header alone has 64.")
    if blob[4] != 2 or blob[5] != 1:
        raise ElfError(
            f"{name} is not a 64-bit little-endian object. Compile it with -target bpfel."
        )
    kind = int.from_bytes(blob[16:18], "little")
    machine = int.from_bytes(blob[18:20], "little")
    if machine != 247:
        raise ElfError(
            f"{name} is for ELF machine {machine}, not for eBPF (247). Compile it with -target bpf."
        )
    if kind != 1:
        raise ElfError(
            f"{name} is not a relocatable object (ELF type {kind}, expected 1). "
            "Give the output of clang -c."
        )
    start = int.from_bytes(blob[40:48], "little")
    count = int.from_bytes(blob[60:62], "little")
    if int.from_bytes(blob[58:60], "little") != _SECTION_HEADER or count == 0:
        raise ElfError(f"{name} has no usable section table. Build it again.")
    if start + count * _SECTION_HEADER > len(blob):
        raise ElfError(
            f"{name} is truncated: its section table ends at byte "
            f"{start + count * _SECTION_HEADER}, the file at {len(blob)}. Build or copy it again."
        )


def _read(blob: bytes, name: str) -> Image:
    elf = ELFFile(io.BytesIO(blob))
    sections = []
    tables: dict[int, tuple[Symbol, ...]] = {}
    relocations = []
    for index, s in enumerate(elf.iter_sections()):
        start, size = s["sh_offset"], s["sh_size"]
        if s["sh_type"] in ("SHT_NULL", "SHT_NOBITS"):
            size = 0
        if start + size > len(blob):
            raise ElfError(
                f"{name} is truncated: section {s.name!r} ends at byte {start + size}, "
                f"the file at {len(blob)}. Build or copy it again."
            )
        sections.append(Section(index, s.name, s["sh_flags"], blob[start : start + size], start))
        if isinstance(s, SymbolTableSection):
            tables[index] = tuple(map(_symbol, s.iter_symbols()))
        elif isinstance(s, RelocationSection):
            relocations.append(s)
    relocs: dict[int, tuple[Reloc, ...]] = {}
    for r in relocations:
        target = r["sh_info"]
        if target >= len(sections):
            raise ElfError(
                f"{name} has relocations for section {target}, which it lacks. Build it again."
            )
        if not sections[target].flags & ALLOC and sections[target].name != ".debug_line":
            continue
        symbols = tables[r["sh_link"]]
        relocs[target] = relocs.get(target, ()) + tuple(
            Reloc(
                e["r_offset"], e["r_info_type"], symbols[e["r_info_sym"]],
                e["r_addend"] if r.is_RELA() else 0,
            )
            for e in r.iter_relocations()
        )
    return Image(tuple(sections), tuple(s for t in tables.values() for s in t), relocs)


def _symbol(s) -> Symbol:
    return Symbol(
        s.name, str(s["st_info"]["type"]), s["st_info"]["bind"] != "STB_LOCAL", s["st_shndx"],
        s["st_value"], s["st_size"],
    )
