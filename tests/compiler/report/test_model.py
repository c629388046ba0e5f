"""What the report says adds up to what the schedule has."""

from functools import cache
from pathlib import Path

import pytest
from rxgate.compiler.driver import Design, compile_program
from rxgate.compiler.insn import Program
from rxgate.compiler.manifest_latency import latency_budget
from rxgate.compiler.options import Options
from rxgate.compiler.report.figures import rates
from rxgate.compiler.report.model import Model, model
from rxgate.compiler.report.reasons import reasons
from rxgate.compiler.source import read_expression, read_program

EXAMPLES = Path(__file__).parents[3] / "examples"
NAMES = ("dns_guard", "xdp_port_filter", "hash_sampler", "random_sampler")


@cache
def example(name: str) -> Program:
    return read_program(str(EXAMPLES / f"{name}.c"))


@pytest.fixture(scope="module", params=NAMES)
def found(request) -> tuple[Design, Model]:
    design = compile_program(example(request.param), Options())
    return design, model(design)


def test_costs_add_up(found):
    design, said = found
    costs = [line.cost for line in said.lines] + [said.unaccounted]
    assert sum(c.operations for c in costs) == sum(map(len, design.schedule.rows))
    bits = sum(design.schedule.live_bits(k) for k in range(design.schedule.latency))
    assert sum(c.bits for c in costs) == bits
    instructions = [i.cost for i in said.instructions] + [said.unaccounted]
    assert sum(c.luts for c in costs) == pytest.approx(sum(c.luts for c in instructions))
    assert sum(c.luts for c in costs) == pytest.approx(sum(o.luts for o in said.operations.values()))


def test_every_operation_has_a_line_but_the_verdict(found):
    _, said = found
    without = [op for op in said.operations.values() if op.key is None]
    assert {op.stage for op in without} <= {s.number for s in said.stages[-2:]}
    assert len(without) <= 6


def test_every_live_bit_is_named(found):
    design, said = found
    for stage, cut in zip(said.stages, design.schedule.cuts, strict=True):
        assert sum(group.bits for group in stage.held) == stage.live_bits
        assert sorted(n for group in stage.held for n in group.nodes) == sorted(cut)
        assert all(s > stage.number for group in stage.held for s in group.read_in)


def test_chains_lead_through_their_stage(found):
    design, said = found
    for stage in said.stages:
        assert set(stage.chain.operations) <= set(stage.operations)
        assert stage.chain.ns == design.stage_ns[stage.number]
        for a, b in zip(stage.chain.operations, stage.chain.operations[1:], strict=False):
            assert stage.number in said.operations[a].read_in
            assert said.operations[b].critical


def test_bytes_of_the_window():
    said = model(compile_program(example("dns_guard"), Options()))
    lines = {line.key: line.text for line in said.lines}
    assert [b.number for b in said.window if b.readers][:2] == [12, 13]
    [ethertype] = {b.keys for b in said.window[12:14]}
    assert any("ETH_P_IP" in lines[key] for key in ethertype)
    assert not said.window[0].readers


def test_all_lines_of_a_source_are_there():
    path = EXAMPLES / "dns_guard.c"
    said = model(compile_program(example("dns_guard"), Options()))
    own = [line for line in said.lines if line.file == "dns_guard.c"]
    assert [line.text for line in own] == path.read_text().splitlines()
    slots = sorted(s for line in said.lines for s in line.slots)
    assert slots == [i.slot for i in said.instructions]


def test_hexadecimal_has_no_lines():
    said = model(compile_program(read_program("b700000001000000 9500000000000000"), Options()))
    assert said.lines == ()
    assert [i.text for i in said.instructions] == ["r0 = 1", "exit"]


@pytest.mark.parametrize("options", [
    Options(), Options(width=64), Options(width=8, strip_vlan=True), Options(backpressure=False),
], ids=["512", "64", "8 strip", "unstoppable"])
@pytest.mark.parametrize("name", ["dns_guard", "ip_protocol"])
def test_parts_of_the_latency_make_it_up(name, options):
    design = compile_program(example(name), options)
    parts = latency_budget(design, 1518)
    assert sum(p.cycles for p in parts if not p.arriving) == design.gate.latency
    assert all(p.cycles > 0 for p in parts)
    arriving = [p for p in parts if p.arriving]
    beats = -(-1518 // design.config.beat_bytes)
    expected = beats if design.config.store_and_forward else design.config.window_beats
    assert sum(p.cycles for p in arriving) == expected - 1


def test_rates():
    by_width = {r.width: r for r in rates(156.25)}
    assert by_width[64].ethernet == 10
    assert by_width[64].small_mpps == pytest.approx(156.25 / 8)
    assert by_width[512].ethernet == 50
    assert by_width[512].small_gbps == pytest.approx(80)
    assert {r.width: r for r in rates(322.265625)}[512].ethernet == 100
    assert by_width[8].worst == 1518
    assert by_width[512].worst == 65


def test_reasons_name_what_is_dear():
    design = compile_program(example("dns_guard"), Options())
    names = [r.name for r in reasons(design, model(design))]
    assert names[0] == "store-and-forward"
    assert "widest cut" in names
    inlined = compile_program(example("xdp_ipv6_ext"), Options())
    names = [r.name for r in reasons(inlined, model(inlined))]
    assert {"cut-through", "carried", "large operation", "not shared"} <= set(names)


def test_loops_are_reasons():
    # r7 = 0; do r7 += 1; while (r7 != 3); return r7
    code = "b707000000000000 0707000001000000 5507feff03000000 bf70000000000000 9500000000000000"
    loop = compile_program(read_program(code), Options())
    [reason] = [r for r in reasons(loop, model(loop)) if r.name == "unrolled loop"]
    assert reason.cost == "3 iterations"


def test_divisions_are_units():
    # r0 = len / rx_queue_index, for contexts whose first fields these are.
    code = "6112000000000000 6113180000000000 bf20000000000000 3f30000000000000 9500000000000000"
    design = compile_program(read_program(code), Options())
    said = model(design)
    [unit] = [op for op in said.operations.values() if op.cycles]
    assert unit.kind == "udiv"
    [reason] = [r for r in reasons(design, said) if r.name == "divider"]
    assert reason.cost == f"{unit.cycles} cycles"


def test_expressions_show_classic_instructions():
    said = model(compile_program(read_expression("udp port 53"), Options()))
    assert all(line.slots for line in said.lines)
