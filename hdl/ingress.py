"""AXI4-Stream beats -> beats with a byte count, the form that the rest of the gate works on."""

from collections.abc import Mapping

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .stream import axis_layout, beat_layout


class Ingress(wiring.Component):
    """Counts bytes, clears the bytes that tkeep leaves out, marks first beats; one cycle.

    tkeep counts at last beats and up to its first 0; other beats are full. A last beat without
    bytes ends the beat before it, so each beat but a frame's last waits for its successor.
    """

    i: stream.Interface
    o: stream.Interface

    latency = 1

    def __init__(self, width: int, side: Mapping[str, int]) -> None:
        self.width = width
        self.side = dict(side)
        super().__init__(
            {
                "i": In(stream.Signature(axis_layout(width, side))),
                "o": Out(stream.Signature(beat_layout(width, side))),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self.width // 8
        beat = self.i.payload
        held = Signal(beat_layout(self.width, self.side), reset_less=True)
        valid = Signal()
        first = Signal(init=1)
        empty_end = Signal()
        keep = Signal(size + 1)
        carry = Signal(size + 1)
        count = Signal(range(size + 1))
        kept = Signal(size)

        m.d.comb += [
            keep.eq(Mux(beat.last, beat.keep, (1 << size) - 1)),
            carry.eq(keep + 1),
            kept.eq(keep & ~carry),
            empty_end.eq(valid & ~held.last & self.i.valid & beat.last & ~beat.keep[0]),
            self.o.valid.eq(valid & (held.last | self.i.valid)),
            self.o.payload.eq(held),
            self.i.ready.eq(~valid | self.o.ready),
        ]
        # Adding 1 leaves a 1 where tkeep has its first 0, and changes nothing above.
        boundary = Signal(size + 1)
        m.d.comb += boundary.eq(carry & ~keep)
        encoded = 0
        for n in range(1, size + 1):
            encoded = encoded | Mux(boundary[n], n, 0)
        m.d.comb += count.eq(encoded)
        with m.If(empty_end):
            m.d.comb += [self.o.payload.last.eq(1), self.o.payload.err.eq(beat.err)]

        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [first.eq(beat.last), valid.eq(~empty_end)]
            m.d.sync += [
                held.data.word_select(n, 8).eq(Mux(kept[n], beat.data.word_select(n, 8), 0))
                for n in range(size)
            ]
            m.d.sync += [
                held.count.eq(count),
                held.first.eq(first),
                held.last.eq(beat.last),
                held.err.eq(beat.last & beat.err),
            ]
            m.d.sync += [held[name].eq(beat[name]) for name in self.side]
        with m.Elif(self.o.valid & self.o.ready):
            m.d.sync += valid.eq(0)
        return m
