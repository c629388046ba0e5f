"""Schedule -> the boxes and lines of its drawing, row by row.

Gates of one bit that only one other gate of their stage reads are drawn as one box with it, and
inverters never: they cost nothing. Registers are drawn in every cut they stand in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from ..schedule import Schedule
from .held import Held
from .model import Model

_GATES = frozenset({"and", "or", "xor", "not"})


class Kind(Enum):
    """What a box stands for."""

    INPUT = "input"
    REGISTER = "register"
    COMPARE = "compare"
    CHOICE = "choice"
    LOGIC = "logic"
    ARITHMETIC = "arithmetic"
    UNIT = "unit"


_KINDS = {
    "eq": Kind.COMPARE, "ult": Kind.COMPARE, "slt": Kind.COMPARE,
    "mux": Kind.CHOICE, "onehot": Kind.CHOICE, "case": Kind.CHOICE,
    "add": Kind.ARITHMETIC, "sub": Kind.ARITHMETIC, "shl": Kind.ARITHMETIC,
    "lshr": Kind.ARITHMETIC, "ashr": Kind.ARITHMETIC,
    "mul": Kind.UNIT, "udiv": Kind.UNIT, "urem": Kind.UNIT,
}


@dataclass(frozen=True, slots=True)
class Box:
    """A box: operations of a stage, or values in a cut; `nodes` are those of the dataflow graph.

    `cut` is -1 for what is there before the first stage.
    """

    kind: Kind
    label: str
    bits: int
    nodes: tuple[int, ...]
    stage: int
    critical: bool = False
    held: Held | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """`bits` bits from box to box, by their numbers."""

    source: int
    target: int
    bits: int
    critical: bool


@dataclass(frozen=True, slots=True)
class Row:
    """Boxes side by side; `stage` as theirs. Registers are a row of their own."""

    stage: int
    registers: bool
    boxes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """What is to be drawn. Edges lead down, from a row to a later one."""

    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    rows: tuple[Row, ...]


class _Drawer:
    """Collects boxes and edges."""

    def __init__(
        self, schedule: Schedule, found: Model, inputs: tuple[Held, ...],
        read: Mapping[int, Mapping[int, int]],
    ) -> None:
        self.schedule, self.found, self.inputs, self.read = schedule, found, inputs, read
        self.nodes = schedule.function.nodes
        self.boxes: list[Box] = []
        self.edges: dict[tuple[int, int], tuple[int, bool]] = {}
        self.rows: list[Row] = []
        self.computed: dict[int, int] = {}
        self.carried: list[dict[int, int]] = []

    def run(self) -> Picture:
        self.registers(-1, self.together(self.inputs))
        for stage in self.found.stages:
            self.stage(stage.number)
            self.registers(stage.number, stage.held)
        return Picture(
            tuple(self.boxes),
            tuple(Edge(a, b, bits, critical) for (a, b), (bits, critical) in self.edges.items()),
            tuple(self.rows),
        )

    def box(self, box: Box) -> int:
        self.boxes.append(box)
        return len(self.boxes) - 1

    def edge(self, a: int, b: int, bits: int, critical: bool = False) -> None:
        before = self.edges.get((a, b), (0, False))
        self.edges[a, b] = before[0] + bits, before[1] or critical

    def registers(self, cut: int, groups: tuple[Held, ...]) -> None:
        """The registers behind stage `cut`, fed by it or by those before."""
        kind = Kind.INPUT if cut < 0 else Kind.REGISTER
        here: dict[int, int] = {}
        row = []
        for group in groups:
            label = group.text if cut < 0 else ""
            number = self.box(Box(kind, label, group.bits, group.nodes, cut, held=group))
            row.append(number)
            for n in group.nodes:
                here[n] = number
                if cut >= 0:
                    mask = self.schedule.cuts[cut][n]
                    self.edge(self.place(n, cut), number, mask.bit_count())
        self.carried.append(here)
        self.rows.append(Row(cut, True, tuple(row)))

    def together(self, groups: tuple[Held, ...]) -> tuple[Held, ...]:
        """Bytes that the same operations read, in the order of the packet, are drawn as one."""
        readers: dict[int, list[int]] = {}
        for n, sources in self.read.items():
            for source in sources:
                readers.setdefault(source, []).append(n)
        merged: dict[tuple[int, ...], list[Held]] = {}
        for group in groups:
            by = tuple(sorted({r for n in group.nodes for r in readers[n]}))
            merged.setdefault(by, []).append(group)
        return tuple(_merged(same) for same in merged.values())

    def place(self, n: int, stage: int) -> int:
        """The box where stage `stage` finds node n: an operation of its own, or registers."""
        return self.carried[stage][n] if n in self.carried[stage] else self.computed[n]

    def stage(self, k: int) -> None:
        members = self.cones(k)
        chain = self.found.stages[k].chain.operations
        links = set(pairwise(chain))
        level: dict[int, int] = {}
        levels: dict[int, list[int]] = {}
        for root, nodes in members.items():
            inside = frozenset(nodes)
            number = self.box(self.operation(k, root, nodes, bool(inside & set(chain))))
            self.computed |= dict.fromkeys(nodes, number)
            height = 0
            for n in nodes:
                for source, mask, via in self.seen(n, k):
                    if source in inside:
                        continue
                    before = self.place(source, k)
                    critical = all(link in links for link in zip((source, *via), (*via, n), strict=True))
                    self.edge(before, number, mask.bit_count(), critical)
                    height = max(height, level.get(before, -1) + 1)
            level[number] = height
            levels.setdefault(height, []).append(number)
        self.rows += [Row(k, False, tuple(levels[h])) for h in sorted(levels)]

    def seen(self, n: int, k: int) -> list[tuple[int, int, tuple[int, ...]]]:
        """What an operation reads, through inverters of its stage: (source, mask, inverters)."""
        found = []
        for source, mask in self.read[n].items():
            if self.hidden(source, k):
                found += [(s, m, (*via, source)) for s, m, via in self.seen(source, k)]
            else:
                found.append((source, mask, ()))
        return found

    def hidden(self, n: int, k: int) -> bool:
        """Whether n is an inverter that only stage k, its own, reads."""
        stage = self.schedule.stage
        return self.nodes[n].op == "not" and stage[n] == k and n not in self.schedule.cuts[k]

    def cones(self, k: int) -> dict[int, list[int]]:
        """The operations of a stage by the last of their box, in an order that follows the data."""
        row = self.schedule.rows[k]
        readers: dict[int, set[int]] = {}
        root: dict[int, int] = {}
        for n in reversed(row):
            if self.hidden(n, k):
                continue
            above = {root[r] for r in readers.get(n, ())}
            alone = len(above) == 1 and n not in self.schedule.cuts[k]
            if alone and self.gate(n) and self.gate(*above):
                [root[n]] = above
            else:
                root[n] = n
            for source, _, _ in self.seen(n, k):
                readers.setdefault(source, set()).add(n)
        members: dict[int, list[int]] = {}
        for n in sorted(root, key=lambda n: (root[n], n)):
            members.setdefault(root[n], []).append(n)
        return members

    def gate(self, n: int) -> bool:
        return self.nodes[n].op in _GATES and self.nodes[n].width == 1

    def operation(self, k: int, root: int, nodes: list[int], critical: bool) -> Box:
        first = self.found.operations[root]
        kind = _KINDS.get(first.kind, Kind.LOGIC)
        label = first.label
        if self.gate(root):
            kinds = {self.nodes[n].op for n in nodes} - {"not"}
            inside = frozenset(nodes)
            inputs = len({s for n in nodes for s, _, _ in self.seen(n, k)} - inside)
            symbol = first.label if len(kinds) < 2 else "ƒ"
            label = f"{symbol} {inputs}" if inputs > 1 else "!"
        return Box(kind, label, first.bits, tuple(nodes), k, critical)


def _merged(groups: list[Held]) -> Held:
    """Several groups of bytes as one."""
    first = groups[0]
    if len(groups) == 1:
        return first
    return Held(
        tuple(n for g in groups for n in g.nodes), sum(g.bits for g in groups),
        f"{first.text} … {groups[-1].text.removeprefix('bytes ').removeprefix('byte ')}",
        first.read_in, first.slots,
    )


def picture(
    schedule: Schedule, found: Model, inputs: tuple[Held, ...],
    read: Mapping[int, Mapping[int, int]],
) -> Picture:
    """The drawing of a schedule; `inputs` are what the first stage and the first cut find."""
    return _Drawer(schedule, found, inputs, read).run()
