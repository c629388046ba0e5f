"""Loads, stores and atomic operations -> nodes: context fields, stack bytes, tables, packet bytes."""

from collections.abc import Sequence
from functools import cached_property

from ...ctx_map.context import PacketEnd
from ..analysis.state import Region
from ..facts import Access, ContextAccess, MemoryAccess, PacketAccess
from ..insn import (
    Atomic,
    AtomicOp,
    JumpOp,
    Load,
)
from .operations import Operations
from .symbols import Address, AddressByte, State, Symbol


class Memory(Operations):
    """Instructions that use an address."""

    def place(self, base: int, off: int, state: State) -> int:
        """The offset that an access addresses, as a 64-bit node."""
        pointer = state.regs[base]
        assert isinstance(pointer, Address)
        return self.b.add(pointer.offset, self.b.const(off, 64))

    def load(self, insn: Load, access: Access | None, state: State) -> Symbol:
        b = self.b
        if access is None:
            return self.packet_address(insn, state)
        if isinstance(access, ContextAccess):
            value: Symbol = self.context_field(access)
        elif isinstance(access, PacketAccess):
            value = self.direct(self.place(insn.base, insn.off, state), access)
        else:
            assert isinstance(access, MemoryAccess)
            at = self.place(insn.base, insn.off, state)
            if access.region is Region.DATA:
                value = self.load_data(access, at, insn.size)
            else:
                value = self.load_stack(access, at, insn.size, state)
        if isinstance(value, Address):
            return value
        return b.sext(value, 64) if insn.signed else b.zext(value, 64)

    def direct(self, at: int, access: PacketAccess) -> int:
        """The packet bytes at a 64-bit offset, as they lie in memory."""
        b = self.b
        if access.guarded:
            inside, value = self.packet(b.trunc(at, 32), access, network_order=False)
            self.checks.append(inside)
            return value
        table = {o: self.w_bytes(o, access.size, False) for o in self.places(access)}
        return b.case(b.trunc(at, 16), table)

    def places(self, access: PacketAccess) -> Sequence[int]:
        """The offsets among which a load whose offset varies chooses."""
        return access.offsets

    def packet(self, offset: int, access: PacketAccess, network_order: bool) -> tuple[int, int]:
        """(in range, value) of the `access.size` bytes at a 32-bit offset."""
        b, size = self.b, access.size
        constant = b.constant(offset)
        offsets = [o for o in self.places(access) if constant is None or o == constant]
        if not offsets:
            return b.const(0, 1), b.const(0, size * 8)
        table = {o: self.w_bytes(o, size, network_order) for o in offsets}
        if constant is not None:
            present = self.window.present
            last = b.const(constant + size, b.width(present))
            return self.condition(JumpOp.GE, present, last), table[constant]
        last = b.add(b.zext(offset, 33), b.const(size - 1, 33))
        in_range = b.ult(last, b.zext(self.window.present, 33))
        return in_range, b.case(offset, table)

    def packet_address(self, insn: Load, state: State) -> Address:
        """The context's pointer to the packet's start or end."""
        pointer = state.regs[insn.base]
        assert isinstance(pointer, Address)
        offset = self.b.constant(pointer.offset)
        assert offset is not None
        field = self.program.context.at(offset + insn.off)
        assert field is not None
        start = field.points_to is PacketEnd.START
        region = Region.PACKET if start else Region.PACKET_END
        return Address(region, self.b.const(0, 64))

    def context_field(self, access: ContextAccess) -> int:
        b = self.b
        whole = self.descriptor(access.field.signal)
        if access.field.flag:
            whole = b.ne(whole, b.const(0, b.width(whole)))
        elif access.field.network_order:
            whole = b.swap_bytes(whole)
        return b.slice(b.zext(whole, 32), access.lane * 8, access.size * 8)

    def load_data(self, access: MemoryAccess, at: int, size: int) -> int:
        b = self.b
        table = {o: self.data_bytes(access.section, o, size) for o in access.offsets}
        return b.case(b.trunc(at, max(access.offsets).bit_length() or 1), table)

    @cached_property
    def tunable_places(self) -> dict[tuple[str, int], int]:
        """Data bytes that the host may change: the index of each in the input."""
        return {place: n for n, place in enumerate(self.program.tunable_places())}

    def data_bytes(self, section: str, at: int, size: int) -> int:
        """Data bytes as a number: constants, and what the host has made of tunables."""
        b, content = self.b, self.program.data[section]
        found = [self.tunable_places.get((section, at + i)) for i in range(size)]
        if not any(n is not None for n in found):
            return b.const(int.from_bytes(content[at : at + size], "little"), size * 8)
        return b.concat(*(
            b.const(content[at + i], 8) if n is None else b.input("tunables", 8, n)
            for i, n in enumerate(found)
        ))

    def load_stack(
        self, access: MemoryAccess, at: int, size: int, state: State
    ) -> Symbol:
        found = [self.read_stack(access.frame, o, size, state) for o in access.offsets]
        if len(found) == 1:
            return found[0]
        numbers = [v for v in found if isinstance(v, int)]
        return self.b.case(
            self.b.trunc(at, 10),
            {o & 1023: v for o, v in zip(access.offsets, numbers, strict=True)},
        )

    def read_stack(self, frame: int, at: int, size: int, state: State) -> Symbol:
        lanes = [state.stack[frame, at + i] for i in range(size)]
        first = lanes[0]
        if isinstance(first, AddressByte):
            return first.address
        return self.b.concat(*(v for v in lanes if isinstance(v, int)))

    def store(
        self, access: MemoryAccess, at: int, size: int, value: Symbol, state: State
    ) -> None:
        b, frame = self.b, access.frame
        if isinstance(value, Address):
            for i in range(8):
                state.stack[frame, access.offsets[0] + i] = AddressByte(value, i)
            return
        lanes = [b.slice(value, 8 * i, 8) for i in range(size)]
        if len(access.offsets) == 1:
            for i, lane in enumerate(lanes):
                state.stack[frame, access.offsets[0] + i] = lane
            return
        key = b.trunc(at, 10)
        for offset in access.offsets:
            here = b.eq(key, b.const(offset & 1023, 10))
            for i, lane in enumerate(lanes):
                old = state.stack.get((frame, offset + i))
                if isinstance(old, int):
                    state.stack[frame, offset + i] = b.mux(here, lane, old)

    def atomic(self, insn: Atomic, access: MemoryAccess, state: State) -> int | None:
        b, bits = self.b, insn.size * 8
        at = self.place(insn.base, insn.off, state)
        old = self.load_stack(access, at, insn.size, state)
        assert isinstance(old, int)
        operand = b.trunc(self.number(insn.src, state), bits)
        match insn.op:
            case AtomicOp.ADD:
                new = b.add(old, operand)
            case AtomicOp.OR | AtomicOp.AND | AtomicOp.XOR:
                new = b.bitwise(insn.op.value, old, operand)
            case AtomicOp.XCHG:
                new = operand
            case AtomicOp.CMPXCHG:
                expected = b.trunc(self.number(0, state), bits)
                new = b.mux(b.eq(old, expected), operand, old)
        self.store(access, at, insn.size, new, state)
        if not insn.fetch:
            return None
        target = 0 if insn.op is AtomicOp.CMPXCHG else insn.src
        state.regs[target] = b.zext(old, 64)
        return target
