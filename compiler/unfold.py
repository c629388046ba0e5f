"""Functions with loops -> one acyclic graph of block instances: calls inlined, loops unrolled.

An instance is a block in one *frame* (the chain of calls that leads to its function) and in one
iteration of every loop around it. Two calls of a function make two sets of instances. Instances are
ordered by keys, tuples of numbers: the key of the call, then the ranks of the loops and of the block,
each loop's followed by the iteration. Every edge leads to a greater key, so that ascending keys are a
topological order, whichever instances there are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from .cfg import BasicBlock, ControlFlow, Function
from .insn import CallLocal, Exit, Jump, LoadPacket, Program

DEFAULT_MAX_UNROLL = 256
"""Iterations of one loop that are unrolled, unless the user allows more."""
_LAST = 1 << 62
"""Greater than any rank."""

Chain = tuple[int, ...]
"""Slots of the calls that lead to a frame."""
Key = tuple[int, ...]


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
    """The instructions at `slots`, run in frame `chain`; the last decides between `edges`.

    `iterations` maps the first slot of each loop around the block to how often it went round before.
    A block without slots exists only as the landing place of a load out of range.
    """

    number: int
    chain: Chain
    iterations: tuple[tuple[int, int], ...]
    slots: tuple[int, ...]
    edges: tuple[Edge, ...]

    @property
    def depth(self) -> int:
        """Number of calls that lead here."""
        return len(self.chain)


@dataclass(frozen=True, slots=True)
class Graph:
    """The blocks and edges that can be reached, in topological order; block 0 is the entry."""

    program: Program
    blocks: tuple[Block, ...]

    @property
    def size(self) -> int:
        """Instructions after inlining and unrolling."""
        return sum(len(b.slots) for b in self.blocks)

    def loops(self) -> dict[int, int]:
        """First slot of each loop -> the most iterations that one entry to it can make."""
        found: dict[int, int] = {}
        for block in self.blocks:
            for header, n in block.iterations:
                found[header] = max(found.get(header, 0), n + 1)
        return dict(sorted(found.items()))

    def __str__(self) -> str:
        lines = []
        for b in self.blocks:
            frame = f" called from {'/'.join(map(str, b.chain))}" if b.chain else ""
            rounds = "".join(f" round {n} of the loop at {h}" for h, n in b.iterations)
            slots = f"slots {b.slots[0]}..{b.slots[-1]}" if b.slots else "no slots"
            lines.append(f"block {b.number}: {slots}{frame}{rounds}")
            for e in b.edges:
                goal = "exit" if e.target is None else f"block {e.target}"
                lines.append(f"    {e.kind.value} -> {goal}")
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """A function that runs because of the call with key `key`; `resume` is where it returns to."""

    function: Function
    key: Key
    chain: Chain
    resume: "Instance | None"


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """A block of a frame (None: the landing place of a load out of range), and its iterations."""

    frame: _Frame
    block: BasicBlock | None
    iterations: tuple[int, ...] = ()

    @property
    def key(self) -> Key:
        if self.block is None:
            return (*self.frame.key, _LAST)
        pairs = zip(self.block.ranks, self.iterations, strict=False)
        return (*self.frame.key, *(n for p in pairs for n in p), self.block.ranks[-1])

    @property
    def slots(self) -> tuple[int, ...]:
        return self.block.slots if self.block is not None else ()

    @property
    def rounds(self) -> tuple[tuple[int, int], ...]:
        """Header and iteration of every loop around the block, outermost first."""
        return tuple(zip(self.block.loops, self.iterations, strict=True)) if self.block else ()

    def edges(self, flow: ControlFlow) -> Iterator[tuple[EdgeKind, "Instance | None"]]:
        """Where control can go from here; None leaves the program."""
        block, frame = self.block, self.frame
        if block is None:
            yield EdgeKind.RETURN_ZERO, frame.resume
            return
        following = [self._follow(s) for s in block.successors]
        match block.last:
            case Jump():
                yield EdgeKind.TAKEN, following[0]
                yield EdgeKind.NOT_TAKEN, following[1]
            case Exit():
                yield EdgeKind.RETURN, frame.resume
            case LoadPacket():
                yield EdgeKind.LOADED, following[0]
                yield EdgeKind.OUT_OF_RANGE, Instance(frame, None)
            case CallLocal(target):
                callee = flow.functions[target]
                chain = (*frame.chain, block.slots[-1])
                yield EdgeKind.CALL, _entry(_Frame(callee, self.key, chain, following[0]))
            case _:
                yield EdgeKind.NEXT, following[0]

    def _follow(self, start: int) -> "Instance":
        """The instance of the block at `start` that this one leads to, maybe in the next round."""
        assert self.block is not None
        there = self.frame.function.blocks[start]
        iterations = []
        for n, header in enumerate(there.loops):
            inside = n < len(self.block.loops) and self.block.loops[n] == header
            round_ = self.iterations[n] if inside else 0
            iterations.append(round_ + (inside and start == header))
        return Instance(self.frame, there, tuple(iterations))


def _entry(frame: _Frame) -> Instance:
    """The first block of a frame."""
    first = frame.function.blocks[frame.function.start]
    return Instance(frame, first, (0,) * len(first.loops))


def entry(flow: ControlFlow) -> Instance:
    """Where the program begins."""
    return _entry(_Frame(flow.functions[0], (), (), None))
