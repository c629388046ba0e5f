"""A case on which something fails -> the smallest one found that fails in the same way.

Hypothesis does the shrinking: a mask of bytes says which instructions and which bytes of the frame
are kept, and it looks for the mask with the smallest values.
"""

import random
import time
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from ..compiler.insn import (
    Alu,
    CallLocal,
    Goto,
    Imm,
    Insn,
    Jump,
    LoadFunction,
    Program,
    Store,
)
from .fuzz_case import Case

Fails = Callable[[Case], bool]
_GONE, _PLAIN = 0, 1
_ROUNDS = 4
_CALLS = CallLocal | LoadFunction


def shrink(case: Case, fails: Fails, frame: int | None = None, seconds: float = 300) -> Case:
    """`fails` tells whether a case still fails; `frame` is the index of the frame at fault."""
    search = _Search(fails, seconds)
    if frame is None:
        case = search.better(case, replace(case, frames=()))
    else:
        before = (b"",) * frame
        case = search.better(case, replace(case, frames=(*before, case.frames[frame])))
        case = search.better(case, replace(case, frames=case.frames[frame:][:1]))
    for _ in range(_ROUNDS):
        before = case
        case = search.program(case)
        if case.frames and not any(case.frames[:-1]):
            case = search.frame(case)
        if case == before:
            break
    return case


class _Search:
    def __init__(self, fails: Fails, seconds: float) -> None:
        self._fails = fails
        self._until = time.monotonic() + seconds

    def better(self, case: Case, candidate: Case) -> Case:
        return candidate if self._fails(candidate) else case

    def program(self, case: Case) -> Case:
        """Fewer instructions, and simpler constants."""
        slots = [slot for slot, insn in enumerate(case.program.insns) if insn is not None]

        def with_mask(mask: bytes) -> Case:
            kept = dict(zip(slots, mask, strict=True))
            return replace(case, program=_reduced(case.program, kept))

        return self._smallest(case, len(slots), with_mask)

    def frame(self, case: Case) -> Case:
        """A shorter last frame, with more zeros."""
        *earlier, frame = case.frames
        low, high = 0, len(frame)
        while low < high:
            middle = (low + high) // 2
            if self._fails(replace(case, frames=(*earlier, frame[:middle]))):
                high = middle
            else:
                low = middle + 1
        case = self.better(case, replace(case, frames=(*earlier, frame[:high])))
        *earlier, frame = case.frames

        def with_mask(mask: bytes) -> Case:
            made = bytes(b if m else 0 for b, m in zip(frame, mask, strict=True))
            return replace(case, frames=(*earlier, made))

        return self._smallest(case, len(frame), with_mask)

    def _smallest(self, case: Case, size: int, with_mask: Callable[[bytes], Case]) -> Case:
        if not size:
            return case
        known: dict[bytes, bool] = {}

        def failing(mask: bytes) -> bool:
            if mask not in known:
                known[mask] = time.monotonic() < self._until and self._fails(with_mask(mask))
            return known[mask]

        chosen = settings(
            max_examples=100, database=None, deadline=None,
            phases=(Phase.generate, Phase.shrink), suppress_health_check=(HealthCheck.too_slow,),
        )
        try:
            masks = st.binary(min_size=size, max_size=size)
            mask = find(masks, failing, settings=chosen, random=random.Random(0))
        except NoSuchExample:
            return case
        return with_mask(mask)


def _reduced(program: Program, kept: dict[int, int]) -> Program:
    """The program with each slot's instruction left out, made plain, or as it is.

    Functions that nothing calls any more go as well.
    """
    kept = _without_uncalled(program, kept)
    starts: dict[int, int] = {}
    insns: list[Insn | None] = []
    for slot, value in kept.items():
        starts[slot] = len(insns)
        if value == _GONE:
            continue
        insn = program.insns[slot]
        insns.append(_plain(insn) if value == _PLAIN else insn)
        if slot + 1 < len(program.insns) and program.insns[slot + 1] is None:
            insns.append(None)
    moved = tuple(
        replace(i, target=starts[i.target]) if isinstance(i, Jump | Goto | _CALLS) else i
        for i in insns
    )
    called = {i.target for i in moved if isinstance(i, _CALLS)} | {0}
    functions = {starts[s]: n for s, n in program.functions.items() if starts[s] in called}
    return replace(
        program, insns=moved, lines=MappingProxyType({}), functions=MappingProxyType(functions)
    )


def _without_uncalled(program: Program, kept: dict[int, int]) -> dict[int, int]:
    bounds = [*sorted(program.functions), len(program.insns)]
    called, todo = set[int](), [0]
    while todo:
        start = todo.pop()
        if start in called:
            continue
        called.add(start)
        end = bounds[bounds.index(start) + 1]
        for slot in range(start, end):
            insn = program.insns[slot]
            if kept.get(slot) and isinstance(insn, _CALLS):
                todo.append(insn.target)
    return {
        slot: value if max(s for s in bounds if s <= slot) in called else _GONE
        for slot, value in kept.items()
    }


def _plain(insn: Insn | None) -> Insn | None:
    """The instruction with 1 as its constant."""
    match insn:
        case Alu(src=Imm()) | Store(src=Imm()) | Jump(src=Imm()):
            return replace(insn, src=Imm(1))
    return insn
