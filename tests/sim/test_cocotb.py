"""Gates in the cocotb bench: what must agree does, and what is broken is found."""

import random
from pathlib import Path

import pytest
from rxgate.compiler.decode import decode
from rxgate.compiler.driver import compile_program
from rxgate.compiler.errors import ToolError
from rxgate.compiler.load.text import load_text
from rxgate.compiler.options import Options
from rxgate.sim.cocotb_engine import run_job, simulate_cocotb
from rxgate.sim.conditions import Conditions
from rxgate.sim.fast import simulate_fast
from rxgate.sim.golden import Frame
from rxgate.sim.job import Job, Send

pytestmark = pytest.mark.rtl

FIRST_BYTE = """
bf 16 0000 00000000  # r6 = r1
30 00 0000 00000000  # r0 = packet[0], or leave with 0
57 00 0000 03000000  # r0 &= 3
95 00 0000 00000000  # exit: 0 drop, 1 pass, others abort
"""
TIME_AND_LENGTH = """
61 16 0000 00000000  # r6 = len
85 00 0000 05000000  # r0 = ktime_get_ns()
77 00 0000 02000000  # r0 >>= 2
0f 60 0000 00000000  # r0 += r6
57 00 0000 01000000  # r0 &= 1
95 00 0000 00000000  # exit
"""


@pytest.fixture
def rng():
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    return random.Random(seed)


def compiled(text, **options):
    return compile_program(decode(load_text(text, "program")), Options(**options))


def simulate(design, frames, program=None, engine=simulate_cocotb, **options):
    return engine(
        design.verilog, design.config, design.inputs, frames, program or design.program, **options
    )


def passing(rng, count, longest=199):
    return [Frame(b"\1" + rng.randbytes(rng.randint(0, longest))) for _ in range(count)]


def odd_frames(rng, count, max_frame):
    """Empty ones, runts, ones around beats and the maximum, and errors."""
    lengths = (0, 1, 2, 7, 8, 9, 13, 14, 60, 63, 64, 65, 127, 128, 129)
    longest = (max_frame - 1, max_frame, max_frame + 1, 2 * max_frame)
    frames = []
    for _ in range(count):
        length = rng.choice(longest if rng.random() < 0.1 else lengths)
        frames.append(Frame(rng.randbytes(length), rng.random() < 0.1))
    return frames


def agreed(result):
    return result.mismatches == () and result.agreed


@pytest.mark.parametrize("width", [8, 64, 512])
def test_odd_frames_with_pauses_and_random_start(rng, width):
    design = compiled(FIRST_BYTE, width=width, max_frame=200)
    frames = odd_frames(rng, 150, 200)
    pauses = Conditions(
        seed=rng.getrandbits(32), idle=0.3, stall=0.4, empty_end=0.5, random_start=True
    )
    result = simulate(design, frames, conditions=pauses)
    assert agreed(result)
    assert result.packets == result.counts["received"] == len(frames)
    assert all(result.counts[name] for name in ("pass", "drop", "aborted", "bad"))


@pytest.mark.parametrize("width", [8, 64, 512])
def test_resets_within_frames(rng, width):
    design = compiled(FIRST_BYTE, width=width, max_frame=200)
    frames = passing(rng, 60)
    total = sum(max(1, -(-len(f.data) * 8 // width)) for f in frames)
    resets = sorted(rng.sample(range(total // 2), 5))
    print(f"resets {resets}")
    conditions = Conditions(seed=rng.getrandbits(32), stall=0.2)
    result = simulate(design, frames, conditions=conditions, resets=resets)
    assert agreed(result)
    assert 10 < result.packets == result.counts["pass"] < len(frames)


def test_both_engines_see_the_same(rng):
    """Back to back nothing is random, and all figures are equal."""
    design = compiled(FIRST_BYTE, width=64, max_frame=200)
    frames = odd_frames(rng, 300, 200)
    told = []
    cocotb = simulate(design, frames, progress=told.append)
    fast = simulate(design, frames, engine=simulate_fast)
    assert agreed(cocotb)
    assert told[-1] == len(frames)
    assert cocotb.to_json() == fast.to_json()


def test_time_and_length(rng):
    design = compiled(TIME_AND_LENGTH, width=64, max_frame=200)
    assert design.config.store_and_forward
    conditions = Conditions(seed=rng.getrandbits(32), idle=0.2, stall=0.2, ktime_step=4)
    result = simulate(design, odd_frames(rng, 200, 200), conditions=conditions)
    assert agreed(result)
    assert result.counts["pass"]
    assert result.counts["drop"]


def test_overflow(rng):
    design = compiled(FIRST_BYTE, width=64, max_frame=200, backpressure=False)
    conditions = Conditions(seed=rng.getrandbits(32), stall=0.9)
    result = simulate(design, passing(rng, 200), conditions=conditions)
    assert agreed(result)
    assert result.counts["overflow"]
    assert result.input_stalls == 0


def test_a_wrong_verdict_is_found(rng):
    design = compiled(FIRST_BYTE, width=64, max_frame=200)
    other = decode(load_text(FIRST_BYTE.replace("57 00 0000 03", "57 00 0000 01"), "other"))
    result = simulate(design, [Frame(bytes([n]) * 20) for n in (0, 1, 2, 3, 5)], other)
    assert [str(m) for m in result.mismatches] == [
        "packet 3: did not leave, and must (PASS, r0 = 0x1)",
        "stat_pass is 2, and must be 3",
        "stat_drop is 1, and must be 2",
        "stat_aborted is 2, and must be 0",
    ]


def test_waves(rng, tmp_path):
    design = compiled(FIRST_BYTE, width=64, max_frame=200)
    waves = tmp_path / "waves.fst"
    assert agreed(simulate(design, passing(rng, 5), conditions=Conditions(waves=waves)))
    assert waves.stat().st_size > 1000


def test_waves_without_zlib(monkeypatch, tmp_path):
    monkeypatch.setattr("rxgate.sim.tools.zlib_header", lambda: False)
    design = compiled(FIRST_BYTE, width=64, max_frame=200)
    with pytest.raises(ToolError, match=r"Waves need zlib\.h\. Install zlib1g-dev"):
        simulate(design, [], conditions=Conditions(waves=tmp_path / "waves.fst"))


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        (0, None),
        (1, "tvalid fell before tready"),
        (2, "tdata changed before tready"),
        (3, "tkeep has holes: 0x2"),
        (4, "a beat before the last is not full: tkeep 0x1"),
        (5, "tuser changed within a frame: 0x2, then 0x3"),
        (6, "tuser 0xa has a bit that belongs to the last beat"),
        (7, "an empty beat ends a frame that has bytes"),
        (8, "the last frame has no end"),
        (9, "nothing moves any more"),
        (10, "verdict 7 does not exist"),
    ],
)
def test_a_broken_rule_is_found(fault, rule):
    verilog = Path(__file__).with_name("faulty.v").read_text()
    frames = tuple(Send(bytes(range(10)), False, 2 * n) for n in (0, 0, fault))
    job = Job(frames, user_width=5, user_mask=30, seed=3, stall=0.5, patience=500)
    (stretch,) = run_job(verilog, job)
    assert [frame.data for frame, _ in stretch.left[:2]] == [bytes(range(10))] * 2
    if rule is None:
        assert stretch.faults == []
        assert stretch.counts["pass"] == len(stretch.left) == 3
    else:
        (text,) = stretch.faults
        assert text.endswith(f": {rule}")
        assert "cycle" in text


def test_a_changed_byte_is_seen():
    verilog = Path(__file__).with_name("faulty.v").read_text()
    job = Job((Send(b"\0\0", False, 22), Send(b"\0\0", False, 0)), user_width=5, user_mask=30)
    (stretch,) = run_job(verilog, job)
    assert [frame.data for frame, _ in stretch.left] == [b"\1\0", b"\0\0"]
