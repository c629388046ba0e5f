"""The running kernel gives the golden interpreter's return values; skipped without bpf(2)."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from rxgate.compiler.cfg import build_cfg
from rxgate.compiler.insn import Alu, AluOp, Call, CallLocal, Exit, Imm, LoadPacket, Program
from rxgate.compiler.source import read_expression, read_program
from rxgate.compiler.verify import verify
from rxgate.ctx_map.context import XDP_METADATA
from rxgate.ctx_map.helpers import Helper
from rxgate.sim import bpf_syscall, kernel
from rxgate.sim.captures import read_capture
from rxgate.sim.directed import directed
from rxgate.sim.interp import Interpreter, Outcome
from rxgate.sim.kernel import available, compare, program_type, runnable
from rxgate.sim.packets import Mix, generate
from rxgate.sim.xdp_generator import random_xdp_program

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.c"))
FRAMES = 300

pytestmark = pytest.mark.skipif(available() is not None, reason=str(available()))


def expressions(path: str) -> list[str]:
    """Those of a file without comments and without marks that they are special."""
    lines = (ROOT / path).read_text().splitlines()
    return [line for line in lines if line and line[0] not in "#@"]


@cache
def captured() -> tuple[bytes, ...]:
    """The frames of the shipped captures."""
    paths = sorted((ROOT / "examples" / "captures").glob("*.pcap*"))
    return tuple(f.data for path in paths for f in read_capture(path))


def check(program: Program) -> None:
    frames = [*directed(program, FRAMES, seed=2), *generate(20, 3, Mix.JUMBO), *captured()]
    report = compare(program, frames, seed=7)
    assert report.refused == ""
    assert [str(d) for d in report.disagreements] == []
    kind = program_type(program)
    assert report.packets == sum(runnable(f, kind) for f in frames) >= FRAMES // 2
    assert report.packets + report.skipped_frames == len(frames)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_example(path: Path) -> None:
    check(read_program(str(path)))


@pytest.mark.parametrize("seed", range(40))
def test_random_xdp_parser(seed: int) -> None:
    program = random_xdp_program(seed, size=(3, 8, 14, 20)[seed % 4])
    report = compare(program, directed(program, 40, seed, effort=60))
    if verify(build_cfg(program)).guarded():
        assert "offset is outside of the packet" in report.refused
        return
    assert report.refused == ""
    assert [str(d) for d in report.disagreements] == []
    assert report.packets >= 20


@pytest.mark.parametrize(
    "expression",
    expressions("examples/expressions.txt") + expressions("tests/sim/expressions.txt")[::6],
)
def test_expression(expression: str) -> None:
    check(read_expression(expression))


@pytest.mark.parametrize("expression", ["ifindex 3", "not ifindex 1", "ether[-4096 + 24:4] = 2"])
def test_descriptor_of_a_filter(expression: str) -> None:
    check(read_expression(expression))


def test_frames_at_the_limits_of_a_test_run() -> None:
    """What `runnable` says is what the kernel does; it would raise OSError."""
    kinds = (0x0800, 0x86DD, 0x8100, 0x0806, 60)
    frames = [
        (bytes(12) + kind.to_bytes(2, "big")).ljust(size, b"\xa5")[:size]
        for kind in kinds
        for size in (*range(60), kernel.LONGEST, kernel.LONGEST + 1)
    ]
    report = compare(read_expression("len & 1 = 1"), frames)
    assert (report.refused, report.disagreements) == ("", ())
    assert report.packets == (46 + 1) * 3 + 27 + 7


def program(*insns: object, functions: dict[int, str] | None = None) -> Program:
    return Program("p", "phys_dev", XDP_METADATA, insns, functions or {0: "p"})  # type: ignore


def test_a_disagreement_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(Interpreter):
        def run(self, *args: object, number: int = 0, **rest: object) -> Outcome:
            outcome = super().run(*args, number=number, **rest)  # type: ignore
            return Outcome(outcome.verdict, outcome.r0 ^ (number == 5))

    monkeypatch.setattr(kernel, "Interpreter", Wrong)
    report = compare(read_expression("len = 60"), [bytes(60)] * 9)
    assert [(d.index, d.kernel ^ d.interpreter) for d in report.disagreements] == [(5, 1)]
    assert str(report.disagreements[0]).startswith("frame 5 (60 bytes): interpreter PASS (r0 = ")


def test_a_changed_frame_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    right = bpf_syscall.test_run

    def changed(program: int, sent: bytes, repeat: int) -> tuple[int, bytes, int]:
        returned, frame, ns = right(program, sent, repeat)
        return returned, frame[:-1] + b"\1", ns

    monkeypatch.setattr(bpf_syscall, "test_run", changed)
    report = compare(read_expression("len = 60"), [bytes(60)])
    assert [str(d) for d in report.disagreements] == [
        f"frame 0: the kernel changed {'00' * 60} into {'00' * 59}01"
    ]


def test_a_refusal_has_the_verifiers_words(monkeypatch: pytest.MonkeyPatch) -> None:
    accepted, inputs = kernel.rewrite(program(Alu(AluOp.MOV, 64, 0, Imm(0)), Exit()))
    broken = replace(accepted, insns=(Exit(),))
    monkeypatch.setattr(kernel, "rewrite", lambda _: (broken, inputs))
    report = compare(accepted, [bytes(60)])
    assert (report.packets, report.skipped_frames) == (0, 1)
    assert report.refused.endswith("R0 !read_ok")


def test_what_a_kernel_may_not_survive_is_known() -> None:
    call, load, leave = CallLocal(2), LoadPacket(1, None, 0), Exit()
    assert kernel.breaks_verifiers(program(call, leave, load, leave, functions={0: "p", 2: "f"}))
    assert not kernel.breaks_verifiers(program(load, leave, leave, functions={0: "p", 2: "f"}))
    assert not kernel.breaks_verifiers(program(load, leave))


def test_what_is_accepted_as_it_is() -> None:
    assert kernel.accepted(random_xdp_program(1))
    assert not kernel.accepted(program(Exit()))


def test_what_cannot_be_put_to_the_kernel_is_refused_with_the_reason() -> None:
    read = program(
        CallLocal(3), CallLocal(3), Exit(), Call(Helper.GET_PRANDOM_U32), Exit(),
        functions={0: "p", 3: "f"},
    )
    assert "depends on which call leads there" in compare(read, [bytes(60)]).refused
