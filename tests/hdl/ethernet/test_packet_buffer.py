# amaranth: UnusedElaboratable=no
# One of wrong depth is made for its error.
"""Good frames leave whole and in order; each frame is in exactly one count."""

import pytest
from rxgate.hdl.ethernet.packet_buffer import PacketBuffer


def run(wire, buffer, beats, ready):
    """Frames that leave, counts, and whether a frame ever paused while `o` was ready."""
    collector, counts = wire.Collector(), {"good": 0, "bad": 0, "overflow": 0}
    paused = False

    async def bench(ctx):
        nonlocal paused
        inside, quiet = False, 0
        stream = iter(beats)
        while quiet < 30:
            beat = next(stream, None)
            quiet = 0 if beat is not None or ctx.get(buffer.o.valid) else quiet + 1
            ctx.set(buffer.i.valid, beat is not None)
            if beat is not None:
                ctx.set(buffer.i.payload, beat)
            take = ready()
            ctx.set(buffer.o.ready, take)
            if ctx.get(buffer.o.valid):
                if take:
                    payload = ctx.get(buffer.o.payload)
                    collector.see(payload)
                    inside = not payload.last
            elif inside:
                paused = True
            await ctx.tick()
            for name in counts:
                counts[name] += ctx.get(getattr(buffer, f"o_{name}"))

    wire.simulate(buffer, bench)
    return [data for data, _ in collector.frames], counts, paused


def traffic(wire, rng, frames, gaps=(0, 12)):
    for data, bad in frames:
        yield from wire.received_beats(data, bad)
        yield from [None] * rng.randint(*gaps)


def test_good_ones_pass_and_bad_ones_do_not(wire, rng):
    frames = [
        (rng.randbytes(rng.choice((0, 1, 64, 65, rng.randint(1, 80)))), rng.random() < 0.3)
        for _ in range(80)
    ]
    buffer = PacketBuffer(256, 64)
    found, counts, paused = run(wire, buffer, traffic(wire, rng, frames), lambda: True)
    good = [data for data, bad in frames if not bad and 0 < len(data) <= 64]
    assert found == good
    assert counts == {"good": len(good), "bad": len(frames) - len(good), "overflow": 0}
    assert not paused


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_what_does_not_fit_is_dropped_whole(wire, rng, share):
    frames = [(rng.randbytes(rng.randint(1, 64)), rng.random() < 0.1) for _ in range(80)]
    buffer = PacketBuffer(128, 64)
    found, counts, paused = run(
        wire, buffer, traffic(wire, rng, frames, (0, 3)), lambda: rng.random() < share
    )
    good = iter([data for data, bad in frames if not bad])
    assert all(data in good for data in found), "a frame came out of order, or changed"
    assert len(found) == counts["good"] < len(frames)
    assert counts["overflow"] > 0
    assert counts["bad"] == sum(bad for _, bad in frames)
    assert sum(counts.values()) == len(frames)
    assert not paused


def test_depth_is_a_power_of_two():
    with pytest.raises(ValueError, match=r"^Depth must be a power of two, and 8 at least, not 100$"):
        PacketBuffer(100, 64)
