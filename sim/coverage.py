"""A program and a packet -> the branches taken, and the packet bytes that decided them."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..compiler.insn import (
    Alu,
    AluOp,
    Call,
    CallExtern,
    Insn,
    Jump,
    Load,
    LoadData,
    LoadImm64,
    LoadPacket,
    MovSx,
    Operand,
    Program,
    Reg,
    Store,
)
from ..ctx_map.descriptor import Descriptor
from ..ctx_map.helpers import Helper
from .interp import PACKET_ADDRESS, Interpreter, TraceRecord
from .semantics import MASK, signed

END = -1
"""Stands for the slot after a packet load that ended its function."""

Branch = tuple[int, int]
"""The slot of a conditional jump or packet load, and the slot where it went on."""

Read = tuple[int, int]
"""Packet bytes that a program asked for: offset, size."""

_NOTHING: frozenset[int] = frozenset()
_LONGEST = 1 << 16
"""No packet has as many bytes."""


@dataclass(frozen=True, slots=True)
class Step:
    """A branch that was taken.

    `reads` are the packet reads up to there (a packet load's own is the last), `sources` those that
    a jump depends on; `left` and `right` are what it compared, 0 for a packet load.
    """

    branch: Branch
    reads: tuple[Read, ...]
    sources: tuple[Read, ...]
    left: int
    right: int


def branches(program: Program) -> frozenset[Branch]:
    """Every branch that the program's text has, also those that no packet can take."""
    found = set()
    for slot, insn in enumerate(program.insns):
        match insn:
            case Jump(target=target):
                found |= {(slot, target), (slot, slot + 1)}
            case LoadPacket():
                found |= {(slot, slot + 1), (slot, END)}
    return frozenset(found)


def walk(
    interpreter: Interpreter, frame: bytes, descriptor: Descriptor, ktime: int = 0, number: int = 0
) -> Iterator[Step]:
    """Run one packet and name its branches in order."""
    trail = _Trail()
    waiting: tuple[TraceRecord, tuple[Read, ...], int, int] | None = None
    for record in interpreter.trace(frame, descriptor, ktime=ktime, number=number):
        if waiting is not None:
            yield Step(_branch(waiting[0], record), tuple(trail.reads), *waiting[1:])
        waiting = None
        match record.insn:
            case Jump(bits=bits, dst=dst, src=src):
                right = trail.values[src.n] if isinstance(src, Reg) else src.value
                sources = trail.sources(trail.regs[dst] | trail.of(src))
                waiting = record, sources, trail.values[dst] & MASK[bits], right & MASK[bits]
            case LoadPacket():
                waiting = record, (), 0, 0
        trail.follow(record)
    if waiting is not None:
        yield Step((waiting[0].slot, END), tuple(trail.reads), *waiting[1:])


def _branch(record: TraceRecord, following: TraceRecord) -> Branch:
    if isinstance(record.insn, Jump) or (following.slot, following.depth) == (
        record.slot + 1, record.depth,
    ):
        return record.slot, following.slot
    return record.slot, END


class _Trail:
    """The packet reads so far, and which of them registers and memory bytes depend on.

    A hint for finding packets: what subprograms save and restore is not followed.
    """

    def __init__(self) -> None:
        self.reads: list[Read] = []
        self.values = [0] * 11  # the registers, but for those that a call destroyed
        self.regs = [_NOTHING] * 11
        self._memory: dict[int, frozenset[int]] = {}

    def of(self, operand: Operand) -> frozenset[int]:
        """The reads that an operand depends on, by number."""
        return self.regs[operand.n] if isinstance(operand, Reg) else _NOTHING

    def sources(self, numbers: frozenset[int]) -> tuple[Read, ...]:
        """The reads with these numbers."""
        return tuple(self.reads[n] for n in sorted(numbers))

    def follow(self, record: TraceRecord) -> None:
        """Account for an executed instruction."""
        assert record.insn is not None
        self._depend(record.insn)
        for n, value in record.written:
            self.values[n] = value

    def _summed(self, n: int) -> frozenset[int]:
        """What the bytes depend on that register `n` points to and the next one counts."""
        start, size = self.values[n], self.values[n + 1]
        if size and 0 <= start - PACKET_ADDRESS < _LONGEST:
            self.reads.append((start - PACKET_ADDRESS, size))
            return self.regs[n] | {len(self.reads) - 1}
        return _NOTHING.union(*(self._memory.get(start + i, _NOTHING) for i in range(size)))

    def _depend(self, insn: Insn) -> None:
        regs, memory, values = self.regs, self._memory, self.values
        match insn:
            case Alu(op=AluOp.MOV, dst=dst, src=src):
                regs[dst] = self.of(src)
            case Alu(dst=dst, src=src):
                regs[dst] |= self.of(src)
            case MovSx(dst=dst, src=src):
                regs[dst] = regs[src]
            case LoadImm64(dst=dst) | LoadData(dst=dst):
                regs[dst] = _NOTHING
            case LoadPacket(size=size, index=index, off=off):
                base = 0 if index is None else values[index]
                at = _NOTHING if index is None else regs[index]
                regs[0] = at | {len(self.reads)}
                self.reads.append((signed(base + off, 32), size))
            case Load(size=size, dst=dst, base=base, off=off):
                start = values[base] + off
                if 0 <= start - PACKET_ADDRESS < _LONGEST:
                    regs[dst] = regs[base] | {len(self.reads)}
                    self.reads.append((start - PACKET_ADDRESS, size))
                    return
                known = (memory.get(start + n, _NOTHING) for n in range(size))
                regs[dst] = regs[base].union(*known)
            case Store(size=size, base=base, off=off, src=src):
                start = values[base] + off
                memory |= dict.fromkeys(range(start, start + size), self.of(src))
            case Call(helper=Helper.SKB_LOAD_BYTES | Helper.XDP_LOAD_BYTES):
                span = range(values[3], values[3] + values[4])
                memory |= dict.fromkeys(span, frozenset({len(self.reads)}))
                regs[0] = _NOTHING
                self.reads.append((values[2], values[4]))
            case Call(helper=Helper.CSUM_DIFF):
                regs[0] = regs[5].union(*(self._summed(n) for n in (1, 3)))
            case Call() | CallExtern():
                regs[0] = _NOTHING
