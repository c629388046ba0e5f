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


@pytest.mark.parametrize(
    ("start", "windows"), [(0.4, 1.2), (0.5, 0.1), (0.1, 0.8), (0.95, 1.9), (0.3, 3.5)]
)
def test_a_clock_that_stands_still_changes_no_speed(start, windows):
    m, meter, clock = Module(), Meter("rx"), ClockDomain("rx", reset_less=True)
    m.domains.rx = clock
    m.submodules.meter = meter
    running = Signal(init=1)
    m.d.comb += clock.clk.eq(ClockSignal() & running)
    known = []

    async def bench(ctx):
        await ctx.tick().repeat(int((1 + AGREE + start) * WINDOW))
        for run, long in ((False, windows), (True, AGREE)):
            ctx.set(running, run)
            for _ in range(int(long * WINDOW)):
                known.append(ctx.get(meter.o_speed))
                await ctx.tick()

    sim = Simulator(m)
    sim.add_clock(8e-9)
    sim.add_testbench(bench)
    sim.run()
    assert set(known) == {Speed.M1000}
