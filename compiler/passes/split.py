"""Operations that are too slow for a clock cycle -> several that are not.

    %2 = add.64 %0, %1       ->   sums of the lower half, and of the upper one with a carry and without;
                                  the lower half's carry chooses
    %2 = eq.1 %0, %1         ->   comparisons of the parts, all of which must hold

Where area counts, the upper half waits for the carry instead. Units have stages of their own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..builder import Builder
from ..delay import AT_ONCE, NEVER, Argument, Model
from ..ir import Function, Node
from .replay import replay, same

_LEAST = 8
"""Bits below which a part is not made smaller."""
_WHOLE = frozenset({"const", "input", "slice", "concat", "sext", "not", "mul", "udiv", "urem"})


@dataclass(frozen=True, slots=True)
class Split:
    """Splits what does not fit a stage of `model`; `ripple`: sums are one part after the other."""

    model: Model
    ripple: bool = False
    name: ClassVar[str] = "split"

    def run(self, function: Function) -> Function:
        nodes = function.nodes
        slow = {
            n for n, node in enumerate(nodes)
            if node.op not in _WHOLE and not self._fits(node, [nodes[a] for a in node.args])
        }
        if not slow:
            return function

        def rule(b: Builder, n: int, node: Node, args: list[int]) -> int:
            return self._parts(b, node, args) if n in slow else same(b, n, node, args)

        return replay(function, rule)

    def _fits(self, node: Node, args: Sequence[Node]) -> bool:
        given = [
            Argument(0, 0, NEVER) if a.op == "const" else Argument(a.width, 0, AT_ONCE) for a in args
        ]
        return self.model.fits(self.model.arrival(node, given).out)

    def _most(self, limit: int, make: Callable[[int], tuple[Node, list[Node]]]) -> int:
        """The largest size, `limit` or less, of which an operation fits; 1 if none does."""
        low, high = 1, limit
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._fits(*make(middle)) else (low, middle - 1)
        return low

    def _ranges(self, op: str, width: int, more: int = 0) -> list[tuple[int, int]]:
        """Parts of an operation on two values, as (lowest bit, width), each with `more` bits to it."""

        def make(bits: int) -> tuple[Node, list[Node]]:
            part = Node("input", bits + more)
            return Node(op, 1 if op in ("eq", "ult", "slt") else bits + more), [part, part]

        count = -(-width // max(self._most(width, make), _LEAST))
        size = -(-width // count)
        return [(low, min(size, width - low)) for low in range(0, width, size)]

    def _parts(self, b: Builder, node: Node, args: list[int]) -> int:
        match node.op:
            case "add" | "sub":
                return self._sum(b, node.op, args[0], args[1])
            case "ult" | "slt":
                return self._below(b, node.op, args[0], args[1])
            case "eq":
                x, y = args
                ranges = self._ranges("eq", b.width(x))
                return b.all_of([b.eq(b.slice(x, *r), b.slice(y, *r)) for r in ranges])
            case "parity":
                [x] = args
                parts = [b.parity(b.slice(x, *r)) for r in self._bits(b.width(x))]
                while len(parts) > 1:
                    pairs = [parts[n : n + 2] for n in range(0, len(parts), 2)]
                    parts = [b.xor(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
                return parts[0]
            case "onehot":
                return self._onehot(b, list(zip(args[::2], args[1::2], strict=True)))
            case "case":
                return self._case(b, args[0], dict(zip(node.keys, args[1:], strict=True)))
            case "shl" | "lshr" | "ashr":
                return self._shift(b, node.op, args[0], args[1])
        return same(b, 0, node, args)

    def _bits(self, width: int) -> list[tuple[int, int]]:
        def make(bits: int) -> tuple[Node, list[Node]]:
            return Node("parity", 1), [Node("input", bits)]

        size = max(self._most(width, make), _LEAST)
        return [(low, min(size, width - low)) for low in range(0, width, size)]

    def _sum(self, b: Builder, op: str, x: int, y: int) -> int:
        """Sums or differences of parts. One bit below each part carries in, one above out."""
        make = b.add if op == "add" else b.sub
        parts: list[int] = []
        carry = b.const(0, 1)
        zero, one = b.const(0, 1), b.const(1, 1)

        def total(low: int, width: int, into: int) -> int:
            left, right = b.slice(x, low, width), b.slice(y, low, width)
            below = into if op == "add" else zero
            whole = make(b.concat(below, left, zero), b.concat(into, right, zero))
            return b.slice(whole, 1, width + 1)

        for low, width in self._ranges(op, b.width(x), 2):
            if self.ripple or not low:
                found = total(low, width, carry)
            else:
                found = b.mux(carry, total(low, width, one), total(low, width, zero))
            parts.append(b.slice(found, 0, width))
            carry = b.slice(found, width, 1)
        return b.concat(*parts)

    def _below(self, b: Builder, op: str, x: int, y: int) -> int:
        """Parts are compared; the highest that differs decides."""
        ranges = self._ranges(op, b.width(x))
        found: list[tuple[int, int]] = []
        for low, width in ranges:
            left, right = b.slice(x, low, width), b.slice(y, low, width)
            signed = op == "slt" and (low, width) == ranges[-1]
            found.append((b.slt(left, right) if signed else b.ult(left, right), b.eq(left, right)))
        while len(found) > 1:
            pairs = [found[n : n + 2] for n in range(0, len(found), 2)]
            found = [
                pair[0] if len(pair) == 1 else (
                    b.or_(pair[1][0], b.and_(pair[1][1], pair[0][0])),
                    b.and_(pair[1][1], pair[0][1]),
                )
                for pair in pairs
            ]
        return found[0][0]

    def _onehot(self, b: Builder, pairs: list[tuple[int, int]]) -> int:
        """Groups of pairs, of which at most one gives anything but 0."""
        width = b.width(pairs[0][1])

        def make(count: int) -> tuple[Node, list[Node]]:
            return Node("onehot", width), [Node("input", 1), Node("input", width)] * count

        size = max(self._most(len(pairs), make), 2)
        found = [b.onehot(pairs[n : n + size]) for n in range(0, len(pairs), size)]
        while len(found) > 1:
            groups = [found[n : n + 2] for n in range(0, len(found), 2)]
            found = [b.or_(*group) if len(group) == 2 else group[0] for group in groups]
        return found[0]

    def _case(self, b: Builder, key: int, table: dict[int, int]) -> int:
        """By the key's lower half first, and by the upper one among what that gave."""
        width = b.width(key)
        values = [b.nodes[v] for v in table.values()]
        node = Node("case", values[0].width, (), tuple(table))
        if width == 1 or self._fits(node, [Node("input", width), *values]):
            return b.case(key, table)
        half = width // 2
        groups: dict[int, dict[int, int]] = {}
        for k, v in table.items():
            groups.setdefault(k >> half, {})[k & (1 << half) - 1] = v
        lower = b.slice(key, 0, half)
        chosen = {k: self._case(b, lower, group) for k, group in groups.items()}
        return self._case(b, b.slice(key, half, width - half), chosen)

    def _shift(self, b: Builder, op: str, x: int, amount: int) -> int:
        """One after the other by some bits of the amount."""
        width = b.width(amount)

        def make(bits: int) -> tuple[Node, list[Node]]:
            value = Node("input", b.width(x))
            return Node(op, b.width(x)), [value, Node("input", bits)]

        size = self._most(width, make)
        for low in range(0, width, size):
            bits = b.slice(amount, low, min(size, width - low))
            x = b.shift(op, x, b.concat(b.const(0, low), bits) if low else bits)
        return x
