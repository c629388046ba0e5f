"""Decoded program -> text, in the syntax of LLVM's BPF assembler."""

from typing import assert_never

from ..ctx_map.helpers import PROTOTYPES
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
    Load,
    LoadData,
    LoadFunction,
    LoadImm64,
    LoadPacket,
    MovSx,
    Neg,
    Operand,
    Program,
    Store,
    Swap,
    SwapKind,
)


def _reg(n: int, bits: int = 64) -> str:
    return f"{'r' if bits == 64 else 'w'}{n}"


def _operand(src: Operand, bits: int) -> str:
    if isinstance(src, Imm):
        return str(src.value) if abs(src.value) < 10 else f"{src.value:#x}"
    return _reg(src.n, bits)


def _place(size: int, base: int, off: int, signed: bool = False) -> str:
    return f"*({'s' if signed else 'u'}{size * 8} *)(r{base} {'-' if off < 0 else '+'} {abs(off)})"


def _swap(kind: SwapKind, bits: int, dst: int) -> str:
    name = {SwapKind.LE: "le", SwapKind.BE: "be", SwapKind.BSWAP: "bswap"}[kind]
    return f"r{dst} = {name}{bits} r{dst}"


def _atomic(insn: Atomic) -> str:
    place, bits = _place(insn.size, insn.base, insn.off), insn.size * 8
    src = _reg(insn.src, bits)
    address = f"r{insn.base} {'-' if insn.off < 0 else '+'} {abs(insn.off)}"
    match insn.op:
        case AtomicOp.XCHG:
            return f"{src} = xchg{'_64' if bits == 64 else '32_32'}({address}, {src})"
        case AtomicOp.CMPXCHG:
            zero = _reg(0, bits)
            suffix = "_64" if bits == 64 else "32_32"
            return f"{zero} = cmpxchg{suffix}({address}, {zero}, {src})"
    if insn.fetch:
        return f"{src} = atomic_fetch_{insn.op.value}(({place[1:].split(')')[0][1:]})({address}), {src})"
    sign = {"add": "+", "or": "|", "and": "&", "xor": "^"}[insn.op.value]
    return f"lock {place} {sign}= {src}"


def text(insn: Insn) -> str:
    """One instruction."""
    match insn:
        case Alu(AluOp.MOV, bits, dst, src):
            return f"{_reg(dst, bits)} = {_operand(src, bits)}"
        case Alu(op, bits, dst, src):
            return f"{_reg(dst, bits)} {op.value}= {_operand(src, bits)}"
        case MovSx(bits, dst, src, from_bits):
            return f"{_reg(dst, bits)} = (s{from_bits}){_reg(src, bits)}"
        case Neg(bits, dst):
            return f"{_reg(dst, bits)} = -{_reg(dst, bits)}"
        case Swap(kind, bits, dst):
            return _swap(kind, bits, dst)
        case LoadImm64(dst, value):
            return f"r{dst} = {value:#x} ll"
        case LoadData(dst, section, offset):
            return f"r{dst} = &{section}[{offset}] ll"
        case LoadFunction(dst, target):
            return f"r{dst} = function at {target} ll"
        case Load(size, dst, base, off, signed):
            return f"r{dst} = {_place(size, base, off, signed)}"
        case Store(size, base, off, src):
            return f"{_place(size, base, off)} = {_operand(src, 64 if size == 8 else 32)}"
        case Atomic():
            return _atomic(insn)
        case LoadPacket(size, index, off):
            at = str(off) if index is None else f"r{index} + {off}" if off else f"r{index}"
            return f"r0 = *(u{size * 8} *)skb[{at}]"
        case Jump(op, bits, dst, src, target):
            return f"if {_reg(dst, bits)} {op.value} {_operand(src, bits)} goto {target}"
        case Goto(target):
            return f"goto {target}"
        case Call(helper):
            known = next((p.name for h, p in PROTOTYPES.items() if h == helper), None)
            return f"call {known}" if known else f"call {helper}"
        case CallLocal(target):
            return f"call function at {target}"
        case CallExtern(name):
            return f"call {name}"
        case Exit():
            return "exit"
    assert_never(insn)


def listing(program: Program) -> str:
    """The whole program: slots, functions, and source lines where they change."""
    lines, last = [], None
    for slot, insn in enumerate(program.insns):
        if slot in program.functions:
            lines.append(f"{program.functions[slot]}:")
        source = program.lines.get(slot)
        if source is not None and source != last:
            lines.append(f"; {source}")
            last = source
        if insn is not None:
            lines.append(f"{slot:6}: {text(insn)}")
    return "\n".join(lines) + "\n"
