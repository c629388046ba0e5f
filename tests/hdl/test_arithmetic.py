"""Multiplier and divider against Python's integers, with new operands every cycle."""

import pytest
from amaranth.sim import Simulator
from rxgate.ctx_map.units import div_latency, mul_latency
from rxgate.hdl.divider import Divider
from rxgate.hdl.multiplier import Multiplier

WIDTHS = (1, 2, 7, 16, 17, 32, 33, 64)


def operands(rng, width):
    """Pairs of numbers: all corners, then random ones of all sizes."""
    top = (1 << width) - 1
    corners = sorted({0, 1, 2 & top, top, top >> 1, top ^ (top >> 1)})
    pairs = [(a, b) for a in corners for b in corners]
    for _ in range(60):
        pairs.append((rng.getrandbits(width), rng.getrandbits(rng.randint(1, width))))
    return pairs


def stream(unit, outputs, pairs):
    """The outputs for each pair, by the unit's own latency."""
    results = []

    async def bench(ctx):
        for n in range(len(pairs) + unit.latency):
            a, b = pairs[min(n, len(pairs) - 1)]
            ctx.set(unit.i_a, a)
            ctx.set(unit.i_b, b)
            if n >= unit.latency:
                results.append(tuple(ctx.get(o) for o in outputs))
            await ctx.tick()

    sim = Simulator(unit)
    sim.add_clock(1e-8)
    sim.add_testbench(bench)
    sim.run()
    return results


@pytest.mark.parametrize("width", WIDTHS)
def test_multiplier(rng, width):
    unit = Multiplier(width)
    assert unit.latency == mul_latency(width)
    pairs = operands(rng, width)
    assert stream(unit, [unit.o], pairs) == [((a * b) % 2**width,) for a, b in pairs]


@pytest.mark.parametrize("width", WIDTHS)
def test_divider(rng, width):
    unit = Divider(width)
    assert unit.latency == div_latency(width)
    pairs = operands(rng, width)
    want = [(a // b, a % b) if b else (0, a) for a, b in pairs]
    assert stream(unit, [unit.o_quotient, unit.o_remainder], pairs) == want


@pytest.mark.parametrize("size", [(1, 1), (16, 1), (17, 3), (32, 3), (48, 4), (64, 5)])
def test_multiplier_latency(size):
    width, latency = size
    assert mul_latency(width) == latency


@pytest.mark.parametrize("width", [0, 65])
@pytest.mark.parametrize("latency", [mul_latency, div_latency])
def test_width_is_checked(latency, width):
    with pytest.raises(ValueError, match=f"Width must be 1 to 64 bits, not {width}"):
        latency(width)
