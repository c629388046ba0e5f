"""Chains that a few bits decide become tables; keys become these bits; nothing changes its meaning."""

import random

import pytest
from rxgate.compiler.builder import Builder
from rxgate.compiler.ir import WIRING, Function
from rxgate.compiler.ir_check import check
from rxgate.compiler.ir_eval import evaluate
from rxgate.compiler.passes.dce import DeadCode
from rxgate.compiler.passes.tabulate import LIMIT, Tabulate


def tabulated(b: Builder, out: int) -> Function:
    before = b.function({"out": out})
    after = DeadCode().run(Tabulate().run(before))
    check(after, "tabulate")
    rng = random.Random(1)
    names = {n.source: n.width for n in before.nodes if n.op == "input"}
    for _ in range(200):
        inputs = {name: rng.getrandbits(width) for name, width in names.items()}
        wanted, found = evaluate(before, inputs), evaluate(after, inputs)
        assert wanted[before.outputs["out"]] == found[after.outputs["out"]], inputs
    return after


def ops(function: Function) -> list[str]:
    return sorted(n.op for n in function.nodes if n.op not in WIRING)


def depth(function: Function) -> int:
    """Operations on the longest way from an input to an output."""
    depths: list[int] = []
    for node in function.nodes:
        before = max((depths[a] for a in node.args), default=0)
        depths.append(before + (node.op not in WIRING))
    return max(depths)


def nibble(b: Builder) -> int:
    return b.slice(b.input("window", 8, 14), 0, 4)


def test_a_chain_of_arithmetic_is_a_table():
    b = Builder()
    end = b.add(b.shift("shl", b.zext(nibble(b), 16), b.const(2, 4)), b.const(14, 16))
    out = b.sub(b.add(end, b.const(9, 16)), b.shift("lshr", end, b.const(3, 4)))
    assert depth(tabulated(b, out)) == 1


def test_a_choice_is_keyed_by_the_bits_that_decide_its_key():
    b = Builder()
    key = b.mul(b.add(b.zext(nibble(b), 8), b.const(3, 8)), b.const(5, 8))
    arms = {(n + 3) * 5: b.input("window", 8, 14 + 4 * n) for n in range(5, 16)}
    after = tabulated(b, b.case(key, arms))
    [case] = [n for n in after.nodes if n.op == "case"]
    assert case.keys == tuple(range(5, 16))
    assert after.nodes[case.args[0]].op == "slice"


def test_arms_that_no_value_of_the_bits_selects_go():
    b = Builder()
    key = b.urem(b.mul(nibble(b), b.const(5, 4)), b.const(3, 4))
    arms = {n: b.input("window", 8, n) for n in range(1, 16)}
    after = tabulated(b, b.case(key, arms))
    assert {index for _, index in after.inputs()} == {1, 2, 14}


def test_what_is_always_the_same_is_a_constant():
    b = Builder()
    x = b.zext(nibble(b), 8)
    low = b.and_(b.add(x, x), b.const(1, 8))
    wide = b.ult(b.mul(x, x), b.const(226, 8))
    assert ops(tabulated(b, b.or_(low, b.zext(wide, 8)))) == []


def test_one_operation_stays_as_it_is():
    b = Builder()
    assert ops(tabulated(b, b.ult(nibble(b), b.const(5, 4)))) == ["ult"]


def test_logic_stays_logic():
    b = Builder()
    bits = [b.slice(b.input("x", 8), k, 1) for k in range(4)]
    out = b.or_(b.and_(bits[0], bits[1]), b.and_(bits[2], b.not_(bits[3])))
    assert "case" not in ops(tabulated(b, out))


def test_more_bits_than_a_look_up_table_has():
    b = Builder()
    x = b.slice(b.input("x", 16), 0, LIMIT + 1)
    after = tabulated(b, b.eq(b.add(x, b.const(3, LIMIT + 1)), b.const(1, LIMIT + 1)))
    assert "case" not in ops(after)


def test_bits_of_two_sources():
    b = Builder()
    x, y = b.slice(b.input("x", 8), 5, 3), b.slice(b.input("y", 8), 0, 3)
    assert ops(tabulated(b, b.eq(b.add(x, y), b.const(6, 3)))) == ["case"]


@pytest.mark.parametrize("seed", range(60))
def test_random_graphs(seed):
    rng = random.Random(seed)
    b = Builder()
    pool = [b.slice(b.input("x", 8), 0, 4), b.slice(b.input("y", 8), 2, 4), b.input("z", 8)]
    for _ in range(25):
        x, y, z = (rng.choice(pool) for _ in range(3))
        width = b.width(x)
        y = b.slice(b.zext(y, 16), 0, width) if b.width(y) != width else y
        bit = b.slice(z, rng.randrange(b.width(z)), 1)
        match rng.randrange(8):
            case 0:
                made = b.add(x, y)
            case 1:
                made = b.mul(x, y)
            case 2:
                made = b.zext(b.ult(x, y), width)
            case 3:
                made = b.mux(bit, x, y)
            case 4:
                made = b.sub(x, y)
            case 5:
                made = b.urem(x, y)
            case 6:
                made = b.xor(x, b.sext(bit, width))
            case _:
                keys = rng.sample(range(1 << width), min(5, 1 << width))
                made = b.case(x, {k: rng.choice([y, b.const(k, width)]) for k in keys})
        pool.append(made)
    tabulated(b, b.concat(*pool[-4:]))
