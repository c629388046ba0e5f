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
from ..builder.wiring import runs_of
from ..ir import Function, Node
from .replay import replay, same

_PARALLEL = frozenset({"mux", "onehot", "case", "and", "or", "xor", "not"})
"""Bit n of the result depends on bit n of the values only."""
_UPWARD = frozenset({"add", "sub", "mul", "shl"})
"""Bit n of the result depends on bits up to n of the values only."""


@dataclass(frozen=True, slots=True)
class Narrow:
    """Rebuilds operations with their demanded bits; where lower ones matter, up to the highest."""

    name: ClassVar[str] = "narrow"

    def run(self, function: Function) -> Function:
        masks = demanded(function)

        def rule(b: Builder, n: int, node: Node, args: list[int]) -> int:
            mask, full = masks[n], (1 << node.width) - 1
            if not mask:
                return b.const(0, node.width)
            if node.op in _UPWARD:
                mask = (1 << mask.bit_length()) - 1
            elif node.op not in _PARALLEL:
                mask = full
            if mask == full:
                return same(b, n, node, args)
            keep, runs = _conditions(node), runs_of(node.width, mask)
            taken = [(low, width) for low, width, wanted in runs if wanted]
            narrow = [
                a if i in keep else b.concat(*(b.slice(a, low, width) for low, width in taken))
                for i, a in enumerate(args)
            ]
            inner = same(b, n, Node(node.op, mask.bit_count(), (), node.attr, node.origin), narrow)
            parts, at = [], 0
            for _, width, wanted in runs:
                parts.append(b.slice(inner, at, width) if wanted else b.const(0, width))
                at += width if wanted else 0
            return b.concat(*parts)

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
