"""A serial line <-> bytes: a start bit, eight data bits, lowest first, and a stop bit."""

from amaranth.hdl import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

_BITS = 10
"""Of a byte on the line."""


class UartReceive(wiring.Component):
    """`o_valid` is high for a cycle with a byte in `o_data`; a bit takes `cycles`.

    Bits are taken in their middle. A byte whose stop bit is low is left out.
    """

    i: Signal
    o_data: Signal
    o_valid: Signal

    def __init__(self, cycles: int) -> None:
        self.cycles = cycles
        super().__init__({"i": In(1), "o_data": Out(8), "o_valid": Out(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        line = Signal(init=1)
        m.submodules.cdc = FFSynchronizer(self.i, line, init=1)
        wait = Signal(range(self.cycles))
        left = Signal(range(_BITS + 1))
        m.d.sync += self.o_valid.eq(0)
        with m.If(left == 0):
            with m.If(~line):
                m.d.sync += [left.eq(_BITS), wait.eq(self.cycles // 2)]
        with m.Elif(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.Else():
            m.d.sync += [left.eq(left - 1), wait.eq(self.cycles - 1)]
            with m.If((left == _BITS) & line):
                # That was no start bit.
                m.d.sync += left.eq(0)
            with m.Elif(left == 1):
                m.d.sync += self.o_valid.eq(line)
            with m.Else():
                m.d.sync += self.o_data.eq(Cat(self.o_data[1:], line))
        return m


class UartSend(wiring.Component):
    """Takes a byte where `i_valid` and `o_ready` are high."""

    i_data: Signal
    i_valid: Signal
    o_ready: Signal
    o: Signal

    def __init__(self, cycles: int) -> None:
        self.cycles = cycles
        super().__init__({"i_data": In(8), "i_valid": In(1), "o_ready": Out(1), "o": Out(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        wait = Signal(range(self.cycles))
        left = Signal(range(_BITS + 1))
        bits = Signal(_BITS, init=-1)
        m.d.comb += [self.o_ready.eq(left == 0), self.o.eq(bits[0])]
        with m.If(left == 0):
            with m.If(self.i_valid):
                m.d.sync += [
                    bits.eq(Cat(Const(0, 1), self.i_data, Const(1, 1))),
                    left.eq(_BITS),
                    wait.eq(self.cycles - 1),
                ]
        with m.Elif(wait != 0):
            m.d.sync += wait.eq(wait - 1)
        with m.Else():
            m.d.sync += [
                left.eq(left - 1), wait.eq(self.cycles - 1), bits.eq(Cat(bits[1:], Const(1, 1)))
            ]
        return m
