"""Skid buffer, queue, ring: streams come through unchanged, at full rate, up to the last entry."""

import pytest
from amaranth.sim import Simulator
from rxgate.hdl.queue import Queue, Ring
from rxgate.hdl.skid import Skid


def through(unit, values, rng, idle, stall, blocked=0):
    """What came out, the cycles it took, and how many went in while the sink was blocked."""
    got = []
    facts = {"cycles": 0, "held": 0}

    async def bench(ctx):
        position, offering, waiting = 0, False, None
        while len(got) < len(values):
            facts["cycles"] += 1
            assert facts["cycles"] < 40 * len(values) + 100 + blocked
            offering = offering or (position < len(values) and rng.random() >= idle)
            ready = facts["cycles"] > blocked and rng.random() >= stall
            ctx.set(unit.i.valid, offering)
            ctx.set(unit.i.payload, values[position] if offering else 0)
            ctx.set(unit.o.ready, ready)
            valid, payload = ctx.get(unit.o.valid), ctx.get(unit.o.payload)
            if waiting is not None:
                assert valid
                assert payload == waiting
            waiting = payload if valid and not ready else None
            if valid and ready:
                got.append(payload)
            if offering and ctx.get(unit.i.ready):
                position, offering = position + 1, False
                facts["held"] += facts["cycles"] <= blocked
            await ctx.tick()

    sim = Simulator(unit)
    sim.add_clock(1e-8)
    sim.add_testbench(bench)
    sim.run()
    assert got == values
    return facts


@pytest.mark.parametrize(("idle", "stall"), [(0, 0), (0.5, 0), (0, 0.5), (0.4, 0.4), (0.1, 0.8)])
@pytest.mark.parametrize("make", [lambda: Skid(8), lambda: Queue(8, 8), lambda: Queue(8, 32)])
def test_nothing_is_lost_or_changed(rng, make, idle, stall):
    through(make(), [rng.getrandbits(8) for _ in range(300)], rng, idle, stall)


@pytest.mark.parametrize("make", [lambda: Skid(8), lambda: Queue(8, 16)])
def test_full_rate(rng, make):
    facts = through(make(), [rng.getrandbits(8) for _ in range(300)], rng, 0, 0)
    assert facts["cycles"] <= 300 + 5


def test_a_queue_holds_what_it_says(rng):
    for depth in (8, 16, 32):
        values = [rng.getrandbits(8) for _ in range(100)]
        facts = through(Queue(8, depth), values, rng, 0, 0, blocked=60)
        assert facts["held"] == depth + 1


@pytest.mark.parametrize("reserve", [0, 1, 5, 12])
def test_a_ring_has_its_reserve_when_it_says_that_there_is_no_room(rng, reserve):
    """Entries come without a pause until `o_room` falls, then the reserve; all come out again."""
    ring = Ring(8, 16, reserve=reserve)
    sent, got = [], []

    async def bench(ctx):
        late = 0
        for _ in range(40):
            late += not ctx.get(ring.o_room) and bool(sent)
            valid = late <= reserve
            ctx.set(ring.i.valid, valid)
            if valid:
                sent.append(rng.getrandbits(8))
                ctx.set(ring.i.payload, sent[-1])
            await ctx.tick()
        ctx.set(ring.i.valid, 0)
        ctx.set(ring.o.ready, 1)
        for _ in range(40):
            if ctx.get(ring.o.valid):
                got.append(ctx.get(ring.o.payload))
            await ctx.tick()
        assert ctx.get(ring.o_room)

    sim = Simulator(ring)
    sim.add_clock(1e-8)
    sim.add_testbench(bench)
    sim.run()
    assert got == sent
    assert 15 <= len(sent) <= 18
