"""Stream -> the same stream, with every output registered in both directions."""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class Skid(wiring.Component):
    """Two registers; full rate, one cycle, no combinational path from `o` to `i` or back.

    `i.ready` is low while in reset, so that nothing is accepted and lost.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, shape) -> None:
        self.shape = shape
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform) -> Module:
        m = Module()
        spare = Signal(self.shape, reset_less=True)
        held = Signal(self.shape, reset_less=True)
        full = Signal()
        valid = Signal()
        ready = Signal()
        accept = Signal()

        m.d.comb += [
            self.i.ready.eq(ready),
            self.o.valid.eq(valid),
            self.o.payload.eq(held),
            accept.eq(self.i.valid & ready),
        ]
        with m.If(~valid | self.o.ready):
            m.d.sync += [valid.eq(accept | full), full.eq(0), ready.eq(1)]
            with m.If(full):
                m.d.sync += held.eq(spare)
            with m.Else():
                m.d.sync += held.eq(self.i.payload)
        with m.Else():
            with m.If(accept):
                m.d.sync += full.eq(1)
            m.d.sync += ready.eq(~(full | accept))
        with m.If(~full):
            m.d.sync += spare.eq(self.i.payload)
        return m
