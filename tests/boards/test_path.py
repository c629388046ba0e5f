"""A routed path is told by stage and source lines."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from rxgate.boards.netlist import Place
from rxgate.boards.path import Segment, lines, segments
from rxgate.boards.route import Hop
from rxgate.compiler.driver import compile_program
from rxgate.compiler.errors import SourceLine
from rxgate.compiler.ir import Function, Node
from rxgate.compiler.options import Options
from rxgate.compiler.source import read_program

SOURCE = Path(__file__).parents[2] / "examples" / "ip_protocol.c"
ELSEWHERE = Place("egress")


class Prefixes:
    """A netlist that knows places and signals by the names of cells."""

    def place(self, name):
        head = name.partition("stage_")[2]
        if "o_verdict" in name:
            return Place("pipeline", 1)
        return Place("pipeline", int(head[:1] or 0)) if "pipeline" in name else ELSEWHERE

    def signals(self, name):
        signal, _, bit = name.partition("_TRELLIS_FF_Q")[0].partition("[")
        return [("gate.launch.alias", 7), (signal, int(bit.rstrip("]") or 0))]


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
             f"gate.pipeline.stage_1.v{first}_TRELLIS_FF_Q_LUT4_Z", "$nextpnr_LUT4_1",
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


@pytest.fixture
def small():
    """Two bytes are compared with a constant in stage 0, and joined with the length in stage 1."""
    nodes = (
        Node("input", 8, (), ("window", 12), 0), Node("input", 8, (), ("window", 13), 1),
        Node("concat", 16, (1, 0)), Node("const", 16, (), 0x800), Node("eq", 1, (2, 3), None, 2),
        Node("not", 1, (4,), None, 3), Node("input", 7, (), ("present", 0), 4),
        Node("slice", 1, (6,), 3, 5), Node("or", 1, (5, 7), None, -1),
        Node("and", 1, (8, 7), None, 6),
    )
    return SimpleNamespace(
        schedule=SimpleNamespace(
            function=Function(nodes, {"verdict": 9}), stage=(0, 0, 0, 0, 0, 0, 0, 0, 1, 1)
        ),
        program=SimpleNamespace(line=lambda slot: SourceLine("a.c", 10 + slot)),
    )


def test_a_value_without_a_line_has_that_of_what_it_is_made_of(small):
    hop = Hop("gate.pipeline.stage_1.v8_TRELLIS_FF_Q", 2.0)
    assert segments((hop,), Prefixes(), small) == (Segment(Place("pipeline", 1), "a.c:15", 2.0),)


@pytest.mark.parametrize(("start", "end", "found"), [
    ("gate.pipeline.i_window[101]", "stage_0.v5", (12, 13)),
    ("gate.pipeline.i_window[96]", "stage_0.v4$7", (12,)),
    ("gate.launch.elsewhere", "stage_0.v5", (12, 13)),
    ("gate.pipeline.stage_0.v5", "stage_1.v9", (16,)),
    ("gate.pipeline.stage_0.v6", "stage_1.v9", (16,)),
    ("gate.launch.o_window[101]", "v5$3", (12, 13)),
    ("gate.pipeline.stage_0.v6", "o_verdict[0]", (16,)),
    ("gate.launch.o_window[101]", "stage_0.n4_eq", (12,)),
    ("gate.pipeline.i_present[2]", "stage_0.v5", (13,)),
])
def test_lines_are_those_between_two_registers(small, start, end, found):
    """A start that is no value of the program is any; one that does not lead there leaves the end."""
    path = (Hop(f"{start}_TRELLIS_FF_Q", 0.5), Hop(f"gate.pipeline.{end}_TRELLIS_FF_Q", 1.0))
    assert lines(path, Prefixes(), small) == tuple(f"a.c:{n}" for n in found)
