"""Narrowing by demanded bits: nothing computes a bit that no output depends on.

    %2 = add.64 %0, %1            %2 = slice.16 %0, 0
    %3 = slice.16 %2, 0      ->   %3 = slice.16 %1, 0
    output verdict = %3           %4 = add.16 %2, %3
                                  output verdict = %4
"""

from dataclasses import dataclass
from typing import ClassVar

from ..analysis.demand import demanded
from ..builder import Builder
from ..ir import Function, Node
from .replay import replay, same

_PARALLEL = frozenset({"mux", "onehot", "case", "and", "or", "xor", "not"})
"""Bit n of the result depends on bit n of the values only."""
_UPWARD = frozenset({"add", "sub", "mul", "shl"})
"""Bit n of the result depends on bits up to n of the values only."""


@dataclass(frozen=True, slots=True)
class Narrow:
    """Rebuilds operations at the width between their lowest and highest demanded bit."""

    name: ClassVar[str] = "narrow"

    def run(self, function: Function) -> Function:
        masks = demanded(function)

        def rule(b: Builder, n: int, node: Node, args: list[int]) -> int:
            mask = masks[n]
            if not mask:
                return b.const(0, node.width)
            high = mask.bit_length()
            low = (mask & -mask).bit_length() - 1 if node.op in _PARALLEL else 0
            if node.op not in _PARALLEL | _UPWARD or (low == 0 and high >= node.width):
                return same(b, n, node, args)
            keep = _conditions(node)
            narrow = [a if i in keep else b.slice(a, low, high - low) for i, a in enumerate(args)]
            inner = same(b, n, Node(node.op, high - low, (), node.attr, node.origin), narrow)
            below = [b.const(0, low)] if low else []
            return b.zext(b.concat(*below, inner), node.width)

        return replay(function, rule)


def _conditions(node: Node) -> frozenset[int]:
    """Arguments that are no values: conditions, keys, amounts."""
    match node.op:
        case "mux" | "case":
            return frozenset({0})
        case "onehot":
            return frozenset(range(0, len(node.args), 2))
        case "shl":
            return frozenset({1})
    return frozenset()
