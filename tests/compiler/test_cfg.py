"""Which control flow is accepted, how blocks are ordered, and how loops nest."""

import pytest
from rxgate.compiler.cfg import BasicBlock, build_cfg
from rxgate.compiler.errors import Unsupported, VerifyError
from rxgate.compiler.insn import (
    Alu,
    AluOp,
    CallLocal,
    Exit,
    Goto,
    Imm,
    Insn,
    Jump,
    JumpOp,
    LoadImm64,
    LoadPacket,
    Program,
    Reg,
)
from rxgate.ctx_map.context import XDP_METADATA

MOV = Alu(AluOp.MOV, 64, 0, Imm(0))


def branch(target: int) -> Jump:
    return Jump(JumpOp.EQ, 64, 1, Imm(0), target)


def program(*insns: Insn | None) -> Program:
    return Program("p", "s", XDP_METADATA, insns)


def refusal(kind: type[Exception], *insns: Insn | None) -> str:
    with pytest.raises(kind) as caught:
        build_cfg(program(*insns))
    assert type(caught.value) is kind
    return str(caught.value)


def blocks(*insns: Insn | None) -> dict[int, BasicBlock]:
    """The blocks of the function at slot 0."""
    return dict(build_cfg(program(*insns)).functions[0].blocks)


def test_straight_line():
    assert blocks(MOV, Exit()) == {0: BasicBlock(0, (0, 1), Exit(), (), (), (0,))}


def test_a_wide_load_is_one_instruction():
    assert blocks(LoadImm64(0, 1), None, Exit())[0].slots == (0, 2)


def test_blocks_laid_out_backward_are_no_loop():
    found = blocks(Goto(5), MOV, Exit(), MOV, Goto(1), MOV, Goto(3))
    assert sorted(found, key=lambda n: found[n].ranks) == [0, 5, 3, 1]
    assert not any(b.loops for b in found.values())


def test_a_loop_and_what_follows_it():
    found = blocks(MOV, MOV, branch(1), Exit())
    assert {n: (b.loops, b.ranks) for n, b in found.items()} == {
        0: ((), (0,)), 1: ((1,), (1, 0)), 3: ((), (2,)),
    }


def test_a_block_that_jumps_to_itself():
    assert blocks(MOV, branch(1), Exit())[1].loops == (1,)


def test_loops_inside_a_loop():
    found = blocks(MOV, MOV, branch(2), branch(1), MOV, branch(4), branch(1), Exit())
    assert {n: b.loops for n, b in found.items()} == {
        0: (), 1: (1,), 2: (1, 2), 3: (1,), 4: (1, 4), 6: (1,), 7: (),
    }
    inner = [found[n].ranks for n in (1, 2, 3, 4, 6)]
    assert inner == sorted(inner)


def test_a_loop_backward_through_other_blocks():
    found = blocks(Goto(4), MOV, branch(5), Exit(), Goto(1), Goto(4))
    assert {n: b.loops for n, b in found.items()} == {0: (), 4: (4,), 1: (4,), 5: (4,), 3: ()}


def test_a_loop_with_two_entries():
    assert refusal(Unsupported, branch(3), MOV, MOV, MOV, branch(2), Exit()) == (
        "section s, instruction 2: a jump leads into the middle of the loop that begins here; a loop"
        " can be unrolled only if it is entered at one place"
    )


def test_recursion():
    assert refusal(Unsupported, MOV, CallLocal(3), Exit(), CallLocal(3), Exit()) == (
        "section s, instruction 3: function at slot 3 calls itself; a pipeline cannot recurse"
    )
    assert "instruction 0: function at slot 2 calls itself" in refusal(
        Unsupported, CallLocal(2), Exit(), MOV, CallLocal(0), Exit()
    )


def test_unreachable_code():
    assert refusal(VerifyError, Goto(2), MOV, MOV, Exit()) == (
        "section s, instruction 1: no path reaches this instruction"
    )


def test_unreachable_function():
    assert refusal(VerifyError, MOV, Exit(), CallLocal(2), Exit()) == (
        "section s, instruction 2: no path calls this function"
    )


@pytest.mark.parametrize("last", [MOV, branch(0), CallLocal(0), LoadPacket(1, None, 0)])
def test_falling_off_the_end(last):
    assert refusal(VerifyError, MOV, last) == (
        "section s, instruction 1: control can fall off the end of the function; the last"
        " instruction must be an exit or an unconditional jump"
    )


def test_falling_off_the_end_after_a_wide_load():
    assert "instruction 0: control can fall off" in refusal(VerifyError, LoadImm64(0, 1), None)


def test_falling_into_another_function():
    assert "instruction 1: control can fall off" in refusal(
        VerifyError, CallLocal(2), MOV, MOV, Exit()
    )


def test_jump_between_functions():
    assert refusal(VerifyError, CallLocal(2), Exit(), branch(1), Exit()) == (
        "section s, instruction 2: the jump to slot 1 leaves its function (slots 2 to 3); call the"
        " other function instead"
    )


def nested(depth: int) -> tuple[Insn, ...]:
    """`depth` functions, each of which calls the next."""
    insns: list[Insn] = []
    for n in range(depth - 1):
        insns += [CallLocal(2 * n + 2), Exit()]
    return (*insns, MOV, Exit())


def test_depth_of_calls():
    assert len(build_cfg(program(*nested(8))).functions) == 8
    assert refusal(VerifyError, *nested(9)) == (
        "section s, instruction 14: more than 8 nested functions"
    )


def test_size_after_inlining():
    insns: list[Insn] = []
    for n in range(7):
        insns += [*[CallLocal(11 * (n + 1))] * 10, Exit()]
    assert refusal(Unsupported, *insns, MOV, Exit()) == (
        "more than 100000 instructions after inlining all calls"
    )


def test_many_blocks():
    """Blocks of a long program are found in linear time."""
    insns = [i for n in range(4000) for i in (branch(2 * n + 2), Alu(AluOp.ADD, 64, 1, Reg(1)))]
    assert len(blocks(*insns, MOV, Exit())) == 8001
