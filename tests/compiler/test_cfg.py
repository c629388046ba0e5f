"""Which control flow is accepted, and in which order blocks come."""

import pytest
from rxgate.compiler.cfg import EdgeKind, build_cfg
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


def test_straight_line():
    [block] = build_cfg(program(MOV, Exit())).blocks
    assert (block.start, block.end, block.edges[0].kind, block.edges[0].target) == (
        0, 2, EdgeKind.RETURN, None,
    )


def test_text():
    graph = build_cfg(program(branch(3), MOV, Exit(), LoadPacket(1, None, 0), Exit()))
    assert str(graph) == (
        "block 0: slots 0..0\n    taken -> block 2\n    not taken -> block 1\n"
        "block 1: slots 1..2\n    return -> exit\n"
        "block 2: slots 3..3\n    load in range -> block 3\n    load out of range -> block 4\n"
        "block 3: slots 4..4\n    return -> exit\n"
        "block 4: no slots\n    return after a load out of range -> exit\n"
    )


def test_blocks_laid_out_backward_come_in_topological_order():
    graph = build_cfg(program(Goto(5), MOV, Exit(), MOV, Goto(1), MOV, Goto(3)))
    assert [b.start for b in graph.blocks] == [0, 5, 3, 1]


def test_every_edge_goes_forward():
    graph = build_cfg(program(
        branch(4), CallLocal(7), branch(4), MOV, MOV, CallLocal(7), Exit(),
        branch(9), LoadPacket(1, None, 0), MOV, Exit(),
    ))
    for block in graph.blocks:
        assert all(e.target is None or e.target > block.number for e in block.edges)
    assert [b.chain for b in graph.blocks if b.start == 7 and b.end > 7] == [(1,), (5,)]


def test_loop():
    assert refusal(Unsupported, MOV, branch(0), Exit()) == (
        "section s, instruction 1: the jump back to slot 0 makes a loop; a pipeline runs every"
        " instruction at most once. Unroll it in the source (#pragma unroll with a constant bound)"
    )


def test_jump_to_itself():
    assert "instruction 1: the jump back to slot 1 makes a loop" in refusal(
        Unsupported, MOV, branch(1), Exit()
    )


def test_loop_backward_through_other_blocks():
    assert refusal(Unsupported, Goto(3), MOV, branch(5), Goto(1), Exit(), Goto(3)) == (
        "section s, instruction 5: the jump back to slot 3 makes a loop; a pipeline runs every"
        " instruction at most once. Unroll it in the source (#pragma unroll with a constant bound)"
    )


def test_recursion():
    assert refusal(Unsupported, MOV, CallLocal(3), Exit(), CallLocal(3), Exit()) == (
        "section s, instruction 3: function at slot 3 calls itself; a pipeline cannot recurse"
    )
    assert "instruction 3: function main calls itself" in refusal(
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
    assert max(b.depth for b in build_cfg(program(*nested(8))).blocks) == 7
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
    assert len(build_cfg(program(*insns, MOV, Exit())).blocks) == 8001
