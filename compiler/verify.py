"""Block graph -> facts that make it safe to compile, by abstract interpretation.

Every rule of the kernel's verifier that applies to programs without maps: registers are written
before they are read, pointers stay pointers and inside their regions, the context is read by its own
rules, helpers get what their prototypes ask for, no address leaks. All problems are collected; the
first in program order is raised with the others as notes.
"""

from dataclasses import dataclass, replace
from typing import assert_never

from ..ctx_map.context import Field, PacketEnd
from ..ctx_map.helpers import PROTOTYPES, Arg, Helper
from . import packet_pointers
from .analysis import scalars
from .analysis.scalars import Scalar
from .analysis.state import (
    DESTROYED,
    Abstract,
    Joiner,
    Lane,
    Pointer,
    Region,
    State,
    Unreadable,
    entry_state,
    lane_value,
    stack_bytes,
)
from .cfg import Block, EdgeKind, Graph
from .errors import RxgateError, Unsupported, VerifyError
from .insn import (
    FP,
    STACK_SIZE,
    Alu,
    AluOp,
    Atomic,
    AtomicOp,
    Call,
    CallExtern,
    CallLocal,
    Exit,
    Goto,
    Imm,
    Insn,
    Jump,
    JumpOp,
    Load,
    LoadData,
    LoadImm64,
    LoadPacket,
    MovSx,
    Neg,
    Operand,
    Reg,
    Store,
    Swap,
)

DEFAULT_MAX_WINDOW = 256
"""Deepest packet byte that may be reached, bytes, unless the user allows more."""
_NEGATIVE_LIMIT = 0x10_0000 - 0x1_0000
"""int32 offsets in [-this, -1] lie beyond any packet (kernel: SKF_NET_OFF addressing starts below)."""


@dataclass(frozen=True, slots=True)
class ContextAccess:
    """A load of `field`, `size` bytes from byte `lane` of it."""

    field: Field
    lane: int
    size: int


@dataclass(frozen=True, slots=True)
class MemoryAccess:
    """A stack or data access that begins at one of `offsets` (bytes; the stack's are negative)."""

    region: Region
    frame: int
    section: str
    offsets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PacketAccess:
    """A packet load at one of `offsets` (bytes from byte 0; only those that can be in range)."""

    offsets: tuple[int, ...]
    size: int


@dataclass(frozen=True, slots=True)
class LoadBytes:
    """bpf_skb_load_bytes: from one of the packet's bytes to one of the stack's."""

    packet: PacketAccess
    to: MemoryAccess


@dataclass(frozen=True, slots=True)
class BoundsCheck:
    """A comparison of packet addresses with the packet's end, or their difference.

    `deepest` is the greatest offset that is compared, bytes; None when the length itself is needed.
    """

    deepest: int | None


Access = ContextAccess | MemoryAccess | PacketAccess | LoadBytes | BoundsCheck
Place = tuple[int, int]
"""Block number and slot."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What verification found: where each access goes, and which edges can be taken.

    `feasible` holds (block number, edge index). `window` is the deepest packet byte reached, as a
    count of bytes from byte 0.
    """

    accesses: dict[Place, Access]
    feasible: frozenset[tuple[int, int]]
    window: int


class _Problem(Exception):
    """A rule that one instruction breaks; `unsupported` when only we refuse it."""

    def __init__(self, message: str, unsupported: bool = False) -> None:
        super().__init__(message)
        self.unsupported = unsupported


class _Verifier:
    def __init__(self, graph: Graph, max_window: int) -> None:
        self.graph, self.program, self.max_window = graph, graph.program, max_window
        self.accesses: dict[Place, Access] = {}
        self.feasible: set[tuple[int, int]] = set()
        self.problems: dict[int, _Problem] = {}
        self.window = 0
        self.place = (0, 0)

    def run(self) -> Facts:
        joiners = [Joiner() for _ in self.graph.blocks]
        entry: list[State | None] = [None] * len(self.graph.blocks)
        entry[0] = entry_state()
        for block in self.graph.blocks:
            state = entry[block.number]
            if state is None:
                continue
            last = self.straight(block, state)
            for index, edge in enumerate(block.edges):
                after = self.follow(edge.kind, last, state.copy())
                if after is None:
                    continue
                self.feasible.add((block.number, index))
                if edge.target is None:
                    continue
                there = entry[edge.target]
                entry[edge.target] = (
                    after if there is None else joiners[edge.target].join(there, after)
                )
        if self.problems:
            raise self.report()
        return Facts(self.accesses, frozenset(self.feasible), self.window)

    def report(self) -> RxgateError:
        """The first problem in program order, the others as notes."""
        errors = [
            (Unsupported if p.unsupported else VerifyError)(str(p), self.program.where(slot))
            for slot, p in sorted(self.problems.items())
        ]
        for other in errors[1:]:
            errors[0].add_note(str(other))
        return errors[0]

    def straight(self, block: Block, state: State) -> Insn | None:
        """Run a block's instructions on `state`; returns the last one."""
        insn = None
        for slot in self.graph.slots(block):
            insn = self.program.insns[slot]
            assert insn is not None
            self.place = (block.number, slot)
            try:
                self.step(insn, state)
            except _Problem as problem:
                self.problems.setdefault(slot, problem)
                self.forget_result(insn, state)
        return insn

    def forget_result(self, insn: Insn, state: State) -> None:
        """After a problem go on as if the instruction had given some number."""
        match insn:
            case Alu() | MovSx() | Neg() | Swap() | Load() if insn.dst != FP:
                state.regs[insn.dst] = scalars.unknown()
            case LoadPacket() | Call() | CallExtern() | Exit():
                state.regs[0] = scalars.unknown()

    # Control flow.

    def follow(self, kind: EdgeKind, last: Insn | None, state: State) -> State | None:
        """The state along an edge, or None when it cannot be taken."""
        match kind:
            case EdgeKind.NEXT | EdgeKind.LOADED | EdgeKind.OUT_OF_RANGE:
                pass
            case EdgeKind.TAKEN | EdgeKind.NOT_TAKEN:
                assert isinstance(last, Jump)
                return self.branch(last, kind is EdgeKind.TAKEN, state)
            case EdgeKind.CALL:
                state.enter()
            case EdgeKind.RETURN | EdgeKind.RETURN_ZERO:
                if kind is EdgeKind.RETURN_ZERO:
                    state.regs[0] = scalars.constant(0)
                if state.saved:
                    state.leave()
            case _:
                assert_never(kind)
        return state

    def branch(self, insn: Jump, taken: bool, state: State) -> State | None:
        a = state.regs[insn.dst]
        b = self.operand(insn.src, state)
        if isinstance(a, Pointer) and isinstance(b, Pointer):
            return state if packet_pointers.learn(state, insn.op, a, b, taken) else None
        if isinstance(a, Pointer) or isinstance(b, Pointer):
            # Only comparisons with 0 pass `step`.
            null = taken == (insn.op is JumpOp.EQ)
            pointer = a if isinstance(a, Pointer) else b
            assert isinstance(pointer, Pointer)
            if not pointer.nullable:
                return None if null else state
            address = replace(pointer, nullable=False)
            state.replace(pointer, scalars.constant(0) if null else address)
            return state
        if not isinstance(a, Scalar) or not isinstance(b, Scalar):
            return state
        if insn.bits == 32:
            x, y = scalars.truncate(a, 32), scalars.truncate(b, 32)
            if insn.op.name.startswith("S") and insn.op is not JumpOp.SET:
                if x.high >> 31 or y.high >> 31:
                    return state
        else:
            x, y = a, b
        refined = scalars.refine(x, insn.op, y, taken)
        if refined is None:
            return None
        if x is a and refined is not a:
            state.replace(a, refined)
        op = JumpOp[insn.op.name[1:]] if insn.op.name[:2] in ("SG", "SL") else insn.op
        signed = op is not insn.op
        if op in scalars.MIRRORED and not (signed and (x.high >> 63 or y.high >> 63)):
            other = scalars.refine(y, scalars.MIRRORED[op], x, taken)
            if other is None:
                return None
            if y is b and other is not b and isinstance(insn.src, Reg):
                state.replace(b, other)
        return state

    # Straight-line instructions.

    def step(self, insn: Insn, state: State) -> None:
        regs = state.regs
        match insn:
            case Alu():
                self.write(state, insn.dst, self.alu(insn, state))
            case MovSx(bits, dst, src, from_bits):
                value = self.number(src, state, "sign-extended")
                self.write(state, dst, scalars.sign_extend(value, from_bits, bits))
            case Neg(bits, dst):
                value = self.number(dst, state, "negated")
                zero = scalars.constant(0)
                self.write(state, dst, scalars.apply(AluOp.SUB, zero, value, bits))
            case Swap(_, bits, dst):
                self.number(dst, state, "byte-swapped")
                self.write(state, dst, scalars.unknown(bits))
            case LoadImm64(dst, value):
                self.write(state, dst, scalars.constant(value))
            case LoadData(dst, section, offset):
                pointer = Pointer(Region.DATA, scalars.constant(offset), section=section)
                self.write(state, dst, pointer)
            case Load():
                self.write(state, insn.dst, self.load(insn, state))
            case Store():
                value = self.operand_readable(insn.src, state)
                self.store(insn.base, insn.off, insn.size, value, state)
            case Atomic():
                self.atomic(insn, state)
            case LoadPacket():
                self.load_packet(insn, state)
            case Jump():
                self.compare(insn, state)
            case Call(helper):
                self.call(helper, state)
            case CallExtern(name):
                raise _Problem(
                    f"kernel function {name}() is not available to this kind of program", True
                )
            case Exit():
                # A called function may return nothing; its caller then cannot read r0.
                if not state.saved:
                    self.read(0, state)
                local = isinstance(regs[0], Pointer) and regs[0].region is Region.STACK
                if isinstance(regs[0], Pointer) and (local or not state.saved):
                    raise _Problem(f"r0 is returned, but holds a {regs[0]}; return a number")
            case Goto() | CallLocal():
                pass
            case _:
                assert_never(insn)

    def read(self, n: int, state: State) -> Scalar | Pointer:
        value = state.regs[n]
        if isinstance(value, Unreadable):
            raise _Problem(f"r{n} is read, but {value.reason}")
        return value

    def number(self, n: int, state: State, what: str) -> Scalar:
        value = self.read(n, state)
        if isinstance(value, Pointer):
            raise _Problem(f"r{n} holds a {value}, which cannot be {what}")
        return value

    def operand(self, src: Operand, state: State) -> Abstract:
        return state.regs[src.n] if isinstance(src, Reg) else scalars.constant(src.value)

    def operand_readable(self, src: Operand, state: State) -> Scalar | Pointer:
        if isinstance(src, Imm):
            return scalars.constant(src.value)
        return self.read(src.n, state)

    def write(self, state: State, n: int, value: Scalar | Pointer) -> None:
        if n == FP:
            raise _Problem("the frame pointer r10 is read-only")
        state.regs[n] = value

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
            raise _Problem("division by the constant 0")
        shifts = (AluOp.LSH, AluOp.RSH, AluOp.ARSH)
        if insn.op in shifts and not 0 <= n < insn.bits:
            raise _Problem(f"shift of a {insn.bits}-bit value by the constant {n}")

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
            raise _Problem(
                f"`{insn.op.value or 'mov32'}` on a {pointer} and {offset}: an address can only be"
                " copied, and a number added to it or subtracted from it, at 64 bits"
            )
        moved = scalars.apply(insn.op, pointer.offset, offset, 64)
        if pointer.region is Region.CONTEXT and moved.constant is None:
            raise _Problem(f"the context pointer moves by {offset}; it must be a constant")
        if packet_pointers.is_packet(pointer):
            packet = packet_pointers.moved(pointer, insn.op, offset, moved)
            if packet is None:
                raise _Problem(
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
            raise _Problem(
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

    # Memory.

    def address(self, base: int, off: int, state: State) -> Pointer:
        pointer = self.read(base, state)
        if not isinstance(pointer, Pointer):
            raise _Problem(f"r{base} is used as an address, but holds the number {pointer}")
        self.refuse_null(pointer, "used as an address")
        if pointer.low:
            raise _Problem(f"r{base} is used as an address, but holds the {pointer}")
        offset = scalars.apply(AluOp.ADD, pointer.offset, scalars.constant(off), 64)
        return replace(pointer, offset=offset, fixed=pointer.fixed + off)

    def refuse_null(self, pointer: Pointer, what: str, unsupported: bool = False) -> None:
        """Refuse to use a pointer that has not been compared with 0."""
        if pointer.nullable:
            raise _Problem(f"a {pointer} is {what}; compare it with 0 first", unsupported)

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
                raise _Problem(f"r{insn.base} holds data_end; nothing lies behind it")
        if insn.signed:
            if isinstance(value, Pointer):
                raise _Problem("a spilled address cannot be sign-extended")
            return scalars.sign_extend(value, insn.size * 8, 64)
        return value

    def load_context(self, pointer: Pointer, insn: Load) -> Scalar | Pointer:
        context, at = self.program.context, pointer.offset.constant
        if at is None:
            raise _Problem(f"a load through a {pointer}; which field it reads must be certain")
        if at >= context.size:
            shown = at - (1 << 64) if at >> 63 else at
            raise _Problem(
                f"byte {shown} is outside struct {context.structs[0]}, which has {context.size} bytes"
            )
        field = context.at(at & ~3)
        if field is None:
            names = ", ".join(f.name for f in context.fields)
            what = context.absent_at(at)
            raise _Problem(
                f"{f'field {what}' if what else f'byte {at}'} of struct {context.structs[0]} does not"
                f" exist in a receive descriptor; what exists is {names}",
                True,
            )
        narrow_ok = context.narrow_loads
        if insn.signed:
            raise _Problem(
                f"field {field.name} is read with sign extension; load it plainly, and extend the"
                " register"
            )
        if at % insn.size or insn.size > 4 or (insn.size < 4 and not narrow_ok):
            how = "with at most" if narrow_ok else "whole, with"
            raise _Problem(
                f"field {field.name} is read with {_bytes(insn.size)} at offset {at}; a field of"
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
            raise _Problem(
                f"an access to {_bytes(size)} at {pointer} leaves the stack, whose {STACK_SIZE}"
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
            raise _Problem(f"the {_bytes(size)} at {pointer} may hold a spilled address")
        joined = numbers[0]
        for n in numbers[1:]:
            joined = scalars.join(joined, n)
        return joined

    def read_stack(self, frame: int, at: int, size: int, state: State) -> Scalar | Pointer:
        lanes = [state.stack.get((frame, at + i)) for i in range(size)]
        if any(lane is None for lane in lanes):
            missing = at + lanes.index(None)
            raise _Problem(f"stack byte {missing} is read, but was not written on every path")
        found = [lane for lane in lanes if lane is not None]
        first = found[0]
        whole = all(
            lane.value is first.value and lane.index == i and lane.size == first.size
            for i, lane in enumerate(found)
        )
        if whole and first.size == size:
            return first.value
        if any(isinstance(lane.value, Pointer) for lane in found):
            raise _Problem(f"part of an address spilled at stack byte {at} is read")
        if whole and isinstance(first.value, Scalar):
            return scalars.truncate(first.value, size * 8)
        value = scalars.constant(0)
        for i, lane in enumerate(found):
            byte = scalars.apply(AluOp.LSH, lane_value(lane), scalars.constant(8 * i), 64)
            value = scalars.apply(AluOp.OR, value, byte, 64)
        return value

    def load_data(self, pointer: Pointer, size: int) -> Scalar:
        content = self.program.data[pointer.section]
        offsets = pointer.offset.possible(len(content))
        if offsets is None or any(o + size > len(content) for o in offsets):
            raise _Problem(
                f"an access to {_bytes(size)} at {pointer} leaves {pointer.section}, which has"
                f" {_bytes(len(content))}"
            )
        self.accesses[self.place] = MemoryAccess(Region.DATA, 0, pointer.section, tuple(offsets))
        return scalars.one_of({int.from_bytes(content[o : o + size], "little") for o in offsets})

    def store(
        self, base: int, off: int, size: int, value: Scalar | Pointer, state: State
    ) -> None:
        pointer = self.address(base, off, state)
        if pointer.region is Region.PACKET:
            raise _Problem("a store to the packet; packets cannot be changed yet", True)
        if pointer.region is not Region.STACK:
            raise _Problem(f"a store to the {pointer.region.value}, which is read-only")
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
            raise _Problem("an address can only be stored whole, in 8 bytes at a constant place")
        if first % 8:
            raise _Problem(f"an address is stored at stack byte {first}, not 8-aligned")
        if address.frame > to.frame:
            raise _Problem(
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
                raise _Problem(f"the store may overwrite the address spilled at stack byte {at}")
            if lane is not None:
                state.stack[access.frame, at] = Lane(scalars.unknown(8), 0, 1)

    def atomic(self, insn: Atomic, state: State) -> None:
        operand = self.number(insn.src, state, "used in an atomic operation")
        pointer = self.address(insn.base, insn.off, state)
        if pointer.region is not Region.STACK:
            raise _Problem(f"an atomic operation on the {pointer.region.value}, which is read-only")
        if insn.op is AtomicOp.CMPXCHG:
            self.number(0, state, "compared")
        if any(o % insn.size for o in self.stack_access(pointer, insn.size).offsets):
            raise _Problem(f"an atomic operation at {pointer} is not aligned to {insn.size} bytes")
        old = self.load_stack(pointer, insn.size, state)
        if isinstance(old, Pointer):
            raise _Problem("an atomic operation on a spilled address")
        new = operand if insn.op is AtomicOp.XCHG else scalars.unknown(insn.size * 8)
        access = self.stack_access(pointer, insn.size)
        self.write_stack(access, insn.size, scalars.truncate(new, insn.size * 8), state)
        if insn.fetch:
            self.write(state, 0 if insn.op is AtomicOp.CMPXCHG else insn.src, old)

    # The packet.

    def load_direct(self, pointer: Pointer, size: int, state: State) -> Scalar:
        """A load through a packet pointer, which a bounds check must cover."""
        slack = state.slack(pointer)
        if slack is None or slack < size or pointer.offset.high > packet_pointers.MAX_OFFSET:
            known = "no check" if slack is None or slack <= 0 else f"a check of {slack} bytes"
            raise _Problem(
                f"{size} bytes at {pointer} are read, but {known} against data_end covers them on"
                " every path; compare the pointer with data_end first"
            )
        self.accesses[self.place] = self.packet_access(pointer.offset, size)
        return scalars.unknown(size * 8)

    def load_packet(self, insn: LoadPacket, state: State) -> None:
        if not self.program.context.packet_loads:
            raise _Problem(
                f"LD_ABS and LD_IND do not exist in a {self.program.context.name} program; read"
                " through data and data_end"
            )
        ctx = self.read(6, state)
        if not isinstance(ctx, Pointer) or ctx.region is not Region.CONTEXT or ctx.offset.high:
            raise _Problem(f"a packet load needs the context in r6, which holds {ctx}")
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
                raise _Problem(
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
            raise _Problem(
                f"the packet load can reach {reach}, beyond the header window of {self.max_window}"
                " bytes; bound the offset in the program, or raise --max-window",
                True,
            )
        if inside:
            self.window = max(self.window, inside[-1] + size)
        return PacketAccess(tuple(inside), size)

    # Helpers.

    def call(self, helper: int, state: State) -> None:
        legal = self.program.context.helpers
        if helper not in legal:
            known = ", ".join(f"{PROTOTYPES[h].name} ({h.value})" for h in sorted(legal))
            raise _Problem(f"helper {helper} is not supported; supported are {known}", True)
        prototype = PROTOTYPES[Helper(helper)]
        for n, arg in enumerate(prototype.args, 1):
            self.argument(prototype.name, n, arg, state)
        if helper == Helper.SKB_LOAD_BYTES:
            self.load_bytes(state)
        if helper == Helper.XDP_GET_BUFF_LEN:
            self.accesses[self.place] = BoundsCheck(None)
        result = {
            Helper.GET_SMP_PROCESSOR_ID: scalars.constant(0),
            Helper.GET_PRANDOM_U32: scalars.unknown(32),
            Helper.XDP_GET_BUFF_LEN: scalars.unknown(16),
        }
        state.regs[0] = result.get(Helper(helper), scalars.unknown())
        state.regs[1:6] = [DESTROYED] * 5

    def argument(self, name: str, n: int, arg: Arg, state: State) -> None:
        value = self.read(n, state)
        if isinstance(value, Pointer):
            self.refuse_null(value, f"argument {n} of {name}()")
        match arg, value:
            case Arg.CONTEXT, Pointer(region=Region.CONTEXT, offset=offset):
                ok = offset.constant == 0
            case Arg.CONST_SIZE, Scalar(constant=int(size)):
                ok = 0 < size <= STACK_SIZE
            case (Arg.SCALAR, Scalar()) | (Arg.OUT_MEMORY, Pointer(region=Region.STACK)):
                ok = True
            case _:
                ok = False
        if not ok:
            raise _Problem(f"argument {n} of {name}() must be {arg.value}; r{n} holds {value}")

    def load_bytes(self, state: State) -> None:
        offset, to, size = state.regs[2], state.regs[3], state.regs[4]
        assert isinstance(offset, Scalar)
        assert isinstance(to, Pointer)
        assert isinstance(size, Scalar)
        assert size.constant is not None
        memory = self.stack_access(to, size.constant)
        first, *others = memory.offsets
        if others:
            raise _Problem(f"bpf_skb_load_bytes() fills {to}; the place must be a constant", True)
        packet = self.packet_access(scalars.truncate(offset, 32), size.constant)
        self.accesses[self.place] = LoadBytes(packet, memory)
        for i in range(size.constant):
            state.stack[memory.frame, first + i] = Lane(scalars.unknown(8), 0, 1)


def _bytes(count: int) -> str:
    return "1 byte" if count == 1 else f"{count} bytes"


def verify(graph: Graph, max_window: int = DEFAULT_MAX_WINDOW) -> Facts:
    """Check that `graph` is safe, and find where its accesses go.

    Raises
    ------
    VerifyError
        The program breaks a rule of the kernel's verifier.
    Unsupported
        The program needs what rxgate does not have: a field or helper, or a packet byte beyond
        `max_window`.
    """
    return _Verifier(graph, max_window).run()

