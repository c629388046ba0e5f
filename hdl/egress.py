"""Buffered beats and verdicts -> the frames that leave, and an event per frame for the counters."""

from amaranth.hdl import Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..ctx_map.verdicts import VERDICT_BITS, Verdict
from .stream import out_layout, stored_layout

RESULT = data.StructLayout({"verdict": VERDICT_BITS, "bad": 1})
"""A frame's verdict; `bad` is meaningful when it was decided after the frame's end."""


class Egress(wiring.Component):
    """Joins each frame with its result; takes no time.

    Dropped frames are consumed at a beat per cycle, unless `mark`: then every frame goes on. With
    `drop_bad` frames with a bad end are dropped too; otherwise the end carries `err`. `o_done` is
    high when a frame's last beat goes; then `o_verdict` and `o_bad` say how it ended.
    """

    i: stream.Interface
    i_result: stream.Interface
    o: stream.Interface
    o_done: Signal
    o_verdict: Signal
    o_bad: Signal

    def __init__(self, width: int, *, mark: bool, drop_bad: bool) -> None:
        self.width = width
        self.mark = mark
        self.drop_bad = drop_bad
        super().__init__(
            {
                "i": In(stream.Signature(stored_layout(width))),
                "i_result": In(stream.Signature(RESULT)),
                "o": Out(stream.Signature(out_layout(width))),
                "o_done": Out(1),
                "o_verdict": Out(VERDICT_BITS),
                "o_bad": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self.width // 8
        beat = self.i.payload
        result = self.i_result.payload
        keeps = [v.value for v in Verdict if not v.drops]
        forward = Signal()

        if self.mark:
            m.d.comb += forward.eq(1)
        else:
            passed = result.verdict.matches(*keeps)
            m.d.comb += forward.eq(passed & ~result.bad if self.drop_bad else passed)
        m.d.comb += [
            self.o.valid.eq(self.i.valid & self.i_result.valid & forward),
            self.i.ready.eq(self.i_result.valid & (self.o.ready | ~forward)),
            self.o_done.eq(self.i.valid & self.i.ready & beat.last),
            self.o_verdict.eq(result.verdict),
            self.o_bad.eq(beat.err),
            self.i_result.ready.eq(self.o_done),
            self.o.payload.data.eq(beat.data),
            self.o.payload.last.eq(beat.last),
            self.o.payload.verdict.eq(result.verdict),
            self.o.payload.err.eq(beat.err),
        ]
        for n in range(size):
            m.d.comb += self.o.payload.keep[n].eq(beat.count > n)
        return m
