"""The host's client and the board's circuits, with a bad line between them: nothing wrong is written."""

import subprocess
from pathlib import Path
from random import Random, SystemRandom
from struct import pack, unpack

import pytest
from amaranth.hdl import Const, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from rxgate.boards.host.client import Client
from rxgate.ctx_map.link import BAUD, SILENCE
from rxgate.ctx_map.registers import BY_NAME, COUNTERS, UNNAMED, Tunable, identification
from rxgate.hdl.axil import CHANNELS
from rxgate.hdl.control import Control
from rxgate.hdl.host.link import Link
from rxgate.hdl.host.uart import UartReceive, UartSend
from rxgate.hdl.verilog import to_verilog
from rxgate.sim.model import compile_model

pytestmark = pytest.mark.rtl
BIT = 16
"""Cycles of a bit."""
TUNABLES = (Tunable("limit", 0x1000, b"\x01\x02\x03\x04\x05\x06"),)
IDENTITY = identification(UNNAMED, width=8, window=34, max_frame=1996, latency=9, flags=[])
LINKS = 0x12345678


class Rig(wiring.Component):
    """What a board has behind its line; `o_write` is high for a cycle with each write that acts."""

    def __init__(self):
        super().__init__({"i_line": In(1), "o_line": Out(1), "o_write": Out(1),
                          "o_address": Out(16), "o_data": Out(32)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.receive = receive = UartReceive(BIT)
        m.submodules.send = send = UartSend(BIT)
        m.submodules.link = link = Link(round(SILENCE * BAUD * BIT))
        m.submodules.control = control = Control(IDENTITY, TUNABLES)
        for name, member in CHANNELS.items():
            master, slave = getattr(link, name), getattr(control, name)
            m.d.comb += slave.eq(master) if member.flow is In else master.eq(slave)
        for name in COUNTERS:
            m.d.comb += getattr(control, f"i_{name}").eq(Const(7, 64))
        m.d.comb += [
            receive.i.eq(self.i_line), self.o_line.eq(send.o),
            link.i_data.eq(receive.o_data), link.i_valid.eq(receive.o_valid),
            send.i_data.eq(link.o_data), send.i_valid.eq(link.o_valid), link.i_ready.eq(send.o_ready),
            link.i_board.eq(LINKS),
            self.o_write.eq(link.bvalid & ~link.bresp.any()),
            self.o_address.eq(link.awaddr), self.o_data.eq(link.wdata),
        ]
        return m


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    folder = tmp_path_factory.mktemp("line")
    return compile_model(folder, to_verilog(Rig(), "rxgate"), Path(__file__).with_name("line.cpp"))


class Wires:
    """A line of bytes to a simulated board; its time is that of the simulation.

    `worse` takes and gives what is on the wire to the board, as levels of cycles. `disturb` takes and
    gives the bytes that come back.
    """

    def __init__(self, program, seed, worse=lambda levels: levels, disturb=lambda data: data):
        self._process = subprocess.Popen(
            [program, str(seed)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._worse, self._disturb = worse, disturb
        self._cycles = 4
        self._changes: list[tuple[int, int]] = []
        self._heard = b""
        self.writes: list[tuple[int, int]] = []

    def clock(self):
        return self._cycles / BIT / BAUD

    def write(self, data):
        levels = [bit for byte in data for bit in (0, *(byte >> n & 1 for n in range(8)), 1)
                  for _ in range(BIT)]
        self.run([(level, 1) for level in self._worse(levels)])

    def read(self, seconds):
        end = self._cycles + max(1, round(seconds * BAUD * BIT))
        while not self._heard and self._cycles < end:
            self.run([(1, min(end - self._cycles, 25 * BIT))])
        heard, self._heard = self._heard, b""
        return self._disturb(heard)

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _take(self, layout, size):
        return unpack(layout, self._process.stdout.read(size))

    def run(self, levels):
        batch = b"".join(pack("<BI", *pair) for pair in levels)
        self._process.stdin.write(pack("<I", len(levels)) + batch)
        self._process.stdin.flush()
        self._cycles += sum(cycles for _, cycles in levels)
        [count] = self._take("<I", 4)
        self._changes += [self._take("<QB", 9) for _ in range(count)]
        [count] = self._take("<I", 4)
        self.writes += [self._take("<II", 8) for _ in range(count)]
        self._hear()

    def _hear(self):
        """Bytes of which all bits have been on the board's line."""
        while self._changes and self._cycles > self._changes[0][0] + 10 * BIT:
            start, level = self._changes.pop(0)
            assert level == 0
            bits, level = 0, 0
            for n in range(10):
                while self._changes and self._changes[0][0] <= start + n * BIT + BIT // 2:
                    level = self._changes.pop(0)[1]
                bits |= level << n
            assert bits & 0x201 == 0x200, "no start or stop bit"
            self._heard += bytes([bits >> 1 & 0xFF])


@pytest.fixture
def rng():
    seed = SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    return Random(seed)


@pytest.fixture
def connect(program, rng):
    """Makes lines to boards."""
    lines = []

    def new(*noise):
        lines.append(Wires(program, rng.randint(1, 1 << 30), *noise))
        return lines[-1]

    yield new
    for line in lines:
        line.close()


BYTE = 10 * BIT


def flip(rng, levels):
    """Bits are other ones, start and stop bits too."""
    return [level ^ flipped for n in range(0, len(levels), BIT)
            for flipped in [rng.random() < 0.002] for level in levels[n : n + BIT]]


def lose(rng, levels):
    return [level for n in range(0, len(levels), BYTE) if rng.random() > 0.02
            for level in levels[n : n + BYTE]]


def repeat(rng, levels):
    return [level for n in range(0, len(levels), BYTE)
            for level in levels[n : n + BYTE] * (1 + (rng.random() < 0.02))]


def glitch(rng, levels):
    """Pulses shorter than a bit, anywhere, also before the first."""
    levels = [1] * 3 * BIT + levels
    for _ in range(rng.choice((0, 0, 1, 4))):
        at = rng.randrange(len(levels))
        for n in range(at, min(len(levels), at + rng.randrange(1, BIT))):
            levels[n] ^= 1
    return levels


def stretch(rng, levels):
    """The host's clock is off by up to three percent, and sometimes by fifteen."""
    much = rng.choice((0.97, 1.0, 1.03, 1.0, 1.0, 0.85))
    return [levels[int(n * much)] for n in range(int(len(levels) / much))]


@pytest.mark.parametrize("kind", [flip, lose, repeat, glitch, stretch])
def test_every_write_acts_once_and_no_other(connect, rng, kind):
    """What comes back is disturbed too: then a request is sent again that has acted."""

    def disturb(data):
        return bytes(b for b in data if rng.random() > 0.005)

    wires = connect(lambda levels: kind(rng, levels), disturb)
    client = Client(wires, wires.clock)
    scratch, wanted = BY_NAME["scratch"].offset, []
    for _ in range(14):
        value = rng.getrandbits(32)
        client.write_word(scratch, value)
        wanted.append((scratch, value))
        assert client.read_word(scratch) == value
    commits = client.read("commits")
    for n in range(3):
        client.write_word(0x1000, n)
        client.command("commit")
        wanted += [(0x1000, n), (BY_NAME["command"].offset, 4)]
        assert client.read("commits") == commits + n + 1
    assert client.board("links") == LINKS
    assert wires.writes == wanted
    assert client.retries > 0


def test_noise_writes_nothing(connect, rng):
    """Levels of any length, then the board answers."""
    wires = connect()
    wires.run([(n & 1, rng.randint(1, 5 * BIT)) for n in range(20_000)])
    assert wires.writes == []
    assert Client(wires, wires.clock).board("links") == LINKS
