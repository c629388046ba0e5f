"""Conditions along control flow -> a 1-bit node for every edge and block, for comparison.

The way that predication is written down in textbooks: an edge is taken where its block is reached and
its condition holds, a block is reached where an edge into it is taken, and where edges meet each of
them brings its own value.
"""

from collections.abc import Sequence

from .builder import Builder
from .predicates import Paths, Predicate


class PlainPaths(Paths):
    """Predicates are nodes; nothing is said of how they belong together."""

    def __init__(self, builder: Builder) -> None:
        super().__init__(builder)
        self.always = builder.const(1, 1)

    def conjoin(self, predicate: Predicate, literal: int) -> Predicate | None:
        match self.b.constant(literal):
            case 0:
                return None
            case 1:
                return predicate
        return literal if predicate == self.always else self.b.and_(predicate, literal)

    def disjoin(self, predicates: Sequence[Predicate]) -> Predicate:
        return self.b.any_of(predicates)

    def choose(self, choices: Sequence[tuple[Predicate, int]]) -> int:
        if len(choices) == 1:
            return choices[0][1]
        return self.b.onehot(choices)
