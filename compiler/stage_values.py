"""Design, what one packet brings -> what every register and every instruction must hold for it.

The reference for finding the place where hardware goes wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ..ctx_map.verdicts import Verdict
from .codegen import trace_layout
from .driver import Design
from .errors import SourceLine
from .ir import text
from .ir_eval import evaluate

Inputs = Mapping[tuple[str, int], int]
"""(name, index) -> value; names as the pipeline's inputs, index as ir.py says."""


@dataclass(frozen=True, slots=True)
class Register:
    """A register at the end of stage `stage`: bits `offset` upward of the trace port.

    It can be read `stage` + 1 cycles after the launch. `slot` is the instruction behind it, its own
    or the last that the stage computes for it; -1 when there is none.
    """

    stage: int
    offset: int
    width: int
    value: int
    operation: str
    slot: int
    line: SourceLine | None


@dataclass(frozen=True, slots=True)
class Step:
    """What the dataflow graph has for an instruction's result.

    `stage` is where the pipeline computes it, None when the passes left no such value.
    """

    slot: int
    register: int
    value: int
    stage: int | None
    line: SourceLine | None


def registers(design: Design, inputs: Inputs) -> tuple[Register, ...]:
    """Every traced register, by stage, as the scheduled dataflow graph says."""
    function = design.schedule.function
    values = evaluate(function, inputs)
    found = []
    for place in trace_layout(design.schedule):
        node = function.nodes[place.node]
        slot = _slot(design, place.node)
        found.append(
            Register(
                place.cut, place.offset, place.mask.bit_count(),
                _packed(values[place.node], place.mask), text(node).partition("  ;")[0],
                slot, _line(design, slot),
            )
        )
    return tuple(found)


def verdict(design: Design, inputs: Inputs) -> Verdict:
    """What the scheduled dataflow graph decides."""
    function = design.schedule.function
    return Verdict(evaluate(function, inputs)[function.outputs["verdict"]])


def steps(design: Design, inputs: Inputs) -> dict[tuple[int, int], Step]:
    """(slot, register written) -> what the graph had there before any pass.

    Left out are pointers, and slots that inlining or unrolling has made more than one of.
    """
    values = evaluate(design.lifted, inputs)
    places: dict[int, int] = {}
    for block in design.facts.graph.blocks:
        for slot in block.slots:
            places[slot] = places.get(slot, 0) + 1
    placed = design.schedule.function.results
    return {
        (slot, register): Step(
            slot, register, values[node],
            _stage(design, placed, (block, slot, register)), _line(design, slot),
        )
        for (block, slot, register), node in design.lifted.results.items()
        if places[slot] == 1
    }


def _slot(design: Design, n: int) -> int:
    """The instruction of a node, or the last of those that its stage computes for it."""
    nodes, stage = design.schedule.function.nodes, design.schedule.stage
    todo, seen, found = [n], {n}, -1
    while todo and found < 0:
        found = max(nodes[m].origin for m in todo)
        todo = [a for m in todo for a in nodes[m].args if a not in seen and stage[a] == stage[n]]
        seen.update(todo)
    return found


def _stage(
    design: Design, placed: Mapping[tuple[int, int, int], int], where: tuple[int, int, int]
) -> int | None:
    return design.schedule.stage[placed[where]] if where in placed else None


def _line(design: Design, slot: int) -> SourceLine | None:
    return design.program.line(slot) if slot >= 0 else None


def _packed(value: int, mask: int) -> int:
    """The bits `mask` of a value, side by side."""
    packed = at = 0
    while mask:
        low = mask & -mask
        packed |= int(value & low != 0) << at
        at += 1
        mask ^= low
    return packed
