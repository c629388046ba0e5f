"""Frames cross clocks whole: what is lost takes the rest of its frame with it, and says so."""

import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator
from rxgate.hdl.ethernet.crossing import Crossing


def run(wire, frames, write_ns: float, read_ns: float, gap: int):
    """What comes out of a crossing into which a byte goes per cycle."""
    crossing, collector = Crossing("write"), wire.Collector()
    done = False

    async def writer(ctx):
        nonlocal done
        for beats in frames:
            for beat in [*beats, *[None] * gap]:
                ctx.set(crossing.i.valid, beat is not None)
                if beat is not None:
                    ctx.set(crossing.i.payload, beat)
                await ctx.tick("write")
        ctx.set(crossing.i.valid, 0)
        await ctx.tick("write").repeat(20)
        done = True

    async def reader(ctx):
        idle = 0
        while not done or idle < 100:
            await ctx.tick()
            idle += 1
            if ctx.get(crossing.o.valid):
                idle = 0
                collector.see(ctx.get(crossing.o.payload))

    m = Module()
    m.domains.write = ClockDomain()
    m.submodules.crossing = crossing
    sim = Simulator(m)
    sim.add_clock(write_ns * 1e-9, domain="write")
    sim.add_clock(read_ns * 1e-9)
    sim.add_testbench(writer)
    sim.add_testbench(reader)
    sim.run()
    return collector.frames


@pytest.mark.parametrize("write_ns", [7.9, 8.0, 8.1, 40.0])
def test_nothing_is_lost_at_about_the_same_rate(wire, rng, write_ns):
    frames = [(rng.randbytes(rng.randint(1, 150)), rng.random() < 0.3) for _ in range(30)]
    beats = [wire.received_beats(data, bad) for data, bad in frames]
    assert run(wire, beats, write_ns, 8.0, 12) == frames


def test_a_frame_that_does_not_fit_is_known_to_be_bad(wire, rng):
    """A reader of half the writer's rate: each frame comes whole or ends with an error."""
    frames = [rng.randbytes(rng.choice((10, 20, 200, 300))) for _ in range(40)]
    found = run(wire, [wire.received_beats(data) for data in frames], 4.0, 8.0, 40)
    assert len(found) == len(frames)
    for sent, (data, bad) in zip(frames, found, strict=True):
        assert bad or data == sent
        assert sent.startswith(data)
    assert {bad for _, bad in found} == {True, False}


