"""Calls of helpers and kernel functions: the graph after every pass gives what the interpreter gives."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from rxgate.compiler.driver import compile_program
from rxgate.compiler.insn import Program
from rxgate.compiler.ir import Function
from rxgate.compiler.ir_check import check
from rxgate.compiler.ir_eval import evaluate_all
from rxgate.compiler.options import Options, Route
from rxgate.compiler.source import read_program
from rxgate.ctx_map.models import describe
from rxgate.ctx_map.nics import NICS
from rxgate.sim.conditions import Conditions
from rxgate.sim.directed import directed
from rxgate.sim.fast import simulate_fast
from rxgate.sim.golden import Frame
from rxgate.sim.helpers import csum_diff
from rxgate.sim.interp import Interpreter
from rxgate.sim.packets import generate

SOURCE = Path(__file__).parents[2] / "sim" / "calls.c"
SURROUNDINGS = {
    "front end": Options(),
    "stripped": Options(strip_vlan=True),
    "shell": Options(route=Route.SHELL),
    "plain": Options(nic=NICS["plain"]),
}
HASH = {"hash", "hash_type"}
VLAN = {"vlan_tci", "vlan_proto"}
CASES = [
    ("metadata", "front end", HASH), ("metadata", "stripped", HASH | VLAN),
    ("metadata", "shell", HASH | VLAN), ("metadata", "plain", set()), ("caller", "shell", HASH),
    ("caller", "plain", set()), ("clocks", "front end", set()), ("bytes", "front end", set()),
    ("checksum", "front end", set()), ("header", "front end", set()),
    ("guarded", "front end", set()), ("kept", "shell", HASH), ("kept", "plain", set()),
]
"""Section, surroundings, descriptor fields that are asked for."""


@cache
def program_of(section: str) -> Program:
    return read_program(str(SOURCE), f"xdp/{section}")


def frames(program: Program, count: int) -> list[bytes]:
    """Traffic, some of it with headers of zeros and ones, for which sums are 0 or nearly so."""
    found = [*directed(program, count, seed=3, effort=100), *generate(count, 4)]
    some = found[:: max(1, len(found) // 20)]
    return found + [f[:14] + fill * 20 + f[34:] for f in some for fill in (b"\0", b"\xff")]


@pytest.mark.parametrize(("section", "surroundings", "fields"), CASES)
def test_every_stage_agrees_with_the_interpreter(section, surroundings, fields):
    program, options = program_of(section), SURROUNDINGS[surroundings]
    stages: dict[str, Function] = {}
    design = compile_program(program, options, stages.__setitem__)
    assert set(design.fields) == fields
    interpreter, window = Interpreter(design.program), design.config.window
    inputs, wanted = [], []
    for n, frame in enumerate(frames(program, 60)):
        received = describe(frame, strip_vlan=options.strip_vlan, ingress_ifindex=n)
        time, data = n * 0x1234_5678_9ABC, received.frame
        outcome = interpreter.run(data, received.descriptor, ktime=time, number=n)
        wanted.append({"verdict": int(outcome.verdict), "r0": outcome.r0})
        names = received.descriptor.__slots__
        inputs.append(
            {("window", i): byte for i, byte in enumerate(data[:window])}
            | {(name, 0): getattr(received.descriptor, name) for name in names}
            | {("present", 0): min(len(data), window), ("ktime", 0): time}
            | {("stripped", 0): int(len(data) < len(frame))}
        )
    assert surroundings == "plain" or len({w["r0"] for w in wanted}) > 1
    assert len(stages) > 2
    for stage, function in stages.items():
        check(function, stage)
        values = evaluate_all(function, inputs)
        for name, node in function.outputs.items():
            assert values[node] == [w[name] for w in wanted], stage


def test_a_sum_that_is_checked_at_run_time():
    """Outside the packet the program is aborted."""
    program = program_of("guarded")
    [slot] = compile_program(program).facts.guarded()
    assert "bpf_csum_diff" in program.line(slot).text
    frame = bytes([*bytes(14), 20, *bytes(5)]).ljust(36, b"\1")
    results = [Interpreter(program).run(f, describe(f).descriptor).r0 for f in (frame, frame[:35])]
    assert results == [csum_diff(b"", b"\1" * 16, 20), 0]


@pytest.mark.rtl
@pytest.mark.parametrize(
    ("section", "options"),
    [
        ("metadata", Options(width=64, strip_vlan=True)),
        ("caller", Options(width=128, route=Route.SHELL)),
        ("checksum", Options(width=512)),
        ("bytes", Options(width=256)),
    ],
)
def test_the_verilog(section, options):
    program = program_of(section)
    design = compile_program(program, replace(options, max_frame=2048))
    sent = [Frame(f) for f in frames(program, 1000)]
    conditions = Conditions(seed=5, idle=0.1, stall=0.1)
    result = simulate_fast(
        design.verilog, design.config, design.inputs, sent, design.program, conditions=conditions
    )
    assert [str(m) for m in result.mismatches] == []
    assert result.agreed
