"""Logic of one stage, bit by bit -> look-up tables, and when their results are there.

A bit is a constant, a leaf that is there at some time, or a small function of other bits: and, exclusive
or, a choice. A table computes a bit from a cut, the few bits that decide it, whatever functions lie
between; of a bit's cuts the fastest are kept (Cong and Ding, FlowMap, 1994; Mishchenko, Cho, Chatterjee
and Brayton, priority cuts, ICCAD 2007). Conjunctions are joined anew, what comes last at the end, and
what several of their terms share is taken out first. All times are nanoseconds.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from heapq import heapify, heappop, heapreplace
from math import log2

from .delay_tables import Delays

FALSE, TRUE = 0, 1
"""Literals: twice a bit's number, and 1 more for its complement. Bit 0 is the constant."""
_WIDEST = 6
"""Bits of a cut: tables that the multiplexers of a slice join."""
_MOST_TERMS = 24
"""Terms of a conjunction that are joined anew with others."""
_LEVEL, _SELECT, _FAN_OUT = 0.9, 1.5, 0.6
"""Of the figures of the scheduler, which has no wires with many readers but those that select: what
comes closest to routed programs."""
_AND, _XOR, _MUX, _SAME, _ALL = range(5)
"""Kinds of bits."""
_Cut = tuple[float, frozenset[int]]
"""When the last bit of a cut is where it is read, and the bits."""


class Bits:
    """Bits of a stage while it is built; `kept` cuts are looked at for each."""

    def __init__(self, delays: Delays, kept: int) -> None:
        self.delays = delays
        self.kept = kept
        self.tables = [
            _LEVEL * delays.level + _SELECT * delays.select * max(0, n - delays.inputs)
            for n in range(_WIDEST + 1)
        ]
        self.out = [0.0]
        self.wire = [0.0]
        self.cuts: list[list[_Cut]] = [[]]
        self.terms: list[tuple[int, ...]] = [()]
        self.whole: set[int] = set()
        self.made: dict[tuple[int, ...], int] = {}

    def time(self, literal: int) -> float:
        """When it is there."""
        return self.out[literal >> 1]

    def leaf(self, time: float = 0.0) -> int:
        """A bit of a register, or what something else than a table gives at a time."""
        self.out.append(time)
        self.wire.append(0.0)
        self.cuts.append([])
        self.terms.append(())
        return 2 * len(self.out) - 2

    def drive(self, literal: int, loads: int) -> None:
        """So many tables read the bit."""
        if loads > 1 and literal > TRUE:
            self.wire[literal >> 1] = _FAN_OUT * self.delays.fan_out * log2(loads)

    def keep(self, literal: int) -> None:
        """So many read the bit that each having its logic too would take too many tables."""
        self.whole.add(literal >> 1)

    def loads(self, literals: Iterable[int]) -> Mapping[int, int]:
        """By bit, how many of the tables that `literals` need read it."""
        found: Counter[int] = Counter()
        todo = [x >> 1 for x in literals]
        seen = set(todo)
        while todo:
            cuts = self.cuts[todo.pop()]
            for n in cuts[0][1] if cuts else ():
                found[n] += 1
                if n not in seen:
                    seen.add(n)
                    todo.append(n)
        return found

    def _made(self, key: tuple[int, ...]) -> int:
        """The bit with a kind and arguments."""
        if key in self.made:
            return self.made[key]
        found: list[_Cut] = [(0.0, frozenset())]
        for literal in key[1:]:
            n = literal >> 1
            wire = self.wire[n]
            own = [(self.out[n] + wire, frozenset((n,)))]
            if n not in self.whole:
                own += [(time + wire, bits) for time, bits in self.cuts[n]]
            found = [
                (max(t, u), a | b) for t, a in found for u, b in own if len(a | b) <= _WIDEST
            ]
        found.sort(key=lambda c: (c[0] + self.tables[len(c[1])], len(c[1])))
        cuts: list[_Cut] = []
        for time, bits in found:
            if not any(t <= time and b <= bits for t, b in cuts):
                cuts.append((time, bits))
                if len(cuts) == self.kept:
                    break
        time, bits = cuts[0]
        made = self.made[key] = self.leaf(time + self.tables[len(bits)])
        self.cuts[-1] = cuts
        return made

    def inverted(self, time: float) -> int:
        """What is there at a time and needs an inverter, a table that takes in others."""
        return self._made((_SAME, self.leaf(time)))

    def _and(self, a: int, b: int) -> int:
        a, b = min(a, b), max(a, b)
        if a == FALSE or a ^ b == 1:
            return FALSE
        return b if a in (TRUE, b) else self._made((_AND, a, b))

    def all(self, literals: Iterable[int]) -> int:
        """Their conjunction."""
        found: set[int] = set()
        for x in literals:
            inside = not x & 1 and x >> 1 not in self.whole
            found.update((inside and self.terms[x >> 1]) or (x,))
        self._reduce(found)
        self._factor(found)
        found.discard(TRUE)
        if FALSE in found or any(x ^ 1 in found for x in found):
            return FALSE
        if not found:
            return TRUE
        key = (_ALL, *sorted(found))
        if key not in self.made:
            heap = [(self.time(x) + self.wire[x >> 1], x) for x in found]
            heapify(heap)
            while len(heap) > 1:
                _, x = heappop(heap)
                made = self._and(x, heap[0][1])
                heapreplace(heap, (self.time(made), made))
            self.made[key] = made = heap[0][1]
            if 1 < len(found) <= _MOST_TERMS and not made & 1:
                self.terms[made >> 1] = key[1:]
        return self.made[key]

    def _reduce(self, found: set[int]) -> None:
        """In a conjunction, drop what its other terms decide of the disjunctions among them."""
        for x in sorted(x for x in found if x & 1 and self.terms[x >> 1]):
            inner = self.terms[x >> 1]
            if any(y ^ 1 in found for y in inner):
                found.discard(x)
            elif not found.isdisjoint(inner):
                rest = [y for y in inner if y not in found]
                found.discard(x)
                found.add(self.all(rest) ^ 1)

    def _factor(self, found: set[int]) -> None:
        """(x or a) and (x or b) -> x or (a and b), as long as there are such."""
        while True:
            inner = [x for x in sorted(found) if x & 1 and self.terms[x >> 1]]
            count = Counter(y for x in inner for y in self.terms[x >> 1])
            shared, times = max(count.items(), key=lambda c: c[1], default=(FALSE, 0))
            if times < 2:
                return
            parts = [x for x in inner if shared in self.terms[x >> 1]]
            rest = [self.all(y for y in self.terms[x >> 1] if y != shared) for x in parts]
            found.difference_update(parts)
            found.add(self.all((shared, self.any(rest))) ^ 1)

    def any(self, literals: Iterable[int]) -> int:
        """Their disjunction."""
        return self.all([x ^ 1 for x in literals]) ^ 1

    def xor(self, a: int, b: int) -> int:
        flip = (a ^ b) & 1
        a, b = sorted((a & ~1, b & ~1))
        if a == FALSE:
            return b ^ flip
        return flip if a == b else self._made((_XOR, a, b)) ^ flip

    def mux(self, c: int, a: int, b: int) -> int:
        """a if c else b."""
        if c & 1:
            c, a, b = c ^ 1, b, a
        if a == b or c == FALSE:
            return b
        if a == b ^ 1:
            return self.xor(c, b)
        if a in (TRUE, c):
            return self.any((c, b))
        if a in (FALSE, c ^ 1):
            return self.all((c ^ 1, b))
        if b in (TRUE, c ^ 1):
            return self.any((c ^ 1, a))
        if b in (FALSE, c):
            return self.all((c, a))
        flip = b & 1
        return self._made((_MUX, c, a ^ flip, b ^ flip)) ^ flip

    def parity(self, literals: Sequence[int]) -> int:
        """Mapping comes to threes."""
        row = list(literals)
        while len(row) > 2:
            threes = [row[n : n + 3] for n in range(0, len(row), 3)]
            row = [self.parity(three) if len(three) < 3 else self._three(three) for three in threes]
        return self.xor(row[0], row[-1]) if len(row) == 2 else row[0]

    def _three(self, literals: Sequence[int]) -> int:
        a, b, c = sorted(literals, key=self.time)
        return self.xor(self.xor(a, b), c)

    def select(self, key: Sequence[int], table: Mapping[int, int]) -> int:
        """The literal for the key's value, FALSE where there is none."""
        if not table:
            return FALSE
        if not key:
            return table[0]
        half = 1 << len(key) - 1
        low = self.select(key[:-1], {k: v for k, v in table.items() if k < half})
        high = self.select(key[:-1], {k - half: v for k, v in table.items() if k >= half})
        return self.mux(key[-1], high, low)
