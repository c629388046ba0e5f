"""Classic BPF -> a Program over __sk_buff, as the kernel's converter understands it.

Rules: Linux Documentation/networking/filter.rst and the checks of net/core/filter.c. A and X become
r7 and r8, M[] the top of the stack, r6 the context; all arithmetic is 32-bit. Where a reader may
wonder:

- A load outside the frame, and a division by a zero X, end the filter with 0: no match.
- The sum of X and a constant offset wraps at 32 bits, as in the kernel; libpcap's own interpreter
  takes a sum that wraps for one outside the frame.
- A shift by an X of 32 or more gives 0, as in libpcap; the kernel leaves it to the processor.
- Ancillary loads (offsets from SKF_AD_OFF) read descriptor fields; what a receive descriptor does
  not have, and offsets from the network or link-layer header, are refused.
"""

from collections.abc import Sequence
from dataclasses import replace

from ...ctx_map.context import SK_BUFF, Field
from ...ctx_map.helpers import Helper
from ...ctx_map.verdicts import MATCH_DROPS, MATCH_PASSES
from ..errors import SourceLine, Unsupported, VerifyError, Where
from ..insn import (
    FP,
    Alu,
    AluOp,
    Call,
    Exit,
    Goto,
    Imm,
    Insn,
    Jump,
    JumpOp,
    Load,
    LoadPacket,
    Neg,
    Operand,
    Program,
    Reg,
    Store,
    Swap,
    SwapKind,
)
from . import classic_insn as c
from .classic_check import check
from .classic_insn import FILTER, ClassicInsn, line_of

_CTX, _A, _X = 6, 7, 8
_ALU = {
    c.ADD: AluOp.ADD, c.SUB: AluOp.SUB, c.MUL: AluOp.MUL, c.DIV: AluOp.DIV, c.OR: AluOp.OR,
    c.AND: AluOp.AND, c.LSH: AluOp.LSH, c.RSH: AluOp.RSH, c.MOD: AluOp.MOD, c.XOR: AluOp.XOR,
}
_JUMPS = {c.JEQ: JumpOp.EQ, c.JGT: JumpOp.GT, c.JGE: JumpOp.GE, c.JSET: JumpOp.SET}
_INVERSE = {JumpOp.EQ: JumpOp.NE, JumpOp.GT: JumpOp.LE, JumpOp.GE: JumpOp.LT}

_FIELDS = {
    0: "protocol", 8: "ifindex", 24: "queue_mapping", 32: "hash", 44: "vlan_tci",
    48: "vlan_present", 60: "vlan_proto",
}
_ABSENT = {
    4: "packet type (inbound, outbound, broadcast, multicast)", 12: "netlink attribute",
    16: "nested netlink attribute", 20: "packet mark", 28: "hardware type", 52: "payload offset",
}


def translate(
    filter_insns: Sequence[tuple[int, int, int, int]], name: str, on_match: str = "pass"
) -> Program:
    """Translate a classic filter (code, jt, jf, k); unreachable instructions are left out.

    `on_match` is "pass" (a non-zero return value passes the packet) or "drop" (it drops it). The
    source lines of the result are the classic instructions, numbered from 0 as tcpdump -d does.
    Raises DecodeError, VerifyError (the kernel refuses the filter too) or Unsupported.
    """
    rules = {"pass": MATCH_PASSES, "drop": MATCH_DROPS}
    if on_match not in rules:
        raise ValueError(f"on_match is 'pass' or 'drop', not {on_match!r}")
    insns = tuple(ClassicInsn(*i) for i in filter_insns)
    translator = _Translator(insns)
    for n in check(insns):
        translator.add(n)
    context = replace(SK_BUFF, verdicts=rules[on_match])
    code = translator.resolved()
    return Program(name, FILTER, context, code, {0: name}, {}, translator.lines)


def _alu(op: AluOp, dst: int, src: Operand) -> Alu:
    return Alu(op, 32, dst, src)


def _move(dst: int, src: int) -> Alu:
    return _alu(AluOp.MOV, dst, Reg(src))


def _imm(k: int) -> Imm:
    """k as the signed constant with the same 32 bits."""
    return Imm(k - (1 << 32) if k >> 31 else k)


def _operand(i: ClassicInsn) -> Operand:
    return Reg(_X) if i.uses_x else _imm(i.k)


def _word(k: int) -> int:
    """The stack offset of M[k]."""
    return -4 * (c.MEM_WORDS - k)


class _Translator:
    """Collects code; jumps to classic instructions are resolved at the end."""

    def __init__(self, insns: Sequence[ClassicInsn]) -> None:
        self.insns = insns
        self.code: list[Insn] = [
            Alu(AluOp.MOV, 64, _CTX, Reg(1)), _alu(AluOp.MOV, _A, Imm(0)),
            _alu(AluOp.MOV, _X, Imm(0)),
        ]
        self.lines: dict[int, SourceLine] = {}
        self._starts: dict[int, int] = {}
        self._targets: dict[int, int] = {}

    def resolved(self) -> tuple[Insn, ...]:
        """The code with slots as jump targets."""
        code = list(self.code)
        for slot, n in self._targets.items():
            insn = code[slot]
            assert isinstance(insn, Jump | Goto)
            code[slot] = replace(insn, target=self._starts[n])
        return tuple(code)

    def add(self, n: int) -> None:
        """Translate classic instruction n."""
        i = self.insns[n]
        self._starts[n] = len(self.code)
        self.lines[len(self.code)] = line_of(i, n)
        match i.insn_class:
            case c.LD | c.LDX:
                self._load(i, n)
            case c.ST | c.STX:
                register = _A if i.insn_class == c.ST else _X
                self.code.append(Store(4, FP, _word(i.k), Reg(register)))
            case c.ALU:
                self._arithmetic(i)
            case c.JMP:
                self._jump(i, n)
            case c.RET:
                value = Reg(_A) if i.code & 0x18 == c.A else _imm(i.k)
                self.code += [_alu(AluOp.MOV, 0, value), Exit()]
            case _:
                self.code.append(_move(_A, _X) if i.code & 0xF8 == c.TXA else _move(_X, _A))

    def _load(self, i: ClassicInsn, n: int) -> None:
        dst = _A if i.insn_class == c.LD else _X
        match i.mode:
            case c.IMM:
                self.code.append(_alu(AluOp.MOV, dst, _imm(i.k)))
            case c.MEM:
                self.code.append(Load(4, dst, FP, _word(i.k)))
            case c.LEN:
                self.code.append(_field("len", dst))
            case c.IND:
                self.code += [LoadPacket(c.SIZES[i.size], _X, _imm(i.k).value), _move(_A, 0)]
            case c.ABS if i.k >= c.AD_OFF:
                self.code += _ancillary(i, n)
            case _ if i.k >> 31:
                raise Unsupported(
                    f"offset {_imm(i.k).value} counts from the network or link-layer header, whose "
                    "place a receive descriptor does not give. Use an offset from the first byte "
                    "of the frame.",
                    Where(line=line_of(i, n)),
                )
            case c.ABS:
                self.code += [LoadPacket(c.SIZES[i.size], None, i.k), _move(_A, 0)]
            case _:
                self.code += [
                    LoadPacket(1, None, i.k), _move(_X, 0),
                    _alu(AluOp.AND, _X, Imm(15)), _alu(AluOp.LSH, _X, Imm(2)),
                ]

    def _arithmetic(self, i: ClassicInsn) -> None:
        if i.op == c.NEG:
            self.code.append(Neg(32, _A))
            return
        if i.uses_x and i.op in (c.DIV, c.MOD):
            self._skip_if(JumpOp.NE, 0, [_alu(AluOp.MOV, 0, Imm(0)), Exit()])
        self.code.append(_alu(_ALU[i.op], _A, _operand(i)))
        if i.uses_x and i.op in (c.LSH, c.RSH):
            self._skip_if(JumpOp.LT, 32, [_alu(AluOp.MOV, _A, Imm(0))])

    def _skip_if(self, op: JumpOp, k: int, skipped: list[Insn]) -> None:
        """`skipped`, unless X op k."""
        self.code.append(Jump(op, 32, _X, Imm(k), len(self.code) + 1 + len(skipped)))
        self.code += skipped

    def _jump(self, i: ClassicInsn, n: int) -> None:
        holds, fails = i.targets(n)
        if i.op != c.JA and holds != fails:
            op = _JUMPS[i.op]
            if holds == n + 1 and op in _INVERSE:
                op, holds, fails = _INVERSE[op], fails, holds
            self._targets[len(self.code)] = holds
            self.code.append(Jump(op, 32, _A, _operand(i), 0))
        if fails != n + 1:
            self._targets[len(self.code)] = fails
            self.code.append(Goto(0))


_BY_NAME = {field.name: field for field in SK_BUFF.fields}
_COMPUTED: dict[int, tuple[Insn, ...]] = {
    36: (_alu(AluOp.MOV, _A, Imm(0)),),  # the processor's number
    40: (_alu(AluOp.XOR, _A, Reg(_X)),),  # SKF_AD_ALU_XOR_X
    56: (Call(Helper.GET_PRANDOM_U32), _move(_A, 0)),
}


def _field(name: str, dst: int) -> Load:
    return Load(Field.SIZE, dst, _CTX, _BY_NAME[name].offset)


def _ancillary(i: ClassicInsn, n: int) -> list[Insn]:
    """A = what the kernel keeps at SKF_AD_OFF + offset."""
    offset = i.k - c.AD_OFF
    if offset in _FIELDS:
        load = _field(_FIELDS[offset], _A)
        in_network_order = _BY_NAME[_FIELDS[offset]].network_order
        return [load, Swap(SwapKind.BE, 16, _A)] if in_network_order else [load]
    if offset in _COMPUTED:
        return list(_COMPUTED[offset])
    if offset in _ABSENT:
        raise Unsupported(
            f"the filter reads the {_ABSENT[offset]}, which a receive descriptor does not have.",
            Where(line=line_of(i, n)),
        )
    raise VerifyError(
        f"offset {_imm(i.k).value} lies before the frame, and names no ancillary data.",
        Where(line=line_of(i, n)),
    )
