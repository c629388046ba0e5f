"""Schedules keep every value until its last use; pipelines give the graph's verdicts at full rate."""

import random

import pytest
from amaranth.sim import Simulator
from rxgate.compiler import lifetimes
from rxgate.compiler.builder import Builder
from rxgate.compiler.codegen import ProgramPipeline
from rxgate.compiler.delay import GENERIC, model
from rxgate.compiler.driver import compile_program
from rxgate.compiler.errors import RxgateError
from rxgate.compiler.ir import WIRING, Function
from rxgate.compiler.ir_eval import evaluate
from rxgate.compiler.options import Options, Scheduler
from rxgate.compiler.passes import run_passes
from rxgate.compiler.placement import (
    UNITS,
    Clocked,
    as_soon_as_possible,
    stage_times,
    with_headroom,
)
from rxgate.compiler.schedule import Schedule, cuts, schedule
from rxgate.compiler.wires import sources
from rxgate.sim.program_generator import random_program


def invariants(s: Schedule) -> None:
    """Everything that the code generator relies on."""
    nodes = s.function.nodes
    full = [(1 << n.width) - 1 for n in nodes]
    readers = [(n, s.latency, n) for n in s.function.outputs.values()]
    for n, node in enumerate(nodes):
        if node.op not in WIRING:
            readers += [(n, s.stage[n], a) for a in node.args]
    for reader, at, argument in readers:
        for source, mask in sources(s.function, argument, full[argument]):
            assert s.ready[source] <= at, f"%{reader} reads %{source} before it is there"
            for cut in range(s.ready[source], at):
                kept = s.cuts[cut].get(source, 0)
                assert not mask & ~kept, f"cut {cut} loses bits of %{source}"
    for n, node in enumerate(nodes):
        if node.op in UNITS:
            assert s.ready[n] == s.stage[n] + UNITS[node.op](node.width)
        else:
            assert s.ready[n] == s.stage[n]
    for k, cut in enumerate(s.cuts):
        for n, mask in cut.items():
            assert nodes[n].op not in WIRING or nodes[n].op == "input"
            assert mask
            assert not mask & ~full[n]
            assert s.ready[n] <= k


def time_fits(s: Schedule, by=GENERIC) -> None:
    """Chained operations of a stage meet the clock, unless one alone does not."""
    clocked = Clocked(s.function, by)
    for n in clocked.read:
        assert clocked.place(n, s.stage[n])


@pytest.mark.parametrize("seed", range(40))
def test_schedules_of_random_programs(seed):
    placed = compile_program(random_program(seed, size=4)).schedule
    invariants(placed)
    time_fits(placed)


@pytest.mark.parametrize("seed", range(40))
def test_no_more_stages_and_bits_than_as_soon_as_possible(seed):
    function = compile_program(random_program(seed, size=4)).schedule.function
    (first, _), best = with_headroom(function, GENERIC), schedule(function)
    assert best.latency == first.end == as_soon_as_possible(function, GENERIC)[0].end
    before = cuts(function, first)
    assert sum(map(best.live_bits, range(best.latency))) <= sum(
        mask.bit_count() for cut in before for mask in cut.values()
    )


@pytest.mark.parametrize("clock", [160, 190])
def test_no_stage_is_longer_than_it_must_be(clock):
    """The first could take in more at this clock, and would be slower than two like these."""
    b = Builder()
    value = b.input("x", 8)
    for k in range(4):
        given = b.eq(value, b.input(f"y{k}", 8))
        value = b.mux(given, b.input(f"z{k}", 8), b.input(f"u{k}", 8))
    function, by = b.function({"out": value}), model("generic", clock)
    first, _ = as_soon_as_possible(function, by)
    even = schedule(function, by)
    assert even.latency == first.end == 2
    assert max(even.stage_ns) < max(stage_times(function, first, by))
    assert max(schedule(function, by, patient=True).stage_ns) <= 1000 / clock


def test_what_is_narrow_is_carried():
    """The comparison of two wide values that a late product waits for is not put off."""
    b = Builder()
    x, y = b.input("x", 64), b.input("y", 64)
    late = b.parity(b.mul(b.input("p", 64), b.input("q", 64)))
    placed = schedule(b.function({"out": b.and_(late, b.eq(x, y))}))
    assert placed.latency > 2
    assert all(placed.cuts[k][n].bit_count() == 1 for k in range(1) for n in placed.cuts[k])


def test_what_is_wide_is_made_late():
    """A sum of two nibbles is carried as nibbles until it is compared with a product."""
    b = Builder()
    x, late = b.input("x", 4), b.mul(b.input("p", 16), b.input("q", 16))
    wide = b.concat(*[b.xor(b.sext(x, 16), b.const(k, 16)) for k in (3, 5, 9)])
    out = b.eq(b.concat(late, late, late), wide)
    placed = schedule(b.function({"out": out}))
    assert placed.live_bits(0) == 4


def test_an_output_without_operation_takes_one_cycle():
    b = Builder()
    placed = schedule(b.function({"verdict": b.input("x", 3)}))
    assert placed.latency == 1
    assert placed.live_bits(0) == 3
    placed = schedule(constant_verdict())
    assert placed.latency == 1
    assert placed.live_bits(0) == 0


def constant_verdict() -> Function:
    b = Builder()
    return b.function({"verdict": b.const(2, 3)})


def test_only_bits_that_are_used_are_kept():
    b = Builder()
    x = b.input("x", 64)
    product = b.mul(b.slice(x, 0, 16), b.slice(x, 16, 16))
    verdict = b.and_(b.slice(product, 0, 5), b.slice(x, 59, 5))
    placed = schedule(run_passes(b.function({"verdict": verdict})))
    assert placed.live_bits(0) == 5
    assert "mul.5" in str(placed)


def with_units(seed: int) -> Function:
    """Verdicts that depend on products, quotients and remainders of several widths."""
    rng = random.Random(f"units {seed}")
    b = Builder()
    x, y = b.input("ktime", 64), b.input("hash", 32)
    terms = [b.slice(x, 3, 3)]
    for op, width in (("mul", 40), ("udiv", 7), ("urem", 12), ("mul", 9), ("udiv", 20)):
        low = rng.randrange(64 - width)
        left = b.slice(x, low, width)
        right = b.zext(b.slice(y, rng.randrange(8), min(width, 9)), width)
        whole = getattr(b, op)(left, right)
        terms += [b.slice(whole, 0, 3), b.slice(whole, width - 3, 3)]
    verdict = terms[0]
    for n, t in enumerate(terms[1:]):
        verdict = b.add(verdict, t) if n % 2 else b.xor(verdict, t)
    return run_passes(b.function({"verdict": verdict}))


def drive(pipeline: ProgramPipeline, function: Function, seed: int, count: int) -> None:
    """Send packets with few gaps; every verdict comes out `latency` cycles later, and only those."""
    rng = random.Random(f"drive {seed}")
    sent: list[int | None] = []
    found: list[int | None] = []

    async def bench(ctx):
        for number in range(count + pipeline.latency):
            if ctx.get(pipeline.o_valid):
                found.append(ctx.get(pipeline.o_verdict))
            else:
                found.append(None)
            valid = number < count and rng.random() < 0.9
            given: dict[tuple[str, int], int] = {}
            for name, width in pipeline.inputs.items():
                value = rng.choice((0, (1 << width) - 1, rng.getrandbits(width)))
                if name == "present":
                    value = rng.randint(0, pipeline.window)
                ctx.set(getattr(pipeline, f"i_{name}"), value)
                if name == "window":
                    for n in range(pipeline.window):
                        given[name, n] = value >> 8 * n & 0xFF
                else:
                    given[name, 0] = value
            ctx.set(pipeline.i_valid, valid)
            values = evaluate(function, given)
            sent.append(values[function.outputs["verdict"]] if valid else None)
            await ctx.tick()

    simulator = Simulator(pipeline)
    simulator.add_clock(1e-9)
    simulator.add_testbench(bench)
    simulator.run()
    assert found[: pipeline.latency] == [None] * pipeline.latency
    assert found[pipeline.latency :] == sent[:count], f"seed {seed}"


@pytest.mark.parametrize("seed", range(3))
def test_units_in_the_pipeline(seed):
    function = with_units(seed)
    assert {"mul", "udiv", "urem"} <= {n.op for n in function.nodes}
    placed = schedule(function)
    invariants(placed)
    drive(ProgramPipeline(placed, 0), function, seed, 60)


def small_designs(count: int):
    """Compiled random programs whose verdict varies, and that simulate quickly."""
    seed = 0
    while count:
        seed += 1
        try:
            design = compile_program(random_program(f"pipeline {seed}", size=3))
        except RxgateError:
            continue
        nodes = design.schedule.function.nodes
        if 40 < len(nodes) < 1500 and "hash" not in design.fields and design.schedule.latency < 40:
            count -= 1
            yield seed, design


def test_random_programs_in_the_pipeline():
    for seed, design in small_designs(6):
        drive(design.pipeline, design.schedule.function, seed, 40)


def test_the_naive_mode_says_the_same_at_a_higher_price():
    program = random_program(7, size=4)
    best = compile_program(program).schedule
    naive = compile_program(program, Options(narrow=False, scheduler=Scheduler.ASAP)).schedule
    invariants(naive)
    rng = random.Random(7)
    for _ in range(50):
        inputs = {
            source: rng.getrandbits(64) if source[0] != "window" else rng.getrandbits(8)
            for source in naive.function.inputs()
        }
        inputs["present", 0] = 256
        values = [evaluate(s.function, inputs)[s.function.outputs["verdict"]] for s in (best, naive)]
        assert values[0] == values[1]
    assert sum(map(best.live_bits, range(best.latency))) < sum(
        map(naive.live_bits, range(naive.latency))
    )


@pytest.mark.parametrize("most", [0, 60])
def test_large_graphs_are_placed_as_soon_as_possible(monkeypatch, most):
    b = Builder()
    x, y = b.input("hash", 32), b.input("ktime", 64)
    for n in range(20):
        x = b.xor(b.add(x, b.const(n + 3, 32)), b.const(9, 32))
    late = b.eq(b.slice(y, 0, 32), b.slice(y, 32, 32))
    function = b.function({"verdict": b.concat(b.slice(x, 0, 2), b.and_(late, b.slice(x, 2, 1)))})
    early = schedule(function, minimise=False)
    assert schedule(function) != early
    monkeypatch.setattr(lifetimes, "_MOST_ROWS", most)
    assert schedule(function) == early
