"""Dataflow graph, rules -> a new graph, built again through the simplifying builder."""

from collections.abc import Callable, Collection

from ..builder import Builder
from ..ir import Function, Node

Rule = Callable[[Builder, int, Node, list[int]], int]
"""(builder, number in the old graph, old node, new arguments) -> new node."""


def same(b: Builder, _: int, node: Node, args: list[int]) -> int:
    """The node as it was, simplified again."""
    match node.op:
        case "const":
            return b.const(node.number, node.width)
        case "input":
            name, index = node.source
            return b.input(name, node.width, index)
        case "slice":
            return b.slice(args[0], node.number, node.width)
        case "concat":
            return b.concat(*args)
        case "sext":
            return b.sext(args[0], node.width)
        case "not":
            return b.not_(args[0])
        case "parity":
            return b.parity(args[0])
        case "and" | "or" | "xor":
            return b.bitwise(node.op, *args)
        case "add" | "sub" | "mul" | "udiv" | "urem" | "eq" | "ult" | "slt" | "mux":
            return getattr(b, node.op)(*args)
        case "shl" | "lshr" | "ashr":
            return b.shift(node.op, *args)
        case "onehot":
            return b.onehot(list(zip(args[::2], args[1::2], strict=True)))
        case "case":
            return b.case(args[0], dict(zip(node.keys, args[1:], strict=True)))
    raise AssertionError(f"no rule for {node!r}")


def replay(
    function: Function, rule: Rule = same, without: Collection[int] = frozenset()
) -> Function:
    """Build the nodes that outputs depend on again; `results` follow where their nodes survive.

    Those `without` are left out; as arguments, which the rule then does not look at, they are -1.
    """
    b = Builder()
    live = function.live(function.outputs.values())
    new: dict[int, int] = {}
    for n, node in enumerate(function.nodes):
        if live[n] and n not in without:
            b.origin = node.origin
            new[n] = rule(b, n, node, [new.get(a, -1) for a in node.args])
    outputs = {name: new[n] for name, n in function.outputs.items()}
    results = {place: new[n] for place, n in function.results.items() if n in new}
    return b.function(outputs, results)
