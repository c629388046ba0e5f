"""Every malformed slot is refused with a message that says what is wrong with it."""

import struct
from types import MappingProxyType

import pytest
from rxgate.compiler.decode import decode
from rxgate.compiler.errors import DecodeError, Unsupported
from rxgate.compiler.insn import (
    Alu,
    AluOp,
    Atomic,
    AtomicOp,
    Call,
    CallExtern,
    CallLocal,
    Goto,
    Imm,
    Jump,
    JumpOp,
    Load,
    LoadData,
    LoadImm64,
    LoadPacket,
    MovSx,
    Neg,
    Reg,
    Store,
    Swap,
    SwapKind,
)
from rxgate.compiler.load.raw import RawProgram
from rxgate.ctx_map.context import XDP_METADATA

EXIT = bytes.fromhex("9500000000000000")


def slot(opcode: int, dst: int = 0, src: int = 0, off: int = 0, imm: int = 0) -> bytes:
    return struct.pack("<BBhi", opcode, src << 4 | dst, off, imm)


def raw(code: bytes, **kwargs) -> RawProgram:
    nothing = MappingProxyType({})
    parts = {"functions": nothing, "data": nothing, "data_refs": nothing, "externs": nothing}
    parts |= {"maps": nothing, "lines": nothing} | kwargs
    return RawProgram("p", "s", XDP_METADATA, code, **parts)


@pytest.mark.parametrize(
    ("code", "insn"),
    [
        (slot(0x07, 1, imm=-5), Alu(AluOp.ADD, 64, 1, Imm(-5))),
        (slot(0x0C, 1, 2), Alu(AluOp.ADD, 32, 1, Reg(2))),
        (slot(0x3F, 1, 2, off=1), Alu(AluOp.SDIV, 64, 1, Reg(2))),
        (slot(0x94, 1, off=1, imm=3), Alu(AluOp.SMOD, 32, 1, Imm(3))),
        (slot(0xBF, 1, 2, off=32), MovSx(64, 1, 2, 32)),
        (slot(0xBC, 1, 2, off=8), MovSx(32, 1, 2, 8)),
        (slot(0x87, 3), Neg(64, 3)),
        (slot(0xD4, 3, imm=16), Swap(SwapKind.LE, 16, 3)),
        (slot(0xDC, 3, imm=32), Swap(SwapKind.BE, 32, 3)),
        (slot(0xD7, 3, imm=64), Swap(SwapKind.BSWAP, 64, 3)),
        (slot(0x05), Goto(1)),
        (slot(0x06), Goto(1)),
        (slot(0x1D, 1, 2), Jump(JumpOp.EQ, 64, 1, Reg(2), 1)),
        (slot(0xC6, 1, imm=-1), Jump(JumpOp.SLT, 32, 1, Imm(-1), 1)),
        (slot(0x85, imm=5), Call(5)),
        (slot(0x85, src=1), CallLocal(1)),
        (slot(0x61, 1, 2, off=-4), Load(4, 1, 2, -4)),
        (slot(0x91, 1, 2), Load(1, 1, 2, 0, signed=True)),
        (slot(0x72, 10, off=-1, imm=7), Store(1, 10, -1, Imm(7))),
        (slot(0x7B, 10, 3, off=-8), Store(8, 10, -8, Reg(3))),
        (slot(0xDB, 10, 3, off=-8, imm=0xF1), Atomic(AtomicOp.CMPXCHG, 8, 10, -8, 3, True)),
        (slot(0xC3, 10, 3, off=-8, imm=0x50), Atomic(AtomicOp.AND, 4, 10, -8, 3, False)),
        (slot(0x28, imm=12), LoadPacket(2, None, 12)),
        (slot(0x50, src=7, imm=-1), LoadPacket(1, 7, -1)),
    ],
)
def test_one_slot(code, insn):
    assert decode(raw(code + EXIT)).insns[0] == insn


def test_two_slots():
    code = slot(0x18, 2, imm=-2) + slot(0, imm=1) + EXIT
    assert decode(raw(code)).insns[:2] == (LoadImm64(2, 0x1_FFFF_FFFE), None)
    code = slot(0x18, 2) + slot(0) + EXIT
    program = decode(raw(code, data={".rodata": b"1234"}, data_refs={0: (".rodata", 3)}))
    assert program.insns[0] == LoadData(2, ".rodata", 3)
    program = decode(raw(slot(0x85, src=2) + EXIT, externs={0: "bpf_thing"}))
    assert program.insns[0] == CallExtern("bpf_thing")


REFUSED = [
    (slot(0x07, 11), "there is no register r11"),
    (slot(0x0F, 1, 12), "there is no register r12"),
    (slot(0x07, 1, src=2), "reserved field `src` of opcode 0x07 is not zero"),
    (slot(0x0F, 1, 2, imm=1), "reserved field `imm` of opcode 0x0f is not zero"),
    (slot(0x07, 1, off=1), "reserved field `off` of opcode 0x07 is not zero"),
    (slot(0x37, 1, off=2, imm=1), "reserved field `off` of opcode 0x37 is not zero"),
    (slot(0xB7, 1, off=8), "reserved field `off` of opcode 0xb7 is not zero"),
    (slot(0xBF, 1, 2, off=7), "a sign-extending move has no 7-bit form"),
    (slot(0xBC, 1, 2, off=32), "a sign-extending move has no 32-bit form"),
    (slot(0x87, 1, imm=1), "reserved field `imm` of opcode 0x87 is not zero"),
    (slot(0x8F, 1), "unknown opcode 0x8f"),
    (slot(0xD4, 1, imm=8), "a byte swap has 16, 32 or 64 bits, not 8"),
    (slot(0xDC, 1, src=1, imm=16), "reserved field `src` of opcode 0xdc is not zero"),
    (slot(0xDF, 1, imm=16), "unknown opcode 0xdf"),
    (slot(0xE7, 1), "unknown arithmetic opcode 0xe7"),
    (slot(0x05, imm=1), "reserved field `imm` of opcode 0x05 is not zero"),
    (slot(0x06, off=1), "reserved field `off` of opcode 0x06 is not zero"),
    (slot(0x05, dst=1), "reserved field `dst` of opcode 0x05 is not zero"),
    (slot(0x0D), "unknown opcode 0x0d"),
    (slot(0xF5), "unknown jump opcode 0xf5"),
    (slot(0x96), "unknown jump opcode 0x96"),
    (slot(0x95, imm=1), "reserved field `imm` of opcode 0x95 is not zero"),
    (slot(0x85, dst=1, imm=5), "reserved field `dst` of opcode 0x85 is not zero"),
    (slot(0x85, src=3, imm=5), "unknown kind of call 3"),
    (slot(0x15, 1, src=1), "reserved field `src` of opcode 0x15 is not zero"),
    (slot(0x15, 1, off=5), "the target, slot 6, is not an instruction"),
    (slot(0x15, 1, off=-2), "the target, slot -1, is not an instruction"),
    (slot(0x85, src=1, imm=9), "the target, slot 10, is not an instruction"),
    (slot(0x61, 1, 2, imm=1), "reserved field `imm` of opcode 0x61 is not zero"),
    (slot(0x99, 1, 2), "unknown load or store opcode 0x99"),
    (slot(0x62, 10, src=1, off=-4), "reserved field `src` of opcode 0x62 is not zero"),
    (slot(0x63, 10, 1, off=-4, imm=1), "reserved field `imm` of opcode 0x63 is not zero"),
    (slot(0xCB, 10, 1), "unknown load or store opcode 0xcb"),
    (slot(0xDB, 10, 1, imm=0xE0), "unknown atomic operation 0xe0"),
    (slot(0xDB, 10, 1, imm=0x20), "unknown atomic operation 0x20"),
    (slot(0x38, imm=1), "unknown load or store opcode 0x38"),
    (slot(0x30, src=1), "reserved field `src` of opcode 0x30 is not zero"),
    (slot(0x30, dst=1), "reserved field `dst` of opcode 0x30 is not zero"),
    (slot(0x50, src=1, off=1), "reserved field `off` of opcode 0x50 is not zero"),
    (slot(0x00), "unknown load or store opcode 0x00"),
    (slot(0x18, off=1) + slot(0), "reserved field `off` of opcode 0x18 is not zero"),
    (
        slot(0x18) + slot(0, off=1),
        "the second half of a 64-bit load has reserved fields that are not zero",
    ),
]


@pytest.mark.parametrize(("code", "message"), REFUSED, ids=[m for _, m in REFUSED])
def test_refused(code, message):
    with pytest.raises(DecodeError) as caught:
        decode(raw(code + EXIT))
    bytes_ = code[:8].hex(" ")
    assert str(caught.value) == f"section s, instruction 0: {message} (bytes {bytes_})"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            slot(0x8D),
            "callx calls an address in a register; only functions that are known at compile time can"
            " be called: call them by name",
        ),
        (slot(0xE5), "may_goto makes a loop without a provable bound; a pipeline has none of those"),
        (
            slot(0x18, 1, src=1, imm=3) + slot(0),
            "a 64-bit load of kind 1 (map or variable) needs maps,"
            " which are not supported yet",
        ),
        (
            slot(0x85, src=2, imm=77),
            "kernel function with BTF id 77 has no name here; load the object file",
        ),
    ],
)
def test_unsupported(code, message):
    with pytest.raises(Unsupported) as caught:
        decode(raw(code + EXIT))
    assert str(caught.value) == f"section s, instruction 0: {message}"


def test_maps_are_named():
    with pytest.raises(Unsupported, match="map `flows` is used; maps are not supported yet"):
        decode(raw(slot(0x18, 1) + slot(0) + EXIT, maps={0: "flows"}))


@pytest.mark.parametrize("length", [0, 1, 7, 9, 15])
def test_length(length):
    with pytest.raises(DecodeError) as caught:
        decode(raw(bytes(length)))
    assert str(caught.value) == (
        f"section s: a program is a positive multiple of 8 bytes long, not {length}"
    )


def test_truncated_wide_load():
    with pytest.raises(DecodeError, match="instruction 1: a 64-bit load is cut off after its first"):
        decode(raw(EXIT + slot(0x18, 1)))


def test_jump_into_a_wide_load():
    code = slot(0x05, off=1) + slot(0x18, 1) + slot(0) + EXIT
    with pytest.raises(DecodeError, match="the target, slot 2, is not an instruction"):
        decode(raw(code))
