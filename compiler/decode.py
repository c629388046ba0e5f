"""Raw program -> decoded program: bytes to the instruction sum type (RFC 9669 sections 3 to 5).

Reserved fields must be zero; what no valid encoding explains is a DecodeError that names the slot.
"""

import struct

from .errors import DecodeError, Unsupported, Where
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

SLOT = struct.Struct("<BBhi")

_ALU = {
    0x0: AluOp.ADD, 0x1: AluOp.SUB, 0x2: AluOp.MUL, 0x3: AluOp.DIV, 0x4: AluOp.OR, 0x5: AluOp.AND,
    0x6: AluOp.LSH, 0x7: AluOp.RSH, 0x9: AluOp.MOD, 0xA: AluOp.XOR, 0xB: AluOp.MOV, 0xC: AluOp.ARSH,
}
_SIGNED = {AluOp.DIV: AluOp.SDIV, AluOp.MOD: AluOp.SMOD}
_JUMP = {
    0x1: JumpOp.EQ, 0x2: JumpOp.GT, 0x3: JumpOp.GE, 0x4: JumpOp.SET, 0x5: JumpOp.NE,
    0x6: JumpOp.SGT, 0x7: JumpOp.SGE, 0xA: JumpOp.LT, 0xB: JumpOp.LE, 0xC: JumpOp.SLT,
    0xD: JumpOp.SLE,
}
_ATOMIC = {
    0x00: AtomicOp.ADD, 0x40: AtomicOp.OR, 0x50: AtomicOp.AND, 0xA0: AtomicOp.XOR,
    0xE0: AtomicOp.XCHG, 0xF0: AtomicOp.CMPXCHG,
}
_FUNCTION = 4
"""Source register of a 64-bit load that stands for a function (kernel: BPF_PSEUDO_FUNC)."""
_SIZE = {0x00: 4, 0x08: 2, 0x10: 1, 0x18: 8}


class _Fields:
    """One slot taken apart, with the checks that every form needs."""

    def __init__(self, raw: RawProgram, slot: int) -> None:
        self.raw, self.slot = raw, slot
        self.opcode, registers, self.off, self.imm = SLOT.unpack_from(raw.code, slot * 8)
        self.dst, self.src = registers & 0xF, registers >> 4
        self.cls, self.op = self.opcode & 7, self.opcode >> 4
        self.from_register = bool(self.opcode & 8)
        self.size = _SIZE[self.opcode & 0x18]

    def error(self, message: str) -> DecodeError:
        return DecodeError(
            f"{message} (bytes {self.raw.code[self.slot * 8 : self.slot * 8 + 8].hex(' ')})",
            self.where,
        )

    @property
    def where(self) -> Where:
        return Where(self.raw.section, self.slot, self.raw.lines.get(self.slot))

    def zero(self, *names: str) -> None:
        """Raise unless the named fields are zero, as the encoding requires."""
        for name in names:
            if getattr(self, name):
                raise self.error(
                    f"reserved field `{name}` of opcode {self.opcode:#04x} is not zero"
                )

    def register(self, name: str) -> int:
        n = getattr(self, name)
        if n > 10:
            raise self.error(f"there is no register r{n}")
        return n

    def operand(self) -> Operand:
        if self.from_register:
            self.zero("imm")
            return Reg(self.register("src"))
        self.zero("src")
        return Imm(self.imm)


def _alu(f: _Fields) -> Insn:
    bits = 64 if f.cls == 7 else 32
    dst = f.register("dst")
    if f.op == 0xD:
        f.zero("off", "src")
        if f.imm not in (16, 32, 64):
            raise f.error(f"a byte swap has 16, 32 or 64 bits, not {f.imm}")
        if bits == 64:
            if f.from_register:
                raise f.error(f"unknown opcode {f.opcode:#04x}")
            return Swap(SwapKind.BSWAP, f.imm, dst)
        return Swap(SwapKind.BE if f.from_register else SwapKind.LE, f.imm, dst)
    if f.op == 0x8:
        f.zero("off", "src", "imm")
        if f.from_register:
            raise f.error(f"unknown opcode {f.opcode:#04x}")
        return Neg(bits, dst)
    if f.op not in _ALU:
        raise f.error(f"unknown arithmetic opcode {f.opcode:#04x}")
    op, src = _ALU[f.op], f.operand()
    if op is AluOp.MOV and f.off and isinstance(src, Reg):
        if f.off not in (8, 16, 32) or (f.off == 32 and bits == 32):
            raise f.error(f"a sign-extending move has no {f.off}-bit form")
        return MovSx(bits, dst, src.n, f.off)
    if op in _SIGNED and f.off == 1:
        op = _SIGNED[op]
    else:
        f.zero("off")
    return Alu(op, bits, dst, src)


def _jump(f: _Fields) -> Insn:
    wide = f.cls == 5
    if f.op == 0x0:
        f.zero("dst", "src", *(("imm",) if wide else ("off",)))
        if f.from_register:
            raise f.error(f"unknown opcode {f.opcode:#04x}")
        return Goto(f.slot + 1 + (f.off if wide else f.imm))
    if f.op in (0x8, 0x9) and wide and not f.from_register:
        return _call(f) if f.op == 0x8 else _exit(f)
    if f.opcode == 0xE5:
        raise Unsupported(
            "may_goto makes a loop without a provable bound; a pipeline has none of those", f.where
        )
    if f.opcode == 0x8D:
        raise Unsupported(
            "callx calls an address in a register; only functions that are known at compile time can"
            " be called: call them by name", f.where
        )
    if f.op not in _JUMP:
        raise f.error(f"unknown jump opcode {f.opcode:#04x}")
    return Jump(
        _JUMP[f.op], 64 if wide else 32, f.register("dst"), f.operand(), f.slot + 1 + f.off
    )


def _exit(f: _Fields) -> Insn:
    f.zero("dst", "src", "off", "imm")
    return Exit()


def _call(f: _Fields) -> Insn:
    f.zero("dst", "off")
    if f.slot in f.raw.externs:
        return CallExtern(f.raw.externs[f.slot])
    match f.src:
        case 0:
            return Call(f.imm)
        case 1:
            return CallLocal(f.slot + 1 + f.imm)
        case 2:
            raise Unsupported(
                f"kernel function with BTF id {f.imm} has no name here; load the object file", f.where
            )
    raise f.error(f"unknown kind of call {f.src}")


def _load_imm64(f: _Fields) -> Insn:
    f.zero("off")
    if f.slot in f.raw.maps:
        raise Unsupported(
            f"map `{f.raw.maps[f.slot]}` is used; maps are not supported yet. A table that does not"
            " change can be a `const volatile` array", f.where,
        )
    if (f.slot + 2) * 8 > len(f.raw.code):
        raise f.error("a 64-bit load is cut off after its first half")
    opcode, registers, off, high = SLOT.unpack_from(f.raw.code, f.slot * 8 + 8)
    if opcode or registers or off:
        raise f.error("the second half of a 64-bit load has reserved fields that are not zero")
    dst = f.register("dst")
    if f.slot in f.raw.data_refs:
        return LoadData(dst, *f.raw.data_refs[f.slot])
    if f.src == _FUNCTION:
        return LoadFunction(dst, f.slot + 1 + f.imm)
    if f.src:
        raise Unsupported(
            f"a 64-bit load of kind {f.src} (map or variable) needs maps, which are not supported"
            " yet",
            f.where,
        )
    return LoadImm64(dst, (high & 0xFFFF_FFFF) << 32 | f.imm & 0xFFFF_FFFF)


def _memory(f: _Fields) -> Insn:
    mode = f.opcode & 0xE0
    match f.cls, mode:
        case 0, 0x00 if f.opcode == 0x18:
            return _load_imm64(f)
        case 0, (0x20 | 0x40) if f.size != 8:
            f.zero("dst", "off", *(("src",) if mode == 0x20 else ()))
            return LoadPacket(f.size, None if mode == 0x20 else f.register("src"), f.imm)
        case 1, 0x60:
            f.zero("imm")
            return Load(f.size, f.register("dst"), f.register("src"), f.off)
        case 1, 0x80 if f.size != 8:
            f.zero("imm")
            return Load(f.size, f.register("dst"), f.register("src"), f.off, signed=True)
        case 2, 0x60:
            f.zero("src")
            return Store(f.size, f.register("dst"), f.off, Imm(f.imm))
        case 3, 0x60:
            f.zero("imm")
            return Store(f.size, f.register("dst"), f.off, Reg(f.register("src")))
        case 3, 0xC0 if f.size in (4, 8):
            op, fetch = _ATOMIC.get(f.imm & ~1), bool(f.imm & 1)
            if op is None or (op in (AtomicOp.XCHG, AtomicOp.CMPXCHG) and not fetch):
                raise f.error(f"unknown atomic operation {f.imm:#x}")
            return Atomic(op, f.size, f.register("dst"), f.off, f.register("src"), fetch)
    raise f.error(f"unknown load or store opcode {f.opcode:#04x}")


def decode(raw: RawProgram) -> Program:
    """Decode every slot of `raw`.

    Raises
    ------
    DecodeError
        A slot is no valid instruction, or a jump leaves the program or lands inside an instruction.
    Unsupported
        A valid instruction that needs a map or an unbounded loop.
    """
    if not raw.code or len(raw.code) % 8:
        raise DecodeError(
            f"a program is a positive multiple of 8 bytes long, not {len(raw.code)}",
            Where(raw.section),
        )
    insns: list[Insn | None] = []
    count = len(raw.code) // 8
    while len(insns) < count:
        f = _Fields(raw, len(insns))
        insn = _alu(f) if f.cls in (4, 7) else _jump(f) if f.cls in (5, 6) else _memory(f)
        insns.append(insn)
        if isinstance(insn, LoadImm64 | LoadData | LoadFunction):
            insns.append(None)
    for slot, insn in enumerate(insns):
        if isinstance(insn, Jump | Goto | CallLocal | LoadFunction):
            target = insn.target
            if not 0 <= target < count or insns[target] is None:
                raise _Fields(raw, slot).error(f"the target, slot {target}, is not an instruction")
    return Program(
        raw.name, raw.section, raw.context, tuple(insns), raw.functions, raw.data, raw.lines,
        raw.variables, sources=raw.sources,
    )
