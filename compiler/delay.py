"""Operation and widths -> its delay in logic levels, for deciding what fits one pipeline stage.

One level is a look-up table of six inputs with its routing; a carry chain counts a level for every
24 bits. At 250 MHz on an UltraScale+ device, and at 156 MHz on an ECP5, about five fit a cycle.
"""

from math import ceil, log

from .ir import Node

STAGE_LEVELS = 4.0
"""Levels that a stage may chain."""


def fits(before: float, cost: float) -> bool:
    """Whether an operation of `cost` levels can share a stage with `before` levels ahead of it.

    One alone always has a stage; sums in another order than these must not differ.
    """
    return before == 0 or before + cost <= STAGE_LEVELS + 1e-6


def _tree(inputs: int, fan_in: int = 6) -> float:
    """Levels of a tree over `inputs` signals."""
    return max(1, ceil(log(max(2, inputs), fan_in) - 1e-9))


def levels(node: Node, args: list[Node]) -> float:
    """Levels of one operation; 0 for wiring."""
    widths = [a.width for a in args]
    match node.op:
        case "const" | "input" | "slice" | "concat" | "sext" | "not":
            return 0.0
        case "and" | "or" | "xor":
            return 0.5
        case "mux":
            return 1.0
        case "onehot":
            return _tree(len(widths))
        case "case" if all(a.op == "const" for a in args[1:]):
            return _tree(widths[0])
        case "case":
            return _tree(widths[0]) + _tree(2 * (len(widths) - 1))
        case "add" | "sub" | "ult" | "slt":
            return 1 + max(widths) / 24
        case "eq":
            return _tree(2 * widths[0])
        case "parity":
            return _tree(widths[0])
        case "shl" | "lshr" | "ashr":
            return max(1, widths[1] / 2)
    raise AssertionError(f"no delay for {node!r}")
