"""Frames come back to who sent them; what a mirror says of each is its verdict."""

import pytest
from amaranth.sim import Simulator
from rxgate.boards.reflector import ADDRESS, MIRROR, Exchange, Reflector
from rxgate.ctx_map.verdicts import Verdict


def run(component, source, frames, rng, stalls: float):
    """What comes out of (bytes, verdict) going in, and in which cycles. Without a verdict a frame is in
    error, and does not come out."""
    out, times = [], []

    async def give(ctx):
        for data, verdict in frames:
            ctx.set(component.i_verdict, verdict or 0)
            if isinstance(component, Reflector):
                ctx.set(component.i_err, verdict is None)
            for n, byte in enumerate(data):
                ctx.set(source.payload, {"data": byte, "last": n == len(data) - 1})
                ctx.set(source.valid, 1)
                await ctx.tick().until(source.ready)
            ctx.set(source.valid, 0)

    sink = component.o if isinstance(component, Exchange) else component.a_sent

    async def take(ctx):
        data, when, cycle = bytearray(), [], 0
        while len(out) < sum(verdict is not None for _, verdict in frames):
            ready = rng.random() >= stalls
            ctx.set(sink.ready, ready)
            _, _, valid, payload = await ctx.tick().sample(sink.valid, sink.payload)
            cycle += 1
            assert cycle < 100_000
            if valid and ready:
                data.append(payload.data)
                when.append(cycle)
                if payload.last:
                    out.append(bytes(data))
                    times.append(list(when))
                    data.clear()
                    when.clear()

    sim = Simulator(component)
    sim.add_clock(8e-9)
    sim.add_testbench(give)
    sim.add_testbench(take)
    sim.run()
    return out, times


def some(rng, count: int):
    sizes = (13, 14, 60, rng.randint(13, 90))
    return [(rng.randbytes(rng.choice(sizes)), rng.choice(list(Verdict))) for _ in range(count)]


def returned(data: bytes, verdict: Verdict, mirror: bool) -> bytes:
    """What the board sends for a frame."""
    source = MIRROR[:-1] + bytes([verdict]) if mirror else bytes([data[0] & 0xFE]) + data[1:ADDRESS]
    return data[ADDRESS : 2 * ADDRESS] + source + data[2 * ADDRESS :]


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("stalls", [0.0, 0.4])
def test_addresses_change_places(rng, mirror, stalls):
    frames = some(rng, 40)
    exchange = Exchange(mirror)
    found, times = run(exchange, exchange.i, frames, rng, stalls)
    assert found == [returned(data, verdict, mirror) for data, verdict in frames]
    if not stalls:
        for when in times:
            assert when == list(range(when[0], when[-1] + 1))


def test_frames_of_64_bytes_come_back_at_a_gigabit(rng):
    """Without FCS they have 60; 84 cycles are between two on the wire. Bad ones do not."""
    frames = [(rng.randbytes(60), rng.choice((*Verdict, None))) for _ in range(40)]
    reflector = Reflector(100, mirror=True)
    found, times = run(reflector, reflector.filtered, frames, rng, 0.0)
    assert found == [returned(data, verdict, True) for data, verdict in frames if verdict is not None]
    assert times[-1][0] - times[0][0] < 84 * len(frames)
