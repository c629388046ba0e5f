"""Program -> what the control port tells the host of it."""

import hashlib

from .. import __version__
from ..ctx_map.registers import DIGEST_BYTES, ProgramId
from .encode import encode
from .insn import Program


def program_id(program: Program) -> ProgramId:
    """Name and digest of a program, with the version of rxgate."""
    return ProgramId(program.name, digest(program), __version__)


def digest(program: Program) -> bytes:
    """The first bytes of a SHA-256 that tells programs apart, whatever their names.

    It covers the instructions as bytes; if they refer to data or to kernel functions by name, also a
    line for each reference, in the order of slots, and then the data, in the order of its names; if
    there are tunables, also a line for each.
    """
    raw = encode(program)
    state = hashlib.sha256(raw.code)
    for slot, (section, offset) in sorted(raw.data_refs.items()):
        state.update(f"{slot} {section} {offset}\n".encode())
    for slot, name in sorted(raw.externs.items()):
        state.update(f"{slot} {name}\n".encode())
    for section in sorted({section for section, _ in raw.data_refs.values()}):
        state.update(raw.data[section])
    for name in program.tunables:
        v = program.variables[name]
        state.update(f"tunable {name} {v.section} {v.offset} {v.size}\n".encode())
    return state.digest()[:DIGEST_BYTES]
