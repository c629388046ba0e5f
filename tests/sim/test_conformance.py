"""The conformance plug-in: programs and memory in hexadecimal, r0 out."""

import pytest
from rxgate.compiler.errors import RxgateError
from rxgate.sim.conformance import conformance

EXIT = "9500000000000000"


def test_r1_and_r2_are_the_memory_and_its_size():
    load = "6110040000000000"  # w0 = *(u32 *)(r1 + 4)
    assert conformance(load + EXIT, "00 11 22 33 44 55 66 77") == 0x77665544
    size = "bf20000000000000"  # r0 = r2
    assert conformance(size + EXIT, "aabbcc") == 3
    assert conformance(size + EXIT) == 0


def test_memory_can_be_written_atomically():
    five = "b703000005000000"  # r3 = 5
    add = "db31000000000000"  # lock *(u64 *)(r1 + 0) += r3
    load = "7910000000000000"  # r0 = *(u64 *)(r1 + 0)
    assert conformance(five + add + load + EXIT, "fe00000000000000") == 0x103


def test_loops_run():
    # r0 = 0; r3 = 10; do { r0 += r3; r3 -= 1 } while (r3 != 0)
    program = "b700000000000000" "b70300000a000000" "0f30000000000000" "0703000 0ffffffff".replace(
        " ", ""
    ) + "5503fdff00000000"
    assert conformance(program + EXIT) == 55


@pytest.mark.parametrize(
    ("program", "memory", "message"),
    [
        ("", "", "."),
        ("zz", "", "."),
        (EXIT, "abc", "the memory is not hexadecimal"),
        ("6110040000000000" + EXIT, "00", "the program cannot go on: load of 4 bytes"),
    ],
)
def test_nonsense_is_refused(program, memory, message):
    with pytest.raises(RxgateError, match=message):
        conformance(program, memory)
