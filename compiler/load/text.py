"""Instructions written in hexadecimal -> a program.

Bytes stand in memory order, two digits each; white space and a 0x before any group of them are
ignored, and so is everything from #, ; or // to the end of the line.
"""

import re

from ...ctx_map.context import XDP_METADATA, Context
from ..errors import InputError, SourceLine
from .raw import SLOT, RawProgram

_COMMENT = re.compile(r"(#|;|//).*")
_SECTION = "hex"


def load_text(text: str, name: str, context: Context | None = None) -> RawProgram:
    """A program of one or more whole 8-byte instructions; `name` is the file's, for diagnostics."""
    code = bytearray()
    lines = {}
    for number, line in enumerate(text.splitlines(), 1):
        before = len(code)
        for token in _COMMENT.sub("", line).split():
            digits = token[2:] if token[:2].lower() == "0x" else token
            if len(digits) % 2 or not re.fullmatch(r"[0-9a-fA-F]+", digits):
                raise InputError(
                    f"{name}:{number}: {token!r} is not a whole number of bytes in hexadecimal."
                )
            code += bytes.fromhex(digits)
        for slot in range(-(-before // SLOT), -(-len(code) // SLOT)):
            lines[slot] = SourceLine(name, number, line)
    if not code or len(code) % SLOT:
        raise InputError(
            f"{name} holds {len(code)} bytes; a program is one or more 8-byte instructions."
        )
    return RawProgram(
        name="main", section=_SECTION, context=context or XDP_METADATA, code=bytes(code),
        functions={0: "main"}, data={}, data_refs={}, externs={}, maps={}, lines=lines,
    )
