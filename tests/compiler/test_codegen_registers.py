# amaranth: UnusedElaboratable=no
# Registers are looked at here without a circuit around them.
"""Values keep their bits on the way through cuts, in one register from the second cut on."""

import random

from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator
from rxgate.compiler.codegen_registers import carry, hold

WIDTHS = (1, 7, 16, 33)


def test_values_pass_cuts_that_need_ever_fewer_bits():
    rng = random.Random(3)
    m = Module()
    inputs = [Signal(width, name=f"i{n}") for n, width in enumerate(WIDTHS)]
    masks = [(1 << width) - 1 for width in WIDTHS]
    held = {n: hold(m, f"v{n}", i, masks[n]) for n, i in enumerate(inputs)}
    cuts = []
    for _ in range(3):
        masks = [
            mask & ~(1 << rng.randrange(width))
            for mask, width in zip(masks, WIDTHS, strict=True)
        ]
        cuts.append({n: mask for n, mask in enumerate(masks) if mask})
        held = carry(m, held, cuts[-1])
    assert set(held) == {1, 2, 3}
    assert len({id(h.register) for h in held.values()}) == 1
    outputs = {n: Signal(WIDTHS[n], name=f"o{n}") for n in held}
    m.d.comb += [outputs[n].eq(h.value()) for n, h in held.items()]

    async def bench(ctx):
        for _ in range(10):
            sent = [rng.getrandbits(width) for width in WIDTHS]
            for signal, number in zip(inputs, sent, strict=True):
                ctx.set(signal, number)
            for _ in range(4):
                await ctx.tick()
            for n, output in outputs.items():
                assert ctx.get(output) == sent[n] & cuts[-1][n]

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()


def test_neighbours_that_stay_move_as_one():
    m = Module()
    held = {n: hold(m, f"v{n}", Signal(8), 0xFF) for n in range(50)}
    cut = dict.fromkeys(held, 0xFF)
    first = carry(m, held, cut)
    del cut[20]
    second = carry(m, first, cut)
    register = next(iter(second.values())).register
    runs = [run for n in range(50) if n != 20 for run in second[n].runs(0xFF)]
    assert {run.register is register for run in runs} == {True}
    assert [run.low for run in runs] == list(range(0, 49 * 8, 8))


def test_nothing_kept_is_no_register():
    m = Module()
    assert carry(m, {0: hold(m, "v0", Signal(8), 0xFF)}, {}) == {}
