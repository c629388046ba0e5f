"""A file in any accepted form, or instructions in hexadecimal -> a `RawProgram`."""

import re
from dataclasses import replace
from pathlib import Path

from ...ctx_map.context import Context
from ..errors import InputError
from .clang import compile_source
from .elf import list_elf, load_elf
from .lines import with_text
from .raw import RawProgram
from .text import load_text

__all__ = ["RawProgram", "list_programs", "load_program"]

_HEX = re.compile(r"\s*(0x)?[0-9a-fA-F][0-9a-fA-FxX\s]*")


def load_program(
    path_or_hex: str | Path,
    section: str | None = None,
    function: str | None = None,
    context: Context | None = None,
    mcpu: str | None = None,
) -> RawProgram:
    """Load BPF C (.c), assembly (.s), an ELF object (.o), or hexadecimal (.hex, or text).

    `section` and `function` choose among several programs of one file; `context` overrides what
    the section's name stands for; `mcpu` (v1 to v4) is for source files.
    """
    path = Path(path_or_hex)
    if isinstance(path_or_hex, str) and _HEX.fullmatch(path_or_hex) and not _exists(path):
        return load_text(path_or_hex, "hex", context)
    blob = _read(path)
    if path.suffix in (".c", ".s"):
        raw = load_elf(compile_source(path, mcpu), path.name, section, function, context)
        return replace(raw, lines=with_text(raw.lines, path.name, blob.decode(errors="replace")))
    if path.suffix == ".hex":
        return load_text(blob.decode(errors="replace"), path.name, context)
    if path.suffix == ".o" or blob[:4] == b"\x7fELF":
        return load_elf(blob, path.name, section, function, context)
    raise InputError(
        f"{path.name} is neither C (.c), assembly (.s), an ELF object (.o) nor hexadecimal (.hex). "
        "Rename it to what it is."
    )


def list_programs(path: str | Path, mcpu: str | None = None) -> list[tuple[str, str]]:
    """(section, function) of every program in a C, assembly or ELF file."""
    path = Path(path)
    blob = _read(path)
    if path.suffix in (".c", ".s"):
        blob = compile_source(path, mcpu)
    return list_elf(blob, path.name)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long, or with a NUL: no path at all
        return False


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as e:
        reason = e.strerror if isinstance(e, OSError) else str(e)
        raise InputError(f"{path} cannot be read: {reason}.") from e
