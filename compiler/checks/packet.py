"""Packet loads -> the bytes that they can reach, which the header window must hold."""

from dataclasses import replace

from .. import packet_pointers
from ..analysis import scalars
from ..analysis.scalars import Scalar
from ..analysis.state import (
    DESTROYED,
    Pointer,
    Region,
    State,
)
from ..facts import PacketAccess
from ..insn import (
    AluOp,
    LoadPacket,
)
from .registers import Problem, Registers

_NEGATIVE_LIMIT = 0x10_0000 - 0x1_0000
"""int32 offsets in [-this, -1] lie beyond any packet (kernel: SKF_NET_OFF addressing starts below)."""


class Packet(Registers):
    """The rules of LD_ABS, LD_IND and of loads through packet pointers."""

    def load_direct(self, pointer: Pointer, size: int, state: State) -> Scalar:
        """A load through a packet pointer, which a bounds check must cover."""
        slack = state.slack(pointer)
        proven = slack is not None and slack >= size
        guarded = not proven and state.may_assume(pointer)
        if not (proven or guarded) or pointer.offset.high > packet_pointers.MAX_OFFSET:
            known = "no check" if slack is None or slack <= 0 else f"a check of {slack} bytes"
            raise Problem(
                f"{size} bytes at {pointer} are read, but {known} against data_end covers them on"
                " every path; compare the pointer with data_end first"
            )
        access = self.packet_access(pointer.offset, size)
        self.accesses[self.place] = replace(access, guarded=guarded)
        if guarded:
            state.assume(pointer, size)
        return scalars.unknown(size * 8)

    def load_packet(self, insn: LoadPacket, state: State) -> None:
        if not self.program.context.packet_loads:
            raise Problem(
                f"LD_ABS and LD_IND do not exist in a {self.program.context.name} program; read"
                " through data and data_end"
            )
        ctx = self.read(6, state)
        if not isinstance(ctx, Pointer) or ctx.region is not Region.CONTEXT or ctx.offset.high:
            raise Problem(f"a packet load needs the context in r6, which holds {ctx}")
        offset = scalars.constant(insn.off)
        if insn.index is not None:
            index = self.number(insn.index, state, "used as a packet offset")
            offset = scalars.apply(AluOp.ADD, index, offset, 64)
        offset = scalars.truncate(offset, 32)
        self.refuse_header_relative(offset)
        self.accesses[self.place] = self.packet_access(offset, insn.size)
        state.regs[0] = scalars.unknown(insn.size * 8)
        state.regs[1:6] = [DESTROYED] * 5

    def refuse_header_relative(self, offset: Scalar) -> None:
        """LD_ABS and LD_IND with a negative offset may count from a header (kernel: SKF_NET_OFF)."""
        for o in offset.possible(4 * self.max_window) or ():
            if 1 << 31 <= o < (1 << 32) - _NEGATIVE_LIMIT:
                raise Problem(
                    f"packet offset {o - (1 << 32)} addresses relative to a network or link header,"
                    " which a PHYS_DEV program does not have; count from byte 0 of the frame",
                    True,
                )

    def packet_access(self, offset: Scalar, size: int) -> PacketAccess:
        """Check a 32-bit packet offset against the window, and note how deep it reaches."""
        offsets = offset.possible(4 * self.max_window)
        reach = f"bytes {offset.low} to {offset.high + size - 1}" if offsets is None else ""
        inside = [o for o in offsets or () if o < 1 << 31]
        if inside and inside[-1] + size > self.max_window:
            reach = f"byte {inside[-1] + size - 1}"
        if reach:
            raise Problem(
                f"the packet load can reach {reach}, beyond the header window of {self.max_window}"
                " bytes; bound the offset in the program, or raise --max-window",
                True,
            )
        if inside:
            self.window = max(self.window, inside[-1] + size)
        return PacketAccess(tuple(inside), size)
