"""The speed of a link is that of its clock."""

import pytest
from amaranth.hdl import ClockDomain, ClockSignal, Module, Signal
from amaranth.sim import Simulator
from rxgate.hdl.ethernet.encode import Speed
from rxgate.hdl.ethernet.meter import AGREE, WINDOW, Meter

PERIODS = {Speed.M1000: 8.0, Speed.M100: 40.0, Speed.M10: 400.0}


@pytest.mark.parametrize("speed", PERIODS)
@pytest.mark.parametrize("ppm", [-100, 100])
def test_speeds(speed, ppm):
    m, meter = Module(), Meter("rx")
    m.domains.rx = ClockDomain(reset_less=True)
    m.submodules.meter = meter

    async def bench(ctx):
        await ctx.tick().repeat((1 + AGREE) * WINDOW + 10)
        assert ctx.get(meter.o_speed) is speed
        assert ctx.get(meter.o_present)

    sim = Simulator(m)
    sim.add_clock(8e-9)
    sim.add_clock(PERIODS[speed] * 1e-9 * (1 + ppm * 1e-6), domain="rx")
    sim.add_testbench(bench)
    sim.run()


def test_no_clock_is_no_link():
    m, meter = Module(), Meter("rx")
    m.domains.rx = ClockDomain(reset_less=True)
    m.submodules.meter = meter

    async def bench(ctx):
        await ctx.tick().repeat(2 * WINDOW + 10)
        assert not ctx.get(meter.o_present)

    sim = Simulator(m)
    sim.add_clock(8e-9)
    sim.add_testbench(bench)
    sim.run()


@pytest.mark.parametrize("stop", [10, WINDOW // 2 + 100, WINDOW, 3 * WINDOW // 2, 5 * WINDOW + 77])
def test_a_clock_that_stands_still_changes_no_speed(rng, stop):
    m, meter, clock = Module(), Meter("rx"), ClockDomain("rx", reset_less=True)
    m.domains.rx = clock
    m.submodules.meter = meter
    running = Signal(init=1)
    m.d.comb += clock.clk.eq(ClockSignal() & running)
    known = []

    async def bench(ctx):
        await ctx.tick().repeat((1 + AGREE) * WINDOW + rng.randrange(WINDOW))
        for run in (False, True):
            ctx.set(running, run)
            for _ in range(stop if not run else AGREE * WINDOW):
                known.append(ctx.get(meter.o_speed))
                await ctx.tick()

    sim = Simulator(m)
    sim.add_clock(8e-9)
    sim.add_testbench(bench)
    sim.run()
    assert set(known) == {Speed.M1000}
