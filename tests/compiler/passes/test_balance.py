"""Chains become trees, choices alike are joined; nothing changes its meaning."""

import random

import pytest
from rxgate.compiler.builder import Builder
from rxgate.compiler.ir import WIRING, Function, Node
from rxgate.compiler.ir_check import check
from rxgate.compiler.ir_eval import evaluate
from rxgate.compiler.passes.balance import Balance
from rxgate.compiler.passes.dce import DeadCode


def balanced(before: Function) -> Function:
    """The graph after the pass, which must mean the same."""
    after = DeadCode().run(Balance().run(before))
    check(after, "balance")
    rng = random.Random(1)
    sources = {n.source: n.width for n in before.nodes if n.op == "input"}
    for _ in range(100):
        inputs = {s: rng.getrandbits(w) for s, w in sources.items()}
        wanted, found = evaluate(before, inputs), evaluate(after, inputs)
        for name, n in before.outputs.items():
            assert wanted[n] == found[after.outputs[name]], inputs
    return after


def depth(function: Function) -> int:
    """Operations on the longest way to an output."""
    depths: list[int] = []
    for node in function.nodes:
        before = max((depths[a] for a in node.args), default=0)
        depths.append(before + (node.op not in WIRING))
    return max(depths[n] for n in function.outputs.values())


def ops(function: Function) -> list[str]:
    return sorted(n.op for n in function.nodes if n.op not in WIRING)


@pytest.mark.parametrize("op", ["and", "or", "xor", "add"])
def test_a_chain_is_a_tree(op):
    nodes = [Node("input", 8, (), (f"x{n}", 0)) for n in range(8)]
    for n in range(1, 8):
        nodes.append(Node(op, 8, (n, 0 if n == 1 else len(nodes) - 1)))
    after = balanced(Function(tuple(nodes), {"out": len(nodes) - 1}))
    assert depth(after) == 3
    assert ops(after) == [op] * 7


def test_what_comes_late_is_joined_last():
    b = Builder()
    xs = [b.input(f"x{n}", 1) for n in range(4)]
    late = b.eq(b.mul(b.input("y", 8), b.input("z", 8)), b.const(7, 8))
    chain = late
    for x in xs:
        chain = b.and_(chain, x)
    assert depth(balanced(b.function({"out": chain}))) == 3


def test_complements_go_through():
    b = Builder()
    x, y, z, w = (b.input(name, 1) for name in "xyzw")
    out = b.and_(b.not_(b.or_(b.not_(b.and_(x, y)), z)), w)
    assert ops(balanced(b.function({"out": out}))) == ["and", "and", "and", "not"]


def test_what_others_read_stays():
    b = Builder()
    x, y, z = (b.input(name, 8) for name in "xyz")
    both = b.and_(x, y)
    after = balanced(b.function({"a": b.and_(both, z), "b": b.not_(both), "c": b.not_(b.not_(z))}))
    assert ops(after) == ["and", "and", "not"]


@pytest.mark.parametrize("op", ["and", "or", "xor"])
@pytest.mark.parametrize("flips", [0, 1, 2])
def test_choices_alike_are_one(op, flips):
    b = Builder()
    key = b.input("key", 3)
    sides = []
    for name in "xy":
        chosen = b.case(key, {n: b.slice(b.input(name, 8), n, 1) for n in range(5)})
        sides.append(b.not_(chosen) if len(sides) < flips else chosen)
    after = balanced(b.function({"out": b.bitwise(op, *sides)}))
    assert ops(after).count("case") == (2 if flips == 1 else 1)


@pytest.mark.parametrize("seed", range(40))
def test_random_graphs(seed):
    rng = random.Random(seed)
    b = Builder()
    pool = [b.input(name, 2) for name in "xyz"]
    key = b.input("key", 2)
    for _ in range(30):
        x, y = rng.choice(pool[-6:]), rng.choice(pool[-6:])
        match rng.randrange(6):
            case 0 | 1 | 2:
                made = b.bitwise(rng.choice(("and", "or", "xor")), x, y)
            case 3:
                made = b.not_(x)
            case 4:
                made = b.add(x, y)
            case _:
                made = b.case(key, {0: x, 1: y, 2: rng.choice(pool)})
        pool.append(made)
    balanced(b.function({str(n): p for n, p in enumerate(pool[-3:])}))
