"""Frames, configurations and pauses -> what a gate did with them, in Amaranth's simulator."""

import random
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from amaranth.hdl import Cat, Const, Module, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator
from rxgate.ctx_map.descriptor import BY_NAME
from rxgate.ctx_map.verdicts import Verdict
from rxgate.sim.surroundings import Frame, OutFrame


class Probe(wiring.Component):
    """A pipeline that gives the listed verdicts in turn, and traces all its inputs."""

    def __init__(self, inputs, verdicts, latency=3):
        self.inputs = dict(inputs)
        self.verdicts = list(verdicts) or [Verdict.PASS]
        self.latency = latency
        self.trace_width = sum(self.inputs.values())
        super().__init__(
            {
                "i_valid": In(1),
                **{f"i_{name}": In(width) for name, width in self.inputs.items()},
                "o_valid": Out(1),
                "o_verdict": Out(3),
                "o_trace": Out(self.trace_width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        packed = sum(v << 3 * n for n, v in enumerate(self.verdicts))
        table = Const(packed, 3 * len(self.verdicts))
        number = Signal(range(len(self.verdicts) + 1))
        valid = self.i_valid
        for n in range(self.latency):
            late = Signal(name=f"valid_{n}")
            m.d.sync += late.eq(valid)
            valid = late
        m.d.sync += number.eq(number + valid)
        m.d.comb += [
            self.o_valid.eq(valid),
            self.o_verdict.eq(table.word_select(number, 3)),
            self.o_trace.eq(Cat(*(getattr(self, f"i_{n}") for n in self.inputs))),
        ]
        return m

    def read(self, trace):
        """A trace value as name -> value."""
        values = {}
        for name, width in self.inputs.items():
            values[name] = trace & ((1 << width) - 1)
            trace >>= width
        return values


@dataclass
class Run:
    """What came of a run. `stalls` counts cycles in which a beat was offered and refused."""

    frames: list[OutFrame] = field(default_factory=list)
    launches: list[dict[str, int]] = field(default_factory=list)
    stats: dict[str, int] = field(default_factory=dict)
    stalls: int = 0
    cycles: int = 0
    first_in: int | None = None
    first_out: int | None = None
    launch_cycles: list[int] = field(default_factory=list)
    received: int = 0


def beats_of(frame, config, rng, fields=None, empty_end=False):
    """A frame as (data, keep, last, user); what has no meaning is random.

    With `empty_end` a frame that fills its last beat ends with another beat, without a byte.
    """
    size = config.beat_bytes
    data = frame.data
    parts = [data[n : n + size] for n in range(0, len(data), size)] or [b""]
    if empty_end and len(parts[-1]) == size:
        parts.append(b"")
    for n, part in enumerate(parts):
        last = n == len(parts) - 1
        user = rng.getrandbits(config.s_tuser_width)
        for name, (offset, width) in config.s_tuser.items():
            value = None
            if name == "err" and last:
                value = int(frame.err)
            if name != "err" and n == 0:
                value = (fields or {})[name]
            if value is not None:
                user = user & ~(((1 << width) - 1) << offset) | value << offset
        filler = part + rng.randbytes(size - len(part))
        # Behind the first 0 of a last beat's tkeep there is no meaning, at other beats nowhere.
        keep = rng.getrandbits(size)
        if last:
            keep = (keep << len(part) + 1 | (1 << len(part)) - 1) & (1 << size) - 1
        yield int.from_bytes(filler, "little"), keep, last, user


class Monitor:
    """Checks the rules of m_axis and puts its frames together."""

    def __init__(self, config):
        self.size = config.beat_bytes
        self.frames = []
        self.data = b""
        self.verdicts = set()
        self.waiting = None

    def see(self, valid, ready, *beat):
        if self.waiting is not None:
            assert valid, "tvalid fell before tready"
            assert beat == self.waiting, "a beat changed before tready"
        self.waiting = beat if valid and not ready else None
        if not (valid and ready):
            return
        data, keep, last, user = beat
        count = keep.bit_count()
        assert keep == (1 << count) - 1, f"tkeep has holes: {keep:b}"
        if not last:
            assert count == self.size, "a beat before the last is not full"
            assert not user >> 3, "err before the last beat"
        assert count or (last and not self.data), "a beat without a byte in a frame with some"
        self.data += data.to_bytes(self.size, "little")[:count]
        self.verdicts.add(user & 7)
        if last:
            assert len(self.verdicts) == 1, "the verdict changed within a frame"
            self.frames.append(OutFrame(self.data, Verdict(user & 7), bool(user >> 3)))
            self.data, self.verdicts = b"", set()

    def reset(self):
        self.data, self.verdicts, self.waiting = b"", set(), None


def run_gate(gate, beats, *, idle=0.0, stall=0.0, rng=None, reset_after=None, blocked=0):
    """Sends beats; `idle` and `stall` are the shares of pauses at the source and the sink, which
    does not start before `blocked` cycles.

    `reset_after` resets the gate for one cycle once so many beats have been accepted; the other
    beats follow. Time is 1000 + cycle. Ends when nothing came out for as long as the gate can wait.
    """
    rng = rng or random.Random(0)
    beats = list(beats)
    run = Run()
    monitor = Monitor(gate.config)
    rst = Signal()

    out = (gate.m_axis_tdata, gate.m_axis_tkeep, gate.m_axis_tlast, gate.m_axis_tuser)

    async def bench(ctx):
        position = 0
        offering = False
        quiet = 0
        while quiet < gate.depth + 20:
            run.cycles += 1
            assert run.cycles < 50 * len(beats) + 20 * gate.depth + 2000, "the gate hangs"
            resetting = reset_after is not None and run.received == reset_after
            if resetting and ctx.get(rst):
                resetting, run.received = False, run.received + 1
            ctx.set(rst, resetting)
            fresh = not offering and position < len(beats) and rng.random() >= idle
            offering = offering or fresh
            ready = rng.random() >= stall and run.cycles > blocked
            ctx.set(gate.s_axis_tvalid, offering and not resetting)
            if fresh:
                data, keep, last, user = beats[position]
                ctx.set(gate.s_axis_tdata, data)
                ctx.set(gate.s_axis_tkeep, keep)
                ctx.set(gate.s_axis_tlast, last)
                ctx.set(gate.s_axis_tuser, user)
            ctx.set(gate.m_axis_tready, ready)
            if hasattr(gate, "ktime_ns"):
                ctx.set(gate.ktime_ns, 1000 + run.cycles)
            valid = ctx.get(gate.m_axis_tvalid)
            if resetting:
                monitor.reset()
            else:
                monitor.see(valid, ready, *(ctx.get(s) for s in (out if valid else ())))
            if valid and run.first_out is None:
                run.first_out = run.cycles
            if offering and not resetting:
                if ctx.get(gate.s_axis_tready):
                    if run.first_in is None:
                        run.first_in = run.cycles
                    run.received += 1
                    position += 1
                    offering = False
                else:
                    run.stalls += run.cycles > 2
            launching = ctx.get(gate.pipeline.i_valid)
            if "ktime" in gate.pipeline.inputs:
                assert ctx.get(gate.trace_valid) == launching
                assert ctx.get(gate.trace_ktime) == ctx.get(gate.pipeline.i_ktime)
            if launching and not resetting:
                run.launches.append(gate.pipeline.read(ctx.get(gate.trace_data)))
                run.launch_cycles.append(run.cycles)
            busy = valid or position < len(beats) or run.cycles <= blocked
            quiet = 0 if busy else quiet + 1
            await ctx.tick()
        for name in ("received", "pass", "drop", "aborted", "tx", "redirect", "overflow", "bad"):
            run.stats[f"stat_{name}"] = ctx.get(getattr(gate, f"stat_{name}"))

    sim = Simulator(ResetInserter(rst)(gate))
    sim.add_clock(1e-8)
    sim.add_testbench(bench)
    sim.run()
    assert not monitor.data, "a frame without an end"
    run.frames = monitor.frames
    return run


def random_fields(config, rng):
    """Values for the fields that come with the stream."""
    return {name: rng.getrandbits(BY_NAME[name].width) for name in config.stream_fields}


def random_frames(rng, count, max_frame, *, tags=True, over=0.1, err=0.1):
    """Frames of all lengths up to and some beyond the maximum, tagged ones among them."""
    frames = []
    for _ in range(count):
        near = (0, 1, 4, 8, 11, 12, 13, 14, 15, 16, 17, 18, 20, 24, 32, 64, 68, 128, 132)
        length = rng.choice(
            (rng.choice(near), rng.choice(near) + rng.randint(-1, 1), rng.randint(0, max_frame))
        )
        if rng.random() < over:
            length = max_frame + rng.choice((0, 1, 3, 4, 5, 70, rng.randint(1, max_frame)))
        data = bytearray(rng.randbytes(max(0, length)))
        if tags and len(data) >= 14 and rng.random() < 0.6:
            data[12:14] = rng.choice((b"\x81\x00", b"\x88\xa8", b"\x81\x01"))
        if tags and len(data) >= 18 and rng.random() < 0.3:
            data[16:18] = b"\x81\x00"
        frames.append(Frame(bytes(data), rng.random() < err))
    return frames


@pytest.fixture
def rng(request):
    """Random numbers; a failing test prints the seed."""
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    return random.Random(seed)


@pytest.fixture
def bench():
    """The helpers above."""
    return SimpleNamespace(
        Probe=Probe,
        run_gate=run_gate,
        beats_of=beats_of,
        random_fields=random_fields,
        random_frames=random_frames,
    )
