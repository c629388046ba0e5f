"""AXI4-Stream beats -> beats with a byte count, the form that the rest of the gate works on."""

from collections.abc import Mapping

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .stream import axis_layout, beat_layout, flow


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
                "i": In(flow(axis_layout(width, side))),
                "o": Out(flow(beat_layout(width, side))),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        beat = self.i.payload
        held = Signal(beat_layout(self.width, self.side), reset_less=True)
        valid = Signal()
        first = Signal(init=1)
        empty_end = Signal()
        keep = Signal(self.width // 8)

        m.d.comb += [
            keep.eq(beat.keep | (~beat.last).replicate(len(keep))),
            empty_end.eq(valid & ~held.last & self.i.valid & beat.last & ~beat.keep[0]),
            self.o.valid.eq(valid & (held.last | self.i.valid)),
            self.o.payload.eq(held),
        ]
        with m.If(empty_end):
            m.d.comb += [self.o.payload.last.eq(1), self.o.payload.err.eq(beat.err)]

        m.d.sync += valid.eq(Mux(self.i.valid, ~empty_end, valid & ~held.last))
        with m.If(self.i.valid):
            m.d.sync += [
                held.data.word_select(n, 8).eq(
                    Mux(keep[: n + 1].all(), beat.data.word_select(n, 8), 0)
                )
                for n in range(len(keep))
            ]
            m.d.sync += [
                first.eq(beat.last),
                held.count.eq(_leading_ones(m, keep)),
                held.first.eq(first),
                held.last.eq(beat.last),
                held.err.eq(beat.last & beat.err),
            ]
            m.d.sync += [held[name].eq(beat[name]) for name in self.side]
        return m


def _leading_ones(m: Module, bits: Value) -> Value:
    """How many of a power of two of bits are 1 before the first 0.

    Of halves: the upper one counts if the lower is all ones. So a bit of the count has a tree of
    choices behind it, not a chain through all bits.
    """
    if len(bits) == 1:
        return bits
    half = len(bits) // 2
    low, high = _leading_ones(m, bits[:half]), _leading_ones(m, bits[half:])
    # Only a count of all bits has the top bit set. A signal, since expressions are not shared.
    rest = [Mux(low[-1], high[:-1], low[:-1])] if half > 1 else []
    count = Signal(range(len(bits) + 1), name=f"count_{len(bits)}")
    m.d.comb += count.eq(Cat(*rest, low[-1] & ~high[-1], low[-1] & high[-1]))
    return count
