"""Tunables that a host changes while frames go through: no frame sees a part of a change."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import pytest
from amaranth.hdl import Signal
from rxgate.compiler.decode import decode
from rxgate.compiler.driver import compile_program
from rxgate.compiler.load import load_program
from rxgate.compiler.options import Options
from rxgate.compiler.tunables import retuned, tuned
from rxgate.ctx_map.models import describe
from rxgate.ctx_map.registers import BY_NAME, place_tunables
from rxgate.ctx_map.verdicts import Verdict
from rxgate.hdl.control import Control
from rxgate.sim.axil import OKAY, SLVERR, Master, ResponseError
from rxgate.sim.cocotb_engine import simulate_cocotb
from rxgate.sim.conditions import Conditions
from rxgate.sim.fast import simulate_fast
from rxgate.sim.golden import Frame, Golden
from rxgate.sim.interp import Interpreter
from rxgate.sim.kernel import available, compare
from rxgate.sim.mismatch import diagnose
from rxgate.sim.retune import COMMIT, Retune, draw, writes
from rxgate.sim.saved import dump, load
from rxgate.sim.testbench import saved, write_testbench

SOURCE = """
#include <linux/bpf.h>
#include <rxgate/xdp.h>
const volatile struct { __u32 left; __u8 shift, mask; __u64 right; } twin = {5, 1, 15, 5};
const volatile __u8 table[11] = {1, 2, 3};
SEC("xdp") int twins(struct xdp_md *ctx)
{
	__u8 *b = (void *)(long)ctx->data;

	if (b + 15 > (__u8 *)(long)ctx->data_end)
		return XDP_DROP;
	if (twin.left != twin.right)
		return XDP_ABORTED;
	if (table[b[0] & 7] == (b[14] >> (twin.shift & 7)))
		return XDP_TX;
	return b[1] & twin.mask ? XDP_PASS : XDP_DROP;
}
"""
NAMES = ("twin", "table")


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    path = tmp_path_factory.mktemp("twins") / "twins.c"
    path.write_text(SOURCE)
    return decode(load_program(path))


def compiled(program, **options):
    return compile_program(program, Options(max_frame=200, tunables=NAMES, **options))


def traffic(count: int, seed: int) -> list[Frame]:
    rng = random.Random(seed)
    frames = [bytes(rng.choice((0, 1, 2, 3, 9)) for _ in range(30)) for _ in range(20)]
    return [Frame(rng.choice(frames)[: rng.choice((14, 15, 30, 30))]) for _ in range(count)]


def twins(program, frames, count: int, seed: int) -> tuple[Retune, ...]:
    """Changes after each of which the two words are the same, and never as they were."""
    rng, changes = random.Random(seed), []
    for n, change in enumerate(draw(program, [f.data for f in frames], count, rng)):
        word = 1000 + n
        image = bytearray(change.image)
        image[0:4], image[8:16] = word.to_bytes(4, "little"), word.to_bytes(8, "little")
        changes.append(Retune(change.before, bytes(image)))
    return tuple(changes)


def run(engine: Callable, design, frames, changes, verilog=None, **conditions):
    return engine(
        verilog or design.verilog, design.config, design.inputs, frames, design.program,
        conditions=Conditions(**conditions), retunes=changes,
    )  # fmt: skip


def test_a_host_writes_what_changes(program):
    """Whatever the order and the detours, in the end the registers hold what they must."""
    tunables = place_tunables([("a", bytes(5)), ("b", bytes(1)), ("c", bytes(8))])
    rng = random.Random(3)
    for _ in range(200):
        old = rng.choice((bytes(14), rng.randbytes(14)))
        new = rng.choice((old, rng.randbytes(14), old[:6] + rng.randbytes(8)))
        *steps, commit = writes(tunables, old, new, rng)
        assert (commit.address, commit.value) == (BY_NAME["command"].offset, COMMIT)
        at, places = 0, {}
        for t in tunables:
            places |= {t.offset + n: at + n for n in range(t.size)}
            at += t.size
        held = bytearray(old)
        for step in steps:
            for n in range(4):
                if step.strobe >> n & 1 and step.address + n in places:
                    held[places[step.address + n]] = step.value >> 8 * n & 0xFF
        assert held == new


def test_a_host_of_a_user_says_what_it_wants():
    """A master writes whole variables, then commits; and reads them."""
    words: dict[int, int] = {}

    class Host(Master):
        def __init__(self):
            pass

        async def write_word(self, address, value, strobe=15):
            words[address] = value
            return OKAY if address < 0x1010 else SLVERR

        async def read_word(self, address):
            return (OKAY, words[address])

    tunables = place_tunables([("a", bytes(5)), ("b", bytes(1)), ("c", bytes(8))])
    a, b, c = tunables
    asyncio.run(Host().tune({a: b"12345", b: b"6"}))
    assert words == {0x1000: 0x34333231, 0x1004: 0x35, 0x1008: 0x36, 0x104: COMMIT}
    assert list(words)[-1] == 0x104
    assert asyncio.run(Host().written(a)) == b"12345"
    with pytest.raises(ResponseError, match="c at 0x1010 is answered with response 2"):
        asyncio.run(Host().tune({c: bytes(8)}))
    with pytest.raises(ValueError, match="c has 8 bytes, not 1"):
        asyncio.run(Host().tune({c: b"1"}))


def test_the_model_takes_what_it_is_told(program):
    chosen = tuned(program, NAMES)
    design = compiled(program)
    model = Golden(chosen, design.config)
    sent = model.send(Frame(bytes([0, 1] + [9] * 28)))
    first = model.first_image
    assert first == chosen.tunable_image() == design.program.tunable_image()
    torn = b"\x06" + first[1:]
    verdicts = [
        model.judge(sent, image=image).outcome.verdict for image in (None, torn, None, first)
    ]
    assert verdicts == [Verdict.PASS, Verdict.ABORTED, Verdict.ABORTED, Verdict.PASS]
    assert retuned(chosen, torn).tunable_image() == torn
    with pytest.raises(ValueError, match="tunables \\(\\) are not those of the gate"):
        Golden(program, design.config)


@pytest.mark.skipif(available() is not None, reason=str(available()))
def test_the_kernel_agrees_for_any_tunables(program):
    """What a loader would have set, and what the host has written, is the same."""
    chosen = tuned(program, NAMES)
    frames = [f.data for f in traffic(60, 10)]
    interpreter = Interpreter(chosen)
    for change in twins(chosen, traffic(10, 11), 5, 12):
        loaded = retuned(chosen, change.image)
        report = compare(loaded, frames)
        assert report.refused == ""
        assert [str(d) for d in report.disagreements] == []
        assert report.packets
        interpreter.tune(change.image)
        other = Interpreter(loaded)
        for frame in frames:
            descriptor = describe(frame).descriptor
            assert interpreter.run(frame, descriptor) == other.run(frame, descriptor)


@pytest.mark.rtl
@pytest.mark.parametrize(
    ("engine", "width"), [(simulate_fast, 64), (simulate_fast, 512), (simulate_cocotb, 64)]
)
def test_no_frame_sees_a_part_of_a_change(program, engine, width):
    """The program aborts when it sees two words that do not belong together."""
    design = compiled(program, width=width)
    count = 20_000 if engine is simulate_fast else 400
    frames = traffic(count, 1)
    changes = twins(design.program, frames, count // 10, 2)
    for seed, conditions in enumerate(({}, {"idle": 0.3, "stall": 0.3, "random_start": True})):
        result = run(engine, design, frames, changes, seed=seed, **conditions)
        assert [str(m) for m in result.mismatches] == []
        assert result.agreed
        assert result.counts["aborted"] == 0
        assert all(result.counts[name] for name in ("pass", "drop", "tx"))
        assert result.images > count // 40
        assert result.to_json()["tunable_images"] == result.images
        if not conditions and width == 512:
            assert result.cycles <= count + design.gate.latency


@pytest.mark.rtl
def test_frames_are_left_out_and_tunables_change(program):
    """Without back-pressure each frame that comes in still has the tunables of its launch."""
    design = compiled(program, width=64, backpressure=False)
    frames = traffic(5000, 4)
    for engine, count in ((simulate_fast, 5000), (simulate_cocotb, 300)):
        some = frames[:count]
        result = run(
            engine, design, some, twins(design.program, some, count // 10, 5), stall=0.8, seed=1
        )
        assert [str(m) for m in result.mismatches] == []
        assert result.counts["overflow"]
        assert result.counts["aborted"] == 0


@pytest.mark.rtl
def test_a_reset_brings_tunables_back(program):
    design = compiled(program, width=64)
    frames = traffic(300, 6)
    result = simulate_cocotb(
        design.verilog, design.config, design.inputs, frames, design.program,
        retunes=twins(design.program, frames, 60, 7), resets=(90, 401),
    )  # fmt: skip
    assert [str(m) for m in result.mismatches] == []
    assert result.images > 5


def at_once(self, m, commit, written):
    """Packets see what is written at once."""
    number = plain(self, m, commit, written)
    m.d.comb += self.o_tunables.eq(written)
    return number


def by_words(self, m, commit, written):
    """All but the first word of the tunables changes a cycle later."""
    number = plain(self, m, commit, written)
    initial = b"".join(t.initial for t in self.tunables)[4:]
    late, again = Signal(8 * len(initial), init=int.from_bytes(initial, "little")), Signal()
    m.d.sync += again.eq(commit)
    with m.If(again):
        m.d.sync += late.eq(written[32:])
    m.d.comb += self.o_tunables[32:].eq(late)
    return number


plain = Control._commit


@pytest.mark.rtl
@pytest.mark.parametrize("broken", [at_once, by_words])
def test_hardware_that_tears_is_found(program, monkeypatch, broken):
    monkeypatch.setattr(Control, "_commit", broken)
    bad = compiled(program, width=64)
    verilog = bad.verilog
    monkeypatch.undo()
    design = compiled(program, width=64)
    assert verilog != design.verilog
    frames = traffic(2000, 8)
    changes = twins(design.program, frames, 200, 9)
    result = run(simulate_fast, design, frames, changes, verilog)
    assert not result.agreed
    assert result.counts["aborted"]


@pytest.mark.rtl
def test_a_packet_is_diagnosed_with_its_tunables(program, tmp_path):
    """Hardware that reads another byte is found out; only a change of the tunables shows it."""
    source = tmp_path / "twins.c"
    source.write_text(SOURCE.replace("b[1] & twin.mask", "b[2] & twin.mask"))
    other = compiled(decode(load_program(source)), width=64, trace=True)
    design = compiled(program, width=64, trace=True)
    frames = [Frame(bytes([0, 2, 1] + [9] * 27))] * 50
    changed = bytearray(design.program.tunable_image())
    changed[5] = 2
    result = run(simulate_fast, design, frames, [Retune(5, bytes(changed))], other.verilog)
    first = result.mismatches[0]
    assert first.expected is not None
    assert first.expected.image == changed
    options = Options(max_frame=200, tunables=NAMES, width=64, trace=True)
    alone = compile_program(retuned(other.program, bytes(changed)), options).verilog
    assert diagnose(design, first, alone).stage is not None


def test_a_saved_program_keeps_its_tunables(program):
    design = compiled(program, width=64)
    before = saved(design)
    after = load(dump(before))
    assert dump(after) == dump(before)
    assert after.config == design.config
    assert after.program.tunables == NAMES
    assert after.program.tunable_image() == design.program.tunable_image()
    assert after.golden().first_image == before.golden().first_image
    assert replace(after.program, tunables=(), variables={}).data == program.data


@pytest.mark.rtl
def test_the_bench_for_users_changes_tunables(program, tmp_path):
    design = compiled(program, width=64)
    write_testbench(design, tmp_path, seed=3)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    good = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert good.returncode == 0, good.stdout
    assert "6 passed" in good.stdout
    described = tmp_path / "design.json"
    text = described.read_text()
    offset = '"twin": {"section": ".rodata", "offset": 0,'
    assert offset in text
    described.write_text(text.replace(offset, offset.replace("0,", "1,")))
    assert any(notices(command, tmp_path, seed) for seed in range(8))


def notices(command, folder, seed) -> bool:
    """Whether the bench sees wrong tunables. A change that aborts every frame hides them."""
    done = subprocess.run(
        [*command, "-k", "tunables"], cwd=folder, capture_output=True, text=True, check=False,
        env=os.environ | {"COCOTB_RANDOM_SEED": str(seed)},
    )
    return done.returncode == 1
