"""Two numbers per cycle -> the low half of their product, `latency` cycles later."""

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..ctx_map.units import LIMB, mul_latency


class Multiplier(wiring.Component):
    """`i_a * i_b` modulo 2**`width`, the same for signed and unsigned operands."""

    i_a: Signal
    i_b: Signal
    o: Signal

    def __init__(self, width: int) -> None:
        self.width = width
        self.latency = mul_latency(width)
        super().__init__({"i_a": In(width), "i_b": In(width), "o": Out(width)})

    def elaborate(self, platform) -> Module:
        m = Module()
        starts = range(0, self.width, LIMB)
        terms = [
            self._product(m, a, b) for a in starts for b in starts if a + b < self.width
        ]
        level = 0
        while len(terms) > 1:
            pairs = [terms[n : n + 2] for n in range(0, len(terms), 2)]
            terms = [self._sum(m, f"sum_{level}_{n}", pair) for n, pair in enumerate(pairs)]
            level += 1
        ((_, product),) = terms
        m.d.comb += self.o.eq(product)
        return m

    def _limb(self, value: Signal, start: int) -> Value:
        return value[start : min(start + LIMB, self.width)]

    def _product(self, m: Module, a: int, b: int) -> tuple[int, Signal]:
        """The registered product of two limbs, by their lowest bits, and its own lowest bit."""
        width = min(2 * LIMB, self.width - a - b)
        term = Signal(width, name=f"product_{a}_{b}", reset_less=True)
        m.d.sync += term.eq(self._limb(self.i_a, a) * self._limb(self.i_b, b))
        return a + b, term

    def _sum(self, m: Module, name: str, pair: list[tuple[int, Signal]]) -> tuple[int, Signal]:
        """The registered sum of one or two terms."""
        start = min(s for s, _ in pair)
        total = Signal(self.width - start, name=name, reset_less=True)
        m.d.sync += total.eq(sum(term << (s - start) for s, term in pair))
        return start, total
