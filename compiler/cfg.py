"""Decoded program -> its functions as basic blocks, and how their loops nest.

Blocks may be laid out in any order in the program; only a cycle is a loop. A loop is a strongly
connected set of blocks that is entered at one of them, its header; taken without the edges back to
the header, its blocks may hold loops again. Packet loads (LD_ABS, LD_IND) end their block, since a
load out of range leaves the function.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from .errors import Unsupported, VerifyError
from .expand import expand
from .insn import MAX_FRAMES, CallLocal, Exit, Goto, Insn, Jump, LoadPacket, Program
from .scc import strongly_connected

MAX_SLOTS = 100_000
"""Instructions after inlining and unrolling that are accepted."""


@dataclass(frozen=True, slots=True)
class BasicBlock:
    """The instructions at `slots`; the last one decides between `successors`.

    `successors` are starts of blocks of the same function: for a jump where it goes when taken, then
    where it goes on. `loops` are the headers of the loops around it, outermost first; `ranks` its place
    among the blocks and loops of each of these, outermost first, in topological order.
    """

    start: int
    slots: tuple[int, ...]
    last: Insn
    successors: tuple[int, ...]
    loops: tuple[int, ...] = ()
    ranks: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    """Slots `start` up to (not including) `end`; `blocks` by their first slot."""

    start: int
    end: int
    blocks: Mapping[int, BasicBlock]


@dataclass(frozen=True, slots=True)
class ControlFlow:
    """Every function by its first slot; the program begins at slot 0."""

    program: Program
    functions: Mapping[int, Function]


def _following(program: Program, slot: int) -> int:
    wide = slot + 1 < len(program.insns) and program.insns[slot + 1] is None
    return slot + (2 if wide else 1)


def _extents(program: Program) -> list[tuple[int, int]]:
    """The slots of each function: first, and behind its last."""
    starts = sorted(
        {0, *program.functions, *(i.target for i in program.insns if isinstance(i, CallLocal))}
    )
    return list(zip(starts, [*starts[1:], len(program.insns)], strict=True))


def _leaders(program: Program, start: int, end: int) -> list[int]:
    """Check the shape of one function, and find where its blocks begin."""
    leaders = {start}
    for slot in range(start, end):
        insn = program.insns[slot]
        if insn is None:
            continue
        following = _following(program, slot)
        if isinstance(insn, Jump | Goto):
            if not start <= insn.target < end:
                raise VerifyError(
                    f"the jump to slot {insn.target} leaves its function (slots {start} to"
                    f" {end - 1}); call the other function instead",
                    program.where(slot),
                )
            leaders.add(insn.target)
        if isinstance(insn, Jump | Goto | Exit | CallLocal | LoadPacket):
            leaders.add(following)
        if following >= end and not isinstance(insn, Exit | Goto):
            raise VerifyError(
                "control can fall off the end of the function; the last instruction must be an"
                " exit or an unconditional jump",
                program.where(slot),
            )
    return sorted(s for s in leaders if s < end)


def _block(program: Program, leaders: list[int], start: int, end: int) -> BasicBlock:
    """The block that begins at `start`, in a function that ends before `end`."""
    following = bisect_right(leaders, start)
    if following < len(leaders):
        end = leaders[following]
    slots = tuple(s for s in range(start, end) if program.insns[s] is not None)
    last = program.insns[slots[-1]]
    assert last is not None
    match last:
        case Jump(target=target):
            successors = (target, end)
        case Goto(target):
            successors = (target,)
        case Exit():
            successors = ()
        case _:
            successors = (end,)
    return BasicBlock(start, slots, last, successors)


def _nest(program: Program, blocks: dict[int, BasicBlock], entry: int) -> Iterator[BasicBlock]:
    """The blocks that `entry` reaches, with their loops and ranks."""
    regions: list[tuple[tuple[int, ...], tuple[int, ...], int, set[int]]]
    regions = [((), (), entry, set(blocks))]
    while regions:
        loops, ranks, header, region = regions.pop()
        inside = {
            n: [s for s in blocks[n].successors if s in region and (s != header or not loops)]
            for n in region
        }
        groups = strongly_connected(header, inside)
        group_of = {n: rank for rank, group in enumerate(groups) for n in group}
        entries: dict[int, set[int]] = {group_of[header]: {header}}
        for n, successors in inside.items():
            for s in successors:
                if n in group_of and group_of[n] != group_of[s]:
                    entries.setdefault(group_of[s], set()).add(s)
        for rank, group in enumerate(groups):
            first = group[0]
            if len(group) == 1 and first not in inside[first]:
                yield replace(blocks[first], loops=loops, ranks=(*ranks, rank))
                continue
            if len(entries[rank]) > 1:
                raise Unsupported(
                    "a jump leads into the middle of the loop that begins here; a loop can be"
                    " unrolled only if it is entered at one place",
                    program.where(min(entries[rank])),
                )
            [inner] = entries[rank]
            regions.append(((*loops, inner), (*ranks, rank), inner, set(group)))


def _function(program: Program, start: int, end: int) -> Function:
    leaders = _leaders(program, start, end)
    plain = {first: _block(program, leaders, first, end) for first in leaders}
    blocks = {b.start: b for b in _nest(program, plain, start)}
    for first in leaders:
        if first not in blocks:
            raise VerifyError("no path reaches this instruction", program.where(first))
    return Function(start, end, blocks)


def _check_calls(program: Program, functions: Mapping[int, Function]) -> None:
    """Refuse recursion, calls too deep, functions that nothing calls, and too much inlining."""
    calls: dict[int, list[tuple[int, int]]] = {}
    for start, function in functions.items():
        lasts = ((b.slots[-1], b.last) for b in function.blocks.values())
        calls[start] = [(slot, i.target) for slot, i in lasts if isinstance(i, CallLocal)]
    groups = strongly_connected(0, {start: [c for _, c in to] for start, to in calls.items()})
    reached = [n for group in groups for n in group]
    for group in groups:
        for start in sorted(group):
            for slot, callee in calls[start]:
                if callee in group:
                    name = program.functions.get(callee, f"at slot {callee}")
                    raise Unsupported(
                        f"function {name} calls itself; a pipeline cannot recurse",
                        program.where(slot),
                    )
    for start in functions:
        if start not in reached:
            raise VerifyError("no path calls this function", program.where(start))
    depth = dict.fromkeys(reached, 1)
    for start in reached:
        for slot, callee in calls[start]:
            depth[callee] = max(depth[callee], depth[start] + 1)
            if depth[callee] > MAX_FRAMES:
                raise VerifyError(f"more than {MAX_FRAMES} nested functions", program.where(slot))
    size: dict[int, int] = {}
    for start in reversed(reached):
        own = functions[start].end - start
        size[start] = own + sum(size[callee] for _, callee in calls[start])
    if size[0] > MAX_SLOTS:
        raise Unsupported(f"more than {MAX_SLOTS} instructions after inlining all calls")


def build_cfg(program: Program) -> ControlFlow:
    """Split every function of `program` into blocks, and find its loops.

    The result's program is the expanded one (see expand.py); slots of the given one are the same.

    Raises
    ------
    VerifyError
        Unreachable code, control that falls off the end, a jump between functions, calls too deep.
    Unsupported
        A loop with two entries, recursion, or too many instructions after inlining.
    """
    program = expand(program)
    functions = {
        start: _function(program, start, end) for start, end in _extents(program)
    }
    _check_calls(program, functions)
    return ControlFlow(program, functions)
