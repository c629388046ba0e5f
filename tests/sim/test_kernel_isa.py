"""Every instruction computes in the running kernel what it computes in the golden interpreter."""

import platform
import random
import re
from itertools import product

import pytest
from rxgate.compiler.insn import (
    Alu,
    AluOp,
    Atomic,
    AtomicOp,
    Exit,
    Imm,
    Insn,
    Jump,
    JumpOp,
    Load,
    LoadPacket,
    MovSx,
    Neg,
    Operand,
    Program,
    Reg,
    Store,
    Swap,
    SwapKind,
)
from rxgate.ctx_map.context import XDP_METADATA
from rxgate.sim.kernel import available, compare

pytestmark = pytest.mark.skipif(available() is not None, reason=str(available()))

RELEASE = tuple(int(n) for n in re.findall(r"\d+", platform.release())[:2])
needs_v4 = pytest.mark.skipif(RELEASE < (6, 6), reason="kernels before 6.6 know ISA v3")

CORNERS = (0, 1, 2, 7, 31, 32, 63, 64, 0x7F, 0x80, 0xFF, 0x8000, 0x7FFF_FFFF, 0x8000_0000,
           0xFFFF_FFFF, 0x1_0000_0000, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 2**64 - 1)
CONSTANTS = (1, 3, -1, 7, -8, 0x7FFF_FFFF, -0x8000_0000)
SHIFTS = (AluOp.LSH, AluOp.RSH, AluOp.ARSH)
AT = 14
"""Where two 64-bit operands stand in the frame."""


def frames() -> list[bytes]:
    """Pairs of corner values, and random pairs."""
    rng = random.Random(1)
    pairs = rng.sample(list(product(CORNERS, CORNERS)), 150)
    pairs += [(rng.getrandbits(64), rng.getrandbits(rng.choice((8, 32, 64)))) for _ in range(50)]
    return [bytes(14) + a.to_bytes(8, "big") + b.to_bytes(8, "big") for a, b in pairs]


FRAMES = frames()


def operand(register: int, at: int) -> list[Insn]:
    """register = the 64-bit big-endian number at packet byte `at`."""
    return [
        LoadPacket(4, None, at),
        Alu(AluOp.MOV, 64, register, Reg(0)),
        Alu(AluOp.LSH, 64, register, Imm(32)),
        LoadPacket(4, None, at + 4),
        Alu(AluOp.OR, 64, register, Reg(0)),
    ]


def check(*insns: Insn, result: int = 7) -> None:
    """Run `insns` on r7 and r8; both halves of `result` are compared."""
    start = [Alu(AluOp.MOV, 64, 6, Reg(1)), *operand(7, AT), *operand(8, AT + 8)]
    fold = [
        Alu(AluOp.MOV, 64, 0, Reg(result)),
        Alu(AluOp.MOV, 64, 1, Reg(0)),
        Alu(AluOp.RSH, 64, 1, Imm(32)),
        Alu(AluOp.MUL, 64, 1, Imm(0x1234_5677)),
        Alu(AluOp.XOR, 64, 0, Reg(1)),
        Exit(),
    ]
    program = Program("isa", "phys_dev", XDP_METADATA, (*start, *insns, *fold))
    report = compare(program, FRAMES)
    assert report.refused == ""
    assert [str(d) for d in report.disagreements] == []
    assert report.packets == len(FRAMES)


def operands(op: AluOp) -> list[Operand]:
    constants = (1, 7, 31) if op in SHIFTS else CONSTANTS
    return [Reg(8), Reg(7), *map(Imm, constants)]


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("op", [op for op in AluOp if op not in (AluOp.SDIV, AluOp.SMOD)])
def test_alu(op: AluOp, bits: int) -> None:
    for src in operands(op):
        check(Alu(op, bits, 7, src))


@needs_v4
@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("op", [AluOp.SDIV, AluOp.SMOD])
def test_signed_division(op: AluOp, bits: int) -> None:
    for src in operands(op):
        check(Alu(op, bits, 7, src))


@pytest.mark.parametrize("bits", [32, 64])
def test_negation(bits: int) -> None:
    check(Neg(bits, 7))


@pytest.mark.parametrize("bits", [16, 32, 64])
@pytest.mark.parametrize("kind", [SwapKind.LE, SwapKind.BE])
def test_swap(kind: SwapKind, bits: int) -> None:
    check(Swap(kind, bits, 7))


@needs_v4
@pytest.mark.parametrize("bits", [16, 32, 64])
def test_unconditional_swap(bits: int) -> None:
    check(Swap(SwapKind.BSWAP, bits, 7))


@needs_v4
@pytest.mark.parametrize(
    ("bits", "from_bits"), [(32, 8), (32, 16), (64, 8), (64, 16), (64, 32)]
)
def test_sign_extending_move(bits: int, from_bits: int) -> None:
    check(MovSx(bits, 7, 8, from_bits))


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("op", JumpOp)
def test_jump(op: JumpOp, bits: int) -> None:
    for src in (Reg(8), *map(Imm, CONSTANTS)):
        here = 11
        check(
            Jump(op, bits, 7, src, here + 3),
            Alu(AluOp.MOV, 64, 7, Imm(5)),
            Alu(AluOp.ADD, 64, 7, Imm(1)),
            Alu(AluOp.ADD, 64, 7, Imm(2)),
        )


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_store_and_load(size: int) -> None:
    check(
        Store(8, 10, -16, Imm(-2)),
        Store(size, 10, -16 + size % 8, Reg(7)),
        Store(size, 10, -8, Imm(-3)),
        Load(8, 8, 10, -16),
        Load(size, 7, 10, -8),
        Alu(AluOp.XOR, 64, 7, Reg(8)),
    )


@needs_v4
@pytest.mark.parametrize("size", [1, 2, 4])
def test_sign_extending_load(size: int) -> None:
    check(Store(8, 10, -8, Reg(7)), Load(size, 7, 10, -8, signed=True))


@pytest.mark.parametrize("fetch", [False, True])
@pytest.mark.parametrize("size", [4, 8])
@pytest.mark.parametrize("op", [AtomicOp.ADD, AtomicOp.OR, AtomicOp.AND, AtomicOp.XOR])
def test_atomic(op: AtomicOp, size: int, fetch: bool) -> None:
    check(*atomic(Atomic(op, size, 10, -8, 8, fetch)))


@pytest.mark.parametrize("size", [4, 8])
@pytest.mark.parametrize("op", [AtomicOp.XCHG, AtomicOp.CMPXCHG])
def test_exchange(op: AtomicOp, size: int) -> None:
    check(*atomic(Atomic(op, size, 10, -8, 8, True)))
    check(Alu(AluOp.MOV, 64, 0, Reg(7)), *atomic(Atomic(op, size, 10, -8, 8, True)))


def atomic(insn: Atomic) -> list[Insn]:
    """The update on memory that holds r7, then memory, source and r0 in one number."""
    return [
        Store(8, 10, -8, Reg(7)),
        insn,
        Load(8, 7, 10, -8),
        Alu(AluOp.MUL, 64, 7, Imm(3)),
        Alu(AluOp.XOR, 64, 7, Reg(8)),
        Alu(AluOp.MUL, 64, 7, Imm(5)),
        Alu(AluOp.ADD, 64, 7, Reg(0)),
    ]
