"""Dataflow graph -> a pipeline stage for every operation, and the bits that live across each cut.

Operations are placed as soon as their arguments allow, several in a stage while its levels last.
Multiplications and divisions go to units that take several cycles, with a new packet every cycle.
Cut k is the row of registers between stage k and stage k + 1; the last cut holds the outputs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ..ctx_map.units import div_latency, mul_latency
from .delay import STAGE_LEVELS, levels
from .ir import WIRING, Function

UNITS = {"mul": mul_latency, "udiv": div_latency, "urem": div_latency}


@dataclass(frozen=True, slots=True)
class Schedule:
    """`stage[n]` is where node n is computed; its value can be read in stage `ready[n]` and later.

    `rows[k]` holds the operations of stage k, wiring left out. `cuts[k]` maps the nodes (operations
    and inputs, never wiring) that live across cut k to the mask of their bits that later stages
    use. `latency` is the number of cuts, in cycles.
    """

    function: Function
    stage: tuple[int, ...]
    ready: tuple[int, ...]
    rows: tuple[tuple[int, ...], ...]
    cuts: tuple[Mapping[int, int], ...]

    @property
    def latency(self) -> int:
        return len(self.cuts)

    def live_bits(self, cut: int) -> int:
        """Register bits of a cut."""
        return sum(mask.bit_count() for mask in self.cuts[cut].values())

    def operations(self, stage: int) -> list[int]:
        """The nodes computed in a stage, wiring left out."""
        return list(self.rows[stage])

    def __str__(self) -> str:
        lines = []
        for k in range(self.latency):
            lines.append(f"stage {k}:")
            for n in self.operations(k):
                node = self.function.nodes[n]
                args = ", ".join(f"%{a}" for a in node.args)
                lines.append(f"    %{n} = {node.op}.{node.width} {args}")
            lines.append(f"cut {k}: {self.live_bits(k)} bits")
            lines += [
                f"    %{n} {self.function.nodes[n].op} mask {mask:#x}"
                for n, mask in self.cuts[k].items()
            ]
        return "\n".join(lines) + "\n"


def _place(function: Function) -> tuple[list[int], list[int]]:
    """As-soon-as-possible stages: (where computed, from where readable)."""
    stage: list[int] = []
    finish: list[tuple[int, float]] = []
    for node in function.nodes:
        at, level = max((finish[a] for a in node.args), default=(0, 0.0))
        if node.op in UNITS:
            stage.append(at)
            finish.append((at + UNITS[node.op](node.width), 0.0))
            continue
        cost = levels(node, [function.nodes[a].width for a in node.args])
        if level + cost > STAGE_LEVELS and level > 0:
            at, level = at + 1, 0.0
        stage.append(at)
        finish.append((at, level + cost))
    return stage, [s for s, _ in finish]


def sources(function: Function, n: int, mask: int) -> list[tuple[int, int]]:
    """Where the bits `mask` of node n come from, through wiring: (node, mask), constants left out."""
    node = function.nodes[n]
    if not mask or node.op == "const":
        return []
    match node.op:
        case "slice":
            return sources(function, node.args[0], mask << node.number)
        case "concat":
            found, shift = [], 0
            for a in node.args:
                width = function.nodes[a].width
                found += sources(function, a, mask >> shift & (1 << width) - 1)
                shift += width
            return found
        case "sext":
            width = function.nodes[node.args[0]].width
            low = mask & (1 << width) - 1 | (1 << width - 1 if mask >> width else 0)
            return sources(function, node.args[0], low)
    return [(n, mask)]


def _uses(function: Function, stage: list[int], end: int) -> dict[int, dict[int, int]]:
    """For each source, the bits that each stage reads; outputs are read in stage `end`."""
    uses: dict[int, dict[int, int]] = {}

    def read(n: int, at: int) -> None:
        for source, mask in sources(function, n, (1 << function.nodes[n].width) - 1):
            by_stage = uses.setdefault(source, {})
            by_stage[at] = by_stage.get(at, 0) | mask

    for n, node in enumerate(function.nodes):
        if node.op not in WIRING:
            for a in node.args:
                read(a, stage[n])
    for n in function.outputs.values():
        read(n, end)
    return uses


def schedule(function: Function) -> Schedule:
    """Place every operation of `function`, which must hold no dead code."""
    stage, ready = _place(function)
    end = 1 + max([*ready, 0])
    uses = _uses(function, stage, end)
    cuts: list[dict[int, int]] = [{} for _ in range(end)]
    for source in sorted(uses):
        mask = 0
        for k in range(max(uses[source]) - 1, ready[source] - 1, -1):
            mask |= uses[source].get(k + 1, 0)
            cuts[k][source] = mask
    rows: list[list[int]] = [[] for _ in range(end)]
    for n, node in enumerate(function.nodes):
        if node.op not in WIRING:
            rows[stage[n]].append(n)
    return Schedule(function, tuple(stage), tuple(ready), tuple(map(tuple, rows)), tuple(cuts))
