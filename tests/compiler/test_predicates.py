"""Path predicates mean what the paths mean, however many literals they have."""

import random

import pytest
from rxgate.compiler.builder import Builder
from rxgate.compiler.ir_eval import evaluate
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
