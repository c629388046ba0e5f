"""Designs broken on purpose: the stage and the line that are named are those that were broken."""

from dataclasses import replace

import pytest
from rxgate.compiler.decode import decode
from rxgate.compiler.driver import compile_program
from rxgate.compiler.load.text import load_text
from rxgate.compiler.options import Options
from rxgate.sim.captures import read_capture
from rxgate.sim.fast import simulate_fast
from rxgate.sim.golden import Frame
from rxgate.sim.mismatch import diagnose, write_packet
from rxgate.sim.result import Mismatch

pytestmark = pytest.mark.rtl

SUMS = """
bf 16 0000 00000000  # r6 = r1
20 00 0000 02000000  # r0 = packet[2..5]
bf 07 0000 00000000  # r7 = r0
20 00 0000 01000000  # r0 = packet[1..4]
0f 70 0000 00000000  # r0 += r7
bf 08 0000 00000000  # r8 = r0
2f 00 0000 00000000  # r0 *= r0
77 00 0000 28000000  # r0 >>= 40
0f 80 0000 00000000  # r0 += r8
77 00 0000 10000000  # r0 >>= 16
57 00 0000 01000000  # r0 &= 1
95 00 0000 00000000
"""
SAMPLE = """
85 00 0000 05000000  # r0 = ktime
bf 07 0000 00000000  # r7 = r0
77 07 0000 02000000  # r7 >>= 2
85 00 0000 07000000  # r0 = prandom
0f 70 0000 00000000  # r0 += r7
bf 08 0000 00000000  # r8 = r0
2f 00 0000 00000000  # r0 *= r0
77 00 0000 28000000  # r0 >>= 40
0f 80 0000 00000000  # r0 += r8
57 00 0000 80000000  # r0 &= 128
95 00 0000 00000000
"""


def design_of(text):
    return compile_program(decode(load_text(text, "sums")), Options(width=64, max_frame=128))


def with_node(function, n, **changes):
    nodes = list(function.nodes)
    nodes[n] = replace(nodes[n], **changes)
    return replace(function, nodes=tuple(nodes))


def first(function, op, slot):
    return next(
        n for n, node in enumerate(function.nodes) if node.op == op and node.origin == slot
    )


def broken(design, op, slot, new):
    """The design with hardware in which a node computes something else."""
    function = design.schedule.function
    wrong = with_node(function, first(function, op, slot), op=new)
    return replace(design, schedule=replace(design.schedule, function=wrong))


def traced(design):
    return replace(design, options=replace(design.options, trace=True)).verilog


def mismatches(hardware, count=50):
    frames = [Frame(bytes((n, 77 * n & 255, 3 * n, 99 * n & 255, n, 7))) for n in range(count)]
    result = simulate_fast(
        hardware.verilog, hardware.config, hardware.inputs, frames, hardware.program
    )
    return [m for m in result.mismatches if m.index is not None]


def test_a_wrong_adder_is_named(tmp_path):
    design = design_of(SUMS)
    wrong = broken(design, "add", 4, "or")
    found = mismatches(wrong)
    assert found
    diagnosis = diagnose(design, found[0], traced(wrong))
    assert diagnosis.stage is not None
    assert diagnosis.line is not None
    assert diagnosis.line.line == 6
    assert diagnosis.text.startswith(f"stage {diagnosis.stage}, instruction 4: add.")
    assert "sums:6: 0f 70 0000 00000000  # r0 += r7" in diagnosis.text
    write_packet(tmp_path / "one.pcap", found[0])
    (frame,) = read_capture(tmp_path / "one.pcap")
    assert frame.data == found[0].expected.sent.frame.data


def test_time_and_packet_number_are_those_of_the_run():
    design = design_of(SAMPLE)
    wrong = broken(design, "add", 4, "or")
    found = mismatches(wrong)
    assert found
    diagnosis = diagnose(design, found[-1], traced(wrong))
    assert diagnosis.line is not None
    assert diagnosis.line.line == 6


def test_a_wrong_graph_is_told_from_wrong_hardware():
    design = design_of(SUMS)
    bad = broken(design, "add", 4, "or")
    lifted = with_node(design.lifted, first(design.lifted, "add", 4), op="or")
    bad = replace(bad, lifted=lifted)
    found = mismatches(bad)
    diagnosis = diagnose(bad, found[0])
    assert "instruction 4: r0 is" in diagnosis.text
    assert "in the dataflow graph" in diagnosis.text
    assert diagnosis.line is not None
    assert diagnosis.line.line == 6


def test_a_correct_packet_is_not_to_blame():
    design = design_of(SUMS)
    wrong = broken(design, "add", 4, "or")
    found = mismatches(wrong)
    diagnosis = diagnose(design, found[0])
    assert diagnosis.stage is None
    assert diagnosis.text.startswith("alone, the packet is judged as it must be")


def test_a_mismatch_without_a_packet():
    design = design_of(SUMS)
    assert diagnose(design, Mismatch("stat_pass is 5, and must be 6")).stage is None
