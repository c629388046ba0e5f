"""Conditions along control flow -> path predicates, and choices between values that meet.

A path predicate is the set of its literals: 1-bit nodes that all hold. What all paths into a block
have in common stays in the set; only where they differ is logic built.
"""

from collections.abc import Iterable, Sequence

from .builder import Builder

Predicate = frozenset[int]
ALWAYS: Predicate = frozenset()


def conjoin(b: Builder, predicate: Predicate, literal: int) -> Predicate | None:
    """`predicate` and `literal`; None when they exclude each other."""
    value = b.constant(literal)
    if value is not None:
        return predicate if value else None
    return None if b.not_(literal) in predicate else predicate | {literal}


def _simplified(b: Builder, predicates: Iterable[Predicate]) -> list[Predicate]:
    """Fewer and shorter terms of the same disjunction.

    Where a term is a single literal, terms that contain it say nothing new, and others need not say
    its opposite. A term without literals means that the disjunction always holds.
    """
    terms = [set(p) for p in sorted(set(predicates), key=lambda p: (len(p), sorted(p)))]
    holders: dict[int, list[int]] = {}
    for n, term in enumerate(terms):
        for literal in sorted(term):
            holders.setdefault(literal, []).append(n)
    kept = [True] * len(terms)
    single = [n for n, term in enumerate(terms) if len(term) == 1]
    for n in single:
        if not kept[n]:
            continue
        [literal] = terms[n]
        for other in holders[literal]:
            kept[other] = other == n
        opposite = b.not_(literal)
        for other in holders.get(opposite, ()):
            terms[other].discard(opposite)
            if not terms[other]:
                return [ALWAYS]
            if len(terms[other]) == 1:
                single.append(other)
    return [frozenset(t) for n, t in enumerate(terms) if kept[n]]


def disjoin(b: Builder, predicates: Sequence[Predicate]) -> Predicate:
    """The predicate that holds where any of `predicates` does."""
    common = frozenset.intersection(*predicates)
    terms = _simplified(b, [p - common for p in predicates])
    if ALWAYS in terms:
        return common
    literal = b.any_of([b.all_of(sorted(t)) for t in terms])
    return common if b.constant(literal) == 1 else common | {literal}


def materialise(b: Builder, predicate: Predicate) -> int:
    """The predicate as one 1-bit node."""
    return b.all_of(sorted(predicate))


def choose(b: Builder, choices: Sequence[tuple[Predicate, int]]) -> int:
    """The value whose predicate holds, given that exactly one does."""
    by_value: dict[int, list[Predicate]] = {}
    for predicate, value in choices:
        by_value.setdefault(value, []).append(predicate)
    if len(by_value) == 1:
        return choices[0][1]
    common = frozenset.intersection(*(p for p, _ in choices))
    groups = [
        (materialise(b, disjoin(b, [p - common for p in ps])), value)
        for value, ps in by_value.items()
    ]
    if len(groups) == 2:
        (condition, first), (_, second) = groups
        return b.mux(condition, first, second)
    return b.onehot(groups)
