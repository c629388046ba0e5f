"""The builder: every graph that it simplifies means what was asked for, and what is known is true."""

import random

import pytest
from rxgate.compiler.builder import Builder
from rxgate.compiler.builder.plain import Plain as PlainBuilder
from rxgate.compiler.ir import Function, Node
from rxgate.compiler.ir_check import check
from rxgate.compiler.ir_eval import evaluate, evaluate_all, evaluate_node
from rxgate.compiler.passes import DEFAULT, run_passes

WIDTHS = (1, 1, 3, 8, 16, 32)
BINARY = ("and", "or", "xor", "add", "sub", "mul", "udiv", "urem")
COMPARE = ("eq", "ult", "slt")
SHIFTS = ("shl", "lshr", "ashr")


class Plain:
    """Makes the nodes that are asked for, as they are asked for."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def add(self, op: str, width: int, args: tuple[int, ...] = (), attr=None) -> int:
        self.nodes.append(Node(op, width, args, attr))
        return len(self.nodes) - 1


class Expressions:
    """Random requests, made both plainly and to the builder."""

    def __init__(self, rng: random.Random, builder: Builder) -> None:
        self.rng = rng
        self.plain, self.builder = Plain(), builder
        self.pairs: list[tuple[int, int]] = []
        for n, width in enumerate((1, 8, 16, 32, 8)):
            attr = (f"x{n}", 0)
            self.pairs.append(
                (self.plain.add("input", width, (), attr), self.builder.input(attr[0], width))
            )

    def width(self, pair: tuple[int, int]) -> int:
        width = self.plain.nodes[pair[0]].width
        assert self.builder.width(pair[1]) == width
        return width

    def constant(self, width: int) -> tuple[int, int]:
        rng = self.rng
        value = rng.choice((0, 1, -1, 1 << width - 1, rng.getrandbits(width), 0xF0)) & (1 << width) - 1
        return self.plain.add("const", width, (), value), self.builder.const(value, width)

    def of_width(self, width: int) -> tuple[int, int]:
        """Something of this width: an earlier value, cut or extended, or a constant."""
        rng = self.rng
        if rng.random() < 0.25:
            return self.constant(width)
        pair = rng.choice(self.pairs[-12:] if rng.random() < 0.7 else self.pairs)
        have = self.width(pair)
        if have == width:
            return pair
        p, b = pair
        if have > width:
            low = rng.choice((0, rng.randint(0, have - width)))
            return self.plain.add("slice", width, (p,), low), self.builder.slice(b, low, width)
        if rng.random() < 0.5:
            return self.plain.add("sext", width, (p,)), self.builder.sext(b, width)
        zero = self.plain.add("const", width - have, (), 0)
        return self.plain.add("concat", width, (p, zero)), self.builder.zext(b, width)

    def grow(self) -> None:
        """One more random operation."""
        rng, b, add = self.rng, self.builder, self.plain.add
        width = rng.choice(WIDTHS)
        x, y = self.of_width(width), self.of_width(width)
        both, pair = (x[0], y[0]), None
        match rng.randrange(11):
            case 0 | 1 | 2:
                op = rng.choice(BINARY)
                make = getattr(b, op, None) or (lambda s, t: b.bitwise(op, s, t))
                pair = add(op, width, both), make(x[1], y[1])
            case 3:
                op = rng.choice(COMPARE)
                pair = add(op, 1, both), getattr(b, op)(x[1], y[1])
            case 4:
                op, bits = rng.choice(SHIFTS), max(1, (width - 1).bit_length())
                amount = self.of_width(bits) if 1 << bits == width else self.constant(bits)
                node = self.plain.nodes[amount[0]]
                if node.op == "const" and isinstance(node.attr, int) and node.attr >= width:
                    return
                pair = add(op, width, (x[0], amount[0])), b.shift(op, x[1], amount[1])
            case 5:
                pair = add("not", width, both[:1]), b.not_(x[1])
            case 6:
                pair = add("parity", 1, both[:1]), b.parity(x[1])
            case 7:
                c = self.of_width(1)
                pair = add("mux", width, (c[0], *both)), b.mux(c[1], x[1], y[1])
            case 8:
                key_width = rng.choice((1, 2, 4))
                key = self.of_width(key_width)
                keys = sorted(rng.sample(range(1 << key_width), rng.randint(1, 1 << key_width)))
                values = [self.of_width(width) for _ in keys]
                pair = (
                    add("case", width, (key[0], *(v for v, _ in values)), tuple(keys)),
                    b.case(key[1], {k: v for k, (_, v) in zip(keys, values, strict=True)}),
                )
            case 9:
                key = self.of_width(2)
                conditions = []
                for k in rng.sample(range(4), 3):
                    plain_k = add("const", 2, (), k)
                    conditions.append(
                        (add("eq", 1, (key[0], plain_k)), b.eq(key[1], b.const(k, 2)))
                    )
                values = [self.of_width(width) for _ in conditions]
                flat = [n for c, v in zip(conditions, values, strict=True) for n in (c[0], v[0])]
                pairs = [(c[1], v[1]) for c, v in zip(conditions, values, strict=True)]
                pair = add("onehot", width, tuple(flat)), b.onehot(pairs)
            case 10:
                if width <= 16:
                    z = self.of_width(rng.choice((1, 8)))
                    total = 2 * width + self.width(z)
                    pair = add("concat", total, (*both, z[0])), b.concat(x[1], y[1], z[1])
        if pair is not None:
            self.pairs.append(pair)


def inputs(rng: random.Random) -> dict[tuple[str, int], int]:
    return {(f"x{n}", 0): rng.choice((0, (1 << 32) - 1, rng.getrandbits(32))) for n in range(5)}


@pytest.mark.parametrize("seed", range(150))
def test_random_expressions(seed):
    agrees(seed, Builder())


@pytest.mark.parametrize("seed", range(40))
def test_random_expressions_without_rules(seed):
    agrees(seed, PlainBuilder())


def agrees(seed: int, builder: Builder) -> None:
    """What the builder makes of random requests is what was asked for, and so after every pass."""
    rng = random.Random(f"expressions {seed}")
    made = Expressions(rng, builder)
    for _ in range(40):
        made.grow()
    last = made.pairs[-6:]
    plain = Function(tuple(made.plain.nodes), {str(n): p for n, (p, _) in enumerate(last)})
    built = made.builder.function({str(n): b for n, (_, b) in enumerate(last)})
    check(plain, "the request")
    check(built, "the builder")
    stages = [built]
    run_passes(built, lambda name, f: (check(f, name), stages.append(f)))
    assert len(stages) == 1 + len(DEFAULT)
    for _ in range(12):
        given = inputs(rng)
        wanted = evaluate(plain, given)
        values = evaluate(built, given)
        for p, b in made.pairs:
            assert values[b] == wanted[p], f"seed {seed}: {made.plain.nodes[p]}"
        for n, known in enumerate(made.builder.known):
            assert not (values[n] ^ known.value) & known.mask, f"seed {seed}: {built.nodes[n]}"
            assert known.low <= values[n] <= known.high, f"seed {seed}: {built.nodes[n]}"
        for function in stages:
            found = evaluate(function, given)
            assert [found[n] for n in function.outputs.values()] == [wanted[p] for p, _ in last]


def test_without_rules_values_keep_their_width():
    b = PlainBuilder()
    x = b.zext(b.input("x", 8), 64)
    both = b.and_(b.add(x, b.const(0, 64)), b.const(0xFF, 64))
    assert [n.op for n in b.nodes if n.width == 64] == ["concat", "const", "add", "const", "and"]
    assert b.nodes[b.eq(both, b.const(1 << 40, 64))].op == "eq"
    assert b.constant(b.add(b.const(2, 64), b.const(3, 64))) == 5


def test_equal_requests_are_one_node():
    b = Builder()
    x, y = b.input("x", 8), b.input("y", 8)
    assert b.add(x, y) == b.add(y, x)
    assert b.and_(x, y) == b.and_(y, x)
    assert b.mul(x, y) == b.mul(y, x)
    assert b.eq(x, y) == b.eq(y, x)
    assert b.sub(x, y) != b.sub(y, x)


def test_bytes_stored_and_loaded_are_the_value():
    b = Builder()
    x = b.xor(b.input("x", 32), b.input("y", 32))
    for value in (x, b.not_(x)):
        parts = [b.slice(value, low, 8) for low in range(0, 32, 8)]
        assert b.concat(*parts) == value
        assert b.swap_bytes(b.swap_bytes(value)) == value


def test_slices_do_not_copy_logic():
    """A hash that mixes with shifts stays as long as it is written."""
    b = Builder()
    x = b.input("x", 64)
    for _ in range(64):
        x = b.xor(x, b.shift_constant("lshr", x, 7))
    logic = [n for n in b.nodes if n.op == "xor"]
    assert len(logic) == 64


def test_long_chains_do_not_recurse():
    b = Builder()
    x, y = b.input("x", 32), b.input("y", 32)
    for n in range(5000):
        x = b.xor(x, y) if n % 2 else b.or_(x, b.not_(y))
        x = b.not_(x) if n % 3 else b.add(x, y)
    assert b.width(b.slice(x, 3, 5)) == 5


@pytest.mark.parametrize(
    ("op", "a", "b", "width", "result"),
    [
        ("udiv", 7, 0, 8, 0), ("urem", 7, 0, 8, 7), ("slt", 0x80, 0x7F, 8, 1),
        ("ashr", 0x80, 7, 8, 0xFF), ("sub", 0, 1, 8, 0xFF), ("shl", 0x81, 1, 8, 2),
    ],
)
def test_meaning_of_operations(op, a, b, width, result):
    out = 1 if op == "slt" else width
    assert evaluate_node(Node(op, out, (0, 1)), [a, b], [width, width]) == result


@pytest.mark.parametrize("width", [4, 7, 8])
def test_quotients_by_constants_need_no_divider(width):
    """Every dividend and divisor."""
    numbers = [{("x", 0): n} for n in range(1 << width)]
    b = Builder()
    x = b.input("x", width)
    outputs = {}
    for k in range(1 << width):
        outputs[f"udiv {k}"] = b.udiv(x, b.const(k, width))
        outputs[f"urem {k}"] = b.urem(x, b.const(k, width))
    values = evaluate_all(b.function(outputs), numbers)
    assert not {n.op for n in b.nodes} & {"udiv", "urem"}
    for k in range(1 << width):
        assert values[outputs[f"udiv {k}"]] == [n // k if k else 0 for n in range(1 << width)]
        assert values[outputs[f"urem {k}"]] == [n % k if k else n for n in range(1 << width)]


@pytest.mark.parametrize("divisor", [3, 7, 10, 641, 1000, (1 << 31) - 1, 0xFFFFFFFF, (1 << 63) + 1])
@pytest.mark.parametrize("width", [32, 64])
def test_wide_quotients_by_constants(divisor, width):
    if divisor >> width:
        return
    b = Builder()
    x = b.input("x", width)
    quotient, rest = b.udiv(x, b.const(divisor, width)), b.urem(x, b.const(divisor, width))
    function, rng = b.function({"q": quotient, "r": rest}), random.Random(divisor)
    most = (1 << width) - 1
    edges = [k * divisor + d for k in (0, 1, 2, most // divisor) for d in (-1, 0, 1)]
    for n in [*(e for e in edges if 0 <= e <= most), most, *(rng.getrandbits(width) for _ in range(40))]:
        values = evaluate(function, {("x", 0): n})
        assert (values[quotient], values[rest]) == divmod(n, divisor)
    assert all(n.width <= 64 for n in b.nodes if n.op == "mul")


@pytest.mark.parametrize("width", [3, 6])
def test_products_with_constants(width):
    b = Builder()
    x = b.input("x", width)
    products = [b.mul(x, b.const(k, width)) for k in range(1 << width)]
    values = evaluate_all(b.function({}), [{("x", 0): n} for n in range(1 << width)])
    for k, product in enumerate(products):
        assert values[product] == [n * k % (1 << width) for n in range(1 << width)]
    assert "mul" not in {n.op for n in b.nodes}


def test_masked_fields_are_compared_one_by_one():
    """As a rule of a table is written: all differences under their masks, or'd, are 0."""
    b = Builder()
    x, y = (b.xor(b.input(f"x{n}", 32), b.input(f"y{n}", 32)) for n in range(2))

    def differs(field: int, net: int, mask: int) -> int:
        return b.and_(b.xor(field, b.const(net, 32)), b.const(mask, 32))

    zero = b.const(0, 32)
    both = b.eq(b.or_(differs(x, 0x0A000000, 0xFF000000), differs(y, 53, 0xFFFF)), zero)
    one = b.eq(b.slice(x, 24, 8), b.const(10, 8))
    two = b.eq(b.slice(y, 0, 16), b.const(53, 16))
    assert both == b.and_(one, two)
    assert b.eq(b.not_(b.slice(x, 24, 8)), b.const(0xF5, 8)) == one
    assert b.eq(b.or_(differs(x, 1, 3), differs(x, 2, 3)), zero) == b.const(0, 1)


def test_signs_are_compared_once():
    b = Builder()
    x = b.input("x", 8)
    wide = b.sext(x, 32)
    assert b.eq(wide, b.const(-2, 32)) == b.eq(x, b.const(-2, 8))
    assert b.constant(b.eq(wide, b.const(200, 32))) == 0


def test_sums_with_constants_are_compared_before_adding():
    b = Builder()
    x = b.input("x", 16)
    for made, number in ((b.add(x, b.const(-8, 16)), 48), (b.sub(x, b.const(8, 16)), 48)):
        assert b.eq(made, b.const(number, 16)) == b.eq(x, b.const(56, 16))
