"""Design -> why it is as wide, as long and as large as it is."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..driver import Design
from ..manifest import store_and_forward_reason
from .held import Held
from .model import Model, Operation, Stage
from .parts import summed

_WIDE = 33
"""Bits from which on an operation is called wide."""
_MOST = 4
"""Places that one reason lists."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A short name, what it costs, why; `keys` and `slots` are the lines and instructions behind."""

    name: str
    cost: str
    why: str
    keys: tuple[int, ...] = ()
    slots: tuple[int, ...] = ()


def reasons(design: Design, found: Model) -> list[Reason]:
    """The reasons, in the order of a packet's way."""
    return [
        _mode(design),
        *_checks(design, found),
        *_prints(design, found),
        *_widest(found),
        *_longest(found),
        *_units(found),
        *_wide(found),
        *_largest(found),
        *_copies(design, found),
    ]


def _mode(design: Design) -> Reason:
    mode, _, why = store_and_forward_reason(design).partition(": ")
    cost = "waits for the whole frame" if design.config.store_and_forward else "forwards at once"
    return Reason(mode, cost, f"{why}.")


def _checks(design: Design, found: Model) -> Iterator[Reason]:
    slots = tuple(sorted(set(design.facts.guarded())))
    if slots:
        yield Reason(
            "run-time checks", _count(len(slots), "packet load"),
            "No check in the program is proven to cover these loads; outside the packet the verdict is"
            " ABORTED.", found.keys(slots), slots,
        )


def _prints(design: Design, found: Model) -> Iterator[Reason]:
    slots = tuple(design.facts.prints())
    if slots:
        yield Reason(
            "dropped prints", _count(len(slots), "call"), "Nothing can be printed; the call gives 0.",
            found.keys(slots), slots,
        )


def _until(stage: int, found: Model) -> str:
    return "the end" if stage >= len(found.stages) else f"stage {stage}"


def _widest(found: Model) -> Iterator[Reason]:
    widest = max(found.stages, key=lambda s: (s.live_bits, -s.number))
    parts = summed(found, widest.held)
    shown = "; ".join(
        f"{_count(p.bits, 'bit')} of {p.text} for {_until(p.read_in[0], found)}" for p in parts[:_MOST]
    )
    more = f"; {_count(sum(p.bits for p in parts[_MOST:]), 'more bit')}" if len(parts) > _MOST else ""
    slots = tuple(sorted({s for p in parts[:_MOST] for s in p.slots}))
    yield Reason(
        "widest cut", f"{_count(widest.live_bits, 'bit')} behind stage {widest.number}",
        f"{shown}{more}.", found.keys(slots), slots,
    )


def _longest(found: Model) -> Iterator[Reason]:
    """The values that take most registers over all cuts."""
    carried: dict[tuple[int, ...], list[tuple[Stage, Held]]] = {}
    for stage in found.stages:
        for group in stage.held:
            carried.setdefault(group.nodes, []).append((stage, group))
    costs = {nodes: sum(h.bits for _, h in cuts) for nodes, cuts in carried.items()}
    most = sorted((n for n, cuts in carried.items() if len(cuts) > 1), key=lambda n: (-costs[n], n))
    for nodes in most[:_MOST]:
        cuts = carried[nodes]
        first, last = cuts[0][0].number, cuts[-1]
        if costs[nodes] >= 16:
            yield Reason(
                "carried", f"{_count(costs[nodes], 'register bit')}",
                f"{last[1].text} stays from stage {first} on, since {_until(last[1].read_in[-1], found)}"
                f" reads it.", found.keys(last[1].slots), last[1].slots,
            )


def _of(op: Operation, name: str, cost: str, why: str) -> Reason:
    keys = () if op.key is None else (op.key,)
    return Reason(name, cost, why, keys, () if op.slot < 0 else (op.slot,))


def _units(found: Model) -> Iterator[Reason]:
    for op in found.operations.values():
        if op.cycles:
            kind = "a multiplier" if op.kind == "mul" else "a divider"
            yield _of(
                op, kind.removeprefix("a "), _count(op.cycles, "cycle"),
                f"{op.text} in {op.bits} bits takes a unit of its own in stages {op.stage} to"
                f" {op.stage + op.cycles - 1}, which begins with another packet every cycle.",
            )


def _wide(found: Model) -> Iterator[Reason]:
    wide = [op for op in found.operations.values() if op.bits >= _WIDE and not op.cycles]
    for op in sorted(wide, key=lambda op: (-op.bits, op.n))[:_MOST]:
        yield _of(
            op, "wide operation", f"{op.bits} bits",
            f"{op.text}: all of these bits can matter to the verdict.",
        )


def _largest(found: Model) -> Iterator[Reason]:
    large = [op for op in found.operations.values() if op.luts >= 16 and not op.cycles]
    for op in sorted(large, key=lambda op: (-op.luts, op.n))[:_MOST]:
        why = "one result bit at a time"
        match op.kind:
            case "case":
                why = "every key is another place or value that the result can come from"
            case "onehot" | "mux":
                why = "paths meet here with different values"
            case "add" | "sub" | "ult" | "slt":
                why = "a carry goes through all its bits"
        yield _of(op, "large operation", f"≈ {op.luts:.0f} LUT6", f"{op.text}: {why}.")


def _copies(design: Design, found: Model) -> Iterator[Reason]:
    """Instructions that inlining or unrolling has made more than one of."""
    graph = design.facts.graph
    for slot, iterations in graph.loops().items():
        yield Reason(
            "unrolled loop", _count(iterations, "iteration"),
            "There is hardware for every iteration that can happen; a packet never waits for another.",
            found.keys((slot,)), (slot,),
        )
    places: dict[int, int] = {}
    for block in graph.blocks:
        for slot in block.slots:
            places[slot] = places.get(slot, 0) + 1
    copied = tuple(sorted(slot for slot, count in places.items() if count > 1))
    if copied and not graph.loops():
        most = max(places.values())
        yield Reason(
            "not shared", f"up to {_count(most, 'copy')}",
            f"{_count(len(copied), 'instruction')} of functions that are called from several places:"
            " every call has operations of its own.",
            found.keys(copied), copied,
        )


def _count(n: int, thing: str) -> str:
    plural = f"{thing[:-1]}ies" if thing.endswith("y") else f"{thing}s"
    return f"{n:,} {thing if n == 1 else plural}"
