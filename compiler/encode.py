"""Decoded program -> raw program: instructions to bytes (RFC 9669 sections 3 to 5).

The inverse of decode.py. Jumps without a condition take the short form where their distance fits.
"""

from .decode import SLOT
from .insn import (
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
    Operand,
    Program,
    Reg,
    Store,
    Swap,
    SwapKind,
)
from .load.raw import RawProgram

_LD, _LDX, _ST, _STX, _ALU32, _JMP, _JMP32, _ALU64 = range(8)
_REGISTER = 0x08
_ABS, _IND, _MEM, _MEMSX, _ATOMIC = 0x20, 0x40, 0x60, 0x80, 0xC0
_SIZES = {4: 0x00, 2: 0x08, 1: 0x10, 8: 0x18}
_ALU = {
    AluOp.ADD: 0x00, AluOp.SUB: 0x10, AluOp.MUL: 0x20, AluOp.DIV: 0x30, AluOp.SDIV: 0x30,
    AluOp.OR: 0x40, AluOp.AND: 0x50, AluOp.LSH: 0x60, AluOp.RSH: 0x70, AluOp.MOD: 0x90,
    AluOp.SMOD: 0x90, AluOp.XOR: 0xA0, AluOp.MOV: 0xB0, AluOp.ARSH: 0xC0,
}
_JUMPS = {
    JumpOp.EQ: 0x10, JumpOp.GT: 0x20, JumpOp.GE: 0x30, JumpOp.SET: 0x40, JumpOp.NE: 0x50,
    JumpOp.SGT: 0x60, JumpOp.SGE: 0x70, JumpOp.LT: 0xA0, JumpOp.LE: 0xB0, JumpOp.SLT: 0xC0,
    JumpOp.SLE: 0xD0,
}
_ATOMICS = {
    AtomicOp.ADD: 0x00, AtomicOp.OR: 0x40, AtomicOp.AND: 0x50, AtomicOp.XOR: 0xA0,
    AtomicOp.XCHG: 0xE0, AtomicOp.CMPXCHG: 0xF0,
}
_SWAPS = {
    SwapKind.LE: _ALU32 | 0xD0, SwapKind.BE: _ALU32 | 0xD0 | _REGISTER,
    SwapKind.BSWAP: _ALU64 | 0xD0,
}


def _slot(opcode: int, dst: int = 0, src: int = 0, off: int = 0, imm: int = 0) -> bytes:
    return SLOT.pack(opcode, src << 4 | dst, off, imm)


def _with_operand(opcode: int, dst: int, operand: Operand, off: int = 0) -> bytes:
    match operand:
        case Reg(n):
            return _slot(opcode | _REGISTER, dst, n, off)
        case Imm(value):
            return _slot(opcode, dst, 0, off, value)


def _signed(word: int) -> int:
    """The 32-bit word as SLOT wants it."""
    return word - (1 << 32) if word >> 31 else word


def _wide(dst: int, value: int) -> bytes:
    low, high = value & 0xFFFF_FFFF, value >> 32
    return _slot(_LD | _SIZES[8], dst, imm=_signed(low)) + _slot(0, imm=_signed(high))


def _goto(distance: int) -> bytes:
    if -0x8000 <= distance < 0x8000:
        return _slot(_JMP, off=distance)
    return _slot(_JMP32, imm=distance)


def encode_insn(insn: Insn, slot: int) -> bytes:
    """The 8 or 16 bytes of the instruction at `slot`.

    References to data and to kernel functions are encoded as 0: a RawProgram has them beside the
    code. Raises struct.error when a field does not fit, such as the distance of a jump.
    """
    match insn:
        case Alu(op, bits, dst, src):
            signed = op in (AluOp.SDIV, AluOp.SMOD)
            return _with_operand(_ALU[op] | (_ALU64 if bits == 64 else _ALU32), dst, src, signed)
        case MovSx(bits, dst, src, from_bits):
            opcode = _ALU[AluOp.MOV] | _REGISTER | (_ALU64 if bits == 64 else _ALU32)
            return _slot(opcode, dst, src, from_bits)
        case Neg(bits, dst):
            return _slot(0x80 | (_ALU64 if bits == 64 else _ALU32), dst)
        case Swap(kind, bits, dst):
            return _slot(_SWAPS[kind], dst, imm=bits)
        case LoadImm64(dst, value):
            return _wide(dst, value)
        case LoadData(dst):
            return _wide(dst, 0)
        case LoadFunction(dst, target):
            return _slot(_LD | _SIZES[8], dst, 4, imm=target - slot - 1) + bytes(8)
        case Load(size, dst, base, off, signed):
            return _slot(_LDX | (_MEMSX if signed else _MEM) | _SIZES[size], dst, base, off)
        case Store(size, base, off, Reg(n)):
            return _slot(_STX | _MEM | _SIZES[size], base, n, off)
        case Store(size, base, off, Imm(value)):
            return _slot(_ST | _MEM | _SIZES[size], base, 0, off, value)
        case Atomic(op, size, base, off, src, fetch):
            return _slot(_STX | _ATOMIC | _SIZES[size], base, src, off, _ATOMICS[op] | fetch)
        case LoadPacket(size, None, off):
            return _slot(_LD | _ABS | _SIZES[size], imm=off)
        case LoadPacket(size, int(index), off):
            return _slot(_LD | _IND | _SIZES[size], 0, index, imm=off)
        case Jump(op, bits, dst, src, target):
            opcode = _JUMPS[op] | (_JMP if bits == 64 else _JMP32)
            return _with_operand(opcode, dst, src, target - slot - 1)
        case Goto(target):
            return _goto(target - slot - 1)
        case Call(helper):
            return _slot(_JMP | 0x80, imm=helper)
        case CallLocal(target):
            return _slot(_JMP | 0x80, src=1, imm=target - slot - 1)
        case CallExtern():
            return _slot(_JMP | 0x80, src=2)
        case Exit():
            return _slot(_JMP | 0x90)
    raise TypeError(f"not an instruction: {insn!r}")


def encode(program: Program) -> RawProgram:
    """Encode every instruction; `decode` of the result is `program` again."""
    placed = [(slot, insn) for slot, insn in enumerate(program.insns) if insn is not None]
    return RawProgram(
        name=program.name,
        section=program.section,
        context=program.context,
        code=b"".join(encode_insn(insn, slot) for slot, insn in placed),
        functions=program.functions,
        data=program.data,
        data_refs={s: (i.section, i.offset) for s, i in placed if isinstance(i, LoadData)},
        externs={s: i.name for s, i in placed if isinstance(i, CallExtern)},
        maps={},
        lines=program.lines,
        variables=program.variables,
        sources=program.sources,
    )
