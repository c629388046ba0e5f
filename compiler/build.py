"""Requests for operations -> the smallest node that computes them: the IR's only constructor.

Equal nodes are one node; operations on constants, on known bits and on wiring become wiring; every
operation is made as narrow as its known bits allow. The rules look at a node and its arguments only.
"""

from collections.abc import Callable, Sequence

from . import known as kn
from .ir import Attr, Function, Node
from .ir_eval import evaluate_node
from .known import Known


class Builder:
    """Collects nodes. Methods return node numbers; `origin` is written into new nodes."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.known: list[Known] = []
        self.origin = -1
        self._numbers: dict[tuple[str, int, tuple[int, ...], Attr], int] = {}

    def function(
        self, outputs: dict[str, int], results: dict[tuple[int, int, int], int] | None = None
    ) -> Function:
        """The graph built so far."""
        return Function(tuple(self.nodes), outputs, results or {})

    def width(self, n: int) -> int:
        return self.nodes[n].width

    def constant(self, n: int) -> int | None:
        """The value of node `n` when it is a constant."""
        node = self.nodes[n]
        return node.attr if node.op == "const" and isinstance(node.attr, int) else None

    def _node(self, op: str, width: int, args: tuple[int, ...] = (), attr: Attr = None) -> int:
        """The node itself, shared when it exists, a constant when its value is known."""
        key = (op, width, args, attr)
        found = self._numbers.get(key)
        if found is not None:
            return found
        known = kn.known(width) if op == "input" else kn.result(
            op, width, [self.known[a] for a in args], attr
        )
        if known.constant is not None and op != "const":
            number = self.const(known.constant, width)
        else:
            number = len(self.nodes)
            self.nodes.append(Node(op, width, args, attr, self.origin))
            self.known.append(known)
        self._numbers[key] = number
        return number

    def _fold(self, op: str, width: int, args: tuple[int, ...], attr: Attr = None) -> int | None:
        """The result as a constant when every argument is one."""
        values = [self.constant(a) for a in args]
        known = [v for v in values if v is not None]
        if len(known) < len(values):
            return None
        node = Node(op, width, args, attr)
        return self.const(evaluate_node(node, known, [self.width(a) for a in args]), width)

    # Leaves and wiring.

    def const(self, value: int, width: int) -> int:
        return self._node("const", width, (), value & (1 << width) - 1)

    def input(self, name: str, width: int, index: int = 0) -> int:
        return self._node("input", width, (), (name, index))

    def slice(self, x: int, low: int, width: int) -> int:
        """Bits `low` to `low + width - 1` of x."""
        node = self.nodes[x]
        if low == 0 and width == node.width:
            return x
        value = self.known[x]
        span = (1 << width) - 1
        if value.mask >> low & span == span:
            return self.const(value.value >> low & span, width)
        match node.op:
            case "slice":
                assert isinstance(node.attr, int)
                return self.slice(node.args[0], node.attr + low, width)
            case "concat":
                return self._slice_concat(node, low, width)
            case "sext":
                inner = self.width(node.args[0])
                if low >= inner - 1:
                    return self.sext(self.slice(node.args[0], inner - 1, 1), width)
                if low + width <= inner:
                    return self.slice(node.args[0], low, width)
                return self.sext(self.slice(node.args[0], low, inner - low), width)
            case "not":
                return self.not_(self.slice(node.args[0], low, width))
        return self._node("slice", width, (x,), low)

    def _slice_concat(self, node: Node, low: int, width: int) -> int:
        parts, at = [], 0
        for part in node.args:
            w = self.width(part)
            first, last = max(low, at), min(low + width, at + w)
            if first < last:
                parts.append(self.slice(part, first - at, last - first))
            at += w
        return self.concat(*parts)

    def concat(self, *parts: int) -> int:
        """Parts joined, the first in the least significant bits."""
        flat: list[int] = []
        for part in parts:
            for p in self.nodes[part].args if self.nodes[part].op == "concat" else (part,):
                merged = self._merge(flat[-1], p) if flat else None
                if merged is None:
                    flat.append(p)
                else:
                    flat[-1] = merged
        if len(flat) == 1:
            return flat[0]
        return self._node("concat", sum(self.width(p) for p in flat), tuple(flat))

    def _merge(self, low: int, high: int) -> int | None:
        """Two neighbours in a concat as one part, when they are constants or adjacent slices."""
        a, b = self.constant(low), self.constant(high)
        if a is not None and b is not None:
            w = self.width(low)
            return self.const(a | b << w, w + self.width(high))
        x, y = self.nodes[low], self.nodes[high]
        if x.op == y.op == "not":
            inner = self._merge(x.args[0], y.args[0])
            return None if inner is None else self.not_(inner)
        if x.op == y.op == "slice" and x.args == y.args:
            assert isinstance(x.attr, int)
            if x.attr + x.width == y.attr:
                return self.slice(x.args[0], x.attr, x.width + y.width)
        return None

    def zext(self, x: int, width: int) -> int:
        """x with zeros above."""
        extra = width - self.width(x)
        return self.concat(x, self.const(0, extra)) if extra else x

    def trunc(self, x: int, width: int) -> int:
        """The low bits of x."""
        return self.slice(x, 0, width)

    def sext(self, x: int, width: int) -> int:
        """x with its top bit repeated above."""
        w = self.width(x)
        if w == width:
            return x
        known = self.known[x]
        if known.mask >> w - 1 & 1:
            fill = -(known.value >> w - 1 & 1)
            return self.concat(x, self.const(fill, width - w))
        if self.nodes[x].op == "sext":
            return self.sext(self.nodes[x].args[0], width)
        return self._node("sext", width, (x,))

    def swap_bytes(self, x: int) -> int:
        """The bytes of x in reverse order."""
        w = self.width(x)
        return self.concat(*(self.slice(x, low, 8) for low in range(w - 8, -1, -8)))

    # Bitwise logic.

    def not_(self, x: int) -> int:
        node = self.nodes[x]
        if node.op == "not":
            return node.args[0]
        if node.op == "concat":
            return self.concat(*(self.not_(p) for p in node.args))
        if node.op == "sext":
            return self.sext(self.not_(node.args[0]), node.width)
        value = self.constant(x)
        if value is not None:
            return self.const(~value, node.width)
        return self._node("not", node.width, (x,))

    def and_(self, a: int, b: int) -> int:
        return self.bitwise("and", a, b)

    def or_(self, a: int, b: int) -> int:
        return self.bitwise("or", a, b)

    def xor(self, a: int, b: int) -> int:
        return self.bitwise("xor", a, b)

    def bitwise(self, op: str, a: int, b: int) -> int:
        """Bits that one side knows become wiring; the rest is a node per run of unknown bits."""
        if a == b:
            return self.const(0, self.width(a)) if op == "xor" else a
        ka, kb = self.known[a], self.known[b]
        either = ka.mask | kb.mask
        if either:
            parts = []
            for low, width, _ in _runs(self.width(a), ka.mask, kb.mask, ka.value, kb.value):
                x, y = self.slice(a, low, width), self.slice(b, low, width)
                parts.append(self._bitwise_run(op, x, y))
            return self.concat(*parts)
        return self._logic(op, a, b)

    def _bitwise_run(self, op: str, x: int, y: int) -> int:
        """A bitwise operation where each side is known everywhere, with equal bits, or nowhere."""
        width = self.width(x)
        folded = self._fold(op, width, (x, y))
        if folded is not None:
            return folded
        for constant, other in ((x, y), (y, x)):
            value = self.constant(constant)
            if value is None:
                continue
            ones = value != 0
            if op == "xor":
                return self.not_(other) if ones else other
            return other if ones == (op == "and") else constant
        return self._logic(op, x, y)

    def _logic(self, op: str, a: int, b: int) -> int:
        """Complement and absorption rules on what is left."""
        if a == b:
            return self.const(0, self.width(a)) if op == "xor" else a
        if self._complementary(a, b):
            return self.const(0 if op == "and" else -1, self.width(a))
        dual = {"and": "or", "or": "and"}.get(op)
        for x, y in ((a, b), (b, a)):
            if dual and self.nodes[y].op == dual:
                if x in self.nodes[y].args:
                    return x
                rest = [z for z in self.nodes[y].args if not self._complementary(x, z)]
                if len(rest) == 1:
                    return self.bitwise(op, x, rest[0])
            if dual and self.nodes[y].op == op and x in self.nodes[y].args:
                return y
        return self._node(op, self.width(a), (min(a, b), max(a, b)))

    def _complementary(self, a: int, b: int) -> bool:
        x, y = self.nodes[a], self.nodes[b]
        return (x.op == "not" and x.args[0] == b) or (y.op == "not" and y.args[0] == a)

    def all_of(self, bits: Sequence[int]) -> int:
        """The conjunction of 1-bit nodes, as a balanced tree."""
        return self._tree(self.and_, bits, 1)

    def any_of(self, bits: Sequence[int]) -> int:
        """The disjunction of 1-bit nodes, as a balanced tree."""
        return self._tree(self.or_, bits, 0)

    def _tree(self, op: Callable[[int, int], int], bits: Sequence[int], empty: int) -> int:
        level = sorted(set(bits))
        if not level:
            return self.const(empty, 1)
        while len(level) > 1:
            pairs = [op(*level[i : i + 2]) for i in range(0, len(level) - 1, 2)]
            level = pairs + (level[-1:] if len(level) % 2 else [])
        return level[0]

    def parity(self, x: int) -> int:
        """The exclusive or of all bits of x."""
        node = self.nodes[x]
        if node.op == "concat":
            ones = sum(v.bit_count() for v in map(self.constant, node.args) if v is not None)
            rest = self.concat(*(p for p in node.args if self.constant(p) is None))
            if rest != x:
                return self.not_(self.parity(rest)) if ones % 2 else self.parity(rest)
        folded = self._fold("parity", 1, (x,))
        if folded is not None:
            return folded
        return x if node.width == 1 else self._node("parity", 1, (x,))

    # Choice.

    def mux(self, c: int, a: int, b: int) -> int:
        """a if c else b."""
        value = self.constant(c)
        if value is not None:
            return a if value else b
        if a == b:
            return a
        if self.nodes[c].op == "not":
            return self.mux(self.nodes[c].args[0], b, a)
        width = self.width(a)
        if width == 1:
            simple = self._mux_bit(c, a, b)
            if simple is not None:
                return simple
        known = kn.result("mux", width, [self.known[c], self.known[a], self.known[b]], None)
        return self._outside_known(
            known, (a, b), lambda x, y: self._node("mux", self.width(x), (c, x, y))
        )

    def _mux_bit(self, c: int, a: int, b: int) -> int | None:
        match self.constant(a), self.constant(b):
            case 1, 0:
                return c
            case 0, 1:
                return self.not_(c)
            case 1, _:
                return self.or_(c, b)
            case 0, _:
                return self.and_(self.not_(c), b)
            case _, 1:
                return self.or_(self.not_(c), a)
            case _, 0:
                return self.and_(c, a)
        return None

    def _outside_known(
        self, known: Known, args: Sequence[int], make: Callable[..., int]
    ) -> int:
        """Build a bit-parallel operation, leaving out its top and bottom bits where known."""
        top = (~known.mask & known.full).bit_length()
        unknown = ~known.mask & known.full
        low = (unknown & -unknown).bit_length() - 1 if unknown else 0
        if not unknown:
            return self.const(known.value, known.width)
        if low == 0 and top == known.width:
            return make(*args)
        parts = [make(*(self.slice(a, low, top - low) for a in args))]
        if low:
            parts.insert(0, self.const(known.value, low))
        if top < known.width:
            parts.append(self.const(known.value >> top, known.width - top))
        return self.concat(*parts)

    def onehot(self, pairs: Sequence[tuple[int, int]]) -> int:
        """The value whose condition holds; at most one does. 0 when none does."""
        width = self.width(pairs[0][1])
        by_value: dict[int, list[int]] = {}
        for p, v in pairs:
            if self.constant(p) != 0 and self.constant(v) != 0:
                by_value.setdefault(v, []).append(p)
        if not by_value:
            return self.const(0, width)
        chosen = [(self.any_of(ps), v) for v, ps in by_value.items()]
        if len(chosen) == 1:
            return self.mux(chosen[0][0], chosen[0][1], self.const(0, width))
        conditions = [p for p, _ in chosen]
        args = [x for pair in chosen for x in pair]
        known = kn.result("onehot", width, [self.known[x] for x in args], None)
        if width == 1:
            return self.any_of([self.and_(p, v) for p, v in chosen])

        def make(*values: int) -> int:
            flat = tuple(x for pair in zip(conditions, values, strict=True) for x in pair)
            return self._node("onehot", self.width(values[0]), flat)

        return self._outside_known(known, [v for _, v in chosen], make)

    def case(self, key: int, table: dict[int, int]) -> int:
        """The value that `table` has for `key`, 0 for keys that it has not."""
        value = self.constant(key)
        width = self.width(next(iter(table.values())))
        if value is not None:
            return table.get(value, self.const(0, width))
        known = self.known[key]
        table = {
            k: v for k, v in sorted(table.items())
            if not (k ^ known.value) & known.mask and k <= known.high
        }
        if not table:
            return self.const(0, width)
        runs = [(low, w) for low, w, is_known in _runs(known.width, known.mask) if not is_known]
        if runs != [(0, known.width)]:
            narrow = self.concat(*(self.slice(key, low, w) for low, w in runs))
            return self.case(narrow, {_gather(k, runs): v for k, v in table.items()})
        if len(table) == 1:
            [(k, v)] = table.items()
            return self.mux(self.eq(key, self.const(k, self.width(key))), v, self.const(0, width))
        if len(set(table.values())) == 1 and len(table) == 1 << known.width:
            return next(iter(table.values()))
        keys, values = tuple(table), list(table.values())
        result = kn.result(
            "case", width, [known, *(self.known[v] for v in values)], None
        )
        return self._outside_known(
            result, values, lambda *vs: self._node("case", self.width(vs[0]), (key, *vs), keys)
        )

    # Arithmetic.

    def add(self, a: int, b: int) -> int:
        return self._sum("add", a, b)

    def sub(self, a: int, b: int) -> int:
        return self._sum("sub", a, b)

    def _sum(self, op: str, a: int, b: int) -> int:
        width = self.width(a)
        if self.constant(b) == 0:
            return a
        if op == "add" and self.constant(a) == 0:
            return b
        if a == b and op == "sub":
            return self.const(0, width)
        folded = self._fold(op, width, (a, b))
        if folded is not None:
            return folded
        if op == "add" and (self.constant(a) is not None or a > b):
            a, b = (b, a) if self.constant(a) is not None or self.constant(b) is None else (a, b)
        quiet = self._trailing_zeros(b)
        if op == "add" and not quiet:
            quiet = self._trailing_zeros(a)
            a, b = (b, a) if quiet else (a, b)
        if quiet:
            rest = width - quiet
            high = self._sum(op, self.slice(a, quiet, rest), self.slice(b, quiet, rest))
            return self.concat(self.slice(a, 0, quiet), high)
        known = kn.result(op, width, [self.known[a], self.known[b]], None)
        return self._without_top(op, known, a, b)

    def _trailing_zeros(self, x: int) -> int:
        k = self.known[x]
        zeros = k.mask & ~k.value
        missing = ~zeros & k.full
        return (missing & -missing).bit_length() - 1 if missing else k.width

    def _without_top(self, op: str, known: Known, a: int, b: int) -> int:
        """An operation whose low bits depend on low bits only, without its known top bits."""
        top = (~known.mask & known.full).bit_length()
        if top == 0:
            return self.const(known.value, known.width)
        if top == known.width:
            return self._node(op, known.width, (a, b))
        narrow = self._node(op, top, (self.slice(a, 0, top), self.slice(b, 0, top)))
        return self.concat(narrow, self.const(known.value >> top, known.width - top))

    def mul(self, a: int, b: int) -> int:
        width = self.width(a)
        folded = self._fold("mul", width, (a, b))
        if folded is not None:
            return folded
        if self.constant(a) is not None:
            a, b = b, a
        factor = self.constant(b)
        if factor is not None and factor.bit_count() <= 3:
            return self._sum_of_shifts(a, factor)
        known = kn.result("mul", width, [self.known[a], self.known[b]], None)
        return self._without_top("mul", known, min(a, b), max(a, b))

    def _sum_of_shifts(self, a: int, factor: int) -> int:
        width = self.width(a)
        total = self.const(0, width)
        for n in range(width):
            if factor >> n & 1:
                total = self.add(total, self.shift_constant("shl", a, n))
        return total

    def udiv(self, a: int, b: int) -> int:
        return self._divide("udiv", a, b)

    def urem(self, a: int, b: int) -> int:
        return self._divide("urem", a, b)

    def _divide(self, op: str, a: int, b: int) -> int:
        width = self.width(a)
        folded = self._fold(op, width, (a, b))
        if folded is not None:
            return folded
        divisor = self.constant(b)
        if divisor == 0:
            return self.const(0, width) if op == "udiv" else a
        if divisor is not None and divisor & divisor - 1 == 0:
            n = divisor.bit_length() - 1
            if op == "udiv":
                return self.shift_constant("lshr", a, n)
            return self.zext(self.slice(a, 0, n), width) if n else self.const(0, width)
        active = max(self.known[a].active, self.known[b].active)
        narrow = self._node(op, active, (self.slice(a, 0, active), self.slice(b, 0, active)))
        return self.zext(narrow, width)

    # Shifts.

    def shift(self, op: str, x: int, amount: int) -> int:
        """shl, lshr or ashr of x by the number in `amount`."""
        n = self.constant(amount)
        if n is not None:
            return self.shift_constant(op, x, n)
        if op == "ashr" and self.known[x].mask >> self.width(x) - 1 & 1:
            if not self.known[x].value >> self.width(x) - 1:
                op = "lshr"
        width = self.width(x)
        amount = self.slice(amount, 0, self.known[amount].active)
        if op == "lshr" and self.known[x].active < width:
            active = self.known[x].active
            return self.zext(self.shift(op, self.slice(x, 0, active), amount), width)
        return self._node(op, width, (x, amount))

    def shift_constant(self, op: str, x: int, n: int) -> int:
        """A shift by a known number of bits: wiring."""
        width = self.width(x)
        if n == 0:
            return x
        if n >= width:
            if op == "ashr":
                return self.sext(self.slice(x, width - 1, 1), width)
            return self.const(0, width)
        if op == "shl":
            return self.concat(self.const(0, n), self.slice(x, 0, width - n))
        upper = self.slice(x, n, width - n)
        return self.sext(upper, width) if op == "ashr" else self.zext(upper, width)

    # Comparisons.

    def eq(self, a: int, b: int) -> int:
        ka, kb = self.known[a], self.known[b]
        if a == b:
            return self.const(1, 1)
        both = ka.mask & kb.mask
        if (ka.value ^ kb.value) & both or ka.high < kb.low or kb.high < ka.low:
            return self.const(0, 1)
        if both:
            runs = [(low, w) for low, w, same in _runs(ka.width, both) if not same]
            if not runs:
                return self.const(1, 1)
            x = self.concat(*(self.slice(a, low, w) for low, w in runs))
            y = self.concat(*(self.slice(b, low, w) for low, w in runs))
            return self.eq(x, y)
        for x, y in ((a, b), (b, a)):
            value = self.constant(y)
            if value is not None and self.width(x) == 1:
                return x if value else self.not_(x)
            if value is not None and self.nodes[x].op == "mux":
                lifted = self._compare_mux(x, y)
                if lifted is not None:
                    return lifted
        return self._node("eq", 1, (min(a, b), max(a, b)))

    def _compare_mux(self, x: int, constant: int) -> int | None:
        """mux(c, k1, k2) == k decides by c alone when an arm is constant."""
        c, *arms = self.nodes[x].args
        if all(self.constant(arm) is None for arm in arms):
            return None
        return self.mux(c, self.eq(arms[0], constant), self.eq(arms[1], constant))

    def ne(self, a: int, b: int) -> int:
        return self.not_(self.eq(a, b))

    def ult(self, a: int, b: int) -> int:
        """Whether a < b, unsigned."""
        if a == b:
            return self.const(0, 1)
        ka, kb = self.known[a], self.known[b]
        if ka.high < kb.low:
            return self.const(1, 1)
        if ka.low >= kb.high:
            return self.const(0, 1)
        if ka.constant == 0:
            return self.ne(b, a)
        if kb.constant == 1:
            return self.eq(a, self.const(0, self.width(a)))
        same = ka.mask & kb.mask & ~(ka.value ^ kb.value)
        top = (~same & ka.full).bit_length()
        if top < ka.width:
            return self.ult(self.slice(a, 0, top), self.slice(b, 0, top))
        if kb.constant is not None:
            n = self._trailing_zeros(b)
            if n:
                return self.ult(self.slice(a, n, top - n), self.slice(b, n, top - n))
        return self._node("ult", 1, (a, b))

    def slt(self, a: int, b: int) -> int:
        """Whether a < b, both signed."""
        if a == b:
            return self.const(0, 1)
        sign = self.width(a) - 1
        ka, kb = self.known[a], self.known[b]
        if ka.mask >> sign & kb.mask >> sign & 1:
            if (ka.value ^ kb.value) >> sign & 1:
                return self.const(ka.value >> sign & 1, 1)
            return self.ult(a, b)
        if self.constant(b) == 0:
            return self.slice(a, sign, 1)
        return self._node("slt", 1, (a, b))


def _runs(width: int, *masks: int) -> list[tuple[int, int, bool]]:
    """Maximal runs of bit positions where every mask is constant: (low, width, first mask's bit)."""
    changes = 0
    for m in masks:
        changes |= m ^ (m >> 1)
    runs, low = [], 0
    for i in range(width):
        if i == width - 1 or changes >> i & 1:
            runs.append((low, i + 1 - low, bool(masks[0] >> low & 1)))
            low = i + 1
    return runs


def _gather(value: int, runs: list[tuple[int, int]]) -> int:
    """The bits of `value` in the given runs, packed."""
    packed = shift = 0
    for low, width in runs:
        packed |= (value >> low & (1 << width) - 1) << shift
        shift += width
    return packed
