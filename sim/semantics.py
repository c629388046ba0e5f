"""Instruction -> a Python closure that performs it: the one readable table of RFC 9669 semantics.

Registers hold unsigned 64-bit integers. A closure takes the machine and returns the next slot, or -1
when the program ends. Memory is reached through `Machine.load` and `Machine.store`.
"""

from collections.abc import Callable, Mapping
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


def _sdiv(a: int, b: int, bits: int) -> int:
    """Quotient rounded toward zero."""
    x, y = signed(a, bits), signed(b, bits)
    q = abs(x) // abs(y)
    return -q if (x < 0) != (y < 0) else q


ALU: Mapping[AluOp, Callable[[int, int, int], int]] = {
    AluOp.ADD: lambda a, b, bits: a + b,
    AluOp.SUB: lambda a, b, bits: a - b,
    AluOp.MUL: lambda a, b, bits: a * b,
    AluOp.DIV: lambda a, b, bits: a // b if b else 0,
    AluOp.SDIV: lambda a, b, bits: _sdiv(a, b, bits) if b else 0,
    AluOp.MOD: lambda a, b, bits: a % b if b else a,
    AluOp.SMOD: lambda a, b, bits: a - signed(b, bits) * _sdiv(a, b, bits) if b else a,
    AluOp.OR: lambda a, b, bits: a | b,
    AluOp.AND: lambda a, b, bits: a & b,
    AluOp.XOR: lambda a, b, bits: a ^ b,
    AluOp.MOV: lambda a, b, bits: b,
    AluOp.LSH: lambda a, b, bits: a << (b & bits - 1),
    AluOp.RSH: lambda a, b, bits: a >> (b & bits - 1),
    AluOp.ARSH: lambda a, b, bits: signed(a, bits) >> (b & bits - 1),
}
"""Operands below 2**bits, and bits -> the result, of which the low `bits` count (section 4.1)."""

CONDITION: Mapping[JumpOp, Callable[[int, int, int], bool]] = {
    JumpOp.EQ: lambda a, b, bits: a == b,
    JumpOp.NE: lambda a, b, bits: a != b,
    JumpOp.GT: lambda a, b, bits: a > b,
    JumpOp.GE: lambda a, b, bits: a >= b,
    JumpOp.LT: lambda a, b, bits: a < b,
    JumpOp.LE: lambda a, b, bits: a <= b,
    JumpOp.SET: lambda a, b, bits: a & b != 0,
    JumpOp.SGT: lambda a, b, bits: signed(a, bits) > signed(b, bits),
    JumpOp.SGE: lambda a, b, bits: signed(a, bits) >= signed(b, bits),
    JumpOp.SLT: lambda a, b, bits: signed(a, bits) < signed(b, bits),
    JumpOp.SLE: lambda a, b, bits: signed(a, bits) <= signed(b, bits),
}
"""Operands below 2**bits, and bits -> whether the jump is taken (section 4.3)."""


def alu(op: AluOp, a: int, b: int, bits: int) -> int:
    """Apply `op` to the low `bits` of a and b; the result is below 2**bits."""
    mask = MASK[bits]
    return ALU[op](a & mask, b & mask, bits) & mask


def condition(op: JumpOp, a: int, b: int, bits: int) -> bool:
    """Whether `a op b` holds on the low `bits`."""
    mask = MASK[bits]
    return CONDITION[op](a & mask, b & mask, bits)


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


def _alu_step(i: Alu, following: int) -> Step:
    compute, bits, mask, dst = ALU[i.op], i.bits, MASK[i.bits], i.dst
    if isinstance(i.src, Reg):
        src = i.src.n

        def with_register(m: MachineLike) -> int:
            r = m.regs
            r[dst] = compute(r[dst] & mask, r[src] & mask, bits) & mask
            return following

        return with_register
    constant = i.src.value & mask

    def with_constant(m: MachineLike) -> int:
        r = m.regs
        r[dst] = compute(r[dst] & mask, constant, bits) & mask
        return following

    return with_constant


def _jump_step(i: Jump, following: int) -> Step:
    holds, bits, mask, dst, target = CONDITION[i.op], i.bits, MASK[i.bits], i.dst, i.target
    if isinstance(i.src, Reg):
        src = i.src.n

        def with_register(m: MachineLike) -> int:
            r = m.regs
            return target if holds(r[dst] & mask, r[src] & mask, bits) else following

        return with_register
    constant = i.src.value & mask
    return lambda m: target if holds(m.regs[dst] & mask, constant, bits) else following


def _load_step(i: Load, following: int) -> Step:
    size, dst, base, off, extend = i.size, i.dst, i.base, i.off, i.signed

    def step(m: MachineLike) -> int:
        value = m.load(m.regs[base] + off & MASK[64], size)
        m.regs[dst] = signed(value, size * 8) & MASK[64] if extend else value
        return following

    return step


def _store_step(i: Store, following: int) -> Step:
    size, base, off, src = i.size, i.base, i.off, i.src

    def step(m: MachineLike) -> int:
        r = m.regs
        value = r[src.n] if isinstance(src, Reg) else src.value
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
