"""Dataflow graph -> a pipeline stage for every operation, and the bits that live across each cut.

There are as few stages as the delays of operations allow, and as few register bits as that leaves.
Cut k is the row of registers between stage k and stage k + 1; the last cut holds the outputs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from .delay import GENERIC, Model
from .ir import WIRING, Function
from .lifetimes import fewest_bits
from .placement import Placement, as_soon_as_possible, stage_times, with_headroom
from .wires import all_sources, reads


@dataclass(frozen=True, slots=True)
class Schedule:
    """`stage[n]` is where node n is computed; its value can be read in stage `ready[n]` and later.

    `rows[k]` holds the operations of stage k, wiring left out. `cuts[k]` maps the nodes (operations
    and inputs, never wiring) that live across cut k to the mask of their bits that later stages
    use. `latency` is the number of cuts, in cycles, `stage_ns` how long the delay model expects each
    stage to be.
    """

    function: Function
    stage: tuple[int, ...]
    ready: tuple[int, ...]
    rows: tuple[tuple[int, ...], ...]
    cuts: tuple[Mapping[int, int], ...]
    stage_ns: tuple[float, ...] = ()

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


def _uses(function: Function, placed: Placement) -> dict[int, dict[int, int]]:
    """For each source, the bits that each stage reads; outputs are read behind the last."""
    uses: dict[int, dict[int, int]] = {}
    found = [(placed.stage[n], read) for n, read in reads(function).items()]
    found.append((placed.end, all_sources(function, function.outputs.values())))
    for at, read in found:
        for source, mask in read.items():
            by_stage = uses.setdefault(source, {})
            by_stage[at] = by_stage.get(at, 0) | mask
    return uses


def cuts(function: Function, placed: Placement) -> tuple[Mapping[int, int], ...]:
    """What lives across each cut, as Schedule says."""
    uses = _uses(function, placed)
    found: list[dict[int, int]] = [{} for _ in range(placed.end)]
    for source in sorted(uses):
        mask = 0
        for k in range(max(uses[source]) - 1, placed.ready[source] - 1, -1):
            mask |= uses[source].get(k + 1, 0)
            found[k][source] = mask
    return tuple(found)


_MORE_STAGES = 2
"""Stages that may be added for the sake of register bits."""


def schedule(
    function: Function, model: Model = GENERIC, *, minimise: bool = True, patient: bool = False
) -> Schedule:
    """Place every operation of `function`, which must hold no dead code.

    Without `minimise` every operation is placed as soon as possible, whatever must be carried then.
    `patient` lets the pipeline be longer, and stages as long as the clock allows, where fewer
    register bits are then carried.
    """
    place = with_headroom if minimise and not patient else as_soon_as_possible
    placed, early = place(function, model)
    if minimise:
        least = placed.end
        found = [
            fewest_bits(function, placed, early, least + more)
            for more in range(1 + (_MORE_STAGES if patient else 0))
        ]
        placed = min(found, key=lambda p: _carried(function, p))
    rows: list[list[int]] = [[] for _ in range(placed.end)]
    for n, node in enumerate(function.nodes):
        if node.op not in WIRING:
            rows[placed.stage[n]].append(n)
    return Schedule(
        function, placed.stage, placed.ready, tuple(map(tuple, rows)), cuts(function, placed),
        stage_times(function, placed, model),
    )


def _carried(function: Function, placed: Placement) -> int:
    """Register bits of all cuts."""
    return sum(mask.bit_count() for cut in cuts(function, placed) for mask in cut.values())
