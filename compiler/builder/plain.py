"""Requests for operations -> the operations as they are asked for, for comparison.

What a straightforward compiler makes of a program: every value has the width of the instruction that
writes it, whatever is known of its bits. Only what depends on constants alone becomes a constant,
without which no access would have a place; a shift by a constant is wiring, as in any language for
hardware. Equal requests are one node.
"""

from collections.abc import Sequence

from .. import known as kn
from ..ir import Attr, Node
from . import Builder


class Plain(Builder):
    """A builder without rules."""

    def _node(self, op: str, width: int, args: tuple[int, ...] = (), attr: Attr = None) -> int:
        folded = self._fold(op, width, args, attr) if args else None
        if folded is not None:
            return folded
        key = (op, width, args, attr)
        if key not in self._numbers:
            self._numbers[key] = len(self.nodes)
            self.nodes.append(Node(op, width, args, attr, self.origin))
            self.known.append(kn.exactly(attr, width) if isinstance(attr, int) and not args else (
                kn.known(width)
            ))
        return self._numbers[key]

    def slice(self, x: int, low: int, width: int) -> int:
        return x if width == self.width(x) else self._node("slice", width, (x,), low)

    def concat(self, *parts: int) -> int:
        if len(parts) == 1:
            return parts[0]
        return self._node("concat", sum(map(self.width, parts)), parts)

    def sext(self, x: int, width: int) -> int:
        return x if width == self.width(x) else self._node("sext", width, (x,))

    def not_(self, x: int) -> int:
        return self._node("not", self.width(x), (x,))

    def bitwise(self, op: str, a: int, b: int) -> int:
        return self._node(op, self.width(a), (a, b))

    def parity(self, x: int) -> int:
        return self._node("parity", 1, (x,))

    def mux(self, c: int, a: int, b: int) -> int:
        return self._node("mux", self.width(a), (c, a, b))

    def onehot(self, pairs: Sequence[tuple[int, int]]) -> int:
        flat = tuple(n for pair in pairs for n in pair)
        return self._node("onehot", self.width(flat[1]), flat)

    def case(self, key: int, table: dict[int, int]) -> int:
        chosen = self.constant(key)
        values = tuple(table.values())
        if chosen is not None:
            return table.get(chosen, self.const(0, self.width(values[0])))
        return self._node("case", self.width(values[0]), (key, *values), tuple(table))

    def eq(self, a: int, b: int) -> int:
        return self._node("eq", 1, (a, b))

    def ult(self, a: int, b: int) -> int:
        return self._node("ult", 1, (a, b))

    def slt(self, a: int, b: int) -> int:
        return self._node("slt", 1, (a, b))

    def _sum(self, op: str, a: int, b: int) -> int:
        return self._node(op, self.width(a), (a, b))

    def mul(self, a: int, b: int) -> int:
        return self._node("mul", self.width(a), (a, b))

    def _divide(self, op: str, a: int, b: int) -> int:
        return self._node(op, self.width(a), (a, b))

    def shift(self, op: str, x: int, amount: int) -> int:
        n = self.constant(amount)
        return self._node(op, self.width(x), (x, amount)) if n is None else (
            self.shift_constant(op, x, n)
        )
