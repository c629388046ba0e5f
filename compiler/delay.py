"""Operation and when its arguments arrive -> when its result does, on a device at a clock.

Logic becomes look-up tables, and a table takes in the small ones before it as long as its inputs last:
an arrival tells the last table apart from what leads to it (Chortle: Francis, Rose and Vranesic, DAC
1991). Chains of and, or of or, become trees, whatever order the graph has; mapping leaves exclusive or
as it is. All times are nanoseconds from the end of the registers' clock-to-output delay.
"""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import log2

from ..ctx_map.units import LIMB
from .delay_tables import DELAYS, Delays
from .ir import Node

_SLACK = 1e-6
"""Sums in another order must not differ."""
MARGIN = 0.08
"""The part of a cycle that is left to the luck of placing and routing."""
_JOINED = 2
"""Bits of a key that choose among tables of one slice, which multiplexers join."""
_MULTIPLEXER = 1.5
"""Levels for each further one."""
_MANY = 32
"""Bits that a signal selects, from which on it is made only once, not in the table of every bit."""
_MOST_TERMS = 12
"""Terms of an associative chain that are looked at apart."""
_THREES = 3
"""Inputs of a table that mapping comes to fill with exclusive or."""
_DUAL = {"and": "or", "or": "and", "": ""}
"""What the complement of an operation's result is, of the complements of its arguments."""
_Term = tuple[float, int]
"""Inputs of a table: when they are there, and how many."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A value is there at `out`, from a table of `leaves` inputs that are there at `base`.

    A result of the associative operation `op` also tells what all it is made of.
    """

    out: float
    base: float
    leaves: int
    op: str = ""
    terms: tuple[_Term, ...] = ()


AT_ONCE = Arrival(0.0, 0.0, 1)
"""A bit of a register."""
NEVER = Arrival(0.0, 0.0, 0)
"""A constant: it takes no input."""


@dataclass(frozen=True, slots=True)
class Argument:
    """`bits` of an argument are no constants, `late` of them computed in this stage; the last of
    these is there at `arrival`. In all the choices that it makes, a bit of it selects `selects` bits."""

    bits: int
    late: int
    arrival: Arrival
    selects: float = 1.0


@dataclass(frozen=True, slots=True)
class Model:
    """Delays of a device at a clock, in MHz."""

    delays: Delays
    clock_mhz: float

    @property
    def budget(self) -> float:
        """Nanoseconds of logic that a stage may chain: two levels, however fast the clock."""
        return max((1 - MARGIN) * 1000 / self.clock_mhz - self.delays.fixed, 2 * self.delays.level)

    @property
    def longest(self) -> float:
        """The latest arrival that meets the clock."""
        return self.budget + _SLACK

    def fits(self, out: float) -> bool:
        """Whether what arrives at `out` meets the clock."""
        return out <= self.longest

    def stage(self, out: float) -> float:
        """The length of a stage whose last value arrives at `out`."""
        return self.delays.fixed + out if out else self.delays.fixed + self.delays.level / 2

    def arrival(self, node: Node, args: Sequence[Argument]) -> Arrival:
        """When the result of an operation is there; units: when they have taken their operands in."""
        d = self.delays
        given = [a.arrival for a in args]
        match node.op:
            case "not":
                [a] = given
                return Arrival(a.out, a.base, a.leaves, _DUAL[a.op], a.terms)
            case "and" | "or":
                return self._associative(node.op, given)
            case "xor":
                return self._table(given)
            case "mux":
                chooses = self._spread(args[0], node.width, any(a.out for a in given[1:]))
                return self._table([chooses, *given[1:]])
            case "onehot":
                pairs = [
                    self._inputs([self._spread(p, node.width, v.out > 0), v])
                    for p, v in zip(args[::2], given[1::2], strict=True)
                ]
                return self._tree([(base, leaves, 1) for base, leaves in pairs])
            case "case":
                return self._case(node, args)
            case "eq":
                return self._equal(args)
            case "parity":
                [a] = args
                late = (a.arrival.base, a.arrival.leaves, a.late)
                return self._tree([late, (0.0, 1, a.bits - a.late)], _THREES)
            case "add" | "sub":
                width = max(a.bits for a in args)
                return self._signal(given, d.carry + d.carry_bit * width)
            case "ult" | "slt":
                width = max(a.bits for a in args)
                return self._signal(given, d.carry + d.compare + d.carry_bit * width)
            case "shl" | "lshr" | "ashr":
                spread = d.fan_out * log2(node.width)
                return self._signal(given, d.shift * args[1].bits + spread)
            case "mul":
                small = min(a.bits for a in args) <= 2 and node.width <= LIMB
                return self._signal(given, d.level * 2 if small else d.product)
            case "udiv" | "urem":
                return self._signal(given, d.carry + d.compare + d.carry_bit * node.width)
        raise AssertionError(f"no delay for {node!r}")

    def _spread(self, select: Argument, width: int, late: bool = False) -> Arrival:
        """A signal that selects `width` bits here; `late`: they are computed in this stage too."""
        count, a = max(width, select.selects), select.arrival
        more = self.delays.fan_out * log2(count)
        if late and count > _MANY:
            return Arrival(a.out + more, a.out + more, min(a.leaves, 1))
        return Arrival(a.out + more, a.base + more, a.leaves)

    def _signal(self, given: Sequence[Arrival], delay: float) -> Arrival:
        out = max(a.out for a in given) + delay
        return Arrival(out, out, 1)

    def _inputs(self, given: Sequence[Arrival]) -> tuple[float, int]:
        """The inputs of a table that takes in as much of what comes late as it can: (time, count)."""
        whole = [a for a in given if a.leaves]
        taken = len(whole)
        joined: list[Arrival] = []
        for a in sorted(whole, key=lambda a: -a.out):
            if a.base >= a.out or taken + a.leaves - 1 > self.delays.inputs:
                break
            joined.append(a)
            taken += a.leaves - 1
        late = [a.base for a in joined]
        late += [a.out for a in whole if not any(a is j for j in joined)]
        return max(late, default=0.0), taken

    def _table(self, given: Sequence[Arrival]) -> Arrival:
        base, leaves = self._inputs(given)
        return Arrival(base + self.delays.level, base, leaves)

    def _associative(self, op: str, given: Sequence[Arrival]) -> Arrival:
        terms: list[_Term] = []
        for a in given:
            terms += a.terms if a.op == op else [(a.base, a.leaves)]
        terms.sort()
        while len(terms) > _MOST_TERMS:
            first, terms = terms[: self.delays.inputs], terms[self.delays.inputs :]
            insort(terms, (self._tree([(*t, 1) for t in first]).out, 1))
        found = self._tree([(*t, 1) for t in terms])
        return Arrival(found.out, found.base, found.leaves, op, tuple(terms))

    def _tree(self, parts: Sequence[tuple[float, int, int]], most: int = 64) -> Arrival:
        """A tree over parts, as (time, inputs, how many such): tables are filled in time's order, each
        with `most` inputs or less."""
        size, level = min(self.delays.inputs, most), self.delays.level
        queue = [part for part in parts if part[1] and part[2]]
        heapify(queue)
        while True:
            base = queue[0][0]
            total = wide = 0
            while queue and queue[0][0] <= base + _SLACK:
                _, leaves, count = heappop(queue)
                total += leaves * count
                wide += count if 2 * leaves > size else 0
            tables = max(-(-total // size), wide)
            if not queue and (tables == 1 or (total <= self.delays.inputs and not wide)):
                return Arrival(base + level, base, total)
            rest = total - (tables - 1) * size
            if queue and 0 < rest < size and queue[0][0] < base + level - _SLACK:
                heappush(queue, (queue[0][0], rest, 1))
                tables -= 1
            if tables:
                heappush(queue, (base + level, 1, tables))

    def _equal(self, args: Sequence[Argument]) -> Arrival:
        """Pairs of bits in a tree; bits of constants need no partner."""
        a, b = args
        if not (a.bits and b.bits):
            one = a if a.bits else b
            late = (one.arrival.base, one.arrival.leaves, one.late)
            return self._tree([late, (0.0, 1, one.bits - one.late)])
        pairs = max(a.bits, b.bits)
        count = max(a.late, b.late)
        base, leaves = self._inputs([a.arrival, b.arrival])
        return self._tree([(base, leaves, count), (0.0, 2, pairs - count)])

    def _case(self, node: Node, args: Sequence[Argument]) -> Arrival:
        """A table by the key's bits, or a comparison with each key: whatever is faster."""
        d = self.delays
        key, values = args[0], args[1:]
        late = (key.arrival.base, key.arrival.leaves, key.late)
        equal = self._tree([late, (0.0, 1, key.bits - key.late)])
        decoded = self._spread(Argument(1, 1, equal), node.width)
        if not any(v.bits for v in values):
            chosen = [(decoded.base, decoded.leaves, len(values))]
        else:
            chosen = [(*self._inputs([decoded, v.arrival]), 1) for v in values]
        listed = self._tree(chosen)
        whole = key.arrival.base if key.bits == key.arrival.leaves else key.arrival.out
        inputs = key.bits
        if any(v.bits for v in values):
            whole = max(whole, *(v.arrival.out for v in values))
            inputs += 1 << key.bits if key.bits < 8 else 256
        extra = max(0, inputs - d.inputs)
        joined, further = min(extra, _JOINED), max(0, extra - _JOINED)
        looked = whole + d.level + d.fan_out * log2(max(node.width, key.selects))
        looked += d.select * joined + _MULTIPLEXER * d.level * further
        if looked < listed.out:
            return Arrival(looked, whole if not extra else looked - d.level, min(inputs, d.inputs))
        return listed


def model(name: str, clock_mhz: float = 0.0) -> Model:
    """The model of a device by its name, at a clock or at the one that is usual there."""
    delays = DELAYS[name]
    return Model(delays, clock_mhz or delays.clock_mhz)


GENERIC = model("generic")
