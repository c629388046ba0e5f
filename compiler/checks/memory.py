"""Loads, stores and atomic operations -> where they go: context, stack, data, packet."""

from dataclasses import replace
from functools import cached_property, reduce

from ...ctx_map.context import PacketEnd
from ..analysis import scalars
from ..analysis.scalars import Scalar
from ..analysis.state import (
    Lane,
    Pointer,
    Region,
    State,
    lane_value,
    stack_bytes,
)
from ..facts import ContextAccess, MemoryAccess
from ..insn import (
    STACK_SIZE,
    AluOp,
    Atomic,
    AtomicOp,
    Load,
)
from .packet import Packet
from .registers import Problem, count_bytes

EGRESS = "egress_ifindex"
DEVMAP = ("xdp/devmap", "xdp.frags/devmap", "xdp_devmap")
"""Sections of programs that have an egress interface (libbpf: section_defs)."""


class Memory(Packet):
    """The rules of instructions that use an address."""

    def address(self, base: int, off: int, state: State) -> Pointer:
        pointer = self.read(base, state)
        if not isinstance(pointer, Pointer):
            raise Problem(f"r{base} is used as an address, but holds the number {pointer}")
        self.refuse_null(pointer, "used as an address")
        if pointer.low:
            raise Problem(f"r{base} is used as an address, but holds the {pointer}")
        offset = scalars.apply(AluOp.ADD, pointer.offset, scalars.constant(off), 64)
        return replace(pointer, offset=offset, fixed=pointer.fixed + off)

    def load(self, insn: Load, state: State) -> Scalar | Pointer:
        pointer = self.address(insn.base, insn.off, state)
        match pointer.region:
            case Region.CONTEXT:
                value = self.load_context(pointer, insn)
            case Region.STACK:
                value = self.load_stack(pointer, insn.size, state)
            case Region.DATA:
                value = self.load_data(pointer, insn.size)
            case Region.PACKET:
                value = self.load_direct(pointer, insn.size, state)
            case Region.PACKET_END:
                raise Problem(f"r{insn.base} holds data_end; nothing lies behind it")
        if insn.signed:
            if isinstance(value, Pointer):
                raise Problem("a spilled address cannot be sign-extended")
            return scalars.sign_extend(value, insn.size * 8, 64)
        return value

    def load_context(self, pointer: Pointer, insn: Load) -> Scalar | Pointer:
        context, at = self.program.context, pointer.offset.constant
        if at is None:
            raise Problem(f"a load through a {pointer}; which field it reads must be certain")
        if at >= context.size:
            shown = at - (1 << 64) if at >> 63 else at
            raise Problem(
                f"byte {shown} is outside struct {context.structs[0]}, which has {context.size} bytes"
            )
        field = context.at(at & ~3)
        if field is None:
            names = ", ".join(f.name for f in context.fields)
            what = context.absent_at(at)
            if what == EGRESS and not self.program.section.removeprefix("?").startswith(DEVMAP):
                raise Problem(
                    f"field {what} of struct {context.structs[0]} exists only in programs of a devmap"
                    f" (section {' or '.join(DEVMAP)}), as in the kernel"
                )
            if what == EGRESS:
                raise Problem(
                    f"field {what} of struct {context.structs[0]} is not supported: a devmap runs its"
                    " program when a packet leaves, and a gate filters packets that come in", True,
                )
            raise Problem(
                f"{f'field {what}' if what else f'byte {at}'} of struct {context.structs[0]} does not"
                f" exist in a receive descriptor; what exists is {names}",
                True,
            )
        narrow_ok = context.narrow_loads
        if insn.signed:
            raise Problem(
                f"field {field.name} is read with sign extension; load it plainly, and extend the"
                " register"
            )
        if at % insn.size or insn.size > 4 or (insn.size < 4 and not narrow_ok):
            how = "with at most" if narrow_ok else "whole, with"
            raise Problem(
                f"field {field.name} is read with {count_bytes(insn.size)} at offset {at}; a field of"
                f" struct {context.structs[0]} is read {how} 4 aligned bytes"
            )
        if field.points_to is not None:
            region = Region.PACKET if field.points_to is PacketEnd.START else Region.PACKET_END
            return Pointer(region, scalars.constant(0))
        self.accesses[self.place] = ContextAccess(field, at & 3, insn.size)
        return scalars.unknown(insn.size * 8)

    def stack_access(self, pointer: Pointer, size: int) -> MemoryAccess:
        starts = stack_bytes(pointer.offset, size)
        if starts is None:
            raise Problem(
                f"an access to {count_bytes(size)} at {pointer} leaves the stack, whose {STACK_SIZE}"
                f" bytes lie at offsets {-STACK_SIZE} to -1"
            )
        return MemoryAccess(Region.STACK, pointer.frame, "", starts)

    def load_stack(self, pointer: Pointer, size: int, state: State) -> Scalar | Pointer:
        access = self.stack_access(pointer, size)
        self.accesses[self.place] = access
        results = [self.read_stack(pointer.frame, o, size, state) for o in access.offsets]
        if len(results) == 1:
            return results[0]
        numbers = [r for r in results if isinstance(r, Scalar)]
        if len(numbers) < len(results):
            raise Problem(f"the {count_bytes(size)} at {pointer} may hold a spilled address")
        joined = numbers[0]
        for n in numbers[1:]:
            joined = scalars.join(joined, n)
        return joined

    def read_stack(self, frame: int, at: int, size: int, state: State) -> Scalar | Pointer:
        lanes = [state.stack.get((frame, at + i)) for i in range(size)]
        if any(lane is None for lane in lanes):
            missing = at + lanes.index(None)
            raise Problem(
                f"stack byte {missing} is read, but was not written on every path; give the variable"
                " a value first"
            )
        found = [lane for lane in lanes if lane is not None]
        first = found[0]
        whole = all(
            lane.value is first.value and lane.index == i and lane.size == first.size
            for i, lane in enumerate(found)
        )
        if whole and first.size == size:
            return first.value
        if any(isinstance(lane.value, Pointer) for lane in found):
            raise Problem(f"part of an address spilled at stack byte {at} is read")
        if whole and isinstance(first.value, Scalar):
            return scalars.truncate(first.value, size * 8)
        value = scalars.constant(0)
        for i, lane in enumerate(found):
            byte = scalars.apply(AluOp.LSH, lane_value(lane), scalars.constant(8 * i), 64)
            value = scalars.apply(AluOp.OR, value, byte, 64)
        return value

    def data_access(self, pointer: Pointer, size: int) -> MemoryAccess:
        content = self.program.data[pointer.section]
        offsets = pointer.offset.possible(len(content))
        if offsets is None or any(o + size > len(content) for o in offsets):
            raise Problem(
                f"an access to {count_bytes(size)} at {pointer} leaves {pointer.section}, which has"
                f" {count_bytes(len(content))}"
            )
        return MemoryAccess(Region.DATA, 0, pointer.section, tuple(offsets))

    def load_data(self, pointer: Pointer, size: int) -> Scalar:
        access = self.data_access(pointer, size)
        self.accesses[self.place] = access
        content = self.program.data[pointer.section]
        fixed: set[int] = set()
        values: list[Scalar] = []
        for o in access.offsets:
            if self.changing(pointer.section, o, size):
                values.append(self.changing_value(pointer.section, o, size))
            else:
                fixed.add(int.from_bytes(content[o : o + size], "little"))
        if fixed:
            values.append(scalars.one_of(fixed))
        return reduce(scalars.join, values)

    @cached_property
    def tunable_places(self) -> frozenset[tuple[str, int]]:
        """Data bytes that the host may change."""
        return frozenset(self.program.tunable_places())

    def changing(self, section: str, at: int, size: int) -> bool:
        """Whether the host may change any of these data bytes."""
        places = self.tunable_places
        return bool(places) and any((section, at + i) in places for i in range(size))

    def changing_value(self, section: str, at: int, size: int) -> Scalar:
        """Data bytes some of which may change."""
        content, value = self.program.data[section], scalars.constant(0)
        for i in range(size):
            known = (section, at + i) not in self.tunable_places
            byte = scalars.constant(content[at + i]) if known else scalars.unknown(8)
            moved = scalars.apply(AluOp.LSH, byte, scalars.constant(8 * i), 64)
            value = scalars.apply(AluOp.OR, value, moved, 64)
        return value

    def store(
        self, base: int, off: int, size: int, value: Scalar | Pointer, state: State
    ) -> None:
        pointer = self.address(base, off, state)
        if pointer.region is Region.PACKET:
            raise Problem("a store to the packet; packets cannot be changed yet", True)
        if pointer.region is not Region.STACK:
            raise Problem(f"a store to the {pointer.region.value}, which is read-only")
        access = self.stack_access(pointer, size)
        self.accesses[self.place] = access
        if isinstance(value, Pointer):
            self.check_spill(value, access, size)
            self.write_stack(access, size, value, state)
        else:
            self.write_stack(access, size, scalars.truncate(value, size * 8), state)

    def check_spill(self, address: Pointer, to: MemoryAccess, size: int) -> None:
        first, *others = to.offsets
        if size != 8 or others:
            raise Problem("an address can only be stored whole, in 8 bytes at a constant place")
        if first % 8:
            raise Problem(f"an address is stored at stack byte {first}, not 8-aligned")
        if address.frame > to.frame:
            raise Problem(
                "an address of this function's stack is stored in its caller's, where it outlives it"
            )

    def write_stack(
        self, access: MemoryAccess, size: int, value: Scalar | Pointer, state: State
    ) -> None:
        """A certain store replaces bytes; an uncertain one only blurs what is there."""
        if len(access.offsets) == 1:
            for i in range(size):
                state.stack[access.frame, access.offsets[0] + i] = Lane(value, i, size)
            return
        for at in sorted({o + i for o in access.offsets for i in range(size)}):
            lane = state.stack.get((access.frame, at))
            if lane is not None and isinstance(lane.value, Pointer):
                raise Problem(f"the store may overwrite the address spilled at stack byte {at}")
            if lane is not None:
                state.stack[access.frame, at] = Lane(scalars.unknown(8), 0, 1)

    def atomic(self, insn: Atomic, state: State) -> None:
        operand = self.number(insn.src, state, "used in an atomic operation")
        pointer = self.address(insn.base, insn.off, state)
        if pointer.region is not Region.STACK:
            raise Problem(f"an atomic operation on the {pointer.region.value}, which is read-only")
        if insn.op is AtomicOp.CMPXCHG:
            self.number(0, state, "compared")
        if any(o % insn.size for o in self.stack_access(pointer, insn.size).offsets):
            raise Problem(f"an atomic operation at {pointer} is not aligned to {insn.size} bytes")
        old = self.load_stack(pointer, insn.size, state)
        if isinstance(old, Pointer):
            raise Problem("an atomic operation on a spilled address")
        new = operand if insn.op is AtomicOp.XCHG else scalars.unknown(insn.size * 8)
        access = self.stack_access(pointer, insn.size)
        self.write_stack(access, insn.size, scalars.truncate(new, insn.size * 8), state)
        if insn.fetch:
            self.write(state, 0 if insn.op is AtomicOp.CMPXCHG else insn.src, old)
