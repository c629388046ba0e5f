"""A routed path is told by stage and source lines."""

from pathlib import Path

import pytest
from rxgate.boards.netlist import Place
from rxgate.boards.path import Segment, lines, segments
from rxgate.boards.route import Hop
from rxgate.compiler.driver import compile_program
from rxgate.compiler.options import Options
from rxgate.compiler.source import read_program

SOURCE = Path(__file__).parents[2] / "examples" / "ip_protocol.c"
ELSEWHERE = Place("egress")


class Prefixes:
    """A netlist that knows places by the names of cells."""

    def place(self, name):
        head = name.partition("stage_")[2]
        return Place("pipeline", int(head[0])) if head else ELSEWHERE


@pytest.fixture(scope="module")
def design():
    return compile_program(read_program(str(SOURCE)), Options(width=64))


def line(design, node):
    found = design.program.line(design.schedule.function.nodes[node].origin)
    return f"{found.file}:{found.line}"


def test_pieces_are_named_after_registers(design):
    nodes = design.schedule.function.nodes
    known = [n for n, node in enumerate(nodes) if node.origin >= 0 and node.op != "const"]
    first, last = known[0], known[-1]
    assert line(design, first) != line(design, last)
    cells = [f"gate.pipeline.stage_0.v{first}_TRELLIS_FF_Q",
             f"gate.pipeline.stage_1.v{first}_LUT4_A_Z_LUT4_Z", "$nextpnr_LUT4_1",
             f"gate.pipeline.stage_1.v{last}_TRELLIS_FF_Q_3"]
    path = tuple(Hop(cell, 0.5 + n) for n, cell in enumerate(cells))
    place = Place("pipeline", 1)
    assert segments(path, Prefixes(), design) == (
        Segment(place, line(design, first), 4.5), Segment(place, line(design, last), 3.5),
    )


def test_outside_of_the_program_there_are_no_lines(design):
    path = (Hop("gate.egress.x", 1.0), Hop("gate.egress.y", 2.0))
    assert segments(path, Prefixes(), design) == (Segment(ELSEWHERE, None, 3.0),)
    assert lines(path, Prefixes(), design) == ()
    assert segments((), Prefixes(), design) == lines((), Prefixes(), design) == ()


def test_lines_are_those_between_two_registers(design):
    """For every register with a value of its own stage: its line comes last, others are of the stage."""
    placed, nodes = design.schedule, design.schedule.function.nodes
    seen = set()
    for stage in range(placed.latency):
        within = {line(design, n) for n in placed.operations(stage) if nodes[n].origin >= 0}
        for end in placed.cuts[stage]:
            if placed.stage[end] == stage and nodes[end].op != "input" and nodes[end].origin >= 0:
                name = f"gate.pipeline.stage_{stage}.v{end}_TRELLIS_FF_Q"
                found = lines((Hop("gate.launch.w", 0.5), Hop(name, 1.0)), Prefixes(), design)
                assert found[-1] == line(design, end)
                assert set(found) <= within
                seen.add(len(found))
    assert max(seen) > 1
