"""Tables in hardware have the values that they should, whatever their size."""

import random

import pytest
from amaranth.sim import Simulator
from rxgate.compiler.builder import Builder
from rxgate.compiler.codegen import ProgramPipeline
from rxgate.compiler.schedule import schedule


@pytest.mark.parametrize(("width", "count"), [(3, 5), (7, 65), (9, 300), (16, 500)])
def test_tables(width, count):
    rng = random.Random(count)
    table = {key: rng.randrange(1, 8) for key in rng.sample(range(1 << width), count)}
    b = Builder()
    key = b.input("hash", width)
    found = b.case(key, {k: b.const(v, 3) for k, v in table.items()})
    pipeline = ProgramPipeline(schedule(b.function({"verdict": found})), window=0)

    async def bench(ctx):
        asked = [*rng.sample(sorted(table), min(count, 100)), *rng.sample(range(1 << width), 8)]
        for k in asked:
            ctx.set(pipeline.i_hash, k)
            await ctx.tick().repeat(pipeline.latency)
            assert ctx.get(pipeline.o_verdict) == table.get(k, 0)

    simulator = Simulator(pipeline)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("keys", [(0, 3, 5, 6), tuple(range(16)), (1, 2, 9, 11, 14)])
def test_choices_by_a_few_bits(keys):
    b = Builder()
    key, x = b.input("hash", 4), b.input("ktime", 48)
    found = b.case(key, {k: b.slice(x, 3 * k, 3) for k in keys})
    pipeline = ProgramPipeline(schedule(b.function({"verdict": found})), window=0)
    given = random.Random(1).getrandbits(48)

    async def bench(ctx):
        for k in range(16):
            ctx.set(pipeline.i_hash, k)
            ctx.set(pipeline.i_ktime, given)
            await ctx.tick().repeat(pipeline.latency)
            assert ctx.get(pipeline.o_verdict) == (given >> 3 * k & 7 if k in keys else 0)

    simulator = Simulator(pipeline)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
