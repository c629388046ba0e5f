"""The board's side of the serial line answers as its model does, whatever comes."""

import random

import pytest
from amaranth.hdl import Cat, Const, Module
from amaranth.lib.wiring import In
from amaranth.sim import Simulator
from rxgate.boards.host.protocol import Request
from rxgate.boards.host.simulated import Noise, Registers, SimulatedBoard
from rxgate.ctx_map.link import SILENCE, Operation
from rxgate.ctx_map.registers import BY_NAME, COUNTERS, UNNAMED, Tunable, identification
from rxgate.hdl.axil import CHANNELS
from rxgate.hdl.control import Control
from rxgate.hdl.host.link import Link
from rxgate.hdl.host.uart import UartReceive, UartSend

QUIET = 60
"""Cycles of silence that end a request."""
TUNABLES = (Tunable("limit", 0x1000, b"\x01\x02\x03\x04\x05\x06"),)
TOTALS = {name: (n + 1) << 30 for n, name in enumerate(COUNTERS)}
IDENTITY = identification(UNNAMED, width=8, window=34, max_frame=1996, latency=9, flags=[])


@pytest.fixture
def rng():
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    return random.Random(seed)


def answers(bursts):
    """Sends bursts of bytes, with silence behind each; the bytes of each answer."""
    m = Module()
    m.submodules.link = link = Link(QUIET)
    m.submodules.control = control = Control(IDENTITY, TUNABLES)
    for name, member in CHANNELS.items():
        master, slave = getattr(link, name), getattr(control, name)
        m.d.comb += slave.eq(master) if member.flow is In else master.eq(slave)
    for name, total in TOTALS.items():
        m.d.comb += getattr(control, f"i_{name}").eq(total)
    board = Cat(Const(n * 0x11111111, 32) for n in range(4))
    m.d.comb += link.i_board.eq(board.word_select(link.o_board[:2], 32))
    found = []

    async def bench(ctx):
        ctx.set(link.i_ready, 1)
        for burst in bursts:
            answer = bytearray()
            for byte in [*burst, *[None] * (QUIET + 5)]:
                ctx.set(link.i_valid, byte is not None)
                ctx.set(link.i_data, byte or 0)
                if ctx.get(link.o_valid):
                    answer.append(ctx.get(link.o_data))
                await ctx.tick()
            found.append(bytes(answer))

    sim = Simulator(m)
    sim.add_clock(8e-9)
    sim.add_testbench(bench)
    sim.run()
    return found


def modelled(bursts):
    registers = Registers(IDENTITY, TUNABLES, dict(TOTALS))
    board = SimulatedBoard(registers, {
        name: n * 0x11111111
        for n, name in enumerate(("links", "returned", "returned_bad", "returned_overflow"))
    })
    return [board.hear(burst, 2 * SILENCE * n) for n, burst in enumerate(bursts, 1)]


def requests(rng, count):
    yield Request(Operation.GREET, 9).encode()
    offsets = [r.offset for r in BY_NAME.values()] + [0x1000, 0x1004, 0x1008, 0x300, 0xFFFC]
    for n in range(count):
        operation = rng.choice((Operation.READ, Operation.READ, Operation.WRITE, Operation.BOARD))
        address = rng.randrange(4) if operation is Operation.BOARD else rng.choice(offsets)
        # Clearing would be of totals that do not run here.
        data = rng.choice((1, 4, 5)) if address == 0x104 else rng.getrandbits(32)
        request = Request(operation, n % 256, address, data).encode()
        yield from [request] * rng.choice((1, 1, 1, 2))


def test_every_answer_is_the_model_s(rng):
    bursts = list(requests(rng, 40))
    found = answers(bursts)
    assert found == modelled(bursts)
    assert all(found)


@pytest.mark.parametrize("kind", ["flip", "lose", "repeat"])
def test_noise_is_answered_as_by_the_model(rng, kind):
    noise = Noise(rng, **{kind: 0.05})
    bursts = [noise.disturb(burst) for burst in requests(rng, 30)]
    bursts.append(Request(Operation.GREET, 1).encode())
    found = answers(bursts)
    assert found == modelled(bursts)
    assert found[-1]
    assert not all(found)


def test_bytes_cross_a_line(rng):
    m, cycles, data = Module(), 10, rng.randbytes(20)
    m.submodules.send = send = UartSend(cycles)
    m.submodules.receive = receive = UartReceive(cycles)
    m.d.comb += receive.i.eq(send.o)
    found = []

    async def bench(ctx):
        left, pause = list(data), 0
        for _ in range(25 * cycles * len(data)):
            offered = bool(left) and pause == 0
            pause = max(0, pause - 1)
            ctx.set(send.i_valid, offered)
            if offered:
                ctx.set(send.i_data, left[0])
                if ctx.get(send.o_ready):
                    left.pop(0)
                    pause = rng.choice((0, 25 * cycles // 2))
            if ctx.get(receive.o_valid):
                found.append(ctx.get(receive.o_data))
            await ctx.tick()

    sim = Simulator(m)
    sim.add_clock(8e-9)
    sim.add_testbench(bench)
    sim.run()
    assert bytes(found) == data


@pytest.mark.parametrize("period", [96, 104])
def test_the_clocks_of_a_line_may_differ(rng, period):
    """A byte lasts 4 % longer or shorter than the board thinks."""
    receive, data, found = UartReceive(100), rng.randbytes(8), []
    m = Module()
    m.submodules.receive = receive

    async def line(ctx):
        for byte in data:
            for bit in (0, *((byte >> n) & 1 for n in range(8)), 1):
                ctx.set(receive.i, bit)
                for _ in range(period):
                    if ctx.get(receive.o_valid):
                        found.append(ctx.get(receive.o_data))
                    await ctx.tick()
        for _ in range(150):
            if ctx.get(receive.o_valid):
                found.append(ctx.get(receive.o_data))
            await ctx.tick()

    sim = Simulator(m)
    sim.add_clock(8e-9)
    sim.add_testbench(line)
    sim.run()
    assert bytes(found) == data
