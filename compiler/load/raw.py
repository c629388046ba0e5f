"""A program from anywhere -> its instruction bytes, linked, and what is known about them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ...ctx_map.context import Context
from ..errors import SourceLine
from ..insn import Variable

SLOT = 8
"""Bytes of an instruction slot."""


@dataclass(frozen=True, slots=True)
class RawProgram:
    """One program as bytes: the entry function at slot 0, then every function reachable from it.

    Slots are 8 bytes. Local calls are linked: their immediate is target - slot - 1, as
    is that of a two-slot load of a function's address (source register 4). Mappings from
    slots: `functions` has the first slot of each function; `data_refs` the two-slot loads that
    stand for byte `offset` of read-only section `data[section]`; `externs` the calls of kernel
    functions (source register 2, immediate 0); `maps` the two-slot loads that stand for a map. A
    two-slot load in `data_refs` or `maps` has immediate 0. `lines` has the first slot of each run
    of instructions from one line. `variables` has what symbols name in the sections of `data`,
    `sources` the text of files that `lines` name, where it is at hand.
    """

    name: str
    section: str
    context: Context
    code: bytes
    functions: Mapping[int, str]
    data: Mapping[str, bytes]
    data_refs: Mapping[int, tuple[str, int]]
    externs: Mapping[int, str]
    maps: Mapping[int, str]
    lines: Mapping[int, SourceLine]
    variables: Mapping[str, Variable] = field(default_factory=lambda: MappingProxyType({}))
    sources: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
