"""Schedule -> the longest chain of operations in every stage, as the scheduler counts."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..delay import STAGE_LEVELS, levels
from ..placement import duration
from ..schedule import Schedule

UNIT = "levels"
LIMIT = STAGE_LEVELS


@dataclass(frozen=True, slots=True)
class Chain:
    """Operations of one stage, each reading the one before; `delay` is that of all, in `UNIT`."""

    operations: tuple[int, ...]
    delay: float


def delay_of(schedule: Schedule, n: int) -> float:
    """What an operation adds to a chain; 0 for units, which have registers of their own."""
    nodes = schedule.function.nodes
    node = nodes[n]
    return 0.0 if duration(node) else levels(node, [nodes[a] for a in node.args])


def chains(schedule: Schedule, read: Mapping[int, Mapping[int, int]]) -> list[Chain]:
    """The longest chain of each stage; `read` is what `wires.reads` says of the function."""
    best: dict[int, tuple[float, int]] = {}
    found = []
    for k, row in enumerate(schedule.rows):
        for n in row:
            before = [
                (best[a][0], a) for a in read[n]
                if a in best and schedule.stage[a] == k and schedule.ready[a] == k
            ]
            longest, last = max(before, default=(0.0, -1), key=lambda b: (b[0], -b[1]))
            best[n] = longest + delay_of(schedule, n), last
        end = max(row, default=-1, key=lambda n: (best[n][0], -n))
        chain = []
        at = end
        while at >= 0:
            chain.append(at)
            at = best[at][1]
        found.append(Chain(tuple(reversed(chain)), best[end][0] if end >= 0 else 0.0))
    return found
