"""Conditions along control flow -> path predicates, and choices between values that meet.

A path predicate is the set of its literals: 1-bit nodes that all hold. What all paths into a block
have in common stays in the set; only where they differ is logic built. Its origin is the last of the
branches that decide it. Literals that compare one number with constants are sets of numbers: paths that
differ in them alone are one path, and what a branch has decided no later one asks again.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from .builder import Builder
from .number_sets import Numbers, all_numbers, complement, intersection, member, union

Predicate = int
"""A set of literals, bit by bit as `Paths` numbers them: programs have many sets of many literals."""
ALWAYS: Predicate = 0
_FEW = 32
"""Literals that are conjoined in a tree of their own; more share the trees of their blocks."""
_MOST_LITERALS = 10_000
"""Literals of paths, and these times numbers, up to which paths are compared with each other."""


class Paths:
    """Numbers the literals of one dataflow graph; a literal and its opposite have bits 2k, 2k + 1."""

    always: Predicate = ALWAYS

    def __init__(self, builder: Builder) -> None:
        self.b = builder
        self._pairs: dict[int, int] = {}
        self.literals: dict[int, int] = {}
        self._even = 0
        self._blocks: dict[tuple[int, int], int] = {}
        self._numbers: dict[int, tuple[int, Numbers]] = {}
        self._about: dict[int, Predicate] = {}
        self._members: dict[tuple[int, Numbers], int] = {}

    def note(self, literal: int, x: int, numbers: Numbers) -> None:
        """That `literal` holds where the node x is one of `numbers`."""
        if self.b.constant(literal) is not None:
            return
        bit, width = self._bit(literal), self.b.width(x)
        if bit not in self._numbers:
            self._numbers[bit] = x, numbers
            self._numbers[bit ^ 1] = x, complement(numbers, width)
            self._bit(self.b.not_(literal))
            self._about[x] = self._about.get(x, 0) | 3 << (bit & ~1)
            self._members.setdefault((x, numbers), bit)
            self._members.setdefault((x, complement(numbers, width)), bit ^ 1)

    def conjoin(self, predicate: Predicate, literal: int) -> Predicate | None:
        """`predicate` and `literal`; None when they exclude each other."""
        value = self.b.constant(literal)
        if value is not None:
            return predicate if value else None
        bit = self._bit(literal)
        if bit in self._numbers:
            x, numbers = self._numbers[bit]
            for other in _ones(predicate & self._about[x]):
                before = self._numbers[other][1]
                both = intersection(before, numbers)
                if not both:
                    return None
                if both == before:
                    return predicate
        return None if predicate >> (bit ^ 1) & 1 else predicate | 1 << bit

    def disjoin(self, predicates: Sequence[Predicate]) -> Predicate:
        """The predicate that holds where any of `predicates` does."""
        common = _common(predicates)
        terms = self._simplified(self._merged({p ^ common for p in predicates}))
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
        paths = {value: [p ^ common for p in ps] for value, ps in by_value.items()}
        constants = [value for value in paths if self.b.constant(value) is not None]
        default = None
        if len(paths) == 2 or len(constants) == len(paths):
            default = max(paths, key=lambda value: sum(p.bit_count() for p in paths[value]))
            del paths[default]
        groups = [
            (self._conjunction(self.disjoin(ps)), value) for value, ps in paths.items()
        ]
        with self._decided_by([condition for condition, _ in groups]):
            if default is None:
                return self.b.onehot(groups)
            if len(groups) == 1:
                [(condition, value)] = groups
                return self.b.mux(condition, value, default)
            apart = [(condition, self.b.xor(value, default)) for condition, value in groups]
            return self.b.xor(self.b.onehot(apart), default)

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
        self.literals[bit] = literal
        return bit

    def _opposites(self, predicate: Predicate) -> Predicate:
        """The opposite of each literal."""
        return (predicate & self._even) << 1 | predicate >> 1 & self._even

    def _merged(self, predicates: set[Predicate]) -> set[Predicate]:
        """The same disjunction, where terms that differ in the set of one number alone are one."""
        if len(predicates) < 2 or sum(p.bit_count() for p in predicates) > _MOST_LITERALS:
            return predicates
        cubes = [self._cube(p) for p in predicates]
        numbers = sorted({x for _, sets in cubes for x in sets})
        if len(numbers) * sum(1 + len(sets) for _, sets in cubes) > _MOST_LITERALS:
            return predicates
        before = 0
        while before != len(cubes):
            before = len(cubes)
            for x in numbers:
                everything = all_numbers(self.b.width(x))
                groups: dict[tuple[Predicate, frozenset[tuple[int, Numbers]]], Numbers] = {}
                for rest, sets in cubes:
                    own = sets.get(x, everything)
                    key = rest, frozenset(item for item in sets.items() if item[0] != x)
                    groups[key] = union(groups[key], own) if key in groups else own
                cubes = [
                    (rest, dict(others) | ({} if own == everything else {x: own}))
                    for (rest, others), own in groups.items()
                ]
        made = {self._predicate(rest, sets) for rest, sets in cubes}
        return {p for p in made if p is not None} or predicates

    def _cube(self, predicate: Predicate) -> tuple[Predicate, dict[int, Numbers]]:
        """A predicate as literals, and for each number that others are about the set it is in."""
        sets: dict[int, Numbers] = {}
        rest = predicate
        for bit in _ones(predicate):
            if bit in self._numbers:
                x, numbers = self._numbers[bit]
                sets[x] = intersection(sets[x], numbers) if x in sets else numbers
                rest ^= 1 << bit
        return rest, sets

    def _predicate(self, rest: Predicate, sets: dict[int, Numbers]) -> Predicate | None:
        """The predicate of a cube; None when nothing is in it."""
        for x, numbers in sorted(sets.items()):
            key = x, numbers
            if key not in self._members:
                literal = member(self.b, x, numbers)
                value = self.b.constant(literal)
                if value == 0:
                    return None
                if value == 1:
                    continue
                self.note(literal, x, numbers)
                self._members.setdefault(key, self._bit(literal))
            rest |= 1 << self._members[key]
        return rest

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
            literals = [self.literals[start + n] for n in _ones(bits)]
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
