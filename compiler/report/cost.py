"""Schedule -> what operations and registers are estimated to take, and on whose account.

The estimate is in look-up tables of six inputs, before anything is merged across operations: of a
tree of two-input gates five fit one table, a carry chain takes one per bit of a sum and one per two
bits of a comparison. Tools do better where gates share inputs.
"""

from math import ceil

from ..ir import Function, Node
from ..schedule import Schedule
from ..wires import all_sources, reads

_GATES = 5
"""Two-input gates in one table."""


def luts(function: Function, n: int) -> float:
    """Estimated look-up tables of an operation; parts of one where others can share it."""
    node = function.nodes[n]
    args = [function.nodes[a] for a in node.args]
    match node.op:
        case "const" | "input" | "slice" | "concat" | "sext" | "not":
            return 0
        case "and" | "or" | "xor":
            return node.width / _GATES
        case "mux":
            return node.width / 2
        case "onehot":
            # A constant value needs no gate of its own.
            gates = sum(1 if value.op == "const" else 2 for value in args[1::2])
            return node.width * max(1, gates - 1) / _GATES
        case "case":
            return _case(node, args)
        case "add" | "sub":
            return node.width
        case "ult" | "slt":
            return args[0].width / (4 if any(a.op == "const" for a in args) else 2)
        case "eq":
            return args[0].width / (6 if any(a.op == "const" for a in args) else 3)
        case "parity":
            return args[0].width / _GATES
        case "shl" | "lshr" | "ashr":
            return node.width * ceil(args[1].width / 2)
        case "mul":
            return node.width * ceil(node.width / 16) / 2
        case "udiv" | "urem":
            return node.width * node.width
    raise AssertionError(f"no cost for {node!r}")


def _case(node: Node, args: list[Node]) -> float:
    """A table of at most six inputs is one look-up table per bit, as is a choice of four values where
    most keys have one; else keys are compared."""
    key, values = args[0], args[1:]
    if all(v.op == "const" for v in values):
        wide = min(2 ** max(0, key.width - 6), len(values) * key.width / _GATES)
        return node.width * max(1, wide)
    if 2 ** key.width <= 2 * len(values):
        return node.width * max(1, len(values) / 4)
    return len(values) * key.width / 12 + node.width * max(1, len(values) / 3)


def readers(schedule: Schedule) -> dict[int, list[int]]:
    """For every source, the operations that read bits of it, in order; outputs are -1."""
    found: dict[int, list[int]] = {}
    for n, read in reads(schedule.function).items():
        for source in read:
            found.setdefault(source, []).append(n)
    for source in all_sources(schedule.function, schedule.function.outputs.values()):
        found.setdefault(source, []).append(-1)
    return found


def accounts(schedule: Schedule, by: dict[int, list[int]]) -> list[dict[int, int]]:
    """For each cut, source -> the slot that its registers are for; -1 when it is none.

    What an operation computes is kept for its own instruction's sake, what comes from the packet for
    the one that reads it last.
    """
    nodes, found = schedule.function.nodes, []
    last = {
        source: max((n for n in found if n >= 0), key=lambda n: (schedule.stage[n], -n), default=-1)
        for source, found in by.items()
    }
    for cut in schedule.cuts:
        slots = {}
        for source in cut:
            n = last.get(source, -1) if nodes[source].op == "input" else source
            slots[source] = nodes[n].origin if n >= 0 else -1
        found.append(slots)
    return found
