"""AXI4-Stream beats -> the form of beats that the rest of the gate works on."""

from collections.abc import Mapping

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .stream import axis_layout, beat_layout, counted, flow

GROUP = 16
"""Bits of tkeep looked at together: in a first cycle those of a group, in a second the groups."""


class Ingress(wiring.Component):
    """Clears the bytes that tkeep leaves out, marks first beats; one cycle.

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
        held = Signal(axis_layout(self.width, {"first": 1, **self.side}), reset_less=True)
        valid = Signal()
        first = Signal(init=1)
        empty_end = Signal()
        keep = Signal(self.width // 8)
        size = len(keep)
        starts = range(0, size, GROUP)
        # Ones before the first zero of each group; whether there is none in the groups before.
        leading = Signal(size)
        full = Signal(len(starts))

        m.d.comb += [
            keep.eq(beat.keep | (~beat.last).replicate(len(keep))),
            leading.eq(Cat(keep[n - n % GROUP : n + 1].all() for n in range(size))),
            full.eq(Cat(Cat(held.keep[n - 1] for n in starts if 0 < n <= k).all() for k in starts)),
            empty_end.eq(valid & ~held.last & self.i.valid & beat.last & ~beat.keep[0]),
            self.o.valid.eq(valid & (held.last | self.i.valid)),
            *(self.o.payload[name].eq(held[name]) for name in ("first", *self.side)),
            self.o.payload.last.eq(held.last | empty_end),
            self.o.payload.err.eq(held.err | (empty_end & beat.err)),
            self.o.payload.keep.eq(held.keep & Cat(full[n // GROUP] for n in range(size))),
            self.o.payload.count.eq(_count(held.keep, full)),
            self.o.payload.data.eq(
                Cat(
                    Mux(self.o.payload.keep[n], held.data.word_select(n, 8), 0)
                    for n in range(size)
                )
            ),
        ]
        m.d.sync += valid.eq(Mux(self.i.valid, ~empty_end, valid & ~held.last))
        with m.If(self.i.valid):
            m.d.sync += [
                first.eq(beat.last),
                held.data.eq(beat.data),
                held.keep.eq(leading),
                held.first.eq(first),
                held.last.eq(beat.last),
                held.err.eq(beat.last & beat.err),
            ]
            m.d.sync += [held[name].eq(beat[name]) for name in self.side]
        return m


def _count(leading: Value, full: Value) -> Value:
    """How many bytes there are, when no group behind one that is not full counts."""
    size = min(GROUP, len(leading))
    groups = [leading[n : n + size] for n in range(0, len(leading), size)]
    high = counted(Cat(full[n] & group[-1] for n, group in enumerate(groups)))
    if size == 1:
        return high
    low = Const(0, size.bit_length() - 1)
    for n, group in enumerate(groups):
        low = low | Mux(full[n], counted(group)[: len(low)], Const(0, len(low)))
    return Cat(low, high)
