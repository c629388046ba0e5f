"""bpf_loop and the number iterators of the running kernel do what our functions for them do."""

from pathlib import Path

import pytest
from rxgate.compiler.source import read_program
from rxgate.sim.directed import directed
from rxgate.sim.kernel import available, compare

SOURCE = Path(__file__).with_name("loops.c")
pytestmark = pytest.mark.skipif(available() is not None, reason=f"no kernel: {available()}")


@pytest.mark.parametrize("function", ["called_back", "numbers", "repeated"])
def test_the_kernels_own_loops(function):
    program = read_program(str(SOURCE), function=function)
    report = compare(program, directed(program, 500, seed=3))
    assert report.refused == ""
    assert report.disagreements == ()
    assert report.packets > 300
