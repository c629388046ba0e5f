"""A program, and names of its constants -> which of them stay registers, where, and what they hold."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..ctx_map.registers import TUNABLES, Tunable, place_tunables
from .analysis.state import Region
from .errors import InputError
from .facts import CallMemory, Facts, MemoryAccess
from .insn import Load, Program, Variable

_SHOWN = 20
"""Names that a diagnostic lists."""


def tuned(program: Program, names: Iterable[str]) -> Program:
    """The program with these variables as its tunables.

    Raises
    ------
    InputError
        A variable does not exist, shares bytes with another, or all of them are too large.
    """
    names = tuple(names)
    taken: dict[tuple[str, int], str] = {}
    for name in names:
        variable = _variable(program, name)
        for at in range(variable.offset, variable.offset + variable.size):
            other = taken.setdefault((variable.section, at), name)
            if other != name:
                raise InputError(f"{name} and {other} share bytes; only one of them can be tunable")
    chosen = replace(program, tunables=names)
    if any(register.end > TUNABLES.end for register in registers_of(chosen)):
        sizes = ", ".join(f"{n} {program.variables[n].size}" for n in names)
        raise InputError(
            f"tunables can have {TUNABLES.size} bytes together, each rounded up to a multiple of 8;"
            f" these have more: {sizes}"
        )
    return chosen


def _variable(program: Program, name: str) -> Variable:
    if name not in program.variables:
        found = list(program.variables)
        shown = ", ".join(found[:_SHOWN]) + (" and others" if len(found) > _SHOWN else "")
        there = f"there are {shown}" if found else "the program refers to none"
        raise InputError(f"there is no read-only variable {name!r}; {there}")
    return program.variables[name]


def registers_of(program: Program) -> tuple[Tunable, ...]:
    """The registers of the program's tunables, in the order of these."""
    image, parts, at = program.tunable_image(), [], 0
    for name in program.tunables:
        size = program.variables[name].size
        parts.append((name, image[at : at + size]))
        at += size
    return place_tunables(parts)


def retuned(program: Program, image: bytes) -> Program:
    """The program whose tunables are `image` at first."""
    data = {section: bytearray(content) for section, content in program.data.items()}
    for (section, at), byte in zip(program.tunable_places(), image, strict=True):
        data[section][at] = byte
    return replace(program, data={section: bytes(content) for section, content in data.items()})


def check_read(facts: Facts) -> None:
    """Refuse tunables that no load reads.

    Raises
    ------
    InputError
        There is one.
    """
    program = facts.graph.program
    read: set[tuple[str, int]] = set()
    for (_, slot), access in facts.accesses.items():
        insn = program.insns[slot]
        if isinstance(access, CallMemory):
            memories = [(memory.place, memory.size) for memory in access.inputs.values()]
        else:
            memories = [(access, insn.size)] if isinstance(insn, Load) else []
        for place, size in memories:
            if isinstance(place, MemoryAccess) and place.region is Region.DATA:
                read.update((place.section, o + i) for o in place.offsets for i in range(size))
    for name in program.tunables:
        v = program.variables[name]
        if not any((v.section, v.offset + i) in read for i in range(v.size)):
            raise InputError(
                f"the program never reads {name} on a path that can be taken, so there is nothing to"
                " tune; unless it is `const volatile`, the compiler may have put its value in place"
            )


def with_values(program: Program, settings: Mapping[str, str]) -> Program:
    """The program with other values of read-only variables, as if compiled so.

    A value is a number, or `hex:` and the bytes as they lie in memory.

    Raises
    ------
    InputError
        A variable does not exist, or the value does not fit.
    """
    data = dict(program.data)
    for name, text in settings.items():
        v = _variable(program, name)
        content = data[v.section]
        value = value_bytes(name, text, v.size)
        data[v.section] = content[: v.offset] + value + content[v.offset + v.size :]
    return replace(program, data=data) if settings else program


def value_bytes(name: str, text: str, size: int) -> bytes:
    """A value as the `size` bytes of variable `name`."""
    if text.startswith("hex:"):
        digits = text.removeprefix("hex:")
        if not re.fullmatch(f"[0-9a-fA-F]{{{2 * size}}}", digits):
            raise InputError(f"{name} has {size} bytes: {2 * size} digits, not {digits!r}")
        return bytes.fromhex(digits)
    try:
        number = int(text, 0)
        return number.to_bytes(size, "little", signed=number < 0)
    except ValueError:
        raise InputError(f"{name} takes a number, or hex: and its bytes, not {text!r}") from None
    except OverflowError:
        raise InputError(f"{name} has {8 * size} bits; {text} does not fit") from None
