"""Arithmetic and comparisons -> abstract results; addresses move and compare by rules of their own."""

from dataclasses import replace

from .. import packet_pointers
from ..analysis import scalars
from ..analysis.scalars import Scalar
from ..analysis.state import (
    Pointer,
    Region,
    State,
)
from ..facts import BoundsCheck
from ..insn import (
    Alu,
    AluOp,
    Imm,
    Jump,
    JumpOp,
)
from .registers import Problem, Registers


class Arithmetic(Registers):
    """The rules of instructions that touch registers alone."""

    def alu(self, insn: Alu, state: State) -> Scalar | Pointer:
        b = self.operand_readable(insn.src, state)
        if insn.op is AluOp.MOV and (insn.bits == 64 or isinstance(b, Scalar)):
            return scalars.apply(AluOp.MOV, b, b, insn.bits) if isinstance(b, Scalar) else b
        if isinstance(insn.src, Imm):
            self.check_constant(insn)
        if insn.op is AluOp.MOV and isinstance(b, Pointer) and packet_pointers.is_packet(b):
            return replace(b, low=True)
        a = self.read(insn.dst, state) if insn.op is not AluOp.MOV else b
        if isinstance(a, Scalar) and isinstance(b, Scalar):
            return scalars.apply(insn.op, a, b, insn.bits)
        return self.pointer_arithmetic(insn, a, b)

    def check_constant(self, insn: Alu) -> None:
        assert isinstance(insn.src, Imm)
        n = insn.src.value
        if insn.op in (AluOp.DIV, AluOp.MOD, AluOp.SDIV, AluOp.SMOD) and n == 0:
            raise Problem("division by the constant 0")
        shifts = (AluOp.LSH, AluOp.RSH, AluOp.ARSH)
        if insn.op in shifts and not 0 <= n < insn.bits:
            raise Problem(f"shift of a {insn.bits}-bit value by the constant {n}")

    def pointer_arithmetic(
        self, insn: Alu, a: Scalar | Pointer, b: Scalar | Pointer
    ) -> Scalar | Pointer:
        if isinstance(a, Pointer) and isinstance(b, Pointer) and packet_pointers.is_packet(a):
            if packet_pointers.is_packet(b) and insn.op is AluOp.SUB:
                if insn.bits == 32 or not (a.low or b.low):
                    return scalars.truncate(self.distance(a, b), insn.bits)
        pointer, offset = (a, b) if isinstance(a, Pointer) else (b, a)
        assert isinstance(pointer, Pointer)
        self.refuse_null(pointer, "moved", True)
        ok = insn.op is AluOp.ADD or (insn.op is AluOp.SUB and pointer is a)
        if insn.bits == 32 or pointer.low or not ok or isinstance(offset, Pointer):
            raise Problem(
                f"`{insn.op.value or 'mov32'}` on a {pointer} and {offset}: an address can only be"
                " copied, and a number added to it or subtracted from it, at 64 bits"
            )
        moved = scalars.apply(insn.op, pointer.offset, offset, 64)
        if pointer.region is Region.CONTEXT and moved.constant is None:
            raise Problem(f"the context pointer moves by {offset}; it must be a constant")
        if packet_pointers.is_packet(pointer):
            packet = packet_pointers.moved(pointer, insn.op, offset, moved)
            if packet is None:
                raise Problem(
                    f"a {pointer} moves by {offset}; it must stay between the packet's first byte and"
                    f" byte {packet_pointers.MAX_OFFSET}: bound the number first"
                )
            return packet
        return Pointer(pointer.region, moved, pointer.frame, pointer.section)

    def distance(self, a: Pointer, b: Pointer) -> Scalar:
        """The difference of two packet addresses."""
        ends = sum(p.region is Region.PACKET_END for p in (a, b))
        if ends == 1:
            self.accesses[self.place] = BoundsCheck(None)
            return scalars.unknown()
        return scalars.apply(AluOp.SUB, a.offset, b.offset, 64)

    def compare(self, insn: Jump, state: State) -> None:
        a, b = self.read(insn.dst, state), self.operand_readable(insn.src, state)
        if isinstance(a, Scalar) and isinstance(b, Scalar):
            return
        if isinstance(a, Pointer) and isinstance(b, Pointer):
            if packet_pointers.comparable(insn.op, insn.bits, a, b):
                self.bounds_check(packet_pointers.deepest(insn.op, a, b))
                return
        null = isinstance(b, Scalar) and b.constant == 0 and insn.bits == 64
        low = isinstance(a, Pointer) and a.low
        if low or not (null and insn.op in (JumpOp.EQ, JumpOp.NE)):
            for value in (a, b):
                if isinstance(value, Pointer):
                    self.refuse_null(value, "compared", True)
            raise Problem(
                f"comparison of {a} with {b}: addresses can only be compared with 0, for equality"
            )

    def bounds_check(self, deepest: int | None) -> None:
        """A comparison with the packet's end needs the window that deep, or else the length."""
        if deepest is None:
            return
        if deepest > self.max_window:
            self.accesses[self.place] = BoundsCheck(None)
        else:
            self.accesses[self.place] = BoundsCheck(deepest)
            self.window = max(self.window, deepest)
