"""Block graph and verification facts -> one dataflow graph.

Blocks are run once, in topological order, on symbolic states: registers and stack bytes hold nodes or
addresses, branches become path predicates, and where paths meet each differing value becomes a choice.
What is left has no control flow, no stack and no calls.
"""

from collections.abc import Sequence
from dataclasses import replace

from ..ctx_map.descriptor import BY_NAME
from ..ctx_map.helpers import Helper
from ..ctx_map.verdicts import VERDICT_BITS
from .analysis.scalars import MIRRORED
from .analysis.state import Region
from .builder import Builder
from .builder.plain import Plain
from .facts import BoundsCheck, ContextAccess, Facts, MemoryAccess, MetadataCall, PacketAccess
from .front_end import REACH
from .insn import (
    FP,
    Alu,
    Atomic,
    Call,
    CallExtern,
    Insn,
    Jump,
    JumpOp,
    Load,
    LoadData,
    LoadImm64,
    LoadPacket,
    MovSx,
    Neg,
    Store,
    Swap,
    SwapKind,
)
from .ir import Function
from .lifting.calls import Calls
from .lifting.operations import Operations
from .lifting.symbols import Address, AddressByte, State, Symbol, Target
from .number_sets import member, sought, where
from .plain_paths import PlainPaths
from .predicates import Paths, Predicate
from .unfold import Block, EdgeKind


def window_size(facts: Facts, target: Target) -> int:
    """Bytes of header window that program and front end need."""
    computed = [s for s in signals(facts) if s not in target.delivered]
    return max([facts.window, *(REACH.get(s, 0) for s in computed)])


def signals(facts: Facts) -> list[str]:
    """The descriptor fields that the program reads, in descriptor order."""
    read = {a.field.signal for a in facts.accesses.values() if isinstance(a, ContextAccess)}
    for access in facts.accesses.values():
        if isinstance(access, MetadataCall):
            read |= access.signals
    if BoundsCheck(None) in facts.accesses.values():
        read.add("len")
    return [name for name in BY_NAME if name in read]


class _Lifter(Calls):
    """Walks the blocks, and joins what arrives at each."""

    def __init__(self, facts: Facts, target: Target, paths: Paths) -> None:
        super().__init__(facts.graph.program, target, window_size(facts, target), paths.b)
        self.graph, self.facts = facts.graph, facts
        self.paths = paths
        self.kept = facts.kept()
        self.results: dict[tuple[int, int, int], int] = {}
        self.exits: list[tuple[Predicate, int]] = []
        self.arriving: list[list[tuple[Predicate, State]]] = [[] for _ in self.graph.blocks]

    def run(self) -> Function:
        regs: list[Symbol | None] = [None] * 11
        zero = self.b.const(0, 64)
        regs[1], regs[FP] = Address(Region.CONTEXT, zero), Address(Region.STACK, zero)
        self.arriving[0].append((self.paths.always, State(regs)))
        for block in self.graph.blocks:
            if self.arriving[block.number]:
                self.block(block)
        self.b.origin = -1
        r0 = self.paths.choose(self.exits)
        return self.b.function({"verdict": self.decided(r0), "r0": r0}, self.results)

    def decided(self, r0: int) -> int:
        """The verdict: that of what each path returns, not of what the program does."""
        return self.paths.choose([(path, self.verdict(value)) for path, value in self.exits])

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
        arriving, self.arriving[block.number] = self.arriving[block.number], []
        predicate = self.paths.disjoin([p for p, _ in arriving])
        state = self.join(arriving)
        condition, insn = self.b.const(1, 1), None
        for slot in block.slots:
            self.b.origin = slot
            insn = self.program.insns[slot]
            assert insn is not None
            condition = self.step(insn, state, block, slot)
            while self.checks:
                inside = self.checks.pop()
                outside = self.paths.conjoin(predicate, self.b.not_(inside))
                if outside is not None:
                    self.exits.append((outside, self.b.const(0, 64)))
                passed = self.paths.conjoin(predicate, inside)
                if passed is None:
                    return
                predicate = passed
        for edge in block.edges:
            negated = edge.kind in (EdgeKind.NOT_TAKEN, EdgeKind.OUT_OF_RANGE)
            literal = self.b.not_(condition) if negated else condition
            if len(block.edges) == 1:
                literal = self.b.const(1, 1)
            path = self.paths.conjoin(predicate, literal)
            if path is not None:
                after = state if edge is block.edges[-1] else state.copy()
                if edge.kind in (EdgeKind.TAKEN, EdgeKind.NOT_TAKEN):
                    self.settle(insn, edge.kind is EdgeKind.TAKEN, after)
                self.leave(edge.kind, edge.target, path, after, block)

    def condition(self, op: JumpOp, x: int, y: int) -> int:
        """A comparison with a constant is membership in a set of numbers, which paths know of."""
        if self.b.constant(y) is None and op in MIRRORED:
            op, x, y = MIRRORED[op], y, x
        bound = self.b.constant(y)
        numbers = None if bound is None else where(op, bound, self.b.width(x))
        if numbers is None:
            return super().condition(op, x, y)
        x, numbers = sought(self.b, x, numbers)
        literal = member(self.b, x, numbers)
        self.paths.note(literal, x, numbers)
        return literal

    def settle(self, insn: Insn | None, taken: bool, state: State) -> None:
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
        self, kind: EdgeKind, target: int | None, path: Predicate, state: State, block: Block
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

    def join(self, arriving: list[tuple[Predicate, State]]) -> State:
        if len(arriving) == 1:
            return arriving[0][1]
        paths, states = [p for p, _ in arriving], [s for _, s in arriving]
        self.b.origin = -1
        regs = [self.meet(paths, [s.regs[n] for s in states]) for n in range(11)]
        saved = tuple(
            tuple(self.meet(paths, [s.saved[d][n] for s in states]) for n in range(5))
            for d in range(len(states[0].saved))
        )
        first, *others = (s.stack for s in states)
        differing = {key for other in others for key, _ in first.items() ^ other.items()}
        stack = {}
        kept = [key for s in states for key in s.stack if key in self.kept]
        for key in dict.fromkeys([*first, *kept]):
            if key not in differing:
                stack[key] = first[key]
                continue
            # A failed call leaves what was there, and where nothing was that is 0.
            nothing = self.b.const(0, 8) if key in self.kept else None
            found = [s.stack.get(key, nothing) for s in states]
            met = self.meet_bytes(paths, found)
            if met is not None:
                stack[key] = met
        return State(regs, stack, saved)

    def meet(self, paths: list[Predicate], values: list[Symbol | None]) -> Symbol | None:
        first = values[0]
        if all(v == first for v in values):
            return first
        if all(isinstance(v, int) for v in values):
            numbers = [v for v in values if isinstance(v, int)]
            return self.paths.choose(list(zip(paths, numbers, strict=True)))
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
            offset = self.paths.choose(list(zip(paths, offsets, strict=True)))
        nulls = [yes if a is None else no if a.null is None else a.null for a in values]
        null = self.paths.choose(list(zip(paths, nulls, strict=True)))
        return replace(first, offset=offset, null=None if null == no else null)

    def meet_bytes(
        self, paths: list[Predicate], found: list[int | AddressByte | None]
    ) -> int | AddressByte | None:
        first = found[0]
        if all(v == first for v in found):
            return first
        numbers = [v for v in found if isinstance(v, int)]
        if len(numbers) == len(found):
            return self.paths.choose(list(zip(paths, numbers, strict=True)))
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

    def step(self, insn: Insn, state: State, block: Block, slot: int) -> int:
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
            case CallExtern():
                assert isinstance(access, MetadataCall)
                r0 = self.metadata(access, state)
                state.regs[0:6] = [r0, None, None, None, None, None]
                written = 0
        if written is not None and isinstance(state.regs[written], int):
            value = state.regs[written]
            assert isinstance(value, int)
            self.results[block.number, slot, written] = value
        return condition


class _PlainLifter(_Lifter):
    """A packet load with an offset that varies chooses among all places of the window, and the verdict
    is made of r0."""

    def places(self, access: PacketAccess) -> Sequence[int]:
        return range(self.window.size - access.size + 1)

    def decided(self, r0: int) -> int:
        return self.verdict(r0)

    def condition(self, op: JumpOp, x: int, y: int) -> int:
        return Operations.condition(self, op, x, y)


def lift(facts: Facts, target: Target, *, plain: bool = False) -> Function:
    """The dataflow graph of a verified program, with outputs `verdict` (3 bits) and `r0` (64).

    With `plain` nothing that is known of values or conditions makes it simpler, for comparison.
    """
    if plain:
        return _PlainLifter(facts, target, PlainPaths(Plain())).run()
    return _Lifter(facts, target, Paths(Builder())).run()
