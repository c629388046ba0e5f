"""What a shell is: a design of others, on a NIC's FPGA, with a place for a user's circuit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..compiler.driver import Design


@dataclass(frozen=True, slots=True)
class Shell:
    """`files` makes of a design all that goes into that place, by name: the gate, what it promises, and
    what is between its ports and those of the shell. It raises `Unsupported` where they do not fit."""

    name: str
    doc: str
    files: Callable[[Design], Mapping[str, str]]
