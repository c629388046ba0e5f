"""Classic BPF -> the numbers of its reachable instructions, or the reason why it is no filter.

The rules are those of bpf_check_classic() and check_load_and_stores() in net/core/filter.c.
"""

from collections.abc import Sequence

from ..errors import DecodeError, RxgateError, VerifyError, Where
from . import classic_insn as c
from .classic_insn import ClassicInsn, line_of

_LOADS = {c.LD | size | mode for size in (c.W, c.H, c.B) for mode in (c.ABS, c.IND)}
_LOADS |= {cls | c.W | mode for cls in (c.LD, c.LDX) for mode in (c.IMM, c.MEM, c.LEN)}
_LOADS.add(c.LDX | c.B | c.MSH)
_OPS = (c.ADD, c.SUB, c.MUL, c.DIV, c.OR, c.AND, c.LSH, c.RSH, c.MOD, c.XOR)
_ALU = {c.ALU | op | operand for op in _OPS for operand in (c.K, c.X)} | {c.ALU | c.NEG}
_TESTS = (c.JEQ, c.JGT, c.JGE, c.JSET)
_JUMPS = {c.JMP | op | operand for op in _TESTS for operand in (c.K, c.X)} | {c.JMP | c.JA}
_OTHER = {c.ST, c.STX, c.RET | c.K, c.RET | c.A, c.MISC | c.TAX, c.MISC | c.TXA}
_CODES = _LOADS | _ALU | _JUMPS | _OTHER


def check(insns: Sequence[ClassicInsn]) -> list[int]:
    """The reachable instructions in order; DecodeError or VerifyError for the first fault."""
    if not 0 < len(insns) <= c.MAX_INSNS:
        raise DecodeError(
            f"a classic filter has 1 to {c.MAX_INSNS} instructions, this one {len(insns)}."
        )
    for n, i in enumerate(insns):
        if fault := _fault(i, n, len(insns)):
            raise fault
    if insns[-1].insn_class != c.RET:
        raise VerifyError("the filter does not end with a return.", _where(insns, len(insns) - 1))
    return _reach(insns)


def _where(insns: Sequence[ClassicInsn], n: int) -> Where:
    return Where(line=line_of(insns[n], n))


def _fault(i: ClassicInsn, n: int, count: int) -> RxgateError | None:
    """What is wrong with an instruction by itself."""
    where = Where(line=line_of(i, n))
    if i.code not in _CODES:
        return DecodeError(f"{i.code:#06x} is no instruction of classic BPF.", where)
    scratch = i.insn_class in (c.ST, c.STX) or (i.insn_class <= c.LDX and i.mode == c.MEM)
    if scratch and i.k >= c.MEM_WORDS:
        return VerifyError(f"scratch memory has {c.MEM_WORDS} words, there is no M[{i.k}].", where)
    if i.insn_class == c.ALU and not i.uses_x:
        if i.op in (c.DIV, c.MOD) and i.k == 0:
            return VerifyError("the filter divides by zero.", where)
        if i.op in (c.LSH, c.RSH) and i.k >= 32:
            return VerifyError(f"the filter shifts a 32-bit value by {i.k}.", where)
    if i.insn_class == c.JMP:
        if i.op == c.JA and i.k >> 31:
            return VerifyError(
                "the filter jumps backward: it contains a loop (`protochain` makes one), which "
                "neither the kernel nor a pipeline can run. Test the headers by their offsets.",
                where,
            )
        if max(i.targets(n)) >= count:
            return VerifyError("the filter jumps past its last instruction.", where)
    return None


def _reach(insns: Sequence[ClassicInsn]) -> list[int]:
    """Walk forward, keeping for each instruction the scratch words that every path has written."""
    written: dict[int, int] = {0: 0}
    order = []
    for n, i in enumerate(insns):
        if n not in written:
            continue
        order.append(n)
        words = written[n]
        if i.insn_class in (c.ST, c.STX):
            words |= 1 << i.k
        elif i.insn_class <= c.LDX and i.mode == c.MEM and not words >> i.k & 1:
            raise VerifyError(f"M[{i.k}] is read before it is written.", _where(insns, n))
        following: tuple[int, ...] = (n + 1,)
        if i.insn_class == c.JMP:
            following = i.targets(n)
        elif i.insn_class == c.RET:
            following = ()
        for target in following:
            written[target] = written.get(target, words) & words
    return order
