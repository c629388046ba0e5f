"""Schedule, delay model -> the chain of operations that the scheduler takes for a stage's slowest."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..delay import Model
from ..placement import Clocked
from ..schedule import Schedule


@dataclass(frozen=True, slots=True)
class Chain:
    """Operations of one stage, each reading the one before; `ns` is how long all of the stage is
    expected to be, its logic mapped as a whole."""

    operations: tuple[int, ...]
    ns: float


@dataclass(frozen=True, slots=True)
class Timing:
    """The chain of every stage, and by operation what it adds to what it waits for, in ns."""

    chains: tuple[Chain, ...]
    adds: dict[int, float]


def timing(schedule: Schedule, model: Model, lengths: Sequence[float]) -> Timing:
    """What `model`, which it was scheduled with, says of a schedule with stages of these `lengths`."""
    clocked = Clocked(schedule.function, model)
    before: dict[int, int] = {}
    for n in clocked.read:
        at = schedule.stage[n]
        late = clocked.late(n, at)
        clocked.place(n, at)
        before[n] = max(late, default=-1, key=lambda a: (*_when(clocked, a), -a))
    chains = []
    for k, row in enumerate(schedule.rows):
        at = max(row, default=-1, key=lambda n: (*_when(clocked, n), -n))
        chain = []
        while at >= 0:
            chain.append(at)
            at = before[at]
        chains.append(Chain(tuple(reversed(chain)), lengths[k]))
    return Timing(tuple(chains), clocked.wait)


def _when(clocked: Clocked, n: int) -> tuple[float, int]:
    return clocked.arrival[n].out, clocked.arrival[n].leaves
