"""Order comparisons with constants -> logic: nibbles are looked up, and their results combined.

    %2 = ult.1 %0, 0x450          %2 = eq.1 slice.4(%0, 8), 4       %3 = ult.1 slice.4(%0, 4), 5
    output verdict = %2      ->   %4 = and.1 %2, %3                 %5 = ult.1 slice.4(%0, 8), 4
                                  %6 = or.1 %5, %4
                                  output verdict = %6

A subtraction, which is how it would be done otherwise, takes four times the look-up tables.
"""

from dataclasses import dataclass
from typing import ClassVar

from ..builder import Builder
from ..ir import Function, Node
from .replay import replay, same

_NIBBLE = 4
"""Bits that one look-up table decides."""
_WIDEST = 16
"""Bits that are combined in no more levels than a carry chain is worth."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Takes comparisons with constants apart."""

    name: ClassVar[str] = "bounds"

    def run(self, function: Function) -> Function:
        return replay(function, _rule)


def _rule(b: Builder, n: int, node: Node, args: list[int]) -> int:
    if node.op in ("ult", "slt"):
        x, y = args
        width = b.width(x)
        if width <= _WIDEST and (b.constant(x) is None) != (b.constant(y) is None):
            if node.op == "slt":
                x, y = _moved(b, x), _moved(b, y)
            bound = b.constant(y)
            if bound is not None:
                return below(b, x, bound)
            bound = b.constant(x)
            assert bound is not None
            return b.const(0, 1) if bound + 1 >> width else b.not_(below(b, y, bound + 1))
    return same(b, n, node, args)


def _moved(b: Builder, x: int) -> int:
    """A signed number among the unsigned ones, in the same order."""
    top = b.width(x) - 1
    sign = b.not_(b.slice(x, top, 1))
    return b.concat(b.slice(x, 0, top), sign) if top else sign


def below(b: Builder, x: int, bound: int) -> int:
    """Whether x < bound."""
    width = b.width(x)
    if not bound:
        return b.const(0, 1)
    if width <= _NIBBLE:
        return b.case(x, {k: b.const(1, 1) for k in range(bound)})
    low = (width - 1) // _NIBBLE // 2 * _NIBBLE or _NIBBLE
    high, top = b.slice(x, low, width - low), bound >> low
    rest = below(b, b.slice(x, 0, low), bound & (1 << low) - 1)
    same_top = b.eq(high, b.const(top, width - low))
    return b.or_(below(b, high, top), b.and_(same_top, rest))
