"""Dataflow graph, input values -> the value of every node: the reference meaning of the IR."""

from collections.abc import Callable, Mapping, Sequence

from .ir import Function, Node

Inputs = Mapping[tuple[str, int], int]


def _signed(value: int, width: int) -> int:
    return value - (1 << width) if value >> (width - 1) else value


def _concat(widths: Sequence[int]) -> Callable[..., int]:
    shifts = [sum(widths[:n]) for n in range(len(widths))]
    match shifts:
        case [_, s]:
            return lambda a, b: a | b << s
        case [_, s, t]:
            return lambda a, b, c: a | b << s | c << t

    def join(*a: int) -> int:
        value = 0
        for v, shift in zip(a, shifts, strict=True):
            value |= v << shift
        return value

    return join


def _onehot(*a: int) -> int:
    value = 0
    for chosen, v in zip(a[::2], a[1::2], strict=True):
        if chosen:
            value |= v
    return value


def meaning(node: Node, widths: Sequence[int]) -> Callable[..., int]:
    """What a node that is neither input nor constant makes of arguments of `widths` bits."""
    mask = (1 << node.width) - 1
    first = widths[0]
    match node.op:
        case "slice":
            low = node.number
            return lambda a: a >> low & mask
        case "concat":
            return _concat(widths)
        case "sext":
            return lambda a: _signed(a, first) & mask
        case "not":
            return lambda a: ~a & mask
        case "and":
            return lambda a, b: a & b
        case "or":
            return lambda a, b: a | b
        case "xor":
            return lambda a, b: a ^ b
        case "add":
            return lambda a, b: a + b & mask
        case "sub":
            return lambda a, b: a - b & mask
        case "mul":
            return lambda a, b: a * b & mask
        case "udiv":
            return lambda a, b: a // b if b else 0
        case "urem":
            return lambda a, b: a % b if b else a
        case "shl":
            return lambda a, b: a << b & mask
        case "lshr":
            return lambda a, b: a >> b
        case "ashr":
            return lambda a, b: _signed(a, first) >> b & mask
        case "eq":
            return lambda a, b: int(a == b)
        case "ult":
            return lambda a, b: int(a < b)
        case "slt":
            return lambda a, b: int(_signed(a, first) < _signed(b, first))
        case "parity":
            return lambda a: a.bit_count() & 1
        case "mux":
            return lambda chosen, a, b: a if chosen else b
        case "onehot":
            return _onehot
        case "case":
            keys = tuple(node.keys)
            return lambda key, *a: a[keys.index(key)] if key in keys else 0
    raise AssertionError(f"no meaning for {node!r}")


def evaluate_node(node: Node, a: list[int], widths: list[int]) -> int:
    """The value of a node whose arguments are `a`, with `widths` bits."""
    return meaning(node, widths)(*a)


def evaluate_all(function: Function, many: Sequence[Inputs]) -> list[list[int]]:
    """For every node, its value under each of many inputs.

    Inputs that are missing are 0 (window bytes past the frame's end).
    """
    values: list[list[int]] = []
    nodes = function.nodes
    for node in nodes:
        if node.op == "const":
            values.append([node.number] * len(many))
        elif node.op == "input":
            source, mask = node.source, (1 << node.width) - 1
            values.append([inputs.get(source, 0) & mask for inputs in many])
        else:
            compute = meaning(node, [nodes[a].width for a in node.args])
            values.append(list(map(compute, *(values[a] for a in node.args))))
    return values


def evaluate(function: Function, inputs: Inputs) -> list[int]:
    """The value of every node under one input."""
    return [value for (value,) in evaluate_all(function, [inputs])]
