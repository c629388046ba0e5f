"""Block graph and verification facts -> one dataflow graph.

Blocks are run once, in topological order, on symbolic states: registers and stack bytes hold nodes or
addresses, branches become path predicates, and where paths meet each differing value becomes a choice.
What is left has no control flow, no stack and no calls.
"""

from dataclasses import dataclass, field, replace

from ..ctx_map.context import PacketEnd
from ..ctx_map.descriptor import BY_NAME, Source
from ..ctx_map.helpers import EFAULT, Helper
from ..ctx_map.models import MICROSOFT_KEY
from ..ctx_map.prandom import ROTATE_LEFT, ROTATE_RIGHT, ROUND_CONSTANTS, site
from ..ctx_map.verdicts import VERDICT_BITS
from . import predicates
from .analysis.state import Region
from .build import Builder
from .cfg import Block, EdgeKind, Graph
from .facts import Access, BoundsCheck, ContextAccess, Facts, LoadBytes, MemoryAccess, PacketAccess
from .front_end import REACH, FrontEnd, Window
from .insn import (
    FP,
    Alu,
    AluOp,
    Atomic,
    AtomicOp,
    Call,
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
    Store,
    Swap,
    SwapKind,
)
from .ir import Function
from .predicates import Predicate


@dataclass(frozen=True, slots=True)
class Address:
    """A pointer whose region is known; `offset` is a 64-bit node (facts.Pointer's convention).

    `null` is a 1-bit node that holds where the value is 0 instead; None: nowhere.
    """

    region: Region
    offset: int
    frame: int = 0
    section: str = ""
    null: int | None = None


Symbol = int | Address


@dataclass(frozen=True, slots=True)
class AddressByte:
    """One byte of an address spilled to the stack."""

    address: Address
    lane: int


@dataclass(slots=True)
class _State:
    """Registers (None: not readable), stack bytes by (depth, offset), callers' r6..r10."""

    regs: list[Symbol | None]
    stack: dict[tuple[int, int], int | AddressByte] = field(default_factory=dict)
    saved: tuple[tuple[Symbol | None, ...], ...] = ()

    def copy(self) -> "_State":
        return _State(list(self.regs), dict(self.stack), self.saved)

    def settle(self, address: Address, value: Symbol, byte: int) -> None:
        """Every copy of `address` becomes `value`, in bytes `byte` when that is a number."""

        def settled(old: Symbol | None) -> Symbol | None:
            return value if old == address else old

        self.regs = [settled(r) for r in self.regs]
        self.saved = tuple(tuple(settled(r) for r in s) for s in self.saved)
        for key, lane in self.stack.items():
            if isinstance(lane, AddressByte) and lane.address == address:
                whole = isinstance(value, Address)
                self.stack[key] = AddressByte(value, lane.lane) if whole else byte


@dataclass(frozen=True, slots=True)
class Target:
    """What the dataflow may take from its surroundings.

    `delivered` names the descriptor fields that come as inputs; the others are computed from the
    window by the front end with `hash_key`.
    """

    delivered: frozenset[str]
    hash_key: bytes = MICROSOFT_KEY
    strip_vlan: bool = False
    prandom_seed: int = 0


def window_size(facts: Facts, target: Target) -> int:
    """Bytes of header window that program and front end need."""
    computed = [s for s in signals(facts) if s not in target.delivered]
    return max([facts.window, *(REACH.get(s, 0) for s in computed)])


def signals(facts: Facts) -> list[str]:
    """The descriptor fields that the program reads, in descriptor order."""
    read = {a.field.signal for a in facts.accesses.values() if isinstance(a, ContextAccess)}
    if BoundsCheck(None) in facts.accesses.values():
        read.add("len")
    return [name for name in BY_NAME if name in read]


class _Lifter:
    def __init__(self, graph: Graph, facts: Facts, target: Target) -> None:
        self.graph, self.program, self.facts, self.target = graph, graph.program, facts, target
        self.b = Builder()
        self.window = Window(self.b, window_size(facts, target))
        self.front_end = FrontEnd(self.window, target.hash_key, target.strip_vlan)
        self.results: dict[tuple[int, int, int], int] = {}
        self.exits: list[tuple[Predicate, int]] = []
        self.arriving: list[list[tuple[Predicate, _State]]] = [[] for _ in graph.blocks]

    def run(self) -> Function:
        regs: list[Symbol | None] = [None] * 11
        zero = self.b.const(0, 64)
        regs[1], regs[FP] = Address(Region.CONTEXT, zero), Address(Region.STACK, zero)
        self.arriving[0].append((predicates.ALWAYS, _State(regs)))
        for block in self.graph.blocks:
            if self.arriving[block.number]:
                self.block(block)
        self.b.origin = -1
        r0 = predicates.choose(self.b, self.exits)
        return self.b.function({"verdict": self.verdict(r0), "r0": r0}, self.results)

    def verdict(self, r0: int) -> int:
        """The low 32 bits of r0 by the context's rule."""
        b, rule = self.b, self.program.context.verdicts
        low = b.trunc(r0, 32)
        hits = [
            (b.eq(low, b.const(n, 32)), b.const(v, VERDICT_BITS)) for n, v in rule.exact.items()
        ]
        other = b.not_(b.any_of([hit for hit, _ in hits]))
        return b.onehot([*hits, (other, b.const(rule.otherwise, VERDICT_BITS))])

    # Control flow.

    def block(self, block: Block) -> None:
        arriving = self.arriving[block.number]
        predicate = predicates.disjoin(self.b, [p for p, _ in arriving])
        state = self.join(arriving)
        condition, insn = self.b.const(1, 1), None
        for slot in self.graph.slots(block):
            self.b.origin = slot
            insn = self.program.insns[slot]
            assert insn is not None
            condition = self.step(insn, state, block, slot)
        for index, edge in enumerate(block.edges):
            if (block.number, index) not in self.facts.feasible:
                continue
            negated = edge.kind in (EdgeKind.NOT_TAKEN, EdgeKind.OUT_OF_RANGE)
            literal = self.b.not_(condition) if negated else condition
            path = predicates.conjoin(self.b, predicate, literal)
            if path is not None:
                after = state.copy()
                if edge.kind in (EdgeKind.TAKEN, EdgeKind.NOT_TAKEN):
                    self.settle(insn, edge.kind is EdgeKind.TAKEN, after)
                self.leave(edge.kind, edge.target, path, after, block)

    def settle(self, insn: Insn | None, taken: bool, state: _State) -> None:
        """After a comparison of an address with 0, it is one or the other."""
        assert isinstance(insn, Jump)
        address = state.regs[insn.dst]
        other = self.operand(insn.src, state)
        if isinstance(address, Address) and address.null is not None and isinstance(other, int):
            if taken == (insn.op is JumpOp.EQ):
                state.settle(address, self.b.const(0, 64), self.b.const(0, 8))
            else:
                state.settle(address, replace(address, null=None), 0)

    def leave(
        self, kind: EdgeKind, target: int | None, path: Predicate, state: _State, block: Block
    ) -> None:
        match kind:
            case EdgeKind.CALL:
                state.saved = (*state.saved, tuple(state.regs[6:11]))
                state.regs[6:FP] = [None] * 4
                top = self.b.const(0, 64)
                state.regs[FP] = Address(Region.STACK, top, len(state.saved))
            case EdgeKind.RETURN_ZERO:
                state.regs[0] = self.b.const(0, 64)
        if target is None:
            r0 = state.regs[0]
            assert isinstance(r0, int)
            self.exits.append((path, r0))
            return
        if kind in (EdgeKind.RETURN, EdgeKind.RETURN_ZERO):
            state.regs[1:6] = [None] * 5
            state.regs[6:11] = state.saved[-1]
            state.saved = state.saved[:-1]
            depth = block.depth
            state.stack = {k: v for k, v in state.stack.items() if k[0] != depth}
        self.arriving[target].append((path, state))

    def join(self, arriving: list[tuple[Predicate, _State]]) -> _State:
        if len(arriving) == 1:
            return arriving[0][1]
        paths, states = [p for p, _ in arriving], [s for _, s in arriving]
        self.b.origin = -1
        regs = [self.meet(paths, [s.regs[n] for s in states]) for n in range(11)]
        saved = tuple(
            tuple(self.meet(paths, [s.saved[d][n] for s in states]) for n in range(5))
            for d in range(len(states[0].saved))
        )
        stack = {}
        for key in states[0].stack:
            found = [s.stack.get(key) for s in states]
            met = self.meet_bytes(paths, found)
            if met is not None:
                stack[key] = met
        return _State(regs, stack, saved)

    def meet(self, paths: list[Predicate], values: list[Symbol | None]) -> Symbol | None:
        first = values[0]
        if all(v == first for v in values):
            return first
        if all(isinstance(v, int) for v in values):
            numbers = [v for v in values if isinstance(v, int)]
            return predicates.choose(self.b, list(zip(paths, numbers, strict=True)))
        addresses = [v for v in values if isinstance(v, Address)]
        if None in values or len({(a.region.value, a.frame, a.section) for a in addresses}) > 1:
            return None
        return self.meet_addresses(paths, [v if isinstance(v, Address) else None for v in values])

    def meet_addresses(self, paths: list[Predicate], values: list[Address | None]) -> Address:
        """One of several addresses in one region, or 0 (None)."""
        b, no, yes = self.b, self.b.const(0, 1), self.b.const(1, 1)
        [first, *_] = found = [a for a in values if a is not None]
        offsets = [a.offset if a else b.const(0, 64) for a in values]
        if len({a.offset for a in found}) == 1:
            offset = first.offset
        else:
            offset = predicates.choose(b, list(zip(paths, offsets, strict=True)))
        nulls = [yes if a is None else no if a.null is None else a.null for a in values]
        null = predicates.choose(b, list(zip(paths, nulls, strict=True)))
        return replace(first, offset=offset, null=None if null == no else null)

    def meet_bytes(
        self, paths: list[Predicate], found: list[int | AddressByte | None]
    ) -> int | AddressByte | None:
        first = found[0]
        if all(v == first for v in found):
            return first
        numbers = [v for v in found if isinstance(v, int)]
        if len(numbers) == len(found):
            return predicates.choose(self.b, list(zip(paths, numbers, strict=True)))
        spilled = [v for v in found if isinstance(v, AddressByte)]
        if None in found or len({v.lane for v in spilled}) > 1:
            return None
        # Next to a spilled address a number can only be part of a 0.
        zero = self.b.const(0, 64)
        whole: list[Symbol | None] = [
            v.address if isinstance(v, AddressByte) else zero for v in found
        ]
        address = self.meet(paths, whole)
        return AddressByte(address, spilled[0].lane) if isinstance(address, Address) else None

    # Instructions.

    def step(self, insn: Insn, state: _State, block: Block, slot: int) -> int:
        """Run one instruction on `state`; returns the condition of its edges (1 if none)."""
        access = self.facts.accesses.get((block.number, slot))
        written: int | None = None
        condition = self.b.const(1, 1)
        match insn:
            case Alu(_, _, dst):
                state.regs[dst] = self.alu(insn, state)
                written = dst
            case MovSx(bits, dst, src, from_bits):
                low = self.b.trunc(self.number(src, state), from_bits)
                state.regs[dst] = self.b.zext(self.b.sext(low, bits), 64)
                written = dst
            case Neg(bits, dst):
                low = self.b.trunc(self.number(dst, state), bits)
                state.regs[dst] = self.b.zext(self.b.sub(self.b.const(0, bits), low), 64)
                written = dst
            case Swap(kind, bits, dst):
                low = self.b.trunc(self.number(dst, state), bits)
                swapped = low if kind is SwapKind.LE else self.b.swap_bytes(low)
                state.regs[dst] = self.b.zext(swapped, 64)
                written = dst
            case LoadImm64(dst, value):
                state.regs[dst] = self.b.const(value, 64)
            case LoadData(dst, section, offset):
                state.regs[dst] = Address(Region.DATA, self.b.const(offset, 64), section=section)
            case Load():
                state.regs[insn.dst] = self.load(insn, access, state)
                written = insn.dst
            case Store():
                assert isinstance(access, MemoryAccess)
                value = self.operand(insn.src, state)
                self.store(access, self.place(insn.base, insn.off, state), insn.size, value, state)
            case Atomic():
                assert isinstance(access, MemoryAccess)
                written = self.atomic(insn, access, state)
            case LoadPacket():
                assert isinstance(access, PacketAccess)
                condition, value = self.load_packet(insn, access, state)
                state.regs[0:6] = [self.b.zext(value, 64), None, None, None, None, None]
                written = 0
            case Jump():
                condition = self.compare(insn, access, state)
            case Call(helper):
                r0 = self.call(Helper(helper), access, state, (*block.chain, slot))
                state.regs[0:6] = [r0, None, None, None, None, None]
                written = 0
        if written is not None and isinstance(state.regs[written], int):
            value = state.regs[written]
            assert isinstance(value, int)
            self.results[block.number, slot, written] = value
        return condition

    def number(self, n: int, state: _State) -> int:
        value = state.regs[n]
        assert isinstance(value, int)
        return value

    def operand(self, src: Operand, state: _State) -> Symbol:
        if isinstance(src, Imm):
            return self.b.const(src.value, 64)
        value = state.regs[src.n]
        assert value is not None
        return value

    def alu(self, insn: Alu, state: _State) -> Symbol:
        b, right = self.b, self.operand(insn.src, state)
        left = state.regs[insn.dst]
        if insn.op is AluOp.MOV:
            if isinstance(right, Address):
                return right
            return b.zext(b.trunc(right, insn.bits), 64)
        assert left is not None
        if isinstance(left, Address) and isinstance(right, Address):
            apart = b.sub(*(b.zext(self.distance(p, None), 64) for p in (left, right)))
            return b.zext(b.trunc(apart, insn.bits), 64)
        if isinstance(left, Address) or isinstance(right, Address):
            pointer, other = (left, right) if isinstance(left, Address) else (right, left)
            assert isinstance(pointer, Address)
            assert isinstance(other, int)
            move = b.add if insn.op is AluOp.ADD else b.sub
            offset = move(pointer.offset, other)
            return Address(pointer.region, offset, pointer.frame, pointer.section)
        x, y = b.trunc(left, insn.bits), b.trunc(right, insn.bits)
        return b.zext(self.arithmetic(insn.op, x, y, insn.bits), 64)

    def arithmetic(self, op: AluOp, x: int, y: int, bits: int) -> int:
        b = self.b
        match op:
            case AluOp.ADD:
                return b.add(x, y)
            case AluOp.SUB:
                return b.sub(x, y)
            case AluOp.MUL:
                return b.mul(x, y)
            case AluOp.DIV:
                return b.udiv(x, y)
            case AluOp.MOD:
                return b.urem(x, y)
            case AluOp.SDIV | AluOp.SMOD:
                return self.signed_divide(op, x, y, bits)
            case AluOp.OR | AluOp.AND | AluOp.XOR:
                return b.bitwise(op.name.lower(), x, y)
        amount = b.trunc(y, bits.bit_length() - 1)
        return b.shift({AluOp.LSH: "shl", AluOp.RSH: "lshr", AluOp.ARSH: "ashr"}[op], x, amount)

    def signed_divide(self, op: AluOp, x: int, y: int, bits: int) -> int:
        """Quotient and remainder rounded toward zero, from magnitudes; x/0 = 0 and x%0 = x hold."""
        b = self.b
        zero = b.const(0, bits)
        x_sign, y_sign = b.slice(x, bits - 1, 1), b.slice(y, bits - 1, 1)
        x_size, y_size = b.mux(x_sign, b.sub(zero, x), x), b.mux(y_sign, b.sub(zero, y), y)
        if op is AluOp.SDIV:
            size, negative = b.udiv(x_size, y_size), b.xor(x_sign, y_sign)
        else:
            size, negative = b.urem(x_size, y_size), x_sign
        return b.mux(negative, b.sub(zero, size), size)

    def distance(self, address: Address, deepest: int | None) -> int:
        """Bytes from the packet's start, 16 bits; of its end at most the window when `deepest`."""
        b = self.b
        if address.region is Region.PACKET:
            return b.trunc(address.offset, 16)
        return self.descriptor("len") if deepest is None else b.zext(self.window.present, 16)

    def compare(self, insn: Jump, access: Access | None, state: _State) -> int:
        b = self.b
        left, right = state.regs[insn.dst], self.operand(insn.src, state)
        if isinstance(left, Address) and isinstance(right, Address):
            deepest = access.deepest if isinstance(access, BoundsCheck) else None
            x, y = self.distance(left, deepest), self.distance(right, deepest)
        elif isinstance(left, Address) or isinstance(right, Address):
            address = left if isinstance(left, Address) else right
            assert isinstance(address, Address)
            null = b.const(0, 1) if address.null is None else address.null
            return null if insn.op is JumpOp.EQ else b.not_(null)
        else:
            assert left is not None
            x, y = b.trunc(left, insn.bits), b.trunc(right, insn.bits)
        match insn.op:
            case JumpOp.EQ:
                return b.eq(x, y)
            case JumpOp.NE:
                return b.ne(x, y)
            case JumpOp.GT:
                return b.ult(y, x)
            case JumpOp.GE:
                return b.not_(b.ult(x, y))
            case JumpOp.LT:
                return b.ult(x, y)
            case JumpOp.LE:
                return b.not_(b.ult(y, x))
            case JumpOp.SET:
                return b.ne(b.and_(x, y), b.const(0, b.width(x)))
            case JumpOp.SGT:
                return b.slt(y, x)
            case JumpOp.SGE:
                return b.not_(b.slt(x, y))
            case JumpOp.SLT:
                return b.slt(x, y)
            case JumpOp.SLE:
                return b.not_(b.slt(y, x))

    # Context, stack, data.

    def place(self, base: int, off: int, state: _State) -> int:
        """The offset that an access addresses, as a 64-bit node."""
        pointer = state.regs[base]
        assert isinstance(pointer, Address)
        return self.b.add(pointer.offset, self.b.const(off, 64))

    def load(self, insn: Load, access: Access | None, state: _State) -> Symbol:
        b = self.b
        if access is None:
            return self.packet_address(insn, state)
        if isinstance(access, ContextAccess):
            value: Symbol = self.context_field(access)
        elif isinstance(access, PacketAccess):
            at = b.trunc(self.place(insn.base, insn.off, state), 16)
            table = {o: self.w_bytes(o, access.size, False) for o in access.offsets}
            value = b.case(at, table)
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

    def packet_address(self, insn: Load, state: _State) -> Address:
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

    def descriptor(self, name: str) -> int:
        """A descriptor field: an input, or computed by the front end."""
        signal = BY_NAME[name]
        if name not in self.target.delivered and signal.source is Source.WINDOW:
            return self.front_end.field(name)
        return self.b.input(name, signal.width)

    def load_data(self, access: MemoryAccess, at: int, size: int) -> int:
        b, content = self.b, self.program.data[access.section]
        table = {
            o: b.const(int.from_bytes(content[o : o + size], "little"), size * 8)
            for o in access.offsets
        }
        return b.case(b.trunc(at, max(access.offsets).bit_length() or 1), table)

    def load_stack(
        self, access: MemoryAccess, at: int, size: int, state: _State
    ) -> Symbol:
        found = [self.read_stack(access.frame, o, size, state) for o in access.offsets]
        if len(found) == 1:
            return found[0]
        numbers = [v for v in found if isinstance(v, int)]
        return self.b.case(
            self.b.trunc(at, 10),
            {o & 1023: v for o, v in zip(access.offsets, numbers, strict=True)},
        )

    def read_stack(self, frame: int, at: int, size: int, state: _State) -> Symbol:
        lanes = [state.stack[frame, at + i] for i in range(size)]
        first = lanes[0]
        if isinstance(first, AddressByte):
            return first.address
        return self.b.concat(*(v for v in lanes if isinstance(v, int)))

    def store(
        self, access: MemoryAccess, at: int, size: int, value: Symbol, state: _State
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

    def atomic(self, insn: Atomic, access: MemoryAccess, state: _State) -> int | None:
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

    # Packet and helpers.

    def load_packet(
        self, insn: LoadPacket, access: PacketAccess, state: _State
    ) -> tuple[int, int]:
        """(whether the load is in range, its value in host order)."""
        b = self.b
        offset = b.const(insn.off, 64)
        if insn.index is not None:
            offset = b.add(self.number(insn.index, state), offset)
        return self.packet(b.trunc(offset, 32), access, network_order=True)

    def packet(self, offset: int, access: PacketAccess, network_order: bool) -> tuple[int, int]:
        """(in range, value) of the `access.size` bytes at a 32-bit offset."""
        b, size = self.b, access.size
        constant = b.constant(offset)
        offsets = [o for o in access.offsets if constant is None or o == constant]
        if not offsets:
            return b.const(0, 1), b.const(0, size * 8)
        table = {o: self.w_bytes(o, size, network_order) for o in offsets}
        if constant is not None:
            return self.window.has(constant + size), table[constant]
        last = b.add(b.zext(offset, 33), b.const(size - 1, 33))
        in_range = b.ult(last, b.zext(self.window.present, 33))
        return in_range, b.case(offset, table)

    def w_bytes(self, at: int, size: int, network_order: bool) -> int:
        word = self.window.word(at, size)
        return word if network_order else self.b.swap_bytes(word)

    def call(
        self, helper: Helper, access: Access | None, state: _State, chain: tuple[int, ...]
    ) -> int:
        b = self.b
        match helper:
            case Helper.KTIME_GET_NS:
                return b.input("ktime", 64)
            case Helper.GET_PRANDOM_U32:
                return b.zext(self.prandom(site(chain)), 64)
            case Helper.GET_SMP_PROCESSOR_ID:
                return b.const(0, 64)
            case Helper.XDP_GET_BUFF_LEN:
                return b.zext(self.descriptor("len"), 64)
            case Helper.SKB_LOAD_BYTES:
                assert isinstance(access, LoadBytes)
                return self.load_bytes(access, state)

    def prandom(self, call_site: int) -> int:
        """The rounds of ctx_map.prandom."""
        b = self.b
        x = b.xor(b.input("packet_number", 32), b.const(self.target.prandom_seed, 32))
        y = b.const(call_site, 32)
        for constant in ROUND_CONSTANTS:
            x = b.xor(b.add(self.rotate_left(x, 32 - ROTATE_RIGHT), y), b.const(constant, 32))
            y = b.xor(self.rotate_left(y, ROTATE_LEFT), x)
        return y

    def rotate_left(self, x: int, n: int) -> int:
        return self.b.concat(self.b.slice(x, 32 - n, n), self.b.slice(x, 0, 32 - n))

    def load_bytes(self, access: LoadBytes, state: _State) -> int:
        """bpf_skb_load_bytes: fills the stack, with zeros when out of range."""
        b, size = self.b, access.packet.size
        offset = b.trunc(self.number(2, state), 32)
        in_range, value = self.packet(offset, access.packet, network_order=False)
        value = b.mux(in_range, value, b.const(0, size * 8))
        to, frame = access.to.offsets[0], access.to.frame
        for i in range(size):
            state.stack[frame, to + i] = b.slice(value, 8 * i, 8)
        return b.mux(in_range, b.const(0, 64), b.const(-EFAULT, 64))


def lift(graph: Graph, facts: Facts, target: Target) -> Function:
    """The dataflow graph of a verified program, with outputs `verdict` (3 bits) and `r0` (64)."""
    return _Lifter(graph, facts, target).run()


