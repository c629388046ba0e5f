"""Dataflow graph, number of stages -> the placement with the fewest register bits.

Every operation has a stage, every group of bits that the same operations read the stage of its last
reader. Their differences are bounded: an operation follows what it reads, and a path that does not
fit a stage is cut. The register bits are a linear function of them, so that the best corner of a
linear program gives whole numbers (SDC scheduling: Cong and Zhang, DAC 2006).

What an operation adds to a path depends on what else its tables take in. The program begins with what
that is in the placement as soon as possible; where operations then do not fit their stages, it keeps
apart what that placement keeps apart, and is solved again.
"""

from dataclasses import dataclass

import highspy
import numpy as np

from .ir import Function
from .placement import Clocked, Placement, duration, placement
from .wires import all_sources, joined

_MOST_ROWS = 20_000
"""Distances that are looked at: the time that the program takes grows faster than they do."""
_MOST_ROUNDS = 20
"""How often the program is solved."""
Edges = dict[tuple[int, int], int]
"""(a, b) -> how many stages b must at least come after a."""


@dataclass(frozen=True, slots=True)
class _Group:
    """`bits` bits of node `source` that the same operations read; `leaves`: also an output."""

    source: int
    bits: int
    readers: tuple[int, ...]
    leaves: bool


def _edges(function: Function, read: dict[int, dict[int, int]], early: Clocked) -> Edges:
    """Distances between operations: by data flow, and where a chain is longer than a stage.

    Not all of them, but too many to look at, where there are.
    """
    nodes, most = function.nodes, early.model.longest
    edges: Edges = {}
    chains: dict[int, dict[int, float]] = {}
    for n, found in read.items():
        cost = early.wait[n]
        longest: dict[int, float] = {}
        for p in found:
            if p not in read:
                continue
            edges[p, n] = duration(nodes[p])
            for first, length in chains[p].items():
                longest[first] = max(longest.get(first, 0.0), length)
        too_long = {
            a for a, length in longest.items() if length and length + cost > most
        }
        # What is too far from n lets all before it be so.
        for first in too_long.difference(*(read[a] for a in too_long)):
            edges[first, n] = max(edges.get((first, n), 0), 1)
        if len(edges) > _MOST_ROWS:
            break
        chains[n] = {}
        if not duration(nodes[n]):
            chains[n] = {a: length + cost for a, length in longest.items() if a not in too_long}
            chains[n][n] = cost
    return edges


def _misfits(function: Function, placed: Placement, early: Clocked) -> Edges:
    """Distances that keep operations apart which do not fit a stage of `placed`, and which `early`
    has in different ones."""
    clocked = Clocked(function, early.model)
    edges: Edges = {}
    late: set[int] = set()
    for n in clocked.read:
        at = placed.stage[n]
        before = clocked.late(n, at)
        if clocked.place(n, at) or not late.isdisjoint(before):
            if not late.isdisjoint(before):
                late.add(n)
            continue
        late.add(n)
        todo, seen = before, set(before)
        while todo:
            p = todo.pop()
            if early.ready[p] < early.ready[n] - duration(function.nodes[n]):
                edges[p, n] = 1
                continue
            more = [s for s in clocked.late(p, at) if s not in seen]
            todo += more
            seen.update(more)
    return edges


def _groups(function: Function, read: dict[int, dict[int, int]]) -> list[_Group]:
    """What must be carried, by who reads it."""
    outputs = all_sources(function, function.outputs.values())
    readers: dict[int, list[tuple[int, int]]] = {source: [] for source in outputs}
    for n, found in read.items():
        for source, mask in found.items():
            readers.setdefault(source, []).append((n, mask))
    groups = []
    for source, found in readers.items():
        leaving = outputs.get(source, 0)
        parts = [leaving]
        for _, mask in found:
            parts[0] |= mask
        for mask in (leaving, *(mask for _, mask in found)):
            parts = [p for part in parts for p in (part & mask, part & ~mask) if p]
        groups += [
            _Group(
                source, part.bit_count(), tuple(n for n, mask in found if mask & part),
                bool(leaving & part),
            )
            for part in parts
        ]
    return groups


class _Program:
    """A linear program over stages; rows say how far two of them are apart at least."""

    def __init__(self, columns: int, end: int) -> None:
        self.cost = np.zeros(columns)
        self.low, self.high = np.zeros(columns), np.full(columns, float(end))
        self.columns: list[int] = []
        self.distances: list[float] = []
        self.solver = highspy.Highs()
        self.solver.setOptionValue("output_flag", False)

    def apart(self, first: int, then: int, distance: float) -> None:
        self.columns += [then, first]
        self.distances.append(distance)

    def load(self) -> bool:
        """Hand all rows over; not if there are too many."""
        rows = len(self.distances)
        if rows > _MOST_ROWS:
            return False
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(self.cost), rows
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = self.cost, self.low, self.high
        lp.row_lower_ = np.array(self.distances)
        lp.row_upper_ = np.full(rows, highspy.kHighsInf)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.arange(0, 2 * rows + 1, 2)
        lp.a_matrix_.index_ = np.array(self.columns)
        lp.a_matrix_.value_ = np.tile([1.0, -1.0], rows)
        self.solver.passModel(lp)
        return True

    def add(self, first: int, then: int, distance: float) -> None:
        """One more row, after `load`."""
        columns, values = np.array([then, first]), np.array([1.0, -1.0])
        self.solver.addRow(distance, highspy.kHighsInf, 2, columns, values)

    def solve(self) -> list[int] | None:
        """Column by column the best stage; None when that is hard to tell."""
        self.solver.run()
        if self.solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return [round(x) for x in self.solver.getSolution().col_value]


def fewest_bits(function: Function, first: Placement, early: Clocked, end: int = 0) -> Placement:
    """As many stages as `first` has, or `end`, and as few register bits as there can be.

    In programs of some thousand operations, whose distances are too many, it is `first` itself.
    """
    read = {n: joined(parts) for n, parts in early.read.items()}
    if not read:
        return first
    end = max(first.end, end)
    groups = _groups(function, read)
    if len(read) + len(groups) > _MOST_ROWS:  # there are more rows than columns
        return first
    column = {n: k for k, n in enumerate(read)}
    program = _Program(len(column) + len(groups), end)
    for n, k in column.items():
        program.high[k] = end - 1 - duration(function.nodes[n])
    for (a, b), distance in _edges(function, read, early).items():
        program.apart(column[a], column[b], distance)
    for k, group in enumerate(groups, len(column)):
        program.cost[k] += group.bits
        if group.source in column:
            program.cost[column[group.source]] -= group.bits
            program.apart(column[group.source], k, duration(function.nodes[group.source]))
        if group.leaves:
            program.low[k] = end
        for n in group.readers:
            program.apart(column[n], k, 0)
    if not program.load():
        return first
    for _ in range(_MOST_ROUNDS):
        solved = program.solve()
        if solved is None:
            break
        placed = placement(function, {n: solved[k] for n, k in column.items()})
        more = _misfits(function, placed, early)
        if not more:
            return placed
        for (a, b), distance in more.items():
            program.add(column[a], column[b], distance)
    return first
