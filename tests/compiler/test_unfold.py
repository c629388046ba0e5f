"""Which block instances there are: calls inlined, loops unrolled as far as they can go round."""

import pytest
from rxgate.compiler.cfg import build_cfg
from rxgate.compiler.errors import Unsupported
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
    Load,
    LoadPacket,
    Program,
    Reg,
)
from rxgate.compiler.unfold import EdgeKind, Graph
from rxgate.compiler.verify import verify
from rxgate.ctx_map.context import XDP_METADATA

LEN = Load(4, 7, 1, 0)
"""r7 = len: a number that nothing is known of."""


def mov(dst: int, value: int | Reg) -> Alu:
    return Alu(AluOp.MOV, 64, dst, value if isinstance(value, Reg) else Imm(value))


def add(dst: int, value: int) -> Alu:
    return Alu(AluOp.ADD, 64, dst, Imm(value))


def below(reg: int, bound: int | Reg, target: int) -> Jump:
    return Jump(JumpOp.LT, 64, reg, bound if isinstance(bound, Reg) else Imm(bound), target)


def unfolded(*insns: Insn | None, max_unroll: int = 256) -> Graph:
    program = Program("p", "s", XDP_METADATA, insns)
    return verify(build_cfg(program), max_unroll=max_unroll).graph


def rounds(graph: Graph, slot: int) -> list[tuple[int, ...]]:
    """The iterations in which the instruction at `slot` runs."""
    return [tuple(n for _, n in b.iterations) for b in graph.blocks if slot in b.slots]


def test_straight_line():
    [block] = unfolded(mov(0, 0), Exit()).blocks
    assert (block.slots, [(e.kind, e.target) for e in block.edges]) == (
        (0, 1), [(EdgeKind.RETURN, None)],
    )


def test_text():
    graph = unfolded(
        LEN, mov(6, Reg(1)), mov(0, 0), below(7, 9, 5), Exit(), LoadPacket(1, None, 0), Exit()
    )
    assert str(graph) == (
        "block 0: slots 0..3\n    taken -> block 2\n    not taken -> block 1\n"
        "block 1: slots 4..4\n    return -> exit\n"
        "block 2: slots 5..5\n    load in range -> block 3\n    load out of range -> block 4\n"
        "block 3: slots 6..6\n    return -> exit\n"
        "block 4: no slots\n    return after a load out of range -> exit\n"
    )


def test_each_call_has_blocks_of_its_own():
    graph = unfolded(
        mov(6, Reg(1)), LEN, mov(0, 0), below(7, 9, 7), CallLocal(11), below(7, 5, 8), mov(2, 0),
        mov(3, 0), mov(1, Reg(6)), CallLocal(11), Exit(), mov(0, 1), Exit(),
    )
    assert [b.chain for b in graph.blocks if 11 in b.slots] == [(4,), (9,)]
    for block in graph.blocks:
        assert all(e.target is None or e.target > block.number for e in block.edges)


def test_a_constant_bound():
    graph = unfolded(mov(0, 0), add(0, 1), below(0, 5, 1), Exit())
    assert rounds(graph, 1) == [(0,), (1,), (2,), (3,), (4,)]
    last = [b for b in graph.blocks if 1 in b.slots][-1]
    assert [e.kind for e in last.edges] == [EdgeKind.NOT_TAKEN]


def test_a_bound_that_is_only_known_as_a_range():
    graph = unfolded(
        LEN, Alu(AluOp.AND, 64, 7, Imm(7)), mov(0, 0), Jump(JumpOp.GE, 64, 0, Reg(7), 6), add(0, 1),
        Goto(3), Exit(),
    )
    assert rounds(graph, 4) == [(n,) for n in range(7)]
    [after] = [b for b in graph.blocks if 6 in b.slots]
    leaving = [b for b in graph.blocks if any(e.target == after.number for e in b.edges)]
    assert len(leaving) == 8


def test_loops_inside_loops():
    graph = unfolded(
        mov(8, 0), mov(9, 0), add(9, 1), below(9, 3, 2), add(8, 1), below(8, 2, 1), mov(0, 0), Exit()
    )
    assert rounds(graph, 2) == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]


def test_a_loop_around_a_call():
    graph = unfolded(
        mov(9, 0), mov(1, Reg(9)), CallLocal(7), add(9, 1), below(9, 3, 1), mov(0, 0), Exit(),
        mov(0, Reg(1)), Exit(),
    )
    assert len([b for b in graph.blocks if 7 in b.slots]) == 3
    assert {b.chain for b in graph.blocks if 7 in b.slots} == {(2,)}


def test_a_loop_without_a_bound_is_refused():
    with pytest.raises(Unsupported) as caught:
        unfolded(LEN, mov(0, 0), add(0, 1), Jump(JumpOp.NE, 64, 0, Reg(7), 2), Exit(), max_unroll=9)
    assert str(caught.value) == (
        "section s, instruction 3: the loop back to slot 2 is not proven to end within 9 iterations;"
        " give it a constant bound that the compiler can see, or raise --max-unroll"
    )


def test_the_limit_is_in_iterations():
    loop = (mov(0, 0), add(0, 1), below(0, 5, 1), Exit())
    assert len(rounds(unfolded(*loop, max_unroll=5), 1)) == 5
    with pytest.raises(Unsupported, match="within 4 iterations"):
        unfolded(*loop, max_unroll=4)


def test_too_many_instructions_after_unrolling():
    nest = [mov(7, 0), mov(8, 0), mov(9, 0), add(9, 1), below(9, 200, 3), add(8, 1),
            below(8, 200, 2), add(7, 1), below(7, 200, 1), mov(0, 0), Exit()]
    with pytest.raises(Unsupported, match="more than 100000 instructions after inlining all calls"):
        unfolded(*nest)
