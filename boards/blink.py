"""Strobes of a cycle -> lights that an eye can see."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Blink(wiring.Component):
    """`o` is high for `cycles` cycles after the last strobe, a power of two."""

    i: Signal
    o: Signal

    def __init__(self, cycles: int) -> None:
        self.cycles = cycles
        super().__init__({"i": In(1), "o": Out(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        left = Signal(range(self.cycles))
        with m.If(self.i):
            m.d.sync += left.eq(self.cycles - 1)
        with m.Elif(self.o):
            m.d.sync += left.eq(left - 1)
        m.d.comb += self.o.eq(left != 0)
        return m
