"""Frames become bytes on the wire: preamble, padding, FCS and gap, at the pace of the ticks."""

import pytest
from rxgate.hdl.ethernet.transmit import Transmit


def run(wire, frames, every: int):
    """The wire, byte by byte; None where TX_EN is low. Frames follow without a pause."""
    transmit = Transmit()
    seen: list[int | None] = []
    beats = [(byte, n == len(f) - 1) for f in frames for n, byte in enumerate(f)]
    bytes_in_all = sum(max(len(f), 60) + 24 for f in frames) + 20

    async def bench(ctx):
        position = 0
        for cycle in range(every * bytes_in_all):
            tick = cycle % every == every - 1
            ctx.set(transmit.i_tick, tick)
            offered = position < len(beats)
            ctx.set(transmit.i.valid, offered)
            if offered:
                data, last = beats[position]
                ctx.set(transmit.i.payload, {"data": data, "last": last})
            taken = ctx.get(transmit.i.ready) and offered
            await ctx.tick()
            position += taken
            if tick:
                enabled = ctx.get(transmit.o_enable)
                seen.append(ctx.get(transmit.o_data) if enabled else None)
        assert position == len(beats)

    wire.simulate(transmit, bench)
    return seen


@pytest.mark.parametrize("every", [1, 2, 10])
def test_frames_as_they_have_to_be(wire, rng, every):
    frames = [rng.randbytes(n) for n in (60, 1, 59, 61, 14, 200, rng.randint(1, 100))]
    seen = run(wire, frames, every)
    expected: list[int | None] = []
    for frame in frames:
        expected += [*wire.PREAMBLE, *wire.with_fcs(frame.ljust(60, b"\0")), *[None] * 12]
    start = seen.index(0x55)
    assert seen[start : start + len(expected)] == expected
    assert set(seen[:start] + seen[start + len(expected) :]) == {None}
