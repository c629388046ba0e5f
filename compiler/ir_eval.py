"""Dataflow graph, input values -> the value of every node: the reference meaning of the IR."""

from collections.abc import Mapping
from functools import reduce

from .ir import Function, Node

Inputs = Mapping[tuple[str, int], int]


def _signed(value: int, width: int) -> int:
    return value - (1 << width) if value >> (width - 1) else value


def evaluate_node(node: Node, a: list[int], widths: list[int]) -> int:
    """The value of a node whose arguments are `a`, with `widths` bits."""
    mask = (1 << node.width) - 1
    match node.op:
        case "slice":
            return a[0] >> node.number & mask
        case "concat":
            value = shift = 0
            for v, w in zip(a, widths, strict=True):
                value |= v << shift
                shift += w
            return value
        case "sext":
            return _signed(a[0], widths[0]) & mask
        case "not":
            return ~a[0] & mask
        case "and":
            return a[0] & a[1]
        case "or":
            return a[0] | a[1]
        case "xor":
            return a[0] ^ a[1]
        case "add":
            return a[0] + a[1] & mask
        case "sub":
            return a[0] - a[1] & mask
        case "mul":
            return a[0] * a[1] & mask
        case "udiv":
            return a[0] // a[1] if a[1] else 0
        case "urem":
            return a[0] % a[1] if a[1] else a[0]
        case "shl":
            return a[0] << a[1] & mask
        case "lshr":
            return a[0] >> a[1]
        case "ashr":
            return _signed(a[0], node.width) >> a[1] & mask
        case "eq":
            return int(a[0] == a[1])
        case "ult":
            return int(a[0] < a[1])
        case "slt":
            return int(_signed(a[0], widths[0]) < _signed(a[1], widths[1]))
        case "parity":
            return a[0].bit_count() & 1
        case "mux":
            return a[1] if a[0] else a[2]
        case "onehot":
            return reduce(lambda x, y: x | y, (v for p, v in zip(a[::2], a[1::2], strict=True) if p), 0)
        case "case":
            return next((v for k, v in zip(node.keys, a[1:], strict=True) if k == a[0]), 0)
    raise AssertionError(f"no meaning for {node!r}")


def evaluate(function: Function, inputs: Inputs) -> list[int]:
    """The value of every node. Inputs that are missing are 0 (window bytes past the frame's end)."""
    values: list[int] = []
    nodes = function.nodes
    for node in nodes:
        if node.op == "const":
            values.append(node.number)
        elif node.op == "input":
            value = inputs.get(node.source, 0)
            values.append(value & (1 << node.width) - 1)
        else:
            args = [values[a] for a in node.args]
            values.append(evaluate_node(node, args, [nodes[a].width for a in node.args]))
    return values


