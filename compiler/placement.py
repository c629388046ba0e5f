"""Dataflow graph, delay model -> a stage for every operation, as soon as its arguments allow.

Several operations share a stage while its time lasts. Multiplications and divisions go to units that
take several cycles, with a new packet every cycle.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..ctx_map.units import div_latency, mul_latency
from .delay import AT_ONCE, NEVER, Argument, Arrival, Model
from .ir import Function, Node
from .wires import arguments

_HEADROOM = (1.12, 1.08, 1.04)
"""Clocks, in parts of the one asked for, that stages are made for where this takes no more of them."""
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


def _selectors(node: Node) -> Sequence[int]:
    """Which arguments choose among the others, bit by bit."""
    match node.op:
        case "mux" | "case":
            return (0,)
        case "onehot":
            return range(0, len(node.args), 2)
    return ()


class Clocked:
    """When values of a graph arrive within their stages, while operations get their stages.

    `arrival` and `wait` are by operation: when its result is there, or a unit has its operands, and
    how much of that is after the last of what it reads in the same stage.
    """

    def __init__(self, function: Function, model: Model) -> None:
        self.nodes = function.nodes
        self.model = model
        self.read = arguments(function)
        self.ready: dict[int, int] = {}
        self.arrival: dict[int, Arrival] = {}
        self.wait: dict[int, float] = {}
        self.selects: dict[int, float] = {}
        for n, parts in self.read.items():
            for k in _selectors(self.nodes[n]):
                for s, mask in parts[k].items():
                    each = self.nodes[n].width * mask.bit_count() / self.nodes[s].width
                    self.selects[s] = self.selects.get(s, 0.0) + each

    def earliest(self, n: int) -> int:
        """The first stage in which everything that n reads is there."""
        return max((self.ready.get(s, 0) for part in self.read[n] for s in part), default=0)

    def late(self, n: int, at: int) -> list[int]:
        """What n reads that stage `at` computes."""
        return [
            s for part in self.read[n] for s in part
            if s in self.arrival and self.ready[s] == at and not duration(self.nodes[s])
        ]

    def place(self, n: int, at: int) -> bool:
        """Compute n in stage `at`; whether it fits there. What would not fit any stage does."""
        parts = [self._argument(part, at) for part in self.read[n]]
        arrival = self.model.arrival(self.nodes[n], parts)
        before = max((a.arrival.out for a in parts), default=0.0)
        self.arrival[n], self.wait[n] = arrival, arrival.out - before
        self.ready[n] = at + duration(self.nodes[n])
        return before == 0 or self.model.fits(arrival.out)

    def _argument(self, part: Mapping[int, int], at: int) -> Argument:
        bits = late = 0
        selects = 1.0
        worst = AT_ONCE if part else NEVER
        for s, mask in part.items():
            count = mask.bit_count()
            bits += count
            selects = max(selects, self.selects.get(s, 1.0))
            if s in self.arrival and self.ready[s] == at and not duration(self.nodes[s]):
                late += count
                arrival = self.arrival[s]
                if (arrival.out, arrival.leaves) > (worst.out, worst.leaves):
                    worst = arrival
        return Argument(bits, late, worst, selects)


def as_soon_as_possible(function: Function, model: Model) -> tuple[Placement, Clocked]:
    """Every operation in the first stage that it fits in: the fewest stages there can be."""
    clocked = Clocked(function, model)
    stage: dict[int, int] = {}
    for n in clocked.read:
        stage[n] = clocked.earliest(n)
        if not clocked.place(n, stage[n]):
            stage[n] += 1
            clocked.place(n, stage[n])
    return placement(function, stage), clocked


def with_headroom(function: Function, model: Model) -> tuple[Placement, Clocked]:
    """As few stages as the clock allows, none of them longer than it must be: placing has its luck."""
    fewest = as_soon_as_possible(function, model)
    for part in _HEADROOM:
        faster = as_soon_as_possible(function, replace(model, clock_mhz=part * model.clock_mhz))
        if faster[0].end == fewest[0].end:
            return faster
    return fewest


def stage_times(function: Function, placed: Placement, model: Model) -> tuple[float, ...]:
    """The predicted length of every stage, in ns."""
    clocked = Clocked(function, model)
    longest = [0.0] * placed.end
    for n in clocked.read:
        clocked.place(n, placed.stage[n])
        longest[placed.stage[n]] = max(longest[placed.stage[n]], clocked.arrival[n].out)
    return tuple(map(model.stage, longest))
