"""The instruction set as a sum type (RFC 9669), between bytes and everything that reads programs.

Registers are 0..10. Immediates are Python integers, already sign-extended from 32 bits. Jump targets
are slot numbers: an instruction's index in the program counted in 8-byte slots, as the kernel counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from ..ctx_map.context import Context
from ..ctx_map.nics import UNSTRIPPED, Nic
from .errors import SourceLine, Where

FP = 10
"""The frame pointer, r10."""
STACK_SIZE = 512
"""Stack of one function, bytes (kernel: MAX_BPF_STACK)."""
MAX_FRAMES = 8
"""Call depth, functions (kernel: MAX_CALL_FRAMES)."""


@dataclass(frozen=True, slots=True)
class Reg:
    """A register operand."""

    n: int


@dataclass(frozen=True, slots=True)
class Imm:
    """A constant operand; `value` is signed."""

    value: int


Operand = Reg | Imm


class AluOp(Enum):
    """Two-operand arithmetic (RFC 9669 section 4.1); the value is the assembler's operator."""

    ADD = "+"
    SUB = "-"
    MUL = "*"
    DIV = "/"
    SDIV = "s/"
    OR = "|"
    AND = "&"
    LSH = "<<"
    RSH = ">>"
    MOD = "%"
    SMOD = "s%"
    XOR = "^"
    MOV = ""
    ARSH = "s>>"


class JumpOp(Enum):
    """Conditions (RFC 9669 section 4.3)."""

    EQ = "=="
    NE = "!="
    GT = ">"
    GE = ">="
    LT = "<"
    LE = "<="
    SET = "&"
    SGT = "s>"
    SGE = "s>="
    SLT = "s<"
    SLE = "s<="


class SwapKind(Enum):
    """Byte swaps (RFC 9669 section 4.2). The machine is little-endian: LE only truncates."""

    LE = "le"
    BE = "be"
    BSWAP = "bswap"


class AtomicOp(Enum):
    """Atomic operations (RFC 9669 section 5.3)."""

    ADD = "add"
    OR = "or"
    AND = "and"
    XOR = "xor"
    XCHG = "xchg"
    CMPXCHG = "cmpxchg"


@dataclass(frozen=True, slots=True)
class Alu:
    """dst = dst op src at `bits` (32 or 64); a 32-bit result is zero-extended."""

    op: AluOp
    bits: int
    dst: int
    src: Operand


@dataclass(frozen=True, slots=True)
class MovSx:
    """dst = src's low `from_bits` (8, 16, 32) sign-extended to `bits` (32 or 64)."""

    bits: int
    dst: int
    src: int
    from_bits: int


@dataclass(frozen=True, slots=True)
class Neg:
    """dst = -dst at `bits`."""

    bits: int
    dst: int


@dataclass(frozen=True, slots=True)
class Swap:
    """dst = dst's low `bits` (16, 32, 64) swapped, zero-extended."""

    kind: SwapKind
    bits: int
    dst: int


@dataclass(frozen=True, slots=True)
class LoadImm64:
    """dst = a 64-bit constant (unsigned). Takes two slots."""

    dst: int
    value: int


@dataclass(frozen=True, slots=True)
class LoadData:
    """dst = address of byte `offset` of the read-only data section `section`. Takes two slots."""

    dst: int
    section: str
    offset: int


@dataclass(frozen=True, slots=True)
class LoadFunction:
    """dst = address of the function at slot `target`, for a helper to call. Takes two slots."""

    dst: int
    target: int


@dataclass(frozen=True, slots=True)
class Load:
    """dst = *(size*)(base + off), zero- or sign-extended to 64 bits; size in bytes 1, 2, 4, 8."""

    size: int
    dst: int
    base: int
    off: int
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Store:
    """*(size*)(base + off) = src."""

    size: int
    base: int
    off: int
    src: Operand


@dataclass(frozen=True, slots=True)
class Atomic:
    """An atomic update of *(size*)(base + off) by register src; `fetch` returns the old value.

    The old value goes to src, for CMPXCHG to r0 (which is also what is compared with).
    """

    op: AtomicOp
    size: int
    base: int
    off: int
    src: int
    fetch: bool


@dataclass(frozen=True, slots=True)
class LoadPacket:
    """LD_ABS / LD_IND: r0 = packet bytes at int32(index + off), network order; size 1, 2, 4.

    Out of range ends the function with r0 = 0. r1-r5 are clobbered; r6 must hold the context.
    """

    size: int
    index: int | None
    off: int


@dataclass(frozen=True, slots=True)
class Jump:
    """Go to slot `target` when dst op src holds at `bits`."""

    op: JumpOp
    bits: int
    dst: int
    src: Operand
    target: int


@dataclass(frozen=True, slots=True)
class Goto:
    """Go to slot `target`."""

    target: int


@dataclass(frozen=True, slots=True)
class Call:
    """Call helper number `helper` (kernel: enum bpf_func_id) with r1-r5, result in r0."""

    helper: int


@dataclass(frozen=True, slots=True)
class CallLocal:
    """Call the function that starts at slot `target`."""

    target: int


@dataclass(frozen=True, slots=True)
class CallExtern:
    """Call a kernel function by name (kfunc)."""

    name: str


@dataclass(frozen=True, slots=True)
class Exit:
    """Return r0 from this function."""


Insn = (
    Alu | MovSx | Neg | Swap | LoadImm64 | LoadData | LoadFunction | Load | Store | Atomic | LoadPacket
    | Jump | Goto | Call | CallLocal | CallExtern | Exit
)


@dataclass(frozen=True, slots=True)
class Variable:
    """A read-only variable: `size` bytes from byte `offset` of the data section `section`."""

    section: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Program:
    """One decoded program: the entry function at slot 0, and every function that it can call.

    `insns[slot]` is None in the second slot of a two-slot instruction. `data` holds the read-only
    sections that LoadData names, `variables` what lies in them by name. Of these the host may change
    the `tunables` between packets; `data` has what they are at first. `lines` maps a slot to its
    source line where debug information has it, `sources` names the files that are at hand with their
    text. `nic` answers the metadata functions; compiling binds the program to the one in the options.
    """

    name: str
    section: str
    context: Context
    insns: tuple[Insn | None, ...]
    functions: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({0: "main"}))
    data: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    lines: Mapping[int, SourceLine] = field(default_factory=lambda: MappingProxyType({}))
    variables: Mapping[str, Variable] = field(default_factory=lambda: MappingProxyType({}))
    tunables: tuple[str, ...] = ()
    nic: Nic = UNSTRIPPED
    sources: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def tunable_places(self) -> list[tuple[str, int]]:
        """(section, offset) of every byte of the tunables, one tunable after the other."""
        chosen = [self.variables[name] for name in self.tunables]
        return [(v.section, v.offset + i) for v in chosen for i in range(v.size)]

    def tunable_image(self) -> bytes:
        """What those bytes are at first."""
        return bytes(self.data[section][at] for section, at in self.tunable_places())

    def where(self, slot: int) -> Where:
        """The place that a diagnostic about the instruction at `slot` names."""
        return Where(self.section, slot, self.line(slot))

    def line(self, slot: int) -> SourceLine | None:
        """The source line of a slot: its own entry or the nearest one before it in its function."""
        start = max((s for s in self.functions if s <= slot), default=0)
        for s in range(slot, start - 1, -1):
            if s in self.lines:
                return self.lines[s]
        return None
