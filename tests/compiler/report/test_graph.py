"""The drawing shows every operation and register once, and lines lead where values go."""

from pathlib import Path

import pytest
from rxgate.compiler.driver import compile_program
from rxgate.compiler.options import Options
from rxgate.compiler.report.cost import readers
from rxgate.compiler.report.graph import Kind, Picture, picture
from rxgate.compiler.report.held import inputs, reading_stages
from rxgate.compiler.report.layout import arrange, layout
from rxgate.compiler.report.model import model
from rxgate.compiler.report.names import Names
from rxgate.compiler.schedule import Schedule
from rxgate.compiler.source import read_program
from rxgate.compiler.wires import reads

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.fixture(scope="module", params=["dns_guard", "xdp_port_filter", "xdp_vlan_parse"])
def drawn(request) -> tuple[Schedule, Picture]:
    design = compile_program(read_program(str(EXAMPLES / f"{request.param}.c")), Options())
    schedule = design.schedule
    read = reads(schedule.function)
    before = inputs(Names(schedule.function), read, reading_stages(schedule, readers(schedule)))
    return schedule, picture(schedule, model(design), before, read)


def test_every_operation_is_in_one_box(drawn):
    schedule, shown = drawn
    for k, row in enumerate(schedule.rows):
        nodes = [n for box in shown.boxes if box.stage == k and not box.held for n in box.nodes]
        hidden = set(row) - set(nodes)
        assert len(nodes) == len(set(nodes))
        assert {schedule.function.nodes[n].op for n in hidden} <= {"not"}
        assert not hidden & set(schedule.cuts[k])


def test_every_register_is_in_one_box(drawn):
    schedule, shown = drawn
    for k, cut in enumerate(schedule.cuts):
        registers = [box for box in shown.boxes if box.kind is Kind.REGISTER and box.stage == k]
        assert sorted(n for box in registers for n in box.nodes) == sorted(cut)
        assert sum(box.bits for box in registers) == schedule.live_bits(k)


def test_lines_lead_down_and_every_box_is_fed(drawn):
    _, shown = drawn
    row = {b: k for k, r in enumerate(shown.rows) for b in r.boxes}
    assert sorted(row) == list(range(len(shown.boxes)))
    assert all(row[e.source] < row[e.target] for e in shown.edges)
    fed = {e.target for e in shown.edges}
    assert all(b in fed for b, box in enumerate(shown.boxes) if box.kind is not Kind.INPUT)
    feeding = {e.source for e in shown.edges}
    last = max(box.stage for box in shown.boxes)
    assert all(b in feeding for b, box in enumerate(shown.boxes) if not box.held or box.stage < last)


def test_lines_carry_what_the_box_takes(drawn):
    """Into a row of registers go exactly its bits."""
    _, shown = drawn
    for b, box in enumerate(shown.boxes):
        if box.kind is Kind.REGISTER:
            assert sum(e.bits for e in shown.edges if e.target == b) == box.bits


def test_layout_keeps_boxes_apart_and_in_their_rows(drawn):
    pytest.importorskip("pygraphviz")
    schedule, shown = drawn
    placed = layout(shown, arrange(shown))
    assert len(placed.bands) == schedule.latency
    for b, (box, at) in enumerate(zip(shown.boxes, placed.boxes, strict=True)):
        assert at.width / 2 <= at.x <= placed.width - at.width / 2
        if box.held is None:
            top, bottom = placed.bands[box.stage]
            assert top < at.y - at.height / 2
            assert at.y + at.height / 2 < bottom
        for other in placed.boxes[:b]:
            apart = (at.width + other.width) / 2, (at.height + other.height) / 2
            assert abs(at.x - other.x) >= apart[0] or abs(at.y - other.y) >= apart[1]
