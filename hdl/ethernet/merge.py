"""Two streams of frames -> one, frame after frame, by turns when both have some."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .frames import sent


class Merge(wiring.Component):
    """A cycle passes between two frames, none within one."""

    i_a: stream.Interface
    i_b: stream.Interface
    o: stream.Interface

    def __init__(self) -> None:
        super().__init__({"i_a": In(sent()), "i_b": In(sent()), "o": Out(sent())})

    def elaborate(self, platform) -> Module:
        m = Module()
        inside, second = Signal(), Signal()
        a, b = self.i_a, self.i_b
        m.d.comb += [
            self.o.payload.eq(Mux(second, b.payload, a.payload)),
            self.o.valid.eq(inside & Mux(second, b.valid, a.valid)),
            a.ready.eq(inside & ~second & self.o.ready),
            b.ready.eq(inside & second & self.o.ready),
        ]
        with m.If(~inside):
            m.d.sync += [
                inside.eq(a.valid | b.valid),
                second.eq(Mux(second, ~a.valid, b.valid)),
            ]
        with m.Elif(self.o.valid & self.o.ready & self.o.payload.last):
            m.d.sync += inside.eq(0)
        return m
