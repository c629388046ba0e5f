"""What the encoder writes is what the decoder reads, and for compiled programs the same bytes."""

import struct
from itertools import product
from pathlib import Path

import pytest
from rxgate.compiler.decode import decode
from rxgate.compiler.encode import encode, encode_insn
from rxgate.compiler.insn import (
    Alu,
    AluOp,
    Atomic,
    AtomicOp,
    Call,
    CallExtern,
    CallLocal,
    Exit,
    Goto,
    Imm,
    Insn,
    Jump,
    JumpOp,
    Load,
    LoadData,
    LoadFunction,
    LoadImm64,
    LoadPacket,
    MovSx,
    Neg,
    Program,
    Reg,
    Store,
    Swap,
    SwapKind,
)
from rxgate.compiler.load import load_program
from rxgate.ctx_map.context import XDP_METADATA

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.c"))

OPERANDS = (Reg(7), Imm(-1), Imm(0x7FFF_FFFF))
EVERY_KIND: list[Insn] = [
    *(Alu(op, bits, 3, src) for op, bits, src in product(AluOp, (32, 64), OPERANDS)),
    *(MovSx(bits, 1, 2, n) for bits in (32, 64) for n in (8, 16, 32) if n < bits),
    *(Neg(bits, 9) for bits in (32, 64)),
    *(Swap(kind, bits, 4) for kind, bits in product(SwapKind, (16, 32, 64))),
    LoadImm64(2, 0xFEDC_BA98_7654_3210),
    LoadImm64(2, 0x0123_4567_89AB_CDEF),
    LoadData(8, ".rodata", 5),
    LoadFunction(2, 0),
    *(Load(size, 5, 10, -8) for size in (1, 2, 4, 8)),
    *(Load(size, 5, 10, -8, signed=True) for size in (1, 2, 4)),
    *(Store(size, 10, -16, src) for size, src in product((1, 2, 4, 8), OPERANDS)),
    *(
        Atomic(op, size, 10, -24, 6, fetch)
        for op, size, fetch in product(AtomicOp, (4, 8), (False, True))
        if fetch or op not in (AtomicOp.XCHG, AtomicOp.CMPXCHG)
    ),
    *(LoadPacket(size, index, -5) for size, index in product((1, 2, 4), (None, 3))),
    *(Jump(op, bits, 1, src, 0) for op, bits, src in product(JumpOp, (32, 64), OPERANDS)),
    Goto(0),
    Call(5),
    CallExtern("bpf_xdp_metadata_rx_hash"),
    CallLocal(0),
    Exit(),
]


def program(insns: list[Insn]) -> Program:
    """A program of these, with the second slots of wide ones filled in."""
    slots: list[Insn | None] = []
    for insn in insns:
        slots.append(insn)
        if isinstance(insn, LoadImm64 | LoadData | LoadFunction):
            slots.append(None)
    return Program("all", "phys_dev", XDP_METADATA, tuple(slots), data={".rodata": bytes(8)})


def test_every_instruction_comes_back() -> None:
    whole = program(EVERY_KIND)
    assert decode(encode(whole)) == whole


@pytest.mark.parametrize("mcpu", ["v1", "v3", "v4"])
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_compiled_programs_keep_their_bytes(path: Path, mcpu: str) -> None:
    raw = load_program(path, mcpu=mcpu)
    assert encode(decode(raw)) == raw


def test_a_far_goto_takes_the_long_form() -> None:
    near, far = encode_insn(Goto(0x8000), 0), encode_insn(Goto(0x8001), 0)
    assert (near.hex(), far.hex()) == ("0500ff7f00000000", "0600000000800000")


def test_a_condition_has_no_long_form() -> None:
    with pytest.raises(struct.error):
        encode_insn(Jump(JumpOp.EQ, 64, 0, Imm(0), 0x8001), 0)
