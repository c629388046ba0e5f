"""Bytes become transmit cycles: both halves of them, and the clock."""

import pytest
from rxgate.hdl.ethernet.encode import Encode, Speed

PERIODS = {Speed.M100: 5, Speed.M10: 50}


def run(wire, speed, data):
    """Halves of system cycles as (clock, data), for as long as TX_CTL is high."""
    encode = Encode()
    halves = []

    async def bench(ctx):
        ctx.set(encode.i_speed, speed)
        left = list(data)
        for _ in range(2 * PERIODS[speed] * (len(data) + 4)):
            tick = ctx.get(encode.o_tick)
            await ctx.tick()
            if ctx.get(encode.o_control):
                clock = ctx.get(encode.o_clock)
                halves.append((clock & 1, ctx.get(encode.o_rise)))
                halves.append((clock >> 1, ctx.get(encode.o_fall)))
            if tick:
                ctx.set(encode.i_enable, bool(left))
                ctx.set(encode.i_data, left.pop(0) if left else 0)
        assert not left

    wire.simulate(encode, bench)
    return halves


@pytest.mark.parametrize("speed", PERIODS)
def test_nibbles_have_a_whole_cycle_of_the_clock(wire, rng, speed):
    data = rng.randbytes(5)
    n = PERIODS[speed]
    expected = []
    for byte in data:
        for nibble in (byte & 15, byte >> 4):
            expected += [(1, nibble)] * n + [(0, nibble)] * n
    assert run(wire, speed, data) == expected


def test_a_gigabit_has_a_byte_per_cycle(wire):
    encode = Encode()

    async def bench(ctx):
        ctx.set(encode.i_speed, Speed.M1000)
        await ctx.tick().repeat(120)
        ctx.set(encode.i_enable, 1)
        for byte in (0x12, 0xD5, 0xFF, 0x07):
            assert ctx.get(encode.o_tick)
            ctx.set(encode.i_data, byte)
            await ctx.tick()
            assert ctx.get(encode.o_rise) == byte & 15
            assert ctx.get(encode.o_fall) == byte >> 4
            assert ctx.get(encode.o_clock) == 0b01
            assert ctx.get(encode.o_control)

    wire.simulate(encode, bench)
