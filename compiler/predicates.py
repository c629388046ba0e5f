"""Conditions along control flow -> path predicates, and choices between values that meet.

A path predicate is the set of its literals: 1-bit nodes that all hold. What all paths into a block
have in common stays in the set; only where they differ is logic built. Its origin is the last of the
branches that decide it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from .builder import Builder

Predicate = int
"""A set of literals, bit by bit as `Paths` numbers them: programs have many sets of many literals."""
ALWAYS: Predicate = 0
_FEW = 32
"""Literals that are conjoined in a tree of their own; more share the trees of their blocks."""


class Paths:
    """Numbers the literals of one dataflow graph; a literal and its opposite have bits 2k, 2k + 1."""

    always: Predicate = ALWAYS

    def __init__(self, builder: Builder) -> None:
        self.b = builder
        self._pairs: dict[int, int] = {}
        self._nodes: dict[int, int] = {}
        self._even = 0
        self._blocks: dict[tuple[int, int], int] = {}

    def conjoin(self, predicate: Predicate, literal: int) -> Predicate | None:
        """`predicate` and `literal`; None when they exclude each other."""
        value = self.b.constant(literal)
        if value is not None:
            return predicate if value else None
        bit = self._bit(literal)
        return None if predicate >> (bit ^ 1) & 1 else predicate | 1 << bit

    def disjoin(self, predicates: Sequence[Predicate]) -> Predicate:
        """The predicate that holds where any of `predicates` does."""
        common = _common(predicates)
        terms = self._simplified({p ^ common for p in predicates})
        if ALWAYS in terms:
            return common
        conjunctions = [self._conjunction(t) for t in terms]
        with self._decided_by(conjunctions):
            literal = self.b.any_of(conjunctions)
        return common if self.b.constant(literal) == 1 else common | 1 << self._bit(literal)

    def choose(self, choices: Sequence[tuple[Predicate, int]]) -> int:
        """The value whose predicate holds, given that exactly one does."""
        by_value: dict[int, list[Predicate]] = {}
        for predicate, value in choices:
            by_value.setdefault(value, []).append(predicate)
        if len(by_value) == 1:
            return choices[0][1]
        common = _common([p for p, _ in choices])
        groups = [
            (self._conjunction(self.disjoin([p ^ common for p in ps])), value)
            for value, ps in by_value.items()
        ]
        with self._decided_by([condition for condition, _ in groups]):
            if len(groups) == 2:
                (condition, first), (_, second) = groups
                return self.b.mux(condition, first, second)
            return self.b.onehot(groups)

    @contextmanager
    def _decided_by(self, conditions: Sequence[int]) -> Iterator[None]:
        """What is built inside has the origin of the last of `conditions` that has one."""
        before = self.b.origin
        self.b.origin = max((self.b.nodes[c].origin for c in conditions), default=-1)
        yield
        self.b.origin = before

    def _bit(self, literal: int) -> int:
        """The number of a literal's bit."""
        node = self.b.nodes[literal]
        positive = node.args[0] if node.op == "not" else literal
        if positive not in self._pairs:
            self._pairs[positive] = len(self._pairs)
            self._even = self._even << 2 | 1
        bit = 2 * self._pairs[positive] + (positive != literal)
        self._nodes[bit] = literal
        return bit

    def _opposites(self, predicate: Predicate) -> Predicate:
        """The opposite of each literal."""
        return (predicate & self._even) << 1 | predicate >> 1 & self._even

    def _simplified(self, predicates: set[Predicate]) -> list[Predicate]:
        """Fewer and shorter terms of the same disjunction.

        Where a term is a single literal, terms that contain it say nothing new, and others need
        not say its opposite. A term without literals means that the disjunction always holds.
        """
        terms = sorted(predicates, key=lambda p: (p.bit_count(), p))
        single, before = 0, -1
        while single != before:
            before, longer = single, []
            for term in terms:
                term &= ~self._opposites(single)
                if not term:
                    return [ALWAYS]
                if term.bit_count() == 1:
                    single |= term
                elif not term & single:
                    longer.append(term)
            terms = longer
        return [1 << bit for bit in _ones(single)] + terms

    def _conjunction(self, predicate: Predicate) -> int:
        """The predicate as one 1-bit node."""
        size = 1 << predicate.bit_length().bit_length()
        return self._block(predicate, 0, size)

    def _block(self, bits: int, start: int, size: int) -> int:
        """The conjunction of the literals from number `start` on that `bits` selects."""
        if bits.bit_count() <= _FEW:
            literals = [self._nodes[start + n] for n in _ones(bits)]
            with self._decided_by(literals):
                return self.b.all_of(literals)
        key = (start, bits)
        if key not in self._blocks:
            half = size // 2
            low = self._block(bits & (1 << half) - 1, start, half)
            high = self._block(bits >> half, start + half, half)
            with self._decided_by((low, high)):
                self._blocks[key] = self.b.and_(low, high)
        return self._blocks[key]


def _common(predicates: Sequence[Predicate]) -> Predicate:
    """The literals that all have."""
    common = predicates[0]
    for p in predicates:
        common &= p
    return common


def _ones(bits: int) -> list[int]:
    """The numbers of the bits that are 1, in ascending order."""
    found = []
    while bits:
        low = bits & -bits
        found.append(low.bit_length() - 1)
        bits ^= low
    return found
