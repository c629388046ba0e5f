"""Beats of all frames -> beats of the frames that are kept, no frame longer than the maximum."""

from collections.abc import Mapping

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .stream import beat_layout, flow


class Admit(wiring.Component):
    """Cuts a frame at `max_frame` bytes, with `last` and `err` set there; one cycle.

    A frame whose first beat comes while `i_room` is low is left out as a whole. `o_received` and
    `o_overflow` are strobes, one per frame. With `window` there is `o_present`, the bytes of the beat
    at `o`, but no more than `window`.
    """

    i: stream.Interface
    o: stream.Interface
    i_room: Signal
    o_received: Signal
    o_overflow: Signal
    o_present: Signal

    latency = 1

    def __init__(
        self, width: int, side: Mapping[str, int], max_frame: int, window: int = 0
    ) -> None:
        self.width = width
        self.window = window
        self.max_frame = max_frame
        self.layout = beat_layout(width, side)
        super().__init__(
            {
                "i": In(flow(self.layout)),
                "o": Out(flow(self.layout)),
                "i_room": In(1),
                "o_received": Out(1),
                "o_overflow": Out(1),
                **({"o_present": Out(range(window + 1))} if window else {}),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self.width // 8
        beats = -(-self.max_frame // size)
        rest = self.max_frame - (beats - 1) * size
        beat = self.i.payload
        kept = Signal(self.layout, reset_less=True)
        valid = Signal()
        discard = Signal()
        at_limit = Signal()
        refuse = Signal()
        over = Signal()
        too_many = beat.count > rest if rest < size else 0
        # Counts down to -1 at the last beat that may be; a first beat is number 0.
        left = Signal(range(-1, max(2, beats)), reset_less=True)

        m.d.comb += [
            at_limit.eq(Mux(beat.first, int(beats == 1), left < 0)),
            over.eq(at_limit & (~beat.last | too_many)),
            refuse.eq(beat.first & ~self.i_room),
            self.o.payload.eq(kept),
            self.o.valid.eq(valid),
            self.o_received.eq(self.i.valid & beat.first),
            self.o_overflow.eq(self.i.valid & refuse),
        ]
        m.d.sync += [valid.eq(self.i.valid & ~discard & ~refuse), kept.eq(beat)]
        with m.If(over):
            m.d.sync += [
                kept.data.eq(beat.data & ((1 << 8 * rest) - 1)),
                kept.count.eq(rest),
                kept.last.eq(1),
                kept.err.eq(1),
            ]
        if self.window:
            count = Mux(over, rest, beat.count)
            m.d.sync += self.o_present.eq(Mux(count > self.window, self.window, count))
        with m.If(self.i.valid):
            m.d.sync += [
                left.eq(Mux(beat.first, beats - 3, left - 1)),
                discard.eq(~beat.last & (discard | refuse | over)),
            ]
        return m
