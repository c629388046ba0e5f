"""Schedule -> what the registers of every cut hold, neighbours in the packet taken together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..schedule import Schedule
from .names import Names


@dataclass(frozen=True, slots=True)
class Held:
    """Values of one row of registers: `nodes`, whose `bits` bits the stages `read_in` read.

    `slots` are the instructions that they are kept for, without -1. A read in the stage behind the
    last is that of the verdict.
    """

    nodes: tuple[int, ...]
    bits: int
    text: str
    read_in: tuple[int, ...]
    slots: tuple[int, ...]


def reading_stages(schedule: Schedule, by: dict[int, list[int]]) -> dict[int, tuple[int, ...]]:
    """For every source the stages that read it, in order."""
    return {
        source: tuple(sorted({schedule.stage[n] if n >= 0 else schedule.latency for n in found}))
        for source, found in by.items()
    }


def held(
    schedule: Schedule, names: Names, stages: dict[int, tuple[int, ...]],
    accounts: list[dict[int, int]],
) -> list[tuple[Held, ...]]:
    """For each cut what it holds, the packet's bytes first."""
    return [
        _row(names, cut, {n: tuple(s for s in stages[n] if s > k) for n in cut}, accounts[k])
        for k, cut in enumerate(schedule.cuts)
    ]


def inputs(
    names: Names, read: Mapping[int, Mapping[int, int]], stages: dict[int, tuple[int, ...]]
) -> tuple[Held, ...]:
    """What is there before the first stage, as if it were a cut; `read` as `wires.reads` says."""
    nodes = names.function.nodes
    masks: dict[int, int] = {}
    for sources in read.values():
        for n, mask in sources.items():
            if nodes[n].op == "input":
                masks[n] = masks.get(n, 0) | mask
    return _row(names, masks, {n: stages[n] for n in masks}, dict.fromkeys(masks, -1))


def _row(
    names: Names, masks: Mapping[int, int], read_in: Mapping[int, tuple[int, ...]],
    account: Mapping[int, int],
) -> tuple[Held, ...]:
    """Bytes that follow one another and are read in the same stages are one value."""
    runs: list[list[int]] = []
    for n in sorted(masks, key=lambda n: _order(names, n)):
        if runs and _joins(names, runs[-1][-1], n) and read_in[runs[-1][-1]] == read_in[n]:
            runs[-1].append(n)
        else:
            runs.append([n])
    return tuple(
        Held(
            tuple(run), sum(masks[n].bit_count() for n in run), _text(names, run), read_in[run[0]],
            tuple(sorted({account[n] for n in run} - {-1})),
        )
        for run in runs
    )


def _order(names: Names, n: int) -> tuple[int, int]:
    byte = names.byte(n)
    is_input = names.function.nodes[n].op == "input"
    return (0, byte) if byte is not None else (1 if is_input else 2, n)


def _joins(names: Names, a: int, b: int) -> bool:
    """Whether b is the byte behind a."""
    first, second = names.byte(a), names.byte(b)
    return first is not None and second == first + 1


def _text(names: Names, run: Sequence[int]) -> str:
    if len(run) > 1:
        return f"bytes {names.byte(run[0])}–{names.byte(run[-1])}"
    node = names.function.nodes[run[0]]
    return names.source(run[0]) if node.op == "input" else names.text(run[0])
