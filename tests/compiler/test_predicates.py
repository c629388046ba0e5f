"""Path predicates mean what the paths mean, however many literals they have."""

import random

import pytest
from rxgate.compiler.builder import Builder
from rxgate.compiler.ir_eval import evaluate
from rxgate.compiler.number_sets import member
from rxgate.compiler.predicates import ALWAYS, Paths


def inputs(b: Builder, count: int) -> list[int]:
    return [b.input(f"c{n}", 1) for n in range(count)]


def value(b: Builder, node: int, bits: list[int]) -> int:
    values = {(f"c{n}", 0): bit for n, bit in enumerate(bits)}
    return evaluate(b.function({"out": node}), values)[node]


def conjunction(paths: Paths, literals: list[int]) -> int:
    predicate = ALWAYS
    for literal in literals:
        predicate = paths.conjoin(predicate, literal)
        assert predicate is not None
    return predicate


def test_opposites_exclude_each_other():
    b = Builder()
    paths, [c] = Paths(b), inputs(b, 1)
    yes, no = paths.conjoin(ALWAYS, c), paths.conjoin(ALWAYS, b.not_(c))
    assert yes is not None
    assert no is not None
    assert paths.conjoin(yes, c) == yes
    assert paths.conjoin(yes, b.not_(c)) is None
    assert paths.conjoin(no, c) is None
    assert paths.disjoin([yes, no]) == ALWAYS


def test_constants_are_no_literals():
    b = Builder()
    paths = Paths(b)
    assert paths.conjoin(ALWAYS, b.const(1, 1)) == ALWAYS
    assert paths.conjoin(ALWAYS, b.const(0, 1)) is None


def test_what_all_paths_share_stays_out_of_the_logic():
    b = Builder()
    paths, [common, x, y] = Paths(b), inputs(b, 3)
    met = paths.disjoin([conjunction(paths, [common, c]) for c in (x, y)])
    assert met == conjunction(paths, [common, b.or_(x, y)])


def test_a_chain_of_exits_is_a_plain_or():
    b = Builder()
    paths, cs = Paths(b), inputs(b, 5)
    exits = [
        conjunction(paths, [*(b.not_(c) for c in cs[:n]), cs[n]]) for n in range(len(cs))
    ]
    assert paths.disjoin(exits) == conjunction(paths, [b.any_of(cs)])


@pytest.mark.parametrize("count", [6, 80])
@pytest.mark.parametrize("seed", range(4))
def test_disjunctions_mean_the_paths(count, seed):
    rng = random.Random(seed)
    b = Builder()
    paths, cs = Paths(b), inputs(b, count)
    chosen = [
        {n: rng.random() < 0.9 for n in rng.sample(range(count), rng.randrange(1, count))}
        for _ in range(5)
    ]
    met = paths.disjoin(
        [conjunction(paths, [cs[n] if v else b.not_(cs[n]) for n, v in c.items()]) for c in chosen]
    )
    one, zero = b.const(1, 2), b.const(2, 2)
    node = paths.choose([(met, one), (conjunction(paths, [cs[0]]), zero)])
    for _ in range(50):
        near = rng.choice(chosen)
        bits = [int(near.get(n, rng.random() < 0.9)) for n in range(count)]
        if rng.random() < 0.5:
            bits[rng.randrange(count)] ^= 1
        holds = any(all(bits[n] == v for n, v in c.items()) for c in chosen)
        if holds != bits[0]:
            assert value(b, node, bits) == (1 if holds else 2)


def test_first_match_of_many_rules_shares_its_prefixes():
    count = 600
    b = Builder()
    paths, cs = Paths(b), inputs(b, 2 * count)
    predicate, exits = ALWAYS, []
    for n in range(count):
        first, second = cs[2 * n : 2 * n + 2]
        exits.append((conjunction(paths, [first, second]) | predicate, b.const(n % 3, 2)))
        following = paths.conjoin(predicate, b.not_(b.and_(first, second)))
        assert following is not None
        predicate = following
    node = paths.choose([*exits, (predicate, b.const(3, 2))])
    assert len(b.nodes) < 40 * count
    rng = random.Random(7)
    for _ in range(20):
        hit = rng.randrange(count)
        bits = [0] * (2 * count)
        for n in (*range(hit, count, 5), hit):
            bits[2 * n] = bits[2 * n + 1] = 1
        assert value(b, node, bits) == hit % 3
    assert value(b, node, [0] * (2 * count)) == 3


def compared(b: Builder, paths: Paths, x: int, numbers: list[int]) -> list[int]:
    """Literals that x equals each number."""
    found = [b.eq(x, b.const(n, 16)) for n in numbers]
    for literal, n in zip(found, numbers, strict=True):
        paths.note(literal, x, ((n, n),))
    return found


def test_paths_that_one_number_tells_apart_are_one():
    b = Builder()
    paths, [c] = Paths(b), inputs(b, 1)
    x = b.input("x", 16)
    ports = compared(b, paths, x, [23, 137, 138, 139, 445])
    met = paths.disjoin([conjunction(paths, [c, port]) for port in ports])
    whole = member(b, x, ((23, 23), (137, 139), (445, 445)))
    assert met == conjunction(paths, [c, whole])
    others = conjunction(paths, [c, *(b.not_(port) for port in ports)])
    assert paths.disjoin([met, others]) == conjunction(paths, [c])


def test_what_was_decided_is_not_asked_again():
    b = Builder()
    paths, x = Paths(b), b.input("x", 16)
    one, two = compared(b, paths, x, [1, 2])
    low = b.ult(x, b.const(9, 16))
    paths.note(low, x, ((0, 8),))
    first = conjunction(paths, [one])
    assert paths.conjoin(first, two) is None
    assert paths.conjoin(first, b.not_(low)) is None
    assert paths.conjoin(first, low) == first
    assert paths.conjoin(first, b.not_(two)) == first


@pytest.mark.parametrize("seed", range(20))
def test_choices_by_numbers(seed):
    rng = random.Random(seed)
    b = Builder()
    paths, xs = Paths(b), [b.input(name, 4) for name in "xy"]
    exits: list[tuple[int, int]] = []

    def decide(predicate: int, depth: int) -> None:
        x, bound = rng.choice(xs), rng.randrange(1, 16)
        if depth == 0:
            exits.append((predicate, b.const(rng.randrange(3), 2)))
            return
        if rng.random() < 0.5:
            literal, numbers = b.ult(x, b.const(bound, 4)), ((0, bound - 1),)
        else:
            literal, numbers = b.eq(x, b.const(bound, 4)), ((bound, bound),)
        paths.note(literal, x, numbers)
        for side in (literal, b.not_(literal)):
            path = paths.conjoin(predicate, side)
            if path is not None:
                decide(path, depth - 1)

    decide(ALWAYS, 4)
    chosen = paths.choose(exits)
    even = [paths.disjoin([p for p, _ in exits[n::2]]) for n in range(2)] if len(exits) > 1 else []
    apart = paths.choose([(p, b.const(n, 1)) for n, p in enumerate(even)]) if even else chosen
    function = b.function({"out": chosen})
    for n in range(256):
        values = evaluate(function, {("x", 0): n & 15, ("y", 0): n >> 4})
        [held] = [k for k, (p, _) in enumerate(exits) if holds(paths, values, p)]
        assert values[chosen] == values[exits[held][1]]
        if even:
            assert values[apart] == held % 2


def holds(paths: Paths, values: list[int], predicate: int) -> bool:
    """Whether all literals of a predicate do."""
    bits = [n for n in range(predicate.bit_length()) if predicate >> n & 1]
    return all(values[paths.literals[bit]] for bit in bits)
