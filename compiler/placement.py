"""Dataflow graph -> a stage for every operation, as soon as its arguments allow.

Several operations share a stage while its levels last. Multiplications and divisions go to units that
take several cycles, with a new packet every cycle.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ..ctx_map.units import div_latency, mul_latency
from .delay import fits, levels
from .ir import Function, Node
from .wires import reads

UNITS = {"mul": mul_latency, "udiv": div_latency, "urem": div_latency}


def duration(node: Node) -> int:
    """Cycles from the stage of an operation to the one that can read it; 0 for all but units."""
    return UNITS[node.op](node.width) if node.op in UNITS else 0


@dataclass(frozen=True, slots=True)
class Placement:
    """`stage[n]` is where node n is computed; its value can be read in stage `ready[n]` and later.

    Wiring is where the last of its arguments is; what reads it needs only the bits that it reads.
    """

    stage: tuple[int, ...]
    ready: tuple[int, ...]

    @property
    def end(self) -> int:
        """The number of stages."""
        return 1 + max([*self.ready, 0])


def placement(function: Function, stage_of: Mapping[int, int]) -> Placement:
    """A placement from the stages of the operations."""
    stage: list[int] = []
    ready: list[int] = []
    for n, node in enumerate(function.nodes):
        at = stage_of.get(n)
        stage.append(max((ready[a] for a in node.args), default=0) if at is None else at)
        ready.append(stage[n] + duration(node))
    return Placement(tuple(stage), tuple(ready))


def as_soon_as_possible(function: Function) -> Placement:
    """Every operation in the first stage that it fits in: the fewest stages there can be."""
    stage: dict[int, int] = {}
    finish: dict[int, tuple[int, float]] = {}
    for n, read in reads(function).items():
        node = function.nodes[n]
        at, level = max((finish.get(source, (0, 0.0)) for source in read), default=(0, 0.0))
        stage[n], finish[n] = at, (at + duration(node), 0.0)
        if not duration(node):
            cost = levels(node, [function.nodes[a] for a in node.args])
            if not fits(level, cost):
                at, level = at + 1, 0.0
            stage[n], finish[n] = at, (at, level + cost)
    return placement(function, stage)
