"""Boxes and lines in rows -> where each of them stands, by Graphviz.

The rows are given; Graphviz orders what stands in them so that few lines cross, and finds the way of
the lines. All lengths are in pixels, y grows downward.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from .graph import Box, Kind, Picture, Row

WIDTH = 560
"""Boxes that would take more than this side by side stand in several rows."""
_MOST_PARTS = 6
_COMPACT = 'ratio=compress, size="8,200"'
"""Graphviz keeps the drawing narrow (inches), if not all lines straight."""
_QUICK = "nslimit=3, mclimit=0.5"
"""It stops improving earlier."""
_LEISURE = 1_200
"""Rows that all lines together may cross so that it need not."""
CHARACTER = 6.3
HEIGHT = 20
REGISTER_HEIGHT = 9
_GAP = 6
"""Between boxes."""
_BETWEEN = 2
"""Between lines."""
_REGISTERS_WIDE = 420
_MARGIN = 14


@dataclass(frozen=True, slots=True)
class Placed:
    """A box: its centre and size."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Layout:
    """`boxes` and `paths` (of SVG) in the order of the picture's; `bands` has (top, bottom) by stage.

    `cuts` has the height of every row of registers, that of the inputs first.
    """

    width: float
    height: float
    boxes: tuple[Placed, ...]
    paths: tuple[str, ...]
    bands: tuple[tuple[float, float], ...]
    cuts: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Arranged:
    """Rows none of which is too wide, and the sizes of boxes.

    `crossed` counts the rows that all lines together lead across: the work of finding their way.
    """

    rows: tuple[Row, ...]
    sizes: tuple[tuple[float, float], ...]
    crossed: int


def arrange(picture: Picture) -> Arranged:
    """Distribute a picture over rows."""
    live: dict[int, int] = {}
    for box in picture.boxes:
        if box.kind is Kind.REGISTER:
            live[box.stage] = live.get(box.stage, 0) + box.bits
    scale = min(3.0, _REGISTERS_WIDE / max(live.values(), default=1))
    sizes = tuple(_size(box, scale) for box in picture.boxes)
    rows = tuple(part for row in picture.rows for part in _parts(row, sizes))
    at = {b: k for k, row in enumerate(rows) for b in row.boxes}
    return Arranged(rows, sizes, sum(at[e.target] - at[e.source] for e in picture.edges))


def layout(picture: Picture, arranged: Arranged) -> Layout:
    """Place what `arrange` says of a picture; needs the package pygraphviz."""
    from pygraphviz import AGraph  # where it has no wheel, who does not draw needs none

    drawn = AGraph(string=_dot(picture, arranged)).draw(format="json0", prog="dot")
    assert drawn is not None
    return _read(json.loads(drawn), picture, arranged)


def _size(box: Box, scale: float) -> tuple[float, float]:
    if box.kind is Kind.REGISTER:
        return max(5.0, round(box.bits * scale, 1)), REGISTER_HEIGHT
    bits = f" {box.bits}" if box.bits > 1 or box.kind is Kind.INPUT else ""
    return round(10 + CHARACTER * len(box.label) + 0.8 * CHARACTER * len(bits), 1), HEIGHT


def _parts(row: Row, sizes: Sequence[tuple[float, float]]) -> Iterator[Row]:
    """A row that is too wide as several; what reads from it stands below all of them."""
    if row.registers and row.stage >= 0:
        yield row
        return
    total = sum(sizes[b][0] + _GAP for b in row.boxes)
    count = min(_MOST_PARTS, max(1, -(-int(total) // WIDTH)))
    for k in range(count):
        yield Row(row.stage, row.registers, row.boxes[k::count])


def _dot(picture: Picture, arranged: Arranged) -> str:
    """The picture in Graphviz's language; anchors keep the rows in their order."""
    how = f", {_QUICK}" if arranged.crossed > _LEISURE else ""
    lines = [
        "digraph {",
        f"graph [rankdir=TB, nodesep={_BETWEEN / 72:.3f}, ranksep=0.28, splines=true, {_COMPACT}{how}];",
        'node [shape=box, fixedsize=true, label=""];',
        "edge [arrowhead=none];",
    ]
    for k, row in enumerate(arranged.rows):
        lines.append(f"subgraph {{ rank=same; a{k} [width=0.01, height=0.01];")
        for b in row.boxes:
            width, height = arranged.sizes[b]
            lines.append(f"b{b} [width={(width + _GAP) / 72:.4f}, height={height / 72:.4f}];")
        lines.append("}")
        if k:
            lines.append(f"a{k - 1} -> a{k} [style=invis, weight=50];")
    for n, edge in enumerate(picture.edges):
        through = picture.boxes[edge.source].held and picture.boxes[edge.target].held
        weight = 12 if through else 2 if edge.bits > 1 else 1
        lines.append(f"b{edge.source} -> b{edge.target} [weight={weight}, id=e{n}];")
    return "\n".join([*lines, "}"])


def _read(drawn: dict[str, Any], picture: Picture, arranged: Arranged) -> Layout:
    """What Graphviz found, moved to the top left corner."""
    sizes = arranged.sizes
    places = {o["name"]: _point(o["pos"]) for o in drawn["objects"] if "pos" in o}
    ways = {e["id"]: e["pos"] for e in drawn["edges"] if "id" in e}
    centres = {b: places[f"b{b}"] for b in range(len(picture.boxes))}
    left = min(x - sizes[b][0] / 2 for b, (x, _) in centres.items()) - _MARGIN
    right = max(x + sizes[b][0] / 2 for b, (x, _) in centres.items()) + _MARGIN
    top = max(y + sizes[b][1] / 2 for b, (_, y) in centres.items()) + _MARGIN

    def at(x: float, y: float) -> tuple[float, float]:
        return round(x - left, 1), round(top - y, 1)

    boxes = tuple(Placed(*at(*centres[b]), *sizes[b]) for b in range(len(picture.boxes)))
    paths = []
    for n in range(len(picture.edges)):
        points = [at(*_point(p)) for p in ways[f"e{n}"].split() if p[0] not in "es"]
        start, *curve = (f"{x:g},{y:g}" for x, y in points)
        paths.append(f"M{start}C{' '.join(curve)}")
    levels = [(row, round(top - places[f"a{k}"][1], 1)) for k, row in enumerate(arranged.rows)]
    inputs = max(y for row, y in levels if row.stage < 0)
    cuts = (inputs, *(y for row, y in levels if row.registers and row.stage >= 0))
    return Layout(
        round(right - left, 1), round(levels[-1][1] + _MARGIN, 1), boxes, tuple(paths),
        tuple(pairwise(cuts)), cuts,
    )


def _point(text: str) -> tuple[float, float]:
    x, y = text.split(",")
    return float(x), float(y)
