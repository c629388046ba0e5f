"""Frames of two streams leave one after the other, and by turns."""

from rxgate.hdl.ethernet.merge import Merge


def run(wire, sides, rng):
    merge, collector = Merge(), wire.Collector()

    async def bench(ctx):
        queues = [[(b, n == len(f) - 1) for f in side for n, b in enumerate(f)] for side in sides]
        ports = (merge.i_a, merge.i_b)
        while any(queues):
            ctx.set(merge.o.ready, rng.random() < 0.8)
            for queue, port in zip(queues, ports, strict=True):
                ctx.set(port.valid, bool(queue))
                if queue:
                    ctx.set(port.payload, {"data": queue[0][0], "last": queue[0][1]})
            if ctx.get(merge.o.valid) and ctx.get(merge.o.ready):
                collector.see(ctx.get(merge.o.payload))
            for queue, port in zip(queues, ports, strict=True):
                if queue and ctx.get(port.ready):
                    queue.pop(0)
            await ctx.tick()

    wire.simulate(merge, bench)
    return [data for data, _ in collector.frames]


def test_by_turns(wire, rng):
    a = [bytes([1] * rng.randint(1, 9)) for _ in range(20)]
    b = [bytes([2] * rng.randint(1, 9)) for _ in range(12)]
    found = run(wire, (a, b), rng)
    assert [f for f in found if f[0] == 1] == a
    assert [f for f in found if f[0] == 2] == b
    assert all({f[0], g[0]} == {1, 2} for f, g in zip(found[:24:2], found[1:24:2], strict=True))


def test_one_alone_waits_for_nobody(wire, rng):
    b = [rng.randbytes(5) for _ in range(6)]
    assert run(wire, ([], b), rng) == b
