"""A job -> what the gate did with it: the cocotb test that runs inside the simulator.

RXGATE_JOB and RXGATE_SEEN in the environment name the files; sim/job.py says what is in them. This
bench judges nothing but the rules of the streams.
"""

import os
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import cocotb
from cocotb.clock import Clock

from ..ctx_map.verdicts import VERDICT_BITS, Verdict
from .axil import OKAY, Master, hold_still
from .axis import Bus, Monitor, ProtocolError, Sink, Source, UserBits, chance, run, to_beats
from .job import Job, Stretch, load_job, save
from .probes import Admissions, Commits, Times, read_counters
from .retune import writes
from .surroundings import OutFrame

RESET_CYCLES = 4
PERIOD_NS = 4
PAUSE = 0.2
"""Share of cycles in which the host pauses, on each channel."""
QUIET_CYCLES = 64
"""Cycles after all is counted in which nothing more may leave."""
_TELL_SECONDS = 0.2
_CHUNK = 64
_VERDICTS = (1 << VERDICT_BITS) - 1
_ERR = 1 << VERDICT_BITS


class Bench:
    """Sends a job's frames, and notes what leaves."""

    def __init__(self, dut: Any, job: Job) -> None:
        self.dut, self.job = dut, job
        hold_still(dut)
        rng = Random(job.seed)
        bus_in, bus_out = Bus(dut, "s_axis"), Bus(dut, "m_axis")
        self.source = Source(bus_in, chance(job.idle, Random(rng.random())))
        self.sink = Sink(bus_out, chance(job.stall, Random(rng.random())))
        self.monitor = Monitor(bus_out, steady=_VERDICTS, closing=_ERR, empty_end=False)
        self.told = monotonic()
        self.times = Times(dut, job.ktime_start, job.ktime_step)
        self.commits = Commits(dut)
        self.host_rng = Random(rng.random())
        self.host, self.hosting = None, None
        self.retuned = 0
        self.admissions = Admissions(dut)
        self.stretches: list[Stretch] = []
        junk = Random(rng.random())
        for frame in job.frames:
            self.source.send(
                to_beats(
                    frame.data, bus_in.size, UserBits(frame.user, job.user_mask),
                    UserBits(int(frame.err), 1), user_width=job.user_width, junk=junk,
                    empty_end=junk.random() < job.empty_end,
                )
            )  # fmt: skip

    async def run(self) -> None:
        """The whole job, or all of it until a stream breaks a rule."""
        try:
            await self._reset()
            for taken in self.job.resets:
                while self.source.taken < taken and not self.source.done:
                    await self._cycles(1)
                self._finish_stretch()
                self.source.abort()
                await self._reset()
            await self._to_the_end()
        except ProtocolError as error:
            self.stretch.faults.append(str(error))
        self._finish_stretch()

    async def _reset(self) -> None:
        if self.hosting is not None:
            self.hosting.cancel()
        hold_still(self.dut)
        self.dut.rst.value = 1
        await run(self.dut.clk, cycles=RESET_CYCLES)
        self.dut.rst.value = 0
        await run(self.dut.clk, cycles=2)
        self.stretch = Stretch(start=self.source.begun)
        self.stretches.append(self.stretch)
        for name, value in read_counters(self.dut).items():
            if value:
                self.stretch.faults.append(f"stat_{name} is {value} after reset")
        self.admissions = Admissions(self.dut)
        if self.job.tunables:
            self.stretch.images.append(self.job.image)
            self.host = Master(self.dut, chance(PAUSE, self.host_rng))
            self.hosting = cocotb.start_soon(self._retune(self.host, self.stretch.images))

    async def _retune(self, host: Master, images: list[bytes]) -> None:
        """Act as the host; `images` gets what each commit makes of the tunables."""
        while self.retuned < len(self.job.retunes):
            retune = self.job.retunes[self.retuned]
            while self.source.begun < retune.before:
                await self.dut.clk.rising_edge
            self.retuned += 1
            written, image = images[-1], retune.image
            images.append(image)
            for write in writes(self.job.tunables, written, image, self.host_rng):
                answer = await host.write_word(write.address, write.value, write.strobe)
                if answer != OKAY:
                    self.stretch.faults.append(f"a write to {write.address:#x} is refused")

    async def _cycles(self, count: int) -> None:
        parts = [self.source, self.monitor, self.sink]
        if self.job.reads_time:
            parts.append(self.times)
        if self.job.count_each:
            parts.append(self.admissions)
        if self.host is not None:
            parts += [self.host, self.commits]
        await run(self.dut.clk, *parts, cycles=count)

    async def _to_the_end(self) -> None:
        source, out = self.source, self.monitor
        moved, moved_at = (0, 0), source.cycle
        while not (source.done and self._balanced() and self._retuned()):
            await self._cycles(_CHUNK)
            if moved != (moved := (source.taken, out.beats)):
                moved_at = source.cycle
                self._tell(source.begun)
            elif source.cycle - moved_at > self.job.patience:
                self.stretch.faults.append(f"cycle {source.cycle}: nothing moves any more")
                return
        while out.cycle - max(out.last_at, source.last_at) < QUIET_CYCLES or out.waiting:
            await self._cycles(_CHUNK)
        if out.inside:
            self.stretch.faults.append(f"cycle {out.cycle}: the last frame has no end")

    def _tell(self, frames: int) -> None:
        """Write down how far the job is, a few times a second."""
        if self.job.progress is not None and monotonic() - self.told > _TELL_SECONDS:
            self.job.progress.write_text(str(frames))
            self.told = monotonic()

    def _balanced(self) -> bool:
        """Whether every frame sent has been received, and counted as done."""
        counts = read_counters(self.dut)
        received = counts.pop("received")
        return received == len(self.source.taken_at) == sum(counts.values())

    def _retuned(self) -> bool:
        """Whether the host has nothing left to do."""
        return self.hosting is None or self.hosting.done()

    def _finish_stretch(self) -> None:
        stretch, source, out = self.stretch, self.source, self.monitor
        stretch.counts = read_counters(self.dut)
        stretch.entered, source.taken_at = source.taken_at, []
        stretch.admitted = self.admissions.admitted
        stretch.times, self.times.times = self.times.times, []
        stretch.commits, self.commits.commits = self.commits.commits, []
        stretch.stalls, source.stalls = source.stalls, 0
        stretch.last = max(source.last_at, out.last_at)
        for frame in out.frames:
            code = frame.first_user & _VERDICTS
            if code not in set(Verdict):
                stretch.faults.append(f"cycle {frame.begin}: verdict {code} does not exist")
                code = Verdict.ABORTED
            left = OutFrame(frame.data, Verdict(code), bool(frame.last_user & _ERR))
            stretch.left.append((left, frame.begin))
        out.frames = []
        self.monitor.reset()


@cocotb.test()
async def drive(dut: Any) -> None:
    """Runs the job."""
    job = load_job(Path(os.environ["RXGATE_JOB"]))
    bench = Bench(dut, job)
    Clock(dut.clk, PERIOD_NS, "ns").start()
    await bench.run()
    save(Path(os.environ["RXGATE_SEEN"]), bench.stretches)
