"""Routed path and design -> the stage in which it is, and the source lines that it computes."""

import re
from dataclasses import dataclass
from typing import Protocol

from ..compiler.driver import Design
from ..compiler.ir import WIRING
from .netlist import Place
from .route import Hop

_NODE = re.compile(r"stage_\d+\.v(\d+)(?!\d)")
"""How registers of the pipeline are named: after the node of the dataflow graph that they hold."""


class Places(Protocol):
    """A netlist, as far as it is asked here."""

    def place(self, name: str) -> Place: ...


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
        node = _node(hop.cell, design) if end.stage >= 0 else None
        line = _line(node, design) if node is not None else None
        if found and line in (found[-1].line, None):
            found[-1] = Segment(end, found[-1].line, found[-1].ns + hop.ns)
        else:
            found.append(Segment(end, line, hop.ns))
    return tuple(found)


def lines(path: tuple[Hop, ...], netlist: Places, design: Design) -> tuple[str, ...]:
    """The source lines of the longest chain of operations that such a path can stand for, from its
    first register to its last; none outside the program."""
    stage = netlist.place(path[-1].cell).stage if path else -1
    last = _node(path[-1].cell, design) if stage >= 0 else None
    if last is None:
        return ()
    first = _node(path[0].cell, design)
    nodes, placed = design.schedule.function.nodes, design.schedule.stage
    chains: dict[int, tuple[int, ...]] = {}
    for n in range(last + 1):
        if n == first or (first is None and placed[n] < stage):
            chains[n] = ()
        elif placed[n] == stage:
            before = [chains[a] for a in nodes[n].args if a in chains]
            if before or (first is None and not nodes[n].args):
                own = () if nodes[n].op in WIRING else (n,)
                chains[n] = max(before, key=len, default=()) + own
    named = [_line(n, design) for n in chains.get(last, (last,))]
    return tuple(dict.fromkeys(line for line in named if line))


def _node(cell: str, design: Design) -> int | None:
    """The node that a cell of the pipeline is named after."""
    named = _NODE.search(cell)
    known = named is not None and int(named[1]) < len(design.schedule.function.nodes)
    return int(named[1]) if named and known else None


def _line(node: int, design: Design) -> str | None:
    origin = design.schedule.function.nodes[node].origin
    line = design.program.line(origin) if origin >= 0 else None
    return f"{line.file}:{line.line}" if line else None
