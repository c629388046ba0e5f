"""Nodes that cost no logic, shared and simplified; what all other nodes are built with."""


from .. import known as kn
from ..ir import Attr, Function, Node
from ..ir_eval import evaluate_node
from ..known import Known


class Wiring:
    """Collects nodes, and makes constants, inputs, slices and concatenations."""

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
        return node.number if node.op == "const" else None

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
                return self.slice(node.args[0], node.number + low, width)
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

    def swap_bytes(self, x: int) -> int:
        """The bytes of x in reverse order."""
        w = self.width(x)
        return self.concat(*(self.slice(x, low, 8) for low in range(w - 8, -1, -8)))

    def _trailing_zeros(self, x: int) -> int:
        k = self.known[x]
        zeros = k.mask & ~k.value
        missing = ~zeros & k.full
        return (missing & -missing).bit_length() - 1 if missing else k.width


def runs_of(width: int, *masks: int) -> list[tuple[int, int, bool]]:
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
