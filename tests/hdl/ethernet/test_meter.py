"""The speed of a link is that of its clock."""

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator
from rxgate.hdl.ethernet.encode import Speed
from rxgate.hdl.ethernet.meter import WINDOW, Meter

PERIODS = {Speed.M1000: 8.0, Speed.M100: 40.0, Speed.M10: 400.0}


@pytest.mark.parametrize("speed", PERIODS)
@pytest.mark.parametrize("ppm", [-100, 100])
def test_speeds(speed, ppm):
    m, meter = Module(), Meter("rx")
    m.domains.rx = ClockDomain(reset_less=True)
    m.submodules.meter = meter

    async def bench(ctx):
        await ctx.tick().repeat(2 * WINDOW + 10)
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
