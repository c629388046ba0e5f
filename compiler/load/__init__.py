"""A file in any accepted form, or instructions in hexadecimal -> a `RawProgram`."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from ...ctx_map.context import Context
from ..errors import InputError
from .clang import compile_source
from .elf import list_elf, load_elf
from .lines import with_text
from .raw import RawProgram
from .text import load_text

__all__ = ["ObjectFile", "RawProgram", "load_program", "open_object"]

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
    if path.suffix == ".hex":
        return load_text(blob.decode(errors="replace"), path.name, context)
    if path.suffix in (".c", ".s", ".o") or blob[:4] == b"\x7fELF":
        return _object(path, blob, mcpu).load(section, function, context)
    raise InputError(
        f"{path.name} is neither C (.c), assembly (.s), an ELF object (.o) nor hexadecimal (.hex). "
        "Rename it to what it is."
    )


@dataclass(frozen=True, slots=True)
class ObjectFile:
    """An ELF object; `name` is the file's, `text` the source that it was just compiled from."""

    name: str
    blob: bytes
    text: str = ""

    def programs(self) -> list[tuple[str, str]]:
        """(section, function) of every program."""
        return list_elf(self.blob, self.name)

    def load(
        self, section: str | None = None, function: str | None = None,
        context: Context | None = None,
    ) -> RawProgram:
        """One program; see `load_program`."""
        raw = load_elf(self.blob, self.name, section, function, context)
        if not self.text:
            return raw
        lines = with_text(raw.lines, self.name, self.text)
        return replace(raw, lines=lines, sources={self.name: self.text})


def open_object(path: str | Path, mcpu: str | None = None) -> ObjectFile:
    """Read an ELF object, or compile a C or assembly file to one."""
    path = Path(path)
    return _object(path, _read(path), mcpu)


def _object(path: Path, blob: bytes, mcpu: str | None) -> ObjectFile:
    if path.suffix in (".c", ".s"):
        return ObjectFile(path.name, compile_source(path, mcpu), blob.decode(errors="replace"))
    return ObjectFile(path.name, blob)


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
