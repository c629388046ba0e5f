"""Helpers as the running kernel has them, and programs with metadata; skipped without bpf(2)."""

from dataclasses import replace
from pathlib import Path

import pytest
from rxgate.compiler.source import read_program
from rxgate.ctx_map.models import describe
from rxgate.ctx_map.nics import FRONT_END, NICS, UNSTRIPPED
from rxgate.sim.directed import directed
from rxgate.sim.interp import Interpreter
from rxgate.sim.kernel import available, compare
from rxgate.sim.kernel_rewrite import rewrite
from rxgate.sim.packets import generate

SOURCE = Path(__file__).with_name("calls.c")
BOUND = {"stripped": FRONT_END, "unstripped": UNSTRIPPED, "plain": NICS["plain"]}
CASES = [
    *(("metadata", nic) for nic in BOUND), *(("caller", nic) for nic in BOUND),
    ("clocks", "plain"), ("bytes", "plain"), ("checksum", "plain"), ("header", "plain"),
    ("loop", "plain"),
]


def read(section: str, nic: str):
    return replace(read_program(str(SOURCE), f"xdp/{section}"), nic=BOUND[nic])


@pytest.mark.skipif(available() is not None, reason=str(available()))
@pytest.mark.parametrize(("section", "nic"), CASES)
def test_the_kernel_agrees(section, nic):
    program = read(section, nic)
    found = [*directed(program, 300, seed=2), *generate(300, 3)]
    found += [f[:14] + fill * 20 + f[34:] for f in found[::10] for fill in (b"\0", b"\xff")]
    report = compare(program, found)
    assert report.refused == ""
    assert [str(d) for d in report.disagreements] == []
    assert report.packets >= 400


@pytest.mark.parametrize(("section", "nic"), CASES[:7])
def test_the_rewritten_program_does_the_same(section, nic):
    """In the interpreter, with its inputs in memory and nothing in the descriptor."""
    program = read(section, nic)
    rewritten, inputs = rewrite(program)
    interpreter = Interpreter(program)
    for number, frame in enumerate(generate(100, 6)):
        descriptor = describe(frame).descriptor
        content = inputs.pack(descriptor, number * 77, number, 0)
        filled = replace(rewritten, data={**rewritten.data, "rxgate.inputs": content})
        found = Interpreter(filled).run(frame, replace(descriptor, hash=0, hash_type=0, vlan_proto=0))
        assert found == interpreter.run(frame, descriptor, ktime=number * 77, number=number)
