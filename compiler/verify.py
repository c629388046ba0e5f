"""Control flow -> an acyclic graph and facts that make it safe to compile, by abstract interpretation.

Every rule of the kernel's verifier that applies to programs without maps: registers are written
before they are read, pointers stay pointers and inside their regions, the context is read by its own
rules, helpers get what their prototypes ask for, no address leaks. All problems are collected; the
first that control meets is raised with the others as notes.
"""
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from typing import assert_never

from . import packet_pointers
from .analysis import scalars
from .analysis.scalars import Scalar
from .analysis.state import (
    Joiner,
    Pointer,
    Region,
    State,
    entry_state,
)
from .cfg import MAX_SLOTS, ControlFlow
from .checks.arithmetic import Arithmetic
from .checks.helpers import Helpers
from .checks.registers import Problem
from .checks.shown import registers_shown
from .errors import RxgateError, Unsupported, VerifyError
from .facts import Facts
from .insn import (
    FP,
    Alu,
    AluOp,
    Atomic,
    Call,
    CallExtern,
    CallLocal,
    Exit,
    Goto,
    Insn,
    Jump,
    JumpOp,
    Load,
    LoadData,
    LoadFunction,
    LoadImm64,
    LoadPacket,
    MovSx,
    Neg,
    Reg,
    Store,
    Swap,
)
from .unfold import (
    DEFAULT_MAX_UNROLL,
    Block,
    Edge,
    EdgeKind,
    Graph,
    Instance,
    Key,
    entry,
)

DEFAULT_MAX_WINDOW = 256
"""Deepest packet byte that may be reached, bytes, unless the user allows more."""


@dataclass(slots=True)
class _Entry:
    """A block instance that waits for its turn, and what all edges so far have brought to it."""

    instance: Instance
    state: State
    joiner: Joiner = field(default_factory=Joiner)


class _Verifier(Arithmetic, Helpers):
    """Walks the block instances in topological order, and collects facts and problems.

    An instance exists once an edge that can be taken leads to it, so a loop ends where going round
    once more is impossible.
    """

    def __init__(self, flow: ControlFlow, max_window: int, max_unroll: int) -> None:
        super().__init__(flow.program, max_window)
        self.flow, self.max_unroll = flow, max_unroll
        self.problems: dict[int, Problem] = {}
        self.waiting: list[Key] = []
        self.entries: dict[Key, _Entry] = {}
        self.size = 0

    def run(self) -> Facts:
        numbers: dict[Key | None, int | None] = {None: None}
        blocks: list[tuple[Instance, list[tuple[EdgeKind, Key | None]]]] = []
        self.reach(entry(self.flow), entry_state())
        while self.waiting:
            key = heappop(self.waiting)
            numbers[key] = len(blocks)
            there = self.entries.pop(key)
            blocks.append((there.instance, self.block(len(blocks), there)))
        if self.problems:
            raise self.report()
        graph = Graph(self.program, tuple(
            Block(
                number, i.frame.chain, i.rounds, i.slots,
                tuple(Edge(kind, numbers[key]) for kind, key in edges),
            )
            for number, (i, edges) in enumerate(blocks)
        ))
        return Facts(graph, self.accesses, self.window)

    def block(self, number: int, there: "_Entry") -> list[tuple[EdgeKind, Key | None]]:
        """Run one instance; returns the edges that can be taken."""
        self.size += len(there.instance.slots)
        if self.size > MAX_SLOTS:
            raise Unsupported(
                f"more than {MAX_SLOTS} instructions after inlining all calls and unrolling all"
                " loops; use smaller bounds",
                self.program.where(there.instance.slots[0]),
            )
        last = self.straight(number, there.instance, there.state)
        taken: list[tuple[EdgeKind, Key | None]] = []
        edges = list(there.instance.edges(self.flow))
        for n, (kind, target) in enumerate(edges, 1):
            state = there.state.copy() if n < len(edges) else there.state
            after = self.follow(kind, last, state)
            if after is None:
                continue
            if target is None:
                taken.append((kind, None))
            elif max(target.iterations, default=0) < self.max_unroll:
                taken.append((kind, self.reach(target, after)))
            else:
                self.refuse_loop(there.instance, target)
        return taken

    def reach(self, target: Instance, state: State) -> Key:
        """Note that control comes to `target` with `state`."""
        key = target.key
        there = self.entries.get(key)
        if there is None:
            self.entries[key] = _Entry(target, state)
            heappush(self.waiting, key)
        else:
            there.state = there.joiner.join(there.state, state)
        return key

    def refuse_loop(self, here: Instance, target: Instance) -> None:
        assert target.block is not None
        slot = here.slots[-1]
        self.problems.setdefault(slot, Problem(
            f"the loop back to slot {target.block.start} is not proven to end within"
            f" {self.max_unroll} iterations; give it a constant bound that the compiler can see, or"
            " raise --max-unroll",
            True,
        ))

    def report(self) -> RxgateError:
        """The problem that control meets first, the others, which may follow from it, as notes."""
        errors = [
            (Unsupported if p.unsupported else VerifyError)(
                str(p), self.program.where(slot), p.registers
            )
            for slot, p in self.problems.items()
        ]
        for other in errors[1:]:
            errors[0].add_note(str(other))
        return errors[0]

    def straight(self, number: int, instance: Instance, state: State) -> Insn | None:
        """Run a block's instructions on `state`; returns the last one."""
        insn = None
        for slot in instance.slots:
            insn = self.program.insns[slot]
            assert insn is not None
            self.place = (number, slot)
            try:
                self.step(insn, state)
            except Problem as problem:
                problem.registers = registers_shown(insn, state, str(problem))
                self.problems.setdefault(slot, problem)
                self.forget_result(insn, state)
        return insn

    def forget_result(self, insn: Insn, state: State) -> None:
        """After a problem go on as if the instruction had given some number."""
        match insn:
            case Load() if insn.dst != FP:
                state.regs[insn.dst] = scalars.unknown(64 if insn.signed else insn.size * 8)
            case Alu() | MovSx() | Neg() | Swap() if insn.dst != FP:
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
            case LoadFunction():
                raise Problem("only bpf_loop() takes the address of a function", True)
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
                self.call_kernel(name, state)
            case Exit():
                # A called function may return nothing; its caller then cannot read r0.
                if not state.saved:
                    self.read(0, state)
                r0 = regs[0]
                # The stack of a caller, unlike its own, outlives a function.
                depth = len(state.saved)
                local = isinstance(r0, Pointer) and (r0.region, r0.frame) == (Region.STACK, depth)
                if isinstance(r0, Pointer) and (local or not depth):
                    raise Problem(f"r0 is returned, but holds a {r0}; return a number")
            case Goto() | CallLocal():
                pass
            case _:
                assert_never(insn)


def verify(
    flow: ControlFlow,
    max_window: int = DEFAULT_MAX_WINDOW,
    max_unroll: int = DEFAULT_MAX_UNROLL,
) -> Facts:
    """Check that a program is safe, unroll its loops, and find where its accesses go.

    Raises
    ------
    VerifyError
        The program breaks a rule of the kernel's verifier.
    Unsupported
        The program needs what rxgate does not have: a field or helper, a packet byte beyond
        `max_window`, or more than `max_unroll` iterations of a loop.
    """
    return _Verifier(flow, max_window, max_unroll).run()
