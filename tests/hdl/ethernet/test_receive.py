"""Receive cycles become frames: bytes without preamble and FCS, and whether they are good."""

import pytest
from rxgate.hdl.ethernet.receive import Receive

IDLE = (0, 0, 0, 0)


def cycles(data: bytes, gigabit: bool, errors: frozenset[int] = frozenset()):
    """Carrier over `data`, as (rise, fall, dv, control); `errors` are bytes with RX_ER."""
    for n, byte in enumerate(data):
        control = int(n not in errors)
        if gigabit:
            yield byte & 15, byte >> 4, 1, control
        else:
            yield byte & 15, byte & 15, 1, control
            yield byte >> 4, byte >> 4, 1, control


def run(wire, stream, gigabit: bool):
    """What comes out of a receiver."""
    receive, collector = Receive(), wire.Collector()

    async def bench(ctx):
        ctx.set(receive.i_gigabit, gigabit)
        for rise, fall, dv, control in [*stream, *[IDLE] * 12]:
            ctx.set(receive.i_rise, rise)
            ctx.set(receive.i_fall, fall)
            ctx.set(receive.i_dv, dv)
            ctx.set(receive.i_control, control)
            await ctx.tick()
            if ctx.get(receive.o.valid):
                collector.see(ctx.get(receive.o.payload))

    wire.simulate(receive, bench)
    return collector.frames


@pytest.mark.parametrize("gigabit", [True, False])
def test_frames_of_all_kinds(wire, rng, gigabit):
    frames = wire.random_frames(rng, 60)
    stream = []
    for frame in frames:
        preamble = wire.PREAMBLE[rng.randint(0, 6):]
        stream += cycles(preamble + frame.wire, gigabit)
        stream += [IDLE] * rng.randint(1, 15)
    found = run(wire, stream, gigabit)
    assert [bad for _, bad in found] == [frame.bad for frame in frames]
    assert [data for data, _ in found] == [frame.wire[:-4] for frame in frames]


def test_an_error_of_the_phy_is_one_of_the_frame(wire, rng):
    good = wire.PREAMBLE + wire.with_fcs(rng.randbytes(60))
    marked = cycles(good, True, frozenset({8 + rng.randrange(64)}))
    before = cycles(good, True, frozenset({rng.randrange(8)}))
    stream = [*marked, IDLE, *before, IDLE, *cycles(good, True)]
    assert [bad for _, bad in run(wire, stream, True)] == [True, False, False]


def test_a_carrier_without_delimiter_is_no_frame(wire, rng):
    noise = bytes(rng.choice([b for b in range(256) if b != 0xD5]) for _ in range(80))
    good = wire.PREAMBLE + wire.with_fcs(rng.randbytes(64))
    found = run(wire, [*cycles(noise, True), IDLE, *cycles(good, True)], True)
    assert found == [(good[8:-4], False)]


def test_a_nibble_too_many_does_no_harm(wire, rng):
    """IEEE 802.3 clause 4.2.4.2.1: the frame is cut to whole octets."""
    good = wire.PREAMBLE + wire.with_fcs(rng.randbytes(64))
    stream = [*cycles(good, False), (rng.getrandbits(4), 0, 1, 1), IDLE, *cycles(good, False)]
    assert run(wire, stream, False) == [(good[8:-4], False)] * 2


def test_the_first_nibble_may_be_missing(wire, rng):
    """At 10 and 100 Mb/s a preamble may have an odd number of nibbles."""
    good = wire.PREAMBLE + wire.with_fcs(rng.randbytes(64))
    assert run(wire, list(cycles(good, False))[1:], False) == [(good[8:-4], False)]
