"""Bytes of frames in a PHY's receive clock -> the same frames in the system's clock.

What cannot be written is lost with the rest of its frame, which is then ended with an error: behind
the crossing each frame is whole, or known to be bad.
"""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import AsyncFIFO
from amaranth.lib.wiring import In, Out

from .frames import RECEIVED, received

DEPTH = 16
"""Bytes. The reader takes one in each of its cycles: if it is as fast as the bytes of a frame come,
ten of them are enough, for what is on its way through the synchronizers. Memory of so many rows is read
without a choice behind it."""


class Crossing(wiring.Component):
    """`i` is in the clock domain `domain`, `o` in `sync`. A reset of `domain` empties it.

    A frame that begins while the end of one that was lost cannot be written yet is lost too, without
    a trace. A test proves that every end without an error, written to `fifo`, is that of a whole frame.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, domain: str) -> None:
        self.domain = domain
        self.fifo = AsyncFIFO(width=RECEIVED.size, depth=DEPTH, w_domain=domain, r_domain="sync")
        super().__init__({"i": In(received()), "o": Out(received())})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.fifo = fifo = self.fifo
        sync = m.d[self.domain]
        beat = self.i.payload
        skip, owed = Signal(), Signal()
        """The frame's other beats are lost; an end with an error has to be written."""
        keep = Signal()
        m.d.comb += [
            keep.eq(self.i.valid & ~skip & ~owed & fifo.w_rdy),
            fifo.w_en.eq(keep | owed),
            fifo.w_data.eq(beat.as_value()),
        ]
        with m.If(owed):
            m.d.comb += fifo.w_data.eq(_LOST.as_value())
            with m.If(fifo.w_rdy):
                sync += owed.eq(0)
        with m.If(self.i.valid):
            with m.If(beat.last):
                sync += skip.eq(0)
            with m.Elif(~keep):
                sync += skip.eq(1)
            with m.If(~keep & ~skip):
                sync += owed.eq(1)

        m.d.comb += [
            fifo.r_en.eq(1),
            self.o.valid.eq(fifo.r_rdy),
            self.o.payload.eq(fifo.r_data),
        ]
        return m


_LOST = RECEIVED.const({"empty": 1, "last": 1, "err": 1})
"""The end of a frame that was lost."""
