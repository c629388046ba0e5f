"""Sets of numbers: exhaustively on few bits, with the logic that tells what is in them."""

import random

import pytest
from rxgate.compiler.builder import Builder
from rxgate.compiler.insn import JumpOp
from rxgate.compiler.ir_eval import evaluate_all
from rxgate.compiler.number_sets import (
    Numbers,
    all_numbers,
    complement,
    intersection,
    member,
    sought,
    union,
    where,
)

WIDTH = 5
MOST = (1 << WIDTH) - 1


def elements(numbers: Numbers) -> set[int]:
    return {n for low, high in numbers for n in range(low, high + 1)}


def drawn(rng: random.Random) -> Numbers:
    found: Numbers = ()
    for _ in range(rng.randrange(5)):
        low = rng.randrange(MOST + 1)
        found = union(found, ((low, min(MOST, low + rng.choice((0, 0, 1, 5)))),))
    return found


@pytest.mark.parametrize("seed", range(40))
def test_sets_and_their_logic(seed):
    rng = random.Random(seed)
    a, b = drawn(rng), drawn(rng)
    assert elements(union(a, b)) == elements(a) | elements(b)
    assert elements(intersection(a, b)) == elements(a) & elements(b)
    assert elements(complement(a, WIDTH)) == elements(all_numbers(WIDTH)) - elements(a)
    assert complement(complement(a, WIDTH), WIDTH) == a
    builder = Builder()
    node = member(builder, builder.input("x", WIDTH), a)
    found = evaluate_all(builder.function({"out": node}), [{("x", 0): n} for n in range(MOST + 1)])
    assert {n for n in range(MOST + 1) if found[node][n]} == elements(a)


@pytest.mark.parametrize("op", [op for op in JumpOp if op is not JumpOp.SET])
@pytest.mark.parametrize("k", [0, 1, 13, 15, 16, 17, 30, 31])
def test_where_a_condition_holds(op, k):
    half = (MOST + 1) // 2
    signed = {n: n - MOST - 1 if n >= half else n for n in range(MOST + 1)}
    meaning = {
        JumpOp.EQ: int.__eq__, JumpOp.NE: int.__ne__, JumpOp.GT: int.__gt__, JumpOp.GE: int.__ge__,
        JumpOp.LT: int.__lt__, JumpOp.LE: int.__le__, JumpOp.SGT: int.__gt__,
        JumpOp.SGE: int.__ge__, JumpOp.SLT: int.__lt__, JumpOp.SLE: int.__le__,
    }
    of = signed if op.name[:2] in ("SG", "SL") else {n: n for n in signed}
    numbers = where(op, k, WIDTH)
    assert numbers is not None
    assert elements(numbers) == {n for n in signed if meaning[op](of[n], of[k])}


def test_a_mask_is_no_set():
    assert where(JumpOp.SET, 3, WIDTH) is None


@pytest.mark.parametrize("added", [1, 7, -3, MOST])
@pytest.mark.parametrize("bound", [1, 3, 9, MOST])
def test_sums_with_constants_are_looked_through(added, bound):
    b = Builder()
    x = b.input("x", WIDTH)
    wide = b.add(b.zext(x, 8), b.const(added, 8))
    found, numbers = sought(b, wide, ((0, bound - 1),))
    assert found == x
    assert elements(numbers) == {n for n in range(MOST + 1) if n + added & 0xFF < bound}
