"""Classic BPF's instruction format -> opcode names, constants and text (linux/filter.h, bpf(4)).

An instruction is four numbers: `code` (class, size or operator, mode or operand), `jt` and `jf`
(instructions to skip when a test holds or fails) and `k`, unsigned 32 bits.
"""

from typing import NamedTuple

from ..errors import SourceLine

LD, LDX, ST, STX, ALU, JMP, RET, MISC = range(8)
"""Instruction classes: the low three bits of `code`."""
W, H, B = 0x00, 0x08, 0x10
"""Load sizes; `SIZES` gives bytes."""
IMM, ABS, IND, MEM, LEN, MSH = 0x00, 0x20, 0x40, 0x60, 0x80, 0xA0
"""Load modes."""
K, X, A = 0x00, 0x08, 0x10
"""Operands: the constant, the index register; `A` only in RET."""
TAX, TXA = 0x00, 0x80
"""MISC operations."""
JA, JEQ, JGT, JGE, JSET = 0x00, 0x10, 0x20, 0x30, 0x40
"""Jumps."""
ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, NEG, MOD, XOR = range(0, 0xB0, 0x10)
"""Arithmetic."""

FILTER = "filter"
"""What diagnostics call the program that an instruction stands in."""
SIZES = {W: 4, H: 2, B: 1}
MEM_WORDS = 16
"""Scratch memory M[], 32-bit words."""
MAX_INSNS = 4096

AD_OFF, NET_OFF, LL_OFF = 0xFFFFF000, 0xFFF00000, 0xFFE00000
"""Where the offsets of ancillary data, of the network and of the link-layer header begin."""

_ALU_TEXT = {
    ADD: "add", SUB: "sub", MUL: "mul", DIV: "div", OR: "or", AND: "and", LSH: "lsh", RSH: "rsh",
    NEG: "neg", MOD: "mod", XOR: "xor",
}
_JUMP_TEXT = {JA: "ja", JEQ: "jeq", JGT: "jgt", JGE: "jge", JSET: "jset"}
_SIZE_TEXT = {W: "", H: "h", B: "b"}


class ClassicInsn(NamedTuple):
    """One classic BPF instruction."""

    code: int
    jt: int
    jf: int
    k: int

    @property
    def insn_class(self) -> int:
        """LD ... MISC."""
        return self.code & 0x07

    @property
    def size(self) -> int:
        """W, H or B of a load."""
        return self.code & 0x18

    @property
    def mode(self) -> int:
        """IMM ... MSH of a load."""
        return self.code & 0xE0

    @property
    def op(self) -> int:
        """The operator of ALU, JMP and MISC."""
        return self.code & 0xF0

    @property
    def uses_x(self) -> bool:
        """Whether the second operand of ALU and JMP is the index register."""
        return bool(self.code & X)

    def targets(self, n: int) -> tuple[int, int]:
        """Where a jump that is instruction n goes when its test holds, and when it fails."""
        if self.op == JA:
            return (n + 1 + self.k, n + 1 + self.k)
        return (n + 1 + self.jt, n + 1 + self.jf)


def text(insn: ClassicInsn) -> str:
    """An instruction as bpf_asm writes it, jump distances as `+n`."""
    operand = "x" if insn.uses_x else f"#{insn.k:#x}"
    signed = insn.k - (1 << 32) if insn.k >> 31 else insn.k
    match insn.insn_class:
        case 0 | 1:
            register = "" if insn.insn_class == LD else "x"
            name = f"ld{register}{_SIZE_TEXT.get(insn.size, '?')}"
            modes = {
                IMM: f"#{insn.k:#x}", ABS: f"[{signed}]", IND: f"[x + {signed}]",
                MEM: f"M[{insn.k}]", LEN: "#len", MSH: f"4*([{signed}]&0xf)",
            }
            return f"{name} {modes.get(insn.mode, '?')}"
        case 2 | 3:
            return f"{'st' if insn.insn_class == ST else 'stx'} M[{insn.k}]"
        case 4:
            name = _ALU_TEXT.get(insn.op, "?")
            return name if insn.op == NEG else f"{name} {operand}"
        case 5 if insn.op == JA:
            return f"ja {signed:+d}"
        case 5:
            return f"{_JUMP_TEXT.get(insn.op, '?')} {operand}, +{insn.jt}, +{insn.jf}"
        case 6:
            return "ret a" if insn.code & 0x18 == A else f"ret #{insn.k}"
        case _:
            return "txa" if insn.code & 0xF8 == TXA else "tax"


def line_of(insn: ClassicInsn, n: int) -> SourceLine:
    """Instruction number n as the source line that diagnostics and reports show."""
    return SourceLine(FILTER, n, text(insn))
