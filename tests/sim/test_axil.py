"""Compiled gates whose control port is used while frames go through, in cocotb.

Each `@cocotb.test()` runs inside the simulator; RXGATE_EXPECTED has registers and their values.
"""

import os
import random
from dataclasses import replace
from pathlib import Path

import cocotb
import pytest
from cocotb.clock import Clock
from cocotb_tools.runner import get_runner
from rxgate.compiler.decode import decode
from rxgate.compiler.driver import compile_program
from rxgate.compiler.load.text import load_text
from rxgate.compiler.options import Options
from rxgate.ctx_map.registers import BY_NAME, COUNTERS, MAGIC
from rxgate.sim.axil import OKAY, SLVERR, Master
from rxgate.sim.axis import Bus, Monitor, Sink, Source, UserBits, chance, run, to_beats
from rxgate.sim.cocotb_build import build_bench
from rxgate.sim.cocotb_engine import simulate_cocotb
from rxgate.sim.conditions import Conditions
from rxgate.sim.fast import simulate_fast
from rxgate.sim.golden import Frame
from rxgate.sim.probes import read_counters
from rxgate.sim.saved import load
from rxgate.sim.testbench import saved, write_testbench

pytestmark = pytest.mark.rtl

FIRST_BYTE = """
bf 16 0000 00000000  # r6 = r1
30 00 0000 00000000  # r0 = packet[0], or leave with 0
57 00 0000 03000000  # r0 &= 3
95 00 0000 00000000  # exit: 0 drop, 1 pass, others abort
"""
WIDTH, MAX_FRAME = 64, 200
TESTS = ("what_it_is", "counters_under_traffic", "clears_under_traffic")


def compiled(**options):
    chosen = Options(width=WIDTH, max_frame=MAX_FRAME, control_port=True, **options)
    return compile_program(decode(load_text(FIRST_BYTE, "first_byte")), chosen)


class Bench:
    """A gate with frames, a sink that is slow now and then, and a host with delays."""

    def __init__(self, dut, packets):
        self.dut = dut
        self.rng = rng = random.Random(random.getrandbits(32))
        bus_in, bus_out = Bus(dut, "s_axis"), Bus(dut, "m_axis")
        self.source = Source(bus_in, chance(0.2, rng))
        self.parts = [
            self.source,
            Monitor(bus_out, steady=7, closing=8, empty_end=False),
            Sink(bus_out, chance(0.2, rng)),
        ]
        self.host = Master(dut, chance(0.3, rng))
        self.packets = packets
        for _ in range(packets):
            data, err = rng.randbytes(rng.randint(0, 30)), int(rng.random() < 0.1)
            self.source.send(to_beats(data, bus_in.size, UserBits(), UserBits(err, 1)))

    async def start(self):
        Clock(self.dut.clk, 4, "ns").start()
        self.dut.rst.value = 1
        await run(self.dut.clk, cycles=4)
        self.dut.rst.value = 0
        cocotb.start_soon(run(self.dut.clk, self.host, *self.parts))

    async def drained(self):
        while not self.source.done:
            await run(self.dut.clk, cycles=10)
        await run(self.dut.clk, cycles=300)


def split(totals):
    """received, and how many frames are done."""
    received = totals["received"]
    return received, sum(totals.values()) - received


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def what_it_is(dut):
    """Identification is that of the manifest; unmapped addresses are errors; bytes are written."""
    bench = Bench(dut, 40)
    await bench.start()
    host, rng = bench.host, bench.rng
    expected = dict(pair.split("=") for pair in os.environ["RXGATE_EXPECTED"].split(","))
    assert expected["magic"] == str(MAGIC)
    for name, value in expected.items():
        assert await host.read(name) == int(value), name
    name = (await host.read("program")).to_bytes(32, "little")
    assert name == b"main" + bytes(28)
    assert await host.read_word(0xFFFC) == (SLVERR, 0)
    assert await host.write_word(0, 1) == SLVERR
    assert await host.read("magic") == MAGIC
    scratch = BY_NAME["scratch"].offset
    value = 0
    for _ in range(20):
        data, strobe = rng.getrandbits(32), rng.getrandbits(4)
        assert await host.write_word(scratch, data, strobe) == OKAY
        mask = sum(0xFF << 8 * n for n in range(4) if strobe >> n & 1)
        value = value & ~mask | data & mask
        assert await host.read("scratch") == value


@cocotb.test(timeout_time=8, timeout_unit="ms")
async def counters_under_traffic(dut):
    """At any time no more frames are done than received; in the end all of them."""
    bench = Bench(dut, 400)
    await bench.start()
    before, under_way, snapshots = 0, 0, 0
    while not bench.source.done:
        received, done = split(await bench.host.counters())
        assert done <= received
        assert before <= received <= bench.packets
        before = received
        under_way += received != done
        snapshots += 1
    assert snapshots > 3
    assert under_way
    await bench.drained()
    totals = await bench.host.counters()
    assert totals == read_counters(dut)
    assert split(totals) == (bench.packets, bench.packets)
    assert all(totals[name] for name in ("pass", "drop", "aborted", "bad"))


@cocotb.test(timeout_time=8, timeout_unit="ms")
async def clears_under_traffic(dut):
    """What has been taken with each clear is, in the end, every frame once."""
    bench = Bench(dut, 400)
    await bench.start()
    totals = dict.fromkeys(COUNTERS, 0)
    clears = 0
    while not bench.source.done:
        for name, count in (await bench.host.counters(clear=True)).items():
            totals[name] += count
        received, done = split(totals)
        assert done <= received
        clears += 1
    await bench.drained()
    for name, count in (await bench.host.counters(clear=True)).items():
        totals[name] += count
    assert clears > 3
    assert split(totals) == (bench.packets, bench.packets)
    assert not any(read_counters(dut).values())


@pytest.mark.parametrize("name", TESTS)
def test_a_host_beside_the_traffic(name, tmp_path, monkeypatch):
    design = compiled()
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    values = {
        n: v for n, v in design.gate.identification.items() if n != "program"
    } | {"latency": design.gate.latency, "width": WIDTH, "window": 1, "max_frame": MAX_FRAME}
    expected = ",".join(f"{n}={v}" for n, v in values.items())
    get_runner("verilator").test(
        test_module=Path(__file__).stem,
        testcase=name,
        hdl_toplevel="rxgate",
        hdl_toplevel_lang="verilog",
        build_dir=build_bench(design.verilog).parent,
        test_dir=tmp_path,
        results_xml=str(tmp_path / "results.xml"),
        extra_env={"RXGATE_EXPECTED": expected},
    )


@pytest.mark.parametrize("engine", [simulate_fast, simulate_cocotb])
def test_a_port_that_nobody_uses(engine):
    """Both engines leave it alone, also when everything starts with random values."""
    design = compiled()
    rng = random.Random(7)
    frames = [Frame(rng.randbytes(rng.randint(0, 120)), rng.random() < 0.1) for _ in range(200)]
    result = engine(
        design.verilog, design.config, design.inputs, frames, design.program,
        conditions=Conditions(seed=5, idle=0.1, stall=0.1, random_start=True),
    )  # fmt: skip
    assert result.agreed
    assert result.packets == 200


def test_the_gate_of_a_saved_design_has_the_port(tmp_path):
    design = compiled()
    write_testbench(design, tmp_path, seed=1)
    config = load((tmp_path / "design.json").read_text()).config
    assert config == design.config == saved(design).config
    assert config == replace(compiled().config, control_port=True)
    assert "s_axil_awaddr" in (tmp_path / "rxgate.v").read_text()
