"""Operations that only a few bits decide -> tables and choices keyed by these bits.

A chain of arithmetic on the header length nibble is a function of four bits: one look-up table per
result bit, whatever the chain. What such a chain selects, the nibble selects as well.

    %1 = slice.4 %0, 0            %1 = slice.4 %0, 0
    %2 = add.5 %1, 3         ->   %4 = case.8 %1, 5: %a, 6: %b
    %4 = case.8 %2, 8: %a, 9: %b
"""

from dataclasses import dataclass
from typing import ClassVar

from ..builder import Builder
from ..ir import WIRING, Function, Node
from ..ir_eval import meaning
from .replay import replay, same

LIMIT = 6
"""Deciding bits: the inputs of a look-up table."""
_GROWTH = 2
"""Cases by the bits that decide a key for each case by the key."""
_DEEP = frozenset({
    "add", "sub", "mul", "udiv", "urem", "shl", "lshr", "ashr", "eq", "ult", "slt", "parity", "case",
})
"""Operations that are worth a table of their own."""
_UNITS = frozenset({"mul", "udiv", "urem"})
"""Operations that are worth one even alone."""

Bit = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Table:
    """`values[i]` is the value where bits[k] is bit k of i; `depth` counts operations on the way."""

    bits: tuple[Bit, ...]
    values: tuple[int, ...]
    depth: int

    def spread(self, bits: tuple[Bit, ...]) -> list[int]:
        """The values by more bits."""
        places = [bits.index(bit) for bit in self.bits]
        return [
            self.values[sum((i >> place & 1) << k for k, place in enumerate(places))]
            for i in range(1 << len(bits))
        ]


def _leaf(n: int, low: int, width: int) -> _Table | None:
    if width > LIMIT:
        return None
    return _Table(tuple((n, low + k) for k in range(width)), tuple(range(1 << width)), 0)


def _needed(bits: tuple[Bit, ...], values: list[int]) -> tuple[tuple[Bit, ...], list[int]]:
    """Without the bits that decide nothing."""
    for k in range(len(bits) - 1, -1, -1):
        if all(v == values[i ^ 1 << k] for i, v in enumerate(values)):
            values = [v for i, v in enumerate(values) if not i >> k & 1]
            bits = bits[:k] + bits[k + 1 :]
    return bits, values


def _tables(function: Function) -> list[_Table | None]:
    """For each node the table of its deciding bits, None when there are more than LIMIT."""
    tables: list[_Table | None] = []
    nodes = function.nodes
    for n, node in enumerate(nodes):
        tables.append(_table(nodes, tables, n, node) or _leaf(n, 0, node.width))
    return tables


def _table(
    nodes: tuple[Node, ...], tables: list[_Table | None], n: int, node: Node
) -> _Table | None:
    if node.op == "const":
        return _Table((), (node.number,), 0)
    if node.op == "input":
        return None
    if node.op == "slice" and tables[node.args[0]] is None:
        return _leaf(node.args[0], node.number, node.width)
    parts = [t for a in node.args if (t := tables[a]) is not None]
    if len(parts) < len(node.args):
        return None
    bits = tuple(sorted({bit for t in parts for bit in t.bits}))
    if len(bits) > LIMIT:
        return None
    compute = meaning(node, [nodes[a].width for a in node.args])
    values = list(map(compute, *(t.spread(bits) for t in parts)))
    depth = max((t.depth for t in parts), default=0) + (node.op not in WIRING)
    bits, values = _needed(bits, values)
    return _Table(bits, tuple(values), depth)


@dataclass(frozen=True, slots=True)
class Tabulate:
    """Replaces chains of operations by tables, and keys of choices by the bits that decide them."""

    name: ClassVar[str] = "tabulate"

    def run(self, function: Function) -> Function:
        tables = _tables(function)
        made: dict[int, int] = {}

        def key(b: Builder, bits: tuple[Bit, ...]) -> int:
            return b.concat(*(b.slice(made[n], bit, 1) for n, bit in bits))

        def rule(b: Builder, n: int, node: Node, args: list[int]) -> int:
            made[n] = new = rebuilt(b, n, node, args)
            return new

        def rebuilt(b: Builder, n: int, node: Node, args: list[int]) -> int:
            table = tables[n]
            if table is not None and node.op not in WIRING and (n, 0) not in table.bits:
                if not table.bits:
                    return b.const(table.values[0], node.width)
                if node.op in _UNITS or (node.op in _DEEP and table.depth > 1):
                    arms = {i: b.const(v, node.width) for i, v in enumerate(table.values) if v}
                    return b.case(key(b, table.bits), arms)
            elif node.op == "case":
                by = tables[node.args[0]]
                if by is not None and by.depth and by.bits:
                    arm = dict(zip(node.keys, args[1:], strict=True))
                    arms = {i: arm[v] for i, v in enumerate(by.values) if v in arm}
                    if arms and len(arms) <= _GROWTH * len(arm):
                        return b.case(key(b, by.bits), arms)
            return same(b, n, node, args)

        return replay(function, rule)
