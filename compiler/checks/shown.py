"""An instruction and the state before it -> what the registers hold that it reads, in words."""

from ..analysis.state import Pointer, Region, State, Unreadable
from ..insn import (
    Alu,
    AluOp,
    Atomic,
    AtomicOp,
    Call,
    CallExtern,
    Exit,
    Insn,
    Jump,
    Load,
    LoadPacket,
    MovSx,
    Neg,
    Reg,
    Store,
    Swap,
)


def registers_shown(insn: Insn, state: State, message: str) -> str:
    """Registers with their values, and how long the packet is known to be where that matters.

    What `message` says already is left out, as are registers that cannot be read.
    """
    parts = []
    length = ""
    for n in dict.fromkeys(_read(insn)):
        value = state.regs[n]
        if isinstance(value, Unreadable):
            continue
        if f"r{n} " not in message or str(value) not in message:
            parts.append(f"r{n} = {value}")
        if isinstance(value, Pointer) and value.region is Region.PACKET:
            length = f"the packet has {state.proven[None]} bytes or more"
    return ", ".join([*parts, length] if length else parts)


def _read(insn: Insn) -> tuple[int, ...]:
    match insn:
        case Alu(op, _, dst, src):
            first = () if op is AluOp.MOV else (dst,)
            return (*first, src.n) if isinstance(src, Reg) else first
        case MovSx():
            return (insn.src,)
        case Neg() | Swap():
            return (insn.dst,)
        case Load():
            return (insn.base,)
        case Store(_, base, _, src):
            return (base, src.n) if isinstance(src, Reg) else (base,)
        case Atomic():
            compared = (0,) if insn.op is AtomicOp.CMPXCHG else ()
            return (insn.base, insn.src, *compared)
        case LoadPacket(_, index, _):
            return (6,) if index is None else (6, index)
        case Jump(_, _, dst, src):
            return (dst, src.n) if isinstance(src, Reg) else (dst,)
        case Call() | CallExtern():
            return (1, 2, 3, 4, 5)
        case Exit():
            return (0,)
    return ()
