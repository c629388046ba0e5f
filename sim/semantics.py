"""Instruction -> a Python closure that performs it: the one readable table of RFC 9669 semantics.

Registers hold unsigned 64-bit integers. A closure takes the machine and returns the next slot, or -1
when the program ends. Memory is reached through `Machine.load` and `Machine.store`.
"""

from collections.abc import Callable
from typing import Protocol, assert_never

from ..compiler.insn import (
    Alu,
    AluOp,
    Atomic,
    AtomicOp,
    Call,
    CallExtern,
    CallLocal,
    Exit,
    Goto,
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
    Reg,
    Store,
    Swap,
    SwapKind,
)

MASK = {8: 0xFF, 16: 0xFFFF, 32: 0xFFFF_FFFF, 64: 0xFFFF_FFFF_FFFF_FFFF}


class MachineLike(Protocol):
    """What an instruction may touch."""

    regs: list[int]

    def load(self, address: int, size: int) -> int: ...
    def store(self, address: int, size: int, value: int) -> None: ...
    def load_packet(self, offset: int, size: int) -> int | None: ...
    def data_address(self, section: str, offset: int) -> int: ...
    def call_helper(self, number: int, slot: int) -> int: ...
    def call_kernel(self, name: str) -> int: ...
    def call_local(self, slot: int, target: int) -> int: ...
    def leave(self) -> int: ...


Step = Callable[[MachineLike], int]


def signed(value: int, bits: int) -> int:
    """The two's-complement reading of the low `bits` of `value`."""
    value &= MASK[bits]
    return value - (1 << bits) if value >> (bits - 1) else value


def _truncated_divide(a: int, b: int) -> int:
    """Quotient rounded toward zero."""
    q = abs(a) // abs(b)
    return -q if (a < 0) != (b < 0) else q


def alu(op: AluOp, a: int, b: int, bits: int) -> int:
    """Apply `op` to the low `bits` of a and b; the result is below 2**bits (section 4.1)."""
    mask = MASK[bits]
    a, b = a & mask, b & mask
    match op:
        case AluOp.ADD:
            return a + b & mask
        case AluOp.SUB:
            return a - b & mask
        case AluOp.MUL:
            return a * b & mask
        case AluOp.DIV:
            return a // b if b else 0
        case AluOp.SDIV:
            return _truncated_divide(signed(a, bits), signed(b, bits)) & mask if b else 0
        case AluOp.MOD:
            return a % b if b else a
        case AluOp.SMOD:
            if not b:
                return a
            x, y = signed(a, bits), signed(b, bits)
            return x - y * _truncated_divide(x, y) & mask
        case AluOp.OR:
            return a | b
        case AluOp.AND:
            return a & b
        case AluOp.XOR:
            return a ^ b
        case AluOp.MOV:
            return b
        case AluOp.LSH:
            return a << (b & bits - 1) & mask
        case AluOp.RSH:
            return a >> (b & bits - 1)
        case AluOp.ARSH:
            return signed(a, bits) >> (b & bits - 1) & mask
    assert_never(op)


def condition(op: JumpOp, a: int, b: int, bits: int) -> bool:
    """Whether `a op b` holds on the low `bits` (section 4.3)."""
    mask = MASK[bits]
    a, b = a & mask, b & mask
    match op:
        case JumpOp.EQ:
            return a == b
        case JumpOp.NE:
            return a != b
        case JumpOp.GT:
            return a > b
        case JumpOp.GE:
            return a >= b
        case JumpOp.LT:
            return a < b
        case JumpOp.LE:
            return a <= b
        case JumpOp.SET:
            return a & b != 0
        case JumpOp.SGT:
            return signed(a, bits) > signed(b, bits)
        case JumpOp.SGE:
            return signed(a, bits) >= signed(b, bits)
        case JumpOp.SLT:
            return signed(a, bits) < signed(b, bits)
        case JumpOp.SLE:
            return signed(a, bits) <= signed(b, bits)
    assert_never(op)


def swap(kind: SwapKind, value: int, bits: int) -> int:
    """The low `bits` in the wanted byte order, zero-extended (section 4.2)."""
    value &= MASK[bits]
    if kind is SwapKind.LE:
        return value
    return int.from_bytes(value.to_bytes(bits // 8, "little"), "big")


def atomic(op: AtomicOp, old: int, operand: int, expected: int, bits: int) -> int:
    """The new memory value of an atomic update at `bits` (section 5.3)."""
    mask = MASK[bits]
    match op:
        case AtomicOp.ADD:
            return old + operand & mask
        case AtomicOp.OR:
            return old | operand & mask
        case AtomicOp.AND:
            return old & operand
        case AtomicOp.XOR:
            return old ^ operand & mask
        case AtomicOp.XCHG:
            return operand & mask
        case AtomicOp.CMPXCHG:
            return operand & mask if old == expected & mask else old
    assert_never(op)


def _source(src: Operand) -> tuple[int, int]:
    """An operand as (register, constant): register -1 when it is the constant."""
    return (src.n, 0) if isinstance(src, Reg) else (-1, src.value & MASK[64])


def _alu_step(i: Alu, following: int) -> Step:
    op, bits, dst = i.op, i.bits, i.dst
    reg, constant = _source(i.src)

    def step(m: MachineLike) -> int:
        r = m.regs
        r[dst] = alu(op, r[dst], r[reg] if reg >= 0 else constant, bits)
        return following

    def move(m: MachineLike) -> int:
        r = m.regs
        r[dst] = (r[reg] if reg >= 0 else constant) & MASK[bits]
        return following

    return move if op is AluOp.MOV else step


def _jump_step(i: Jump, following: int) -> Step:
    op, bits, dst, target = i.op, i.bits, i.dst, i.target
    reg, constant = _source(i.src)

    def step(m: MachineLike) -> int:
        r = m.regs
        taken = condition(op, r[dst], r[reg] if reg >= 0 else constant, bits)
        return target if taken else following

    return step


def _load_step(i: Load, following: int) -> Step:
    size, dst, base, off, extend = i.size, i.dst, i.base, i.off, i.signed

    def step(m: MachineLike) -> int:
        value = m.load(m.regs[base] + off & MASK[64], size)
        m.regs[dst] = signed(value, size * 8) & MASK[64] if extend else value
        return following

    return step


def _store_step(i: Store, following: int) -> Step:
    size, base, off = i.size, i.base, i.off
    reg, constant = _source(i.src)

    def step(m: MachineLike) -> int:
        r = m.regs
        value = r[reg] if reg >= 0 else constant
        m.store(r[base] + off & MASK[64], size, value & MASK[size * 8])
        return following

    return step


def _atomic_step(i: Atomic, following: int) -> Step:
    def step(m: MachineLike) -> int:
        r, bits = m.regs, i.size * 8
        address = r[i.base] + i.off & MASK[64]
        old = m.load(address, i.size)
        m.store(address, i.size, atomic(i.op, old, r[i.src], r[0], bits))
        if i.op is AtomicOp.CMPXCHG:
            r[0] = old
        elif i.fetch:
            r[i.src] = old
        return following

    return step


def _load_packet_step(i: LoadPacket, following: int) -> Step:
    size, index, off = i.size, i.index, i.off

    def step(m: MachineLike) -> int:
        r = m.regs
        offset = signed((r[index] if index is not None else 0) + off, 32)
        value = m.load_packet(offset, size)
        if value is None:
            r[0] = 0
            return m.leave()
        r[0] = value
        r[1] = r[2] = r[3] = r[4] = r[5] = CLOBBERED
        return following

    return step


CLOBBERED = 0xDEAD_C10B_BE12_ED00
"""Stands in registers that a call destroyed; a verified program never reads it."""


def _call_step(number: int, slot: int, following: int) -> Step:
    def step(m: MachineLike) -> int:
        r = m.regs
        r[0] = m.call_helper(number, slot)
        r[1] = r[2] = r[3] = r[4] = r[5] = CLOBBERED
        return following

    return step


def _call_kernel_step(name: str, following: int) -> Step:
    def step(m: MachineLike) -> int:
        r = m.regs
        r[0] = m.call_kernel(name)
        r[1] = r[2] = r[3] = r[4] = r[5] = CLOBBERED
        return following

    return step


def step_for(insn: Insn, slot: int, following: int) -> Step:
    """The closure of one instruction; `following` is the slot after it."""

    def assign(dst: int, compute: Callable[[MachineLike], int]) -> Step:
        def step(m: MachineLike) -> int:
            m.regs[dst] = compute(m)
            return following

        return step

    match insn:
        case Alu():
            return _alu_step(insn, following)
        case MovSx(bits, dst, src, from_bits):
            return assign(dst, lambda m: signed(m.regs[src], from_bits) & MASK[bits])
        case Neg(bits, dst):
            return assign(dst, lambda m: -m.regs[dst] & MASK[bits])
        case Swap(kind, bits, dst):
            return assign(dst, lambda m: swap(kind, m.regs[dst], bits))
        case LoadImm64(dst, value):
            return assign(dst, lambda _: value)
        case LoadData(dst, section, offset):
            return assign(dst, lambda m: m.data_address(section, offset))
        case LoadFunction():
            raise ValueError(f"no helper of the interpreter calls back, asked {insn!r}")
        case Load():
            return _load_step(insn, following)
        case Store():
            return _store_step(insn, following)
        case Atomic():
            return _atomic_step(insn, following)
        case LoadPacket():
            return _load_packet_step(insn, following)
        case Jump():
            return _jump_step(insn, following)
        case Goto(target):
            return lambda _: target
        case Call(helper):
            return _call_step(helper, slot, following)
        case CallLocal(target):
            return lambda m: m.call_local(slot, target)
        case CallExtern(name):
            return _call_kernel_step(name, following)
        case Exit():
            return lambda m: m.leave()
    assert_never(insn)
