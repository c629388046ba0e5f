"""Two numbers per cycle -> quotient and remainder, `latency` cycles later."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..ctx_map.units import div_latency


class Divider(wiring.Component):
    """Unsigned `i_a / i_b` and `i_a % i_b`; x / 0 = 0 and x % 0 = x (RFC 9669 section 4.1)."""

    i_a: Signal
    i_b: Signal
    o_quotient: Signal
    o_remainder: Signal

    def __init__(self, width: int) -> None:
        self.width = width
        self.latency = div_latency(width)
        super().__init__(
            {
                "i_a": In(width),
                "i_b": In(width),
                "o_quotient": Out(width),
                "o_remainder": Out(width),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        # Restoring division, from the highest bit of the dividend on: `rest` holds the bits that
        # are still to come, `quotient` and `remainder` the result of dividing those before.
        rest, divisor = self.i_a, self.i_b
        divides = self.i_b != 0
        remainder: Value = Const(0, 0)
        quotient: Value = Const(0, 0)
        for n in range(self.width):
            taken = Cat(rest[-1], remainder)
            fits = divides & (taken >= divisor)
            kept = Signal(n + 1, name=f"remainder_{n}", reset_less=True)
            m.d.sync += kept.eq(Mux(fits, taken - divisor, taken))
            bits = Signal(n + 1, name=f"quotient_{n}", reset_less=True)
            m.d.sync += bits.eq(Cat(fits, quotient))
            remainder, quotient = kept, bits
            if n == self.width - 1:
                break
            coming = Signal(self.width - n - 1, name=f"rest_{n}", reset_less=True)
            same = Signal(self.width, name=f"divisor_{n}", reset_less=True)
            nonzero = Signal(name=f"divides_{n}", reset_less=True)
            m.d.sync += [coming.eq(rest), same.eq(divisor), nonzero.eq(divides)]
            rest, divisor, divides = coming, same, nonzero
        m.d.comb += [self.o_quotient.eq(quotient), self.o_remainder.eq(remainder)]
        return m
