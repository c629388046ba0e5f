"""The check sequence is that of zlib."""

import zlib

from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator
from rxgate.hdl.ethernet.crc import RESIDUE, START, crc_next, step


def test_steps_make_the_crc(rng):
    for _ in range(50):
        data = rng.randbytes(rng.randint(0, 80))
        crc = START
        for byte in data:
            crc = step(crc, byte)
        assert crc ^ START == zlib.crc32(data)
        for byte in zlib.crc32(data).to_bytes(4, "little"):
            crc = step(crc, byte)
        assert crc == RESIDUE


def test_wires_are_the_step(rng):
    m, crc, byte, out = Module(), Signal(32), Signal(8), Signal(32)
    m.d.comb += out.eq(crc_next(crc, byte))

    async def bench(ctx):
        for _ in range(200):
            before, data = rng.getrandbits(32), rng.getrandbits(8)
            ctx.set(crc, before)
            ctx.set(byte, data)
            assert ctx.get(out) == step(before, data)

    sim = Simulator(m)
    sim.add_testbench(bench)
    sim.run()
