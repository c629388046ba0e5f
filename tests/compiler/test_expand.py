"""bpf_loop and number iterators as BPF functions: what they return, and which callback is meant."""

import pytest
from rxgate.compiler.decode import decode
from rxgate.compiler.errors import Unsupported
from rxgate.compiler.expand import BPF_LOOP, MAX_LOOPS, expand
from rxgate.compiler.insn import (
    FP,
    Alu,
    AluOp,
    Call,
    CallExtern,
    Exit,
    Goto,
    Imm,
    Insn,
    Jump,
    JumpOp,
    Load,
    LoadFunction,
    LoadImm64,
    Program,
    Reg,
)
from rxgate.compiler.load import load_program
from rxgate.ctx_map.context import XDP_METADATA
from rxgate.ctx_map.models import describe
from rxgate.sim.interp import Interpreter


def mov(dst: int, value: int | Reg) -> Alu:
    return Alu(AluOp.MOV, 64, dst, value if isinstance(value, Reg) else Imm(value))


def program(*insns: Insn | None, **functions: int) -> Program:
    return Program("p", "s", XDP_METADATA, insns, {0: "main"} | {s: n for n, s in functions.items()})


def result(tested: Program) -> int:
    r0 = Interpreter(tested).run(b"", describe(b"").descriptor).r0
    return r0 - (1 << 64) if r0 >> 63 else r0


def looped(count: int, flags: int = 0, stop_at: int = -1) -> Program:
    """bpf_loop with a callback that returns 1 for index `stop_at`."""
    return program(
        mov(1, count), LoadFunction(2, 8), None, mov(3, 0), mov(4, flags), Call(BPF_LOOP), Exit(),
        Exit(), mov(0, 0), Jump(JumpOp.NE, 64, 1, Imm(stop_at), 11), mov(0, 1), Exit(), each=8,
    )


@pytest.mark.parametrize(("tested", "r0"), [
    (looped(5), 5), (looped(0), 0), (looped(5, stop_at=0), 1), (looped(5, stop_at=3), 4),
    (looped(5, flags=1), -22), (looped(MAX_LOOPS + 1), -7), (looped(-1), -7),
])
def test_bpf_loop(tested, r0):
    """Kernel: kernel/bpf/bpf_iter.c, bpf_loop."""
    assert result(tested) == r0


def iterated(start: int, end: int, then: list[Insn]) -> Program:
    """An iterator on the stack at -8, made with r2 and r3, and what follows."""
    return program(
        mov(6, Reg(FP)), Alu(AluOp.ADD, 64, 6, Imm(-8)), mov(1, Reg(6)), mov(2, start), mov(3, end),
        CallExtern("bpf_iter_num_new"), *then, Exit(),
    )


@pytest.mark.parametrize(("start", "end", "r0"), [
    (0, 5, 0), (5, 5, 0), (6, 5, -22), (0, MAX_LOOPS, 0), (0, MAX_LOOPS + 1, -7),
    (-(1 << 31), (1 << 31) - 1, -7), (-5, -2, 0),
])
def test_new(start, end, r0):
    assert result(iterated(start, end, [])) == r0


@pytest.mark.parametrize(("start", "end", "numbers"), [
    (0, 3, [0, 1, 2]), (-2, 1, [-2, -1, 0]), (4, 4, []), (5, 4, []), (7, 8, [7]),
])
def test_next(start, end, numbers):
    """As many calls as there are numbers give them, every further one NULL."""
    for n in range(len(numbers) + 2):
        calls: list[Insn] = []
        for _ in range(n + 1):
            calls += [mov(1, Reg(6)), CallExtern("bpf_iter_num_next")]
        if n < len(numbers):
            calls.append(Load(4, 0, 0, 0, signed=True))
        wanted = numbers[n] if n < len(numbers) else 0
        assert result(iterated(start, end, calls)) == wanted


def test_slots_stay_and_functions_come_once():
    tested = program(
        mov(1, 1), LoadFunction(2, 11), None, mov(3, 0), mov(4, 0), Call(BPF_LOOP),
        mov(1, 1), LoadFunction(2, 11), None, Call(BPF_LOOP), Exit(), mov(0, 0), Exit(), each=11,
    )
    expanded = expand(tested)
    assert [s for s, n in enumerate(expanded.insns[:13]) if n != tested.insns[s]] == [1, 5, 7, 9]
    assert dict(expanded.functions) == {0: "main", 11: "each", 13: "bpf_loop(each)"}
    assert expand(expanded) is expanded


def test_a_callback_that_was_copied():
    tested = program(
        LoadFunction(6, 10), None, Jump(JumpOp.EQ, 64, 1, Imm(0), 4), mov(7, 0), mov(1, 2),
        mov(2, Reg(6)), mov(3, 0), mov(4, 0), Call(BPF_LOOP), Exit(), mov(0, 0), Exit(), each=10,
    )
    assert result(tested) == 2


def test_a_callback_that_depends_on_the_path():
    tested = program(
        LoadFunction(2, 10), None, Jump(JumpOp.EQ, 64, 1, Imm(0), 5), LoadFunction(2, 12), None,
        mov(1, 2), mov(3, 0), mov(4, 0), Call(BPF_LOOP), Exit(), mov(0, 0), Exit(), mov(0, 1),
        Exit(), one=10, other=12,
    )
    with pytest.raises(Unsupported, match=r"instruction 8: which function bpf_loop\(\) calls back"):
        expand(tested)


def test_registers_that_are_copied_in_a_circle():
    tested = program(
        mov(7, Reg(6)), mov(6, Reg(7)), mov(2, Reg(6)), mov(1, 2), mov(3, 0), mov(4, 0),
        Call(BPF_LOOP), Exit(),
    )
    with pytest.raises(Unsupported, match="instruction 6: which function"):
        expand(tested)


def test_a_callback_that_is_a_number():
    tested = program(mov(1, 2), LoadImm64(2, 5), None, Goto(4), Call(BPF_LOOP), Exit())
    with pytest.raises(Unsupported, match=r"which function bpf_loop\(\) calls back is not known"):
        expand(tested)


def test_an_address_that_nothing_calls():
    tested = program(LoadFunction(2, 4), None, mov(0, 0), Exit(), mov(0, 1), Exit(), lost=4)
    with pytest.raises(Unsupported, match="instruction 0: the address of function lost is taken"):
        expand(tested)


def test_an_object_with_a_callback(tmp_path):
    source = tmp_path / "p.c"
    source.write_text("""
#include <linux/bpf.h>
#include <rxgate/xdp.h>
static long each(__u32 i, void *ctx) { *(__u32 *)ctx += i; return 0; }
__noinline int g(int x) { return x; }
SEC("xdp") int f(struct xdp_md *ctx) { __u32 x = 0; bpf_loop(5, each, &x, 0); return x; }
SEC("xdp") int h(struct xdp_md *ctx) { int (*volatile p)(int) = g; return p(1); }
""")
    assert result(decode(load_program(source, function="f"))) == 10
    with pytest.raises(Unsupported, match="callx calls an address in a register"):
        decode(load_program(source, function="h"))
