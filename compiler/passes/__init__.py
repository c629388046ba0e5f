"""Dataflow graph -> an equal, smaller one. A pass may assume a valid graph and must leave one."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol

from ..ir import Function
from .balance import Balance
from .bounds import Bounds
from .dce import DeadCode
from .early import Early
from .narrow import Narrow
from .tabulate import Tabulate


class Pass(Protocol):
    """A transformation: the input is untouched, outputs mean the same."""

    name: ClassVar[str]

    def run(self, function: Function) -> Function: ...


DEFAULT: tuple[Pass, ...] = (
    Narrow(),  # first: lifting makes everything 64 bits wide
    Narrow(),  # demand that only the narrower graph shows
    Tabulate(),
    Narrow(),  # what keys no longer need
    Early(),
    Balance(),
    Narrow(),  # what was only compared
    Bounds(),  # last of those that look at comparisons
    DeadCode(),  # last: the builder leaves what it simplified away
)


PLAIN: tuple[Pass, ...] = (DeadCode(),)
"""Without narrowing and tables, for comparison."""


def run_passes(
    function: Function,
    callback: Callable[[str, Function], None] = lambda name, f: None,
    passes: Sequence[Pass] = DEFAULT,
) -> Function:
    """Run the passes; `callback` sees the graph after each, by the pass's name."""
    for p in passes:
        function = p.run(function)
        callback(p.name, function)
    return function
