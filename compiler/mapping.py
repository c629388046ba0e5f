"""Schedule, delay model -> how long every stage is, its logic mapped bit by bit.

The scheduler looks at operations one by one, and takes them for what they are alone. Here a stage is
looked at as a whole, as mapping does: `bits.py` has the tables. Sums and comparisons of more than a few
bits are carry chains, products blocks, with delays of their own.
"""

from collections.abc import Sequence

from .bits import FALSE, Bits
from .delay import Model
from .ir import WIRING, Node
from .placement import Clocked, duration
from .schedule import Schedule

_SHORT = 4
"""Bits up to which sums and comparisons have no carry chain."""
_KEY = 8
"""Bits of a key up to which a choice may be a tree."""
_MANY = 32
"""Bits that a signal selects, from which on it is made only once."""
_CUTS = 3
"""Cuts that are looked at for each bit."""
_MOST_NODES = 4_000
"""Nodes of a graph that is mapped: it takes some seconds."""
_Loads = dict[tuple[int, int, int], int]
"""(stage, node, bit) -> tables that read it."""


class _Mapper:
    """The bits of every stage. What it computes itself are functions, all else bits of registers."""

    def __init__(self, schedule: Schedule, model: Model, cuts: int) -> None:
        self.schedule, self.nodes = schedule, schedule.function.nodes
        self.delays = model.delays
        self.selects = Clocked(schedule.function, model).selects
        count = schedule.latency
        self.stages = [Bits(model.delays, cuts) for _ in range(count)]
        self.values: list[dict[int, list[int]]] = [{} for _ in range(count)]
        self.read: list[list[int]] = [[] for _ in range(count)]
        self.longest = [0.0] * count

    def run(self, loads: _Loads) -> None:
        """All operations; `loads` is what an earlier run found."""
        for n, node in enumerate(self.nodes):
            if node.op not in WIRING:
                at = self.schedule.stage[n]
                args = [self.value(a, at, loads) for a in node.args]
                if duration(node):
                    self.block(at, args, self.delays.product if node.op == "mul" else 0.0)
                else:
                    self.keep(n, at, self.result(node, args, at), loads)

    def keep(self, n: int, at: int, literals: list[int], loads: _Loads) -> None:
        self.values[at][n] = literals
        bits = self.stages[at]
        for k, x in enumerate(literals):
            if self.selects.get(n, 0.0) > _MANY:
                bits.keep(x)
            bits.drive(x, loads.get((at, n, k), 1))

    def value(self, n: int, at: int, loads: _Loads) -> list[int]:
        """The literals of a node in a stage."""
        known = self.values[at]
        if n not in known:
            node = self.nodes[n]
            match node.op:
                case "const":
                    known[n] = [node.number >> k & 1 for k in range(node.width)]
                case "slice":
                    inner = self.value(node.args[0], at, loads)
                    known[n] = inner[node.number : node.number + node.width]
                case "concat":
                    known[n] = [x for a in node.args for x in self.value(a, at, loads)]
                case "sext":
                    inner = self.value(node.args[0], at, loads)
                    known[n] = inner + inner[-1:] * (node.width - len(inner))
                case _:
                    self.keep(n, at, [self.stages[at].leaf() for _ in range(node.width)], loads)
        return known[n]

    def block(self, at: int, args: Sequence[Sequence[int]], delay: float) -> float:
        """When something that is no table has its operands for so long."""
        operands = [x for a in args for x in a]
        self.read[at] += operands
        out = max(map(self.stages[at].time, operands)) + delay
        self.longest[at] = max(self.longest[at], out)
        return out

    def result(self, node: Node, args: list[list[int]], at: int) -> list[int]:
        bits = self.stages[at]
        match node.op:
            case "not":
                return [x ^ 1 for x in args[0]]
            case "and":
                return [bits.all(pair) for pair in zip(*args, strict=True)]
            case "or":
                return [bits.any(pair) for pair in zip(*args, strict=True)]
            case "xor":
                return [bits.xor(*pair) for pair in zip(*args, strict=True)]
            case "mux":
                return [bits.mux(args[0][0], a, b) for a, b in zip(*args[1:], strict=True)]
            case "onehot":
                return _chosen(bits, [p for [p] in args[::2]], args[1::2])
            case "case":
                return _case(bits, node, args[0], args[1:])
            case "eq":
                return [bits.all([bits.xor(a, b) ^ 1 for a, b in zip(*args, strict=True)])]
            case "parity":
                return [bits.parity(args[0])]
            case "add" | "sub":
                right = args[1] if node.op == "add" else [x ^ 1 for x in args[1]]
                return self.sum(at, args[0], right, int(node.op == "sub"))
            case "ult" | "slt":
                if node.op == "slt":
                    args = [[*a[:-1], a[-1] ^ 1] for a in args]
                return [self.below(at, *args)]
            case "shl" | "lshr" | "ashr":
                return _shifted(bits, node.op, *args)
            case "mul":
                out = self.block(at, args, 2 * self.delays.level)
                return [bits.leaf(out) for _ in range(node.width)]
        raise AssertionError(f"no logic for {node!r}")

    def chain(self, at: int, a: Sequence[int], b: Sequence[int]) -> list[float]:
        """When the bits of a sum are there."""
        d, last, times = self.delays, 0.0, []
        self.block(at, (a, b), 0.0)
        for pair in zip(a, b, strict=True):
            operands = max(map(self.stages[at].time, pair))
            last = max(last, operands + d.carry) + d.carry_bit
            times.append(last)
        return times

    def sum(self, at: int, a: Sequence[int], b: Sequence[int], carry: int) -> list[int]:
        bits = self.stages[at]
        if len(a) > _SHORT:
            return [bits.leaf(time) for time in self.chain(at, a, b)]
        found = []
        for x, y in zip(a, b, strict=True):
            half = bits.xor(x, y)
            found.append(bits.xor(half, carry))
            carry = bits.mux(half, carry, x)
        return found

    def below(self, at: int, a: Sequence[int], b: Sequence[int]) -> int:
        bits, d = self.stages[at], self.delays
        if len(a) > _SHORT:
            return bits.inverted(self.chain(at, a, b)[-1] + d.compare - bits.tables[1])
        less = FALSE
        for x, y in zip(a, b, strict=True):
            less = bits.mux(bits.xor(x, y), y, less)
        return less

    def finish(self) -> _Loads:
        """See how long the stages are, with what their registers keep; and who reads what."""
        found: _Loads = {}
        for at, cut in enumerate(self.schedule.cuts):
            bits, values = self.stages[at], self.values[at]
            kept = [
                values[n][k] for n, mask in cut.items()
                if n in values and self.schedule.ready[n] == self.schedule.stage[n] == at
                for k in range(self.nodes[n].width) if mask >> k & 1
            ]
            self.longest[at] = max([self.longest[at], *map(bits.time, kept)])
            loads = bits.loads([*kept, *self.read[at]])
            found |= {
                (at, n, k): count for n, value in values.items()
                for k, x in enumerate(value) if (count := loads.get(x >> 1, 0)) > 1
            }
        return found


def _chosen(bits: Bits, by: Sequence[int], values: Sequence[Sequence[int]]) -> list[int]:
    """The bits of the value whose condition holds, 0 where none does."""
    return [
        bits.any([bits.all(pair) for pair in zip(by, column, strict=True)])
        for column in zip(*values, strict=True)
    ]


def _case(bits: Bits, node: Node, key: list[int], values: Sequence[list[int]]) -> list[int]:
    """By comparison with each key, or by a tree: whatever is faster."""
    equal = [bits.all([x ^ ~k >> i & 1 for i, x in enumerate(key)]) for k in node.keys]
    found = _chosen(bits, equal, values)
    if len(key) <= _KEY:
        for i, x in enumerate(found):
            tree = bits.select(key, {k: v[i] for k, v in zip(node.keys, values, strict=True)})
            found[i] = min(x, tree, key=bits.time)
    return found


def _shifted(bits: Bits, op: str, value: list[int], amount: Sequence[int]) -> list[int]:
    """By one bit of the amount after the other."""
    fill = value[-1] if op == "ashr" else FALSE
    for k, by in enumerate(amount):
        far = min(1 << k, len(value))
        if op == "shl":
            moved = [FALSE] * far + value[: len(value) - far]
        else:
            moved = value[far:] + [fill] * far
        value = [bits.mux(by, m, v) for m, v in zip(moved, value, strict=True)]
    return value


def mapped_times(schedule: Schedule, model: Model) -> tuple[float, ...]:
    """The predicted length of every stage, in ns; of large programs what the scheduler has.

    Who reads a bit is known only when all is mapped: it is done twice.
    """
    if len(schedule.function.nodes) > _MOST_NODES:
        return schedule.stage_ns
    loads: _Loads = {}
    for kept in (1, _CUTS):
        mapper = _Mapper(schedule, model, kept)
        mapper.run(loads)
        loads = mapper.finish()
    return tuple(map(model.stage, mapper.longest))
