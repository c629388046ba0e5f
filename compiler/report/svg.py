"""Picture and layout -> plain data for the template that draws it."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

from ..schedule import Schedule
from .graph import Box, Edge, picture
from .held import Held
from .layout import Placed, arrange, layout
from .model import Model

MOST_BOXES = 700
MOST_EDGES = 1_000
"""Above these nobody could follow the lines."""
MOST_CROSSED = 2_500
"""Rows that all lines together may cross: finding their way takes about a second then."""
_MOST_TEXTS = 6
"""Operations of one box whose text is given."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A box to draw: top left corner, size, what stands in it, what it tells when asked."""

    box: Box
    x: float
    y: float
    width: float
    height: float
    tells: str
    keys: tuple[int, ...]
    slots: tuple[int, ...]
    bytes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line to draw; `strength` is 1 to 4, by its bits."""

    edge: Edge
    path: str
    strength: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """All of it; `missing` says why there are no shapes."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
    lines: tuple[Line, ...]
    bands: tuple[tuple[float, float], ...]
    cuts: tuple[float, ...]
    missing: str = ""


def drawing(
    schedule: Schedule, found: Model, inputs: tuple[Held, ...],
    read: Mapping[int, Mapping[int, int]],
) -> Drawing:
    """The drawing of a schedule, whose inputs are as `held.inputs` says."""
    drawn = picture(schedule, found, inputs, read)
    boxes, edges = len(drawn.boxes), len(drawn.edges)
    if not boxes:
        return _none("The verdict is always the same")
    arranged = arrange(drawn)
    if boxes > MOST_BOXES or edges > MOST_EDGES or arranged.crossed > MOST_CROSSED:
        return _none(f"{boxes:,} boxes and {edges:,} lines would be too many to follow")
    if find_spec("pygraphviz") is None:
        return _none("The package pygraphviz is not installed, which finds the way of the lines")
    where = layout(drawn, arranged)
    shapes = tuple(
        _shape(box, place, found, schedule) for box, place in zip(drawn.boxes, where.boxes, strict=True)
    )
    lines = tuple(
        Line(edge, path, 1 + (edge.bits > 1) + (edge.bits > 8) + (edge.bits > 32))
        for edge, path in zip(drawn.edges, where.paths, strict=True)
    )
    return Drawing(where.width, where.height, shapes, lines, where.bands, where.cuts)


def _none(missing: str) -> Drawing:
    return Drawing(0, 0, (), (), (), (), missing)


def _shape(box: Box, place: Placed, found: Model, schedule: Schedule) -> Shape:
    nodes = schedule.function.nodes
    inputs = [nodes[n].source for n in box.nodes if nodes[n].op == "input"]
    bytes_ = tuple(index for name, index in inputs if name == "window")
    if box.held:
        slots = box.held.slots
        tells = _held_text(box, box.held, found)
        if box.stage < 0:
            slots = tuple(sorted({s for b in found.window if b.number in bytes_ for s in b.slots}))
    else:
        slots = tuple(sorted({nodes[n].origin for n in box.nodes} - {-1}))
        tells = _operation_text(box, found)
    return Shape(
        box, round(place.x - place.width / 2, 1), round(place.y - place.height / 2, 1), place.width,
        place.height, tells, found.keys(slots), slots, bytes_,
    )


def _operation_text(box: Box, found: Model) -> str:
    ops = [found.operations[n] for n in box.nodes]
    texts = [f"%{op.n} = {op.text}" for op in ops[-_MOST_TEXTS:]]
    if len(ops) > _MOST_TEXTS:
        texts.insert(0, f"… {len(ops) - _MOST_TEXTS} more gates")
    facts = [f"stage {box.stage}", _bits(box.bits), f"≈ {sum(op.luts for op in ops):.1f} LUT6"]
    if ops[-1].cycles:
        facts.append(f"{ops[-1].cycles} cycles")
    elif len(ops) == 1 and ops[0].ns:
        facts.append(f"{ops[0].ns:.2f} ns")
    if box.critical:
        facts.append("on the slowest chain")
    return "\n".join([*texts, ", ".join(facts)])


def _held_text(box: Box, group: Held, found: Model) -> str:
    end = len(found.stages)
    reads = ", ".join("the verdict" if s >= end else str(s) for s in group.read_in)
    stage = f"read in stage{'s' if len(group.read_in) > 1 else ''} {reads}" if reads else ""
    if group.read_in == (end,):
        stage = "read by the verdict"
    place = "header window" if box.stage < 0 else f"registers behind stage {box.stage}"
    return f"{group.text}\n{place}, {_bits(group.bits)}, {stage}"


def _bits(bits: int) -> str:
    return "1 bit" if bits == 1 else f"{bits} bits"
