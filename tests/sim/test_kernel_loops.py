"""bpf_loop and the number iterators of the running kernel do what our functions for them do."""

from pathlib import Path

import pytest
from rxgate.compiler.source import read_program
from rxgate.sim.bpf_syscall import Refused
from rxgate.sim.directed import directed
from rxgate.sim.kernel import available, compare
from rxgate.sim.kernel_btf import kernel_function

SOURCE = Path(__file__).with_name("loops.c")
pytestmark = pytest.mark.skipif(available() is not None, reason=f"no kernel: {available()}")


def absent(function: str) -> str:
    """Why the kernel cannot be asked about iterators: an older one, or /sys is not there."""
    try:
        if function != "called_back":
            kernel_function("bpf_iter_num_new")
    except Refused as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize("function", ["called_back", "numbers", "repeated"])
def test_the_kernels_own_loops(function):
    reason = absent(function)
    if reason:
        pytest.skip(reason)
    program = read_program(str(SOURCE), function=function)
    report = compare(program, directed(program, 500, seed=3))
    assert report.refused == ""
    assert report.disagreements == ()
    assert report.packets > 300
