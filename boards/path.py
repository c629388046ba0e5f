"""Routed path and design -> the stage in which it is, and the source lines that it computes."""

import re
from dataclasses import dataclass
from typing import Protocol

from ..compiler.driver import Design
from ..compiler.ir import BYTEWISE, WIRING
from .netlist import Place
from .route import Hop

_REGISTER = re.compile(r"\.pipeline\.(?:stage_\d+\.)?v(\d+)(?:\$\d+)?$")
_OPERATION = re.compile(r"\.pipeline\.stage_\d+\.n(\d+)_[a-z]+(?:\$\d+)?$")
"""How values of the pipeline are named, behind and before a register: after their node."""
_INPUT = re.compile(r"\.(?:pipeline\.i|launch\.o)_([a-z_]+)$")
_OUTPUT = re.compile(r"\.pipeline\.o_([a-z]+)$")


class Places(Protocol):
    """A netlist, as far as it is asked here."""

    def place(self, name: str) -> Place: ...

    def signals(self, name: str) -> list[tuple[str, int]]: ...


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a path: where it is, the source line of the value it belongs to (where known), and
    its nanoseconds."""

    place: Place
    line: str | None
    ns: float


def segments(path: tuple[Hop, ...], netlist: Places, design: Design) -> tuple[Segment, ...]:
    """A path in pieces of one source line each.

    It lies in the stage whose register it ends in. Logic is named after the register that it comes
    from or, mostly, the one that it leads to; so is its line.
    """
    if not path:
        return ()
    end = netlist.place(path[-1].cell)
    found: list[Segment] = []
    for hop in path:
        node = _node(hop.cell, netlist, design) if end.stage >= 0 else None
        line = _made_of(node, design) if node is not None else None
        if found and line in (found[-1].line, None):
            found[-1] = Segment(end, found[-1].line, found[-1].ns + hop.ns)
        else:
            found.append(Segment(end, line, hop.ns))
    return tuple(found)


def lines(path: tuple[Hop, ...], netlist: Places, design: Design) -> tuple[str, ...]:
    """The source lines of the longest chain of operations that such a path can stand for, from its
    first register to its last; none outside the program."""
    stage = netlist.place(path[-1].cell).stage if path else -1
    last = _node(path[-1].cell, netlist, design) if stage >= 0 else None
    if last is None:
        return ()
    first = _node(path[0].cell, netlist, design)
    nodes, placed = design.schedule.function.nodes, design.schedule.stage
    chains: dict[int, tuple[int, ...]] = {}
    for n, node in enumerate(nodes[: last + 1]):
        wired = node.op in WIRING
        begins = node.op == "input" or (not wired and placed[n] < stage)
        if n == first or (first is None and begins):
            chains[n] = ()
        elif wired or placed[n] == stage:
            before = [chains[a] for a in node.args if a in chains]
            if before:
                chains[n] = max(before, key=len) + (() if wired else (n,))
    named = [_line(n, design) for n in chains.get(last, (last,))]
    return tuple(dict.fromkeys(line for line in named if line))


def _node(cell: str, netlist: Places, design: Design) -> int | None:
    """The node that a register of the pipeline or its launch holds, or that logic is named after."""
    function = design.schedule.function
    found: list[tuple[int, int]] = []
    for signal, bit in netlist.signals(cell):
        if named := _REGISTER.search(signal):
            found.append((0, int(named[1])))
        elif named := _OUTPUT.search(signal):
            found += [(1, n) for name, n in function.outputs.items() if name == named[1]]
        elif named := _INPUT.search(signal):
            source = (named[1], bit // 8 if named[1] in BYTEWISE else 0)
            found += [(2, n) for n, node in enumerate(function.nodes) if node.attr == source]
        elif named := _OPERATION.search(signal):
            found.append((3, int(named[1])))
    return min(found)[1] if found else None


def _made_of(node: int, design: Design) -> str | None:
    """The line of a value, or of the last one that it is made of and that has any."""
    nodes = design.schedule.function.nodes
    marks = design.schedule.function.live([node])
    made = (_line(n, design) for n in range(node, -1, -1) if marks[n] and nodes[n].op != "const")
    return next((line for line in made if line), None)


def _line(node: int, design: Design) -> str | None:
    origin = design.schedule.function.nodes[node].origin
    line = design.program.line(origin) if origin >= 0 else None
    return f"{line.file}:{line.line}" if line else None
