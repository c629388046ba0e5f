"""design.json, rxgate.v and traffic.pcap beside this file -> cocotb tests of the gate.

Run `pytest` in this folder. Each test below runs in the simulator, and is judged by the golden
model of rxgate: every frame, its verdict, the order, the counters and the rules of both streams.
"""

import os
import random
from pathlib import Path

import cocotb
import pytest
from cocotb.clock import Clock
from cocotb_tools.runner import get_runner

from ..ctx_map.verdicts import Verdict
from .axil import OKAY, Master, hold_still
from .axis import Bus, Monitor, Sink, Source, UserBits, chance, run, to_beats
from .captures import read_capture
from .cocotb_build import build_bench
from .golden import Frame
from .job import Stretch
from .judge import judge
from .probes import Admissions, Commits, Times, read_counters
from .retune import draw, writes
from .saved import load
from .scoreboard import Scoreboard
from .surroundings import OutFrame

HERE = Path(__file__).parent
DESIGN = load((HERE / "design.json").read_text())
TRAFFIC = [Frame(captured.data) for captured in read_capture(HERE / "traffic.pcap")]
TESTS = ["back_to_back", "pauses", "errors", "reset_between", "reset_within_a_frame"]
if DESIGN.config.tunables:
    TESTS.append("tunables")
VERDICT, ERR = 7, 8
"""Bits of m_axis_tuser."""
SIMULATOR = os.environ.get("SIM", "verilator")
WAVES = os.environ.get("WAVES", "0") not in ("", "0")
LIMIT = 100_000
"""Cycles after which a test gives up."""


class Bench:
    """The gate between a source and a sink, with a monitor on either stream.

    `idle` and `stall` are the shares of cycles in which source and sink pause.
    """

    def __init__(self, dut, idle=0.0, stall=0.0):
        self.dut = dut
        hold_still(dut)
        self.rng = random.Random(random.getrandbits(32))
        bus_in, bus_out = Bus(dut, "s_axis"), Bus(dut, "m_axis")
        self.source = Source(bus_in, chance(idle, self.rng))
        self.sink = Sink(bus_out, chance(stall, self.rng))
        self.watched = Monitor(bus_in)
        self.monitor = Monitor(bus_out, steady=VERDICT, closing=ERR, empty_end=False)
        self.times = Times(dut, start=1_000_000_000, step=4)
        self.commits = Commits(dut)
        self.host = Master(dut, chance(0.2, self.rng)) if DESIGN.config.tunables else None
        Clock(dut.clk, 4, "ns").start()

    async def reset(self):
        """Reset the gate; nothing of what was before counts."""
        self.source.abort()
        self.source.queue.clear()
        self.dut.rst.value = 1
        await run(self.dut.clk, cycles=4)
        self.dut.rst.value = 0
        await run(self.dut.clk, cycles=2)
        for monitor in (self.watched, self.monitor):
            monitor.reset()
            monitor.frames.clear()
        self.source.taken_at.clear()
        self.times.times.clear()
        self.commits.commits.clear()
        self.source.stalls = 0
        self.admissions = Admissions(self.dut)
        self.golden = DESIGN.golden()
        self.images = [self.golden.first_image]
        self.sent = []

    def send(self, frames):
        """Queue frames, each with what the descriptor in tuser says of it."""
        for frame in frames:
            sent = self.golden.send(frame)
            self.sent.append(sent)
            width = DESIGN.config.s_tuser_width
            first = UserBits(self.golden.tuser(sent), (1 << width) - 2)
            last = UserBits(int(frame.err), 1)
            size = self.source.bus.size
            beats = to_beats(frame.data, size, first, last, user_width=width, junk=self.rng)
            self.source.send(beats)

    async def retune(self, changes):
        """Change the tunables, each time when the frame that is named there has begun."""
        assert self.host is not None
        for change in changes:
            while self.source.begun < change.before:
                await self.dut.clk.rising_edge
            steps = writes(DESIGN.config.tunables, self.images[-1], change.image, self.rng)
            self.images.append(change.image)
            for step in steps:
                assert await self.host.write_word(step.address, step.value, step.strobe) == OKAY

    async def cycles(self, count):
        """So many clock cycles."""
        parts = [self.source, self.watched, self.monitor, self.sink]
        if DESIGN.reads_time:
            parts.append(self.times)
        if not DESIGN.config.backpressure:
            parts.append(self.admissions)
        if DESIGN.config.tunables:
            parts += [self.host, self.commits]
        await run(self.dut.clk, *parts, cycles=count)

    async def finish(self):
        """Wait until every frame is counted, and compare all with the golden model."""
        for _ in range(0, LIMIT, 64):
            await self.cycles(64)
            done = read_counters(self.dut)
            received = done.pop("received")
            if self.source.done and received == len(self.sent) == sum(done.values()):
                break
        while self.monitor.waiting:
            await self.cycles(1)
        await self.cycles(64)
        left = [
            (OutFrame(f.data, Verdict(f.first_user & VERDICT), bool(f.last_user & ERR)), f.begin)
            for f in self.monitor.frames
        ]
        seen = Stretch(
            entered=self.source.taken_at,
            admitted=self.admissions.admitted,
            times=self.times.times,
            commits=self.commits.commits,
            images=self.images,
            left=left,
            counts=read_counters(self.dut),
            stalls=self.source.stalls,
        )
        board = Scoreboard(DESIGN.config, counters_tell=False)
        judge(board, self.golden, self.sent, seen, reads_time=DESIGN.reads_time)
        assert not board.count, "\n".join(map(str, board.mismatches))


@cocotb.test()
async def back_to_back(dut):
    """Frames follow each other without a pause, and none has to wait."""
    bench = Bench(dut)
    await bench.reset()
    bench.send(TRAFFIC)
    await bench.finish()
    assert not bench.source.stalls


@cocotb.test()
async def pauses(dut):
    """Source and sink pause at random, within frames too."""
    bench = Bench(dut, idle=0.3, stall=0.3)
    await bench.reset()
    bench.send(TRAFFIC)
    await bench.finish()


@cocotb.test()
async def errors(dut):
    """Frames that end with an error, without a byte, too early or too late."""
    bench = Bench(dut, idle=0.1, stall=0.1)
    await bench.reset()
    longest = DESIGN.config.max_frame
    for frame in TRAFFIC[:50]:
        cut = frame.data[: bench.rng.randint(0, 20)]
        bench.send([Frame(frame.data, err=bench.rng.random() < 0.5), Frame(cut)])
    bench.send([Frame(bytes(longest + n)) for n in (-1, 0, 1, 100)])
    bench.send(TRAFFIC[:10])
    await bench.finish()


@cocotb.test()
async def reset_between(dut):
    """A reset when all has been sent brings the gate back to its beginning."""
    bench = Bench(dut)
    for _ in range(2):
        await bench.reset()
        bench.send(TRAFFIC[:40])
        await bench.finish()


@cocotb.test()
async def reset_within_a_frame(dut):
    """A reset at any time leaves nothing behind."""
    bench = Bench(dut, stall=0.2)
    for _ in range(10):
        await bench.reset()
        bench.send(TRAFFIC)
        await bench.cycles(bench.rng.randint(1, 200))
    await bench.reset()
    bench.send(TRAFFIC[:40])
    await bench.finish()


@cocotb.test(skip=not DESIGN.config.tunables)
async def tunables(dut):
    """The host changes tunables while frames come in, and no frame sees a part of a change."""
    bench = Bench(dut)
    await bench.reset()
    bench.send(TRAFFIC)
    changes = draw(DESIGN.program, [f.data for f in TRAFFIC], 20, bench.rng)
    host = cocotb.start_soon(bench.retune(changes))
    while not host.done():
        await bench.cycles(1)
    await bench.finish()
    assert len(set(bench.commits.commits)) > 1
    assert bench.host is not None
    held = [cocotb.start_soon(bench.host.written(t)) for t in DESIGN.config.tunables]
    while not all(task.done() for task in held):
        await bench.cycles(1)
    assert b"".join(task.result() for task in held) == bench.images[-1]


@pytest.fixture(scope="session")
def runner():
    """cocotb's runner, with the gate compiled; SIM names the simulator, WAVES=1 records waves."""
    runner = get_runner(SIMULATOR)
    if SIMULATOR == "verilator":
        runner.build_dir = build_bench((HERE / "rxgate.v").read_text(), waves=WAVES).parent
    else:
        runner.build(
            sources=[HERE / "rxgate.v"],
            hdl_toplevel="rxgate",
            build_dir=HERE / "sim_build",
            timescale=("1ns", "1ps"),
            waves=WAVES,
        )
    return runner


@pytest.mark.parametrize("name", TESTS)
def test_gate(runner, name, monkeypatch):
    """One of the tests above, in the simulator."""
    monkeypatch.syspath_prepend(HERE)
    runs = HERE / "sim_runs" / name
    runs.mkdir(parents=True, exist_ok=True)
    runner.test(
        test_module=Path(__file__).stem,
        testcase=name,
        hdl_toplevel="rxgate",
        hdl_toplevel_lang="verilog",
        build_dir=runner.build_dir,
        test_dir=runs,
        waves=WAVES,
    )
