"""The operations that choose between values, seen alike: what decides, and what is chosen from."""

from collections.abc import Callable, Sequence

from ..builder import Builder
from ..ir import Node

CHOICES = frozenset({"mux", "onehot", "case"})


def arms(node: Node) -> tuple[int, ...]:
    """What is chosen from."""
    return node.args[1::2] if node.op == "onehot" else node.args[1:]


def deciders(node: Node) -> tuple[int, ...]:
    """The conditions, or the key."""
    return node.args[0::2] if node.op == "onehot" else node.args[:1]


def choose(b: Builder, node: Node, by: Sequence[int], values: Sequence[int]) -> int:
    """A choice like `node`, decided by `by`, from `values`."""
    match node.op:
        case "mux":
            return b.mux(by[0], *values)
        case "onehot":
            return b.onehot(list(zip(by, values, strict=True)))
    return b.case(by[0], dict(zip(node.keys, values, strict=True)))


def choose_bit(
    b: Builder, node: Node, by: Sequence[int], bit: Callable[[int], int], otherwise: bool
) -> int:
    """A choice like `node` from the 1-bit values that `bit` has for its arms.

    `otherwise` is the bit where no arm is chosen, for which the operations themselves have 0.
    """
    values = [bit(a) for a in arms(node)]
    if node.op == "mux" or not otherwise:
        return choose(b, node, by, values)
    return b.not_(choose(b, node, by, [b.not_(v) for v in values]))
