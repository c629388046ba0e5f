"""Beats of all frames -> beats of the frames that are kept, no frame longer than the maximum."""

from collections.abc import Mapping

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .stream import beat_layout


class Admit(wiring.Component):
    """Cuts a frame at `max_frame` bytes, with `last` and `err` set there; takes no time.

    A frame whose first beat comes while `i_room` is low is left out as a whole. `o_received` and
    `o_overflow` are strobes, one per frame.
    """

    i: stream.Interface
    o: stream.Interface
    i_room: Signal
    o_received: Signal
    o_overflow: Signal

    def __init__(self, width: int, side: Mapping[str, int], max_frame: int) -> None:
        self.width = width
        self.max_frame = max_frame
        layout = beat_layout(width, side)
        super().__init__(
            {
                "i": In(stream.Signature(layout)),
                "o": Out(stream.Signature(layout)),
                "i_room": In(1),
                "o_received": Out(1),
                "o_overflow": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self.width // 8
        beats = -(-self.max_frame // size)
        rest = self.max_frame - (beats - 1) * size
        beat = self.i.payload
        discard = Signal()
        index = Signal(range(beats + 1))
        at_limit = Signal()
        refuse = Signal()
        over = Signal()
        move = Signal()
        too_many = beat.count > rest if rest < size else 0

        m.d.comb += [
            at_limit.eq(Mux(beat.first, int(beats == 1), index == beats - 1)),
            over.eq(at_limit & (~beat.last | too_many)),
            refuse.eq(beat.first & ~self.i_room),
            self.o.payload.eq(beat),
            self.o.valid.eq(self.i.valid & ~discard & ~refuse),
            self.i.ready.eq(self.o.ready | discard | refuse),
            move.eq(self.i.valid & self.i.ready),
            self.o_received.eq(move & beat.first),
            self.o_overflow.eq(move & refuse),
        ]
        with m.If(over):
            m.d.comb += [
                self.o.payload.data.eq(beat.data & ((1 << 8 * rest) - 1)),
                self.o.payload.count.eq(rest),
                self.o.payload.last.eq(1),
                self.o.payload.err.eq(1),
            ]
        with m.If(move):
            m.d.sync += [
                index.eq(Mux(beat.first, 1, index + ~at_limit)),
                discard.eq(~beat.last & (discard | refuse | over)),
            ]
        return m
