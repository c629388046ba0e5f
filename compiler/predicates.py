"""Conditions along control flow -> path predicates, and choices between values that meet.

A path predicate is the set of its literals: 1-bit nodes that all hold. What all paths into a block
have in common stays in the set; only where they differ is logic built.
"""

from collections.abc import Sequence

from .build import Builder

Predicate = frozenset[int]
ALWAYS: Predicate = frozenset()


def conjoin(b: Builder, predicate: Predicate, literal: int) -> Predicate | None:
    """`predicate` and `literal`; None when they exclude each other."""
    value = b.constant(literal)
    if value is not None:
        return predicate if value else None
    return None if b.not_(literal) in predicate else predicate | {literal}


def _simplified(b: Builder, terms: list[Predicate]) -> list[Predicate]:
    """A disjunction of conjunctions, by absorption and by dropping literals another term excludes."""
    changed = True
    while changed:
        changed = False
        terms = sorted(set(terms), key=lambda t: (len(t), sorted(t)))
        for term in terms:
            if len(term) != 1:
                break
            [literal] = term
            opposite = b.not_(literal)
            shorter = [t - {opposite} if t != term else t for t in terms]
            shorter = [t for t in shorter if t == term or literal not in t]
            if shorter != terms:
                terms, changed = shorter, True
                break
    return terms


def disjoin(b: Builder, predicates: Sequence[Predicate]) -> Predicate:
    """The predicate that holds where any of `predicates` does."""
    common = frozenset.intersection(*predicates)
    terms = _simplified(b, [p - common for p in predicates])
    if not terms[0]:
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
