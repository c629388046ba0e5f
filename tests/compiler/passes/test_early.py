"""Comparisons move before the choices that they read; nothing changes its meaning."""

import random

import pytest
from rxgate.compiler.builder import Builder
from rxgate.compiler.ir import WIRING, Function
from rxgate.compiler.ir_check import check
from rxgate.compiler.ir_eval import evaluate
from rxgate.compiler.passes.dce import DeadCode
from rxgate.compiler.passes.early import Early


def moved(b: Builder, *outputs: int) -> Function:
    """The graph after the pass, which must mean the same."""
    before = b.function({f"o{k}": n for k, n in enumerate(outputs)})
    after = DeadCode().run(Early().run(before))
    check(after, "early")
    rng = random.Random(1)
    sources = {n.source: n.width for n in before.nodes if n.op == "input"}
    for _ in range(100):
        inputs = {s: rng.choice((0, 53, rng.getrandbits(w))) for s, w in sources.items()}
        wanted, found = evaluate(before, inputs), evaluate(after, inputs)
        for name, n in before.outputs.items():
            assert wanted[n] == found[after.outputs[name]], inputs
    return after


def widths(function: Function, op: str) -> list[int]:
    return [n.width for n in function.nodes if n.op == op]


def field(b: Builder, at: int) -> int:
    return b.concat(b.input("window", 8, at + 1), b.input("window", 8, at))


def by_nibble(b: Builder, start: int = 14) -> int:
    """A 16-bit field whose place a nibble tells."""
    key = b.slice(b.input("window", 8, 14), 0, 4)
    return b.case(key, {n: field(b, start + 4 * n) for n in range(5, 10)})


def test_a_field_is_compared_where_it_may_be():
    b = Builder()
    after = moved(b, b.eq(by_nibble(b), b.const(53, 16)))
    assert widths(after, "case") == [1]
    assert len(widths(after, "eq")) == 5


def test_byte_order_and_signs_lie_between():
    b = Builder()
    x, y, z = (b.swap_bytes(by_nibble(b, start)) for start in (14, 16, 18))
    after = moved(
        b, b.eq(x, b.const(53, 16)), b.ult(y, b.const(1023, 16)),
        b.slt(z, b.const(-5, 16)),
    )
    assert set(widths(after, "case")) == {1}
    assert len(widths(after, "ult")) == len(widths(after, "slt")) == 5


def test_where_nothing_is_chosen_a_field_is_zero():
    b = Builder()
    zero = b.eq(by_nibble(b), b.const(0, 16))
    x, y = b.input("x", 8), b.input("y", 8)
    one, two = b.eq(b.input("z", 8), b.const(1, 8)), b.eq(b.input("z", 8), b.const(2, 8))
    low = b.ult(b.onehot([(one, x), (two, y)]), b.const(9, 8))
    after = moved(b, zero, low)
    assert set(widths(after, "case")) == {1}
    assert not widths(after, "onehot")


def test_choices_of_choices():
    b = Builder()
    inner = b.mux(b.input("c", 1), by_nibble(b), by_nibble(b, 16))
    outer = b.mux(b.input("d", 1), inner, b.const(7, 16))
    after = moved(b, b.eq(outer, b.const(7, 16)))
    assert all(n.width == 1 for n in after.nodes if n.op in ("mux", "case"))


def test_parts_of_several_choices():
    b = Builder()
    c, x, y = b.input("c", 1), b.input("x", 32), b.input("y", 32)
    low, high = b.mux(c, b.slice(x, 0, 16), b.slice(y, 3, 16)), by_nibble(b)
    after = moved(b, b.eq(b.concat(low, b.slice(x, 4, 3), high), b.const(0x35_A00A0, 35)))
    assert set(widths(after, "case")) == {1}
    assert not [w for w in widths(after, "mux") if w > 1]


def test_an_order_of_several_choices_stays():
    b = Builder()
    low, high = by_nibble(b), by_nibble(b, 16)
    after = moved(b, b.ult(b.concat(low, high), b.const(0xF_0001, 32)))
    assert widths(after, "case") == [16, 16]


def test_what_is_read_otherwise_stays():
    b = Builder()
    chosen = by_nibble(b)
    after = moved(b, b.eq(chosen, b.const(53, 16)), b.add(chosen, b.input("x", 16)))
    assert widths(after, "case") == [16]


def test_many_comparisons_stay():
    b = Builder()
    chosen = by_nibble(b)
    after = moved(b, b.any_of([b.eq(chosen, b.const(n * n, 16)) for n in range(20)]))
    assert widths(after, "case") == [16]


@pytest.mark.parametrize("seed", range(40))
def test_random_graphs(seed):
    rng = random.Random(seed)
    b = Builder()
    values = [b.input("x", 8), b.input("y", 8), b.slice(b.input("z", 16), 3, 8), b.const(53, 8)]
    bits = [b.input("c", 1), b.slice(b.input("z", 16), 0, 1)]
    for _ in range(30):
        x, y = rng.choice(values[-8:]), rng.choice(values[-8:])
        number = b.const(rng.choice((0, 1, 53, 0xFF, rng.getrandbits(8))), 8)
        match rng.randrange(9):
            case 0 | 1:
                values.append(b.mux(rng.choice(bits), x, y))
            case 2:
                key = b.slice(rng.choice(values[:3]), rng.randrange(6), 2)
                arms = {k: rng.choice(values[-6:]) for k in rng.sample(range(4), rng.randint(2, 4))}
                values.append(b.case(key, arms))
            case 3:
                first, second = rng.choice(bits), rng.choice(bits)
                pairs = [(first, x), (b.and_(b.not_(first), second), y)]
                values.append(b.onehot(pairs))
            case 4:
                bits.append(b.eq(x, number))
            case 5:
                bits.append(rng.choice((b.ult, b.slt))(x, number))
            case 6:
                bits.append(b.ult(number, b.swap_bytes(b.zext(x, 8))))
            case 7:
                values.append(b.concat(b.not_(b.slice(x, 4, 4)), b.slice(y, 2, 4)))
            case 8:
                bits.append(b.and_(rng.choice(bits), b.slice(x, rng.randrange(8), 1)))
    moved(b, *bits[-3:])


def test_logic_of_a_bit_stays_a_bit():
    b = Builder()
    bit = b.slice(by_nibble(b), 7, 1)
    after = moved(b, b.or_(bit, b.input("c", 1)))
    assert set(widths(after, "case")) == {1}
    assert {n.op for n in after.nodes} - WIRING == {"case", "or"}
