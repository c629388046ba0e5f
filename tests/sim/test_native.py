"""The native golden model says what sim/golden.py says, and it is noticed when it does not."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
import rxgate
from rxgate.compiler.decode import decode
from rxgate.compiler.driver import compile_program
from rxgate.compiler.errors import RxgateError
from rxgate.compiler.insn import AluOp
from rxgate.compiler.load.text import load_text
from rxgate.compiler.options import Options
from rxgate.ctx_map.descriptor import SIGNALS
from rxgate.ctx_map.nics import FRONT_END
from rxgate.hdl.config import GateConfig, OnDrop
from rxgate.sim import translate
from rxgate.sim.captures import read_capture
from rxgate.sim.fast import simulate_fast
from rxgate.sim.fuzz import draw
from rxgate.sim.golden import Frame, Golden
from rxgate.sim.interp import ExecutionFault
from rxgate.sim.packets import generate

pytestmark = pytest.mark.rtl

CAPTURES = Path(rxgate.__file__).parent / "examples" / "captures"
TIMES_THREE = """
    bf 16 0000 00000000  # r6 = r1
    30 00 0000 00000000  # r0 = packet[0], or leave with 0
    27 00 0000 03000000  # r0 *= 3
    57 00 0000 01000000  # r0 &= 1
    95 00 0000 00000000
"""


def program(text):
    return decode(load_text(text, "test"))


def traffic(seed, count=400):
    """Frames of all kinds: generated, captured, cut anywhere, random, with errors and numbers."""
    rng = random.Random(seed)
    captured = [f.data for path in CAPTURES.glob("*.pcap*") for f in read_capture(path)]
    found = generate(count, seed) + rng.choices(captured, k=count)
    found += [rng.randbytes(rng.randrange(40)) for _ in range(count // 4)]
    found += [f[: rng.randrange(70)] for f in rng.sample(found, count // 2)]
    return [
        Frame(data, rng.random() < 0.1, rng.getrandbits(32), rng.getrandbits(32)) for data in found
    ]


@pytest.fixture
def seed():
    chosen = random.SystemRandom().getrandbits(32)
    print(f"seed {chosen}")
    return chosen


@pytest.mark.parametrize("max_frame", [1, 14, 15, 60, 9216])
@pytest.mark.parametrize("strip", [False, True])
def test_every_descriptor_field(native_model, seed, strip, max_frame):
    config = GateConfig(
        64, stream_fields=tuple(s.name for s in SIGNALS), strip_vlan=strip, max_frame=max_frame
    )
    key = bytes(range(3, 43))
    model = native_model(program(TIMES_THREE), config, hash_key=key)
    golden = Golden(program(TIMES_THREE), config, hash_key=key)
    for frame in traffic(seed):
        _, tuser, seen, bad = model.send(frame)
        wanted = golden.send(frame)
        assert (hex(tuser), seen, bad) == (
            hex(golden.tuser(wanted)), wanted.received.frame, wanted.bad
        ), frame


@pytest.mark.parametrize("on_drop", OnDrop)
@pytest.mark.parametrize("store_and_forward", [False, True])
def test_what_becomes_of_frames(native_model, seed, on_drop, store_and_forward):
    config = GateConfig(64, on_drop=on_drop, store_and_forward=store_and_forward, max_frame=100)
    model = native_model(program(TIMES_THREE), config)
    golden = Golden(program(TIMES_THREE), config)
    for frame in traffic(seed, 100):
        sent, *_ = model.send(frame)
        wanted = golden.judge(golden.send(frame))
        assert model.judge(sent)[1:] == (wanted.counter, wanted.out is not None)


def accepted(seed):
    """The first random program from a seed on, in steps, that is not refused."""
    for attempt in range(20):
        case = draw(seed + 16 * attempt, 60)
        try:
            return case, compile_program(replace(case.program, nic=FRONT_END), case.options)
        except RxgateError:
            continue
    raise AssertionError("all programs are refused")


@pytest.mark.parametrize("number", range(16))
def test_random_programs(native_model, seed, number):
    case, design = accepted((seed & ~7) + number)
    chosen = {"prandom_seed": case.options.prandom_seed, "hash_key": case.options.hash_key}
    model = native_model(design.program, design.config, **chosen)
    golden = Golden(design.program, design.config, **chosen)
    rng = random.Random(seed)
    for n, data in enumerate(case.frames):
        frame = Frame(data, ingress_ifindex=n % 5, rx_queue_index=n % 7)
        ktime, count = rng.getrandbits(64), rng.getrandbits(32)
        sent, *_ = model.send(frame)
        wanted = golden.expect(golden.send(frame), count, ktime=ktime).outcome
        assert hex(model.judge(sent, ktime, count)[0]) == hex(wanted.r0), data.hex()


def test_what_no_verified_program_does(native_model):
    outside = program("""
        7b 0a f8fd 00000000  # *(u64 *)(r10 - 520) = r0
        95 00 0000 00000000
    """)
    model, golden = native_model(outside), Golden(outside, GateConfig(64))
    sent, *_ = model.send(Frame(b"\0"))
    assert model.judge(sent) is None
    with pytest.raises(ExecutionFault):
        golden.judge(golden.send(Frame(b"\0")))


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ("a * b + 1", "(1, 'pass', True) instead of (0, 'drop', False)"),
        ("a * b + (a > 9)", "a difference that is none"),
    ],
)
def test_a_wrong_native_model_is_told_from_wrong_hardware(monkeypatch, wrong, what):
    design = compile_program(program(TIMES_THREE), Options(width=64))
    monkeypatch.setitem(translate.ALU, AluOp.MUL, wrong)
    frames = [Frame(bytes([n % 8 if n < 1000 else n % 256])) for n in range(3000)]
    result = simulate_fast(design.verilog, design.config, design.inputs, frames, design.program)
    assert not result.agreed
    assert "the native golden model disagrees with the interpreter" in result.mismatches[0].what
    assert what in result.mismatches[0].what
