"""Decoded program -> one acyclic graph of basic blocks, calls inlined, in topological order.

A block instance belongs to one *frame*: the chain of call slots that leads to it. Two calls of the
same function make two sets of blocks. Blocks may be laid out in any order in the program; only a
cycle is a loop. Packet loads (LD_ABS, LD_IND) end their block, since a load out of range leaves the
function.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from .errors import Unsupported, VerifyError
from .insn import MAX_FRAMES, CallLocal, Exit, Goto, Jump, LoadPacket, Program

MAX_SLOTS = 100_000
"""Instructions after inlining that are accepted."""

Chain = tuple[int, ...]


class EdgeKind(Enum):
    """Why control goes from one block to another."""

    NEXT = "next"
    TAKEN = "taken"
    NOT_TAKEN = "not taken"
    LOADED = "load in range"
    OUT_OF_RANGE = "load out of range"
    CALL = "call"
    RETURN = "return"
    RETURN_ZERO = "return after a load out of range"


@dataclass(frozen=True, slots=True)
class Edge:
    """Control flow to block `target`; None leaves the program."""

    kind: EdgeKind
    target: int | None


@dataclass(frozen=True, slots=True)
class Block:
    """Slots `start` up to (not including) `end`, run in frame `chain`.

    The last instruction decides between `edges`. A block without slots exists only as the landing
    place of a load out of range.
    """

    number: int
    chain: Chain
    start: int
    end: int
    edges: tuple[Edge, ...]

    @property
    def depth(self) -> int:
        """Number of calls that lead here."""
        return len(self.chain)


@dataclass(frozen=True, slots=True)
class Graph:
    """Blocks in topological order; block 0 is the entry."""

    program: Program
    blocks: tuple[Block, ...]

    def slots(self, block: Block) -> Iterator[int]:
        """The slots of a block that hold instructions."""
        return (s for s in range(block.start, block.end) if self.program.insns[s] is not None)

    def __str__(self) -> str:
        lines = []
        for b in self.blocks:
            frame = f" called from {'/'.join(map(str, b.chain))}" if b.chain else ""
            slots = f"slots {b.start}..{b.end - 1}" if b.end > b.start else "no slots"
            lines.append(f"block {b.number}: {slots}{frame}")
            for e in b.edges:
                goal = "exit" if e.target is None else f"block {e.target}"
                lines.append(f"    {e.kind.value} -> {goal}")
        return "\n".join(lines) + "\n"


@dataclass(slots=True)
class _Function:
    """One function's static shape: its slots, and where blocks begin."""

    start: int
    end: int
    leaders: list[int] = field(default_factory=list)


def _following(program: Program, slot: int) -> int:
    wide = slot + 1 < len(program.insns) and program.insns[slot + 1] is None
    return slot + (2 if wide else 1)


def _functions(program: Program) -> dict[int, _Function]:
    starts = sorted(
        {0, *program.functions, *(i.target for i in program.insns if isinstance(i, CallLocal))}
    )
    ends = [*starts[1:], len(program.insns)]
    return {s: _Function(s, e) for s, e in zip(starts, ends, strict=True)}


def _find_leaders(program: Program, function: _Function) -> None:
    """Check the shape of one function, and note where its blocks begin."""
    leaders = {function.start}
    for slot in range(function.start, function.end):
        insn = program.insns[slot]
        if insn is None:
            continue
        following = _following(program, slot)
        if isinstance(insn, Jump | Goto):
            if not function.start <= insn.target < function.end:
                raise VerifyError(
                    f"the jump to slot {insn.target} leaves its function (slots {function.start} to"
                    f" {function.end - 1}); call the other function instead",
                    program.where(slot),
                )
            leaders.add(insn.target)
        if isinstance(insn, Jump | Goto | Exit | CallLocal | LoadPacket):
            leaders.add(following)
        if following >= function.end and not isinstance(insn, Exit | Goto):
            raise VerifyError(
                "control can fall off the end of the function; the last instruction must be an"
                " exit or an unconditional jump",
                program.where(slot),
            )
    function.leaders = sorted(s for s in leaders if s < function.end)


def _successors(program: Program, function: _Function, start: int) -> tuple[int, list[int]]:
    """The end of the block that begins at `start`, and the blocks after it within the function."""
    following = bisect_right(function.leaders, start)
    end = function.leaders[following] if following < len(function.leaders) else function.end
    last = end - 1 if program.insns[end - 1] is not None else end - 2
    match program.insns[last]:
        case Jump(target=target):
            return end, [target, end]
        case Goto(target):
            return end, [target]
        case Exit():
            return end, []
    return end, [end]


def _topological(program: Program, function: _Function) -> list[int]:
    """Block starts of a function in topological order; refuses loops and unreachable code."""
    order: list[int] = []
    state: dict[int, str] = {}
    stack: list[tuple[int, Iterator[int]]] = []

    def enter(start: int) -> None:
        state[start] = "open"
        stack.append((start, iter(_successors(program, function, start)[1])))

    enter(function.start)
    while stack:
        start, rest = stack[-1]
        successor = next(rest, None)
        if successor is None:
            state[start] = "done"
            order.append(start)
            stack.pop()
        elif state.get(successor) == "open":
            end = _successors(program, function, start)[0]
            raise Unsupported(
                f"the jump back to slot {successor} makes a loop; a pipeline runs every instruction"
                " at most once. Unroll it in the source (#pragma unroll with a constant bound)",
                program.where(end - 1),
            )
        elif successor not in state:
            enter(successor)
    for start in function.leaders:
        if start not in state:
            raise VerifyError("no path reaches this instruction", program.where(start))
    return order[::-1]


class _Inliner:
    """Expands functions into block instances."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.functions = _functions(program)
        self.order = {}
        for start, function in self.functions.items():
            _find_leaders(program, function)
            self.order[start] = _topological(program, function)
        self.blocks: list[tuple[Chain, int, int, list[tuple[EdgeKind, object]]]] = []
        self.numbers: dict[object, int] = {}
        self.slots = 0
        self.called: set[int] = set()

    def expand(self, start: int, chain: Chain, resume: object) -> object:
        """Append the instances of the function at `start`; returns the key of its entry block."""
        function = self.functions[start]
        self.called.add(start)
        self.slots += function.end - function.start
        if self.slots > MAX_SLOTS:
            raise Unsupported(f"more than {MAX_SLOTS} instructions after inlining all calls")
        fails = False
        for first in self.order[start]:
            end, successors = _successors(self.program, function, first)
            last = end - 1 if self.program.insns[end - 1] is not None else end - 2
            keys = [(chain, s) for s in successors]
            edges: list[tuple[EdgeKind, object]]
            callee = None
            match self.program.insns[last]:
                case Jump():
                    edges = [(EdgeKind.TAKEN, keys[0]), (EdgeKind.NOT_TAKEN, keys[1])]
                case Exit():
                    edges = [(EdgeKind.RETURN, resume)]
                case LoadPacket():
                    fails = True
                    edges = [(EdgeKind.LOADED, keys[0]), (EdgeKind.OUT_OF_RANGE, (chain, "out"))]
                case CallLocal(target):
                    callee = target
                    edges = [(EdgeKind.CALL, ((*chain, last), target))]
                case _:
                    edges = [(EdgeKind.NEXT, keys[0])]
            self.append((chain, first), chain, first, end, edges)
            if callee is not None:
                self.call(last, callee, chain, keys[0])
        if fails:
            edges = [(EdgeKind.RETURN_ZERO, resume)]
            self.append((chain, "out"), chain, function.start, function.start, edges)
        return (chain, start)

    def call(self, slot: int, callee: int, chain: Chain, resume: object) -> None:
        entries = [0]
        for call_slot in chain:
            insn = self.program.insns[call_slot]
            assert isinstance(insn, CallLocal)
            entries.append(insn.target)
        if callee in entries:
            name = self.program.functions.get(callee, f"at slot {callee}")
            raise Unsupported(
                f"function {name} calls itself; a pipeline cannot recurse", self.program.where(slot)
            )
        if len(chain) + 2 > MAX_FRAMES:
            raise VerifyError(
                f"more than {MAX_FRAMES} nested functions", self.program.where(slot)
            )
        self.expand(callee, (*chain, slot), resume)

    def append(
        self, key: object, chain: Chain, start: int, end: int, edges: list[tuple[EdgeKind, object]]
    ) -> None:
        self.numbers[key] = len(self.blocks)
        self.blocks.append((chain, start, end, edges))

    def graph(self) -> Graph:
        self.expand(0, (), None)
        for start in self.functions:
            if start not in self.called:
                raise VerifyError("no path calls this function", self.program.where(start))
        blocks = []
        for number, (chain, start, end, edges) in enumerate(self.blocks):
            resolved = tuple(
                Edge(kind, None if key is None else self.numbers[key]) for kind, key in edges
            )
            blocks.append(Block(number, chain, start, end, resolved))
        return Graph(self.program, tuple(blocks))


def build_cfg(program: Program) -> Graph:
    """Split `program` into blocks and inline every call.

    Raises
    ------
    VerifyError
        Unreachable code, control that falls off the end, a jump between functions, calls too deep.
    Unsupported
        A loop, recursion, or too many instructions after inlining.
    """
    return _Inliner(program).graph()
