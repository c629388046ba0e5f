"""Block graph -> facts that make it safe to compile, by abstract interpretation.

Every rule of the kernel's verifier that applies to programs without maps: registers are written
before they are read, pointers stay pointers and inside their regions, the context is read by its own
rules, helpers get what their prototypes ask for, no address leaks. All problems are collected; the
first in program order is raised with the others as notes.
"""
from dataclasses import replace
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
from .cfg import Block, EdgeKind, Graph
from .checks.arithmetic import Arithmetic
from .checks.helpers import Helpers
from .checks.registers import Problem
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
    LoadImm64,
    LoadPacket,
    MovSx,
    Neg,
    Reg,
    Store,
    Swap,
)

DEFAULT_MAX_WINDOW = 256
"""Deepest packet byte that may be reached, bytes, unless the user allows more."""


class _Verifier(Arithmetic, Helpers):
    """Walks the blocks in topological order, and collects facts and problems."""

    def __init__(self, graph: Graph, max_window: int) -> None:
        super().__init__(graph.program, max_window)
        self.graph = graph
        self.feasible: set[tuple[int, int]] = set()
        self.problems: dict[int, Problem] = {}

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
            except Problem as problem:
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
                raise Problem(
                    f"kernel function {name}() is not available to this kind of program", True
                )
            case Exit():
                # A called function may return nothing; its caller then cannot read r0.
                if not state.saved:
                    self.read(0, state)
                local = isinstance(regs[0], Pointer) and regs[0].region is Region.STACK
                if isinstance(regs[0], Pointer) and (local or not state.saved):
                    raise Problem(f"r0 is returned, but holds a {regs[0]}; return a number")
            case Goto() | CallLocal():
                pass
            case _:
                assert_never(insn)


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
