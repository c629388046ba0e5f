"""Beats of all frames -> beats of the frames that are kept, no frame longer than the maximum."""

from collections.abc import Mapping

from amaranth.hdl import Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .stream import beat_layout, counted, counted_layout, flow


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
        self.side = dict(side)
        super().__init__(
            {
                "i": In(flow(beat_layout(width, side))),
                "o": Out(flow(counted_layout(width, side))),
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
        kept = Signal(counted_layout(self.width, self.side), reset_less=True)
        valid = Signal()
        discard = Signal()
        at_limit = Signal()
        refuse = Signal()
        too_many = beat.keep[rest] if rest < size else Const(0)
        # Counts down to -1 at the last beat that may be; a first beat is number 0.
        left = Signal(range(-1, max(2, beats)), reset_less=True)

        m.d.comb += [
            at_limit.eq(Mux(beat.first, int(beats == 1), left < 0)),
            refuse.eq(beat.first & ~self.i_room),
            self.o.payload.eq(kept),
            self.o.valid.eq(valid),
            self.o_received.eq(self.i.valid & beat.first),
            self.o_overflow.eq(self.i.valid & refuse),
        ]
        # At the limit there is nothing left of what lies beyond it, whether or not there was any.
        within = Mux(at_limit, (1 << rest) - 1, (1 << size) - 1)
        m.d.sync += [
            valid.eq(self.i.valid & ~discard & ~refuse),
            *(
                kept.data.word_select(n, 8).eq(
                    Mux(within[n], beat.data.word_select(n, 8), 0)
                )
                for n in range(size)
            ),
            kept.count.eq(Mux(at_limit & too_many, rest, beat.count)),
            kept.first.eq(beat.first),
            kept.last.eq(beat.last | at_limit),
            kept.err.eq(beat.err | (at_limit & (~beat.last | too_many))),
            *(kept[name].eq(beat[name]) for name in self.side),
        ]
        if self.window:
            present = counted(beat.keep[: self.window])
            m.d.sync += self.o_present.eq(
                Mux(at_limit & too_many, min(rest, self.window), present)
            )
        with m.If(self.i.valid):
            m.d.sync += [
                left.eq(Mux(beat.first, beats - 3, left - 1)),
                discard.eq(~beat.last & (discard | refuse | at_limit)),
            ]
        return m
