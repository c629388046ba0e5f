"""Buffered beats and verdicts -> the frames that leave, and an event per frame for the counters."""

from amaranth.hdl import Cat, Const, Module, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..ctx_map.verdicts import VERDICT_BITS, Verdict
from .stream import decided_layout, out_layout, stored_layout

RESULT = data.StructLayout({"verdict": VERDICT_BITS, "forward": 1})
"""A frame's verdict, and whether that lets it go on: found out before the verdict waits, so that the
path from the next frame's verdict back to the packet buffer does not begin with reading it."""


def result(verdict: Value, bad: Value | None, *, mark: bool) -> dict[str, Value]:
    """The members of a result. Frames with a `bad` end are dropped; None if that is not known yet."""
    keeps = verdict.matches(*(v.value for v in Verdict if not v.drops))
    if bad is not None:
        keeps = keeps & ~bad
    return {"verdict": verdict, "forward": Const(1) if mark else keeps}


def leaving(beat: data.View) -> dict[str, Value]:
    """The members of `out_layout` of a decided beat."""
    keep = Cat(_at_least(beat.count, n + 1) for n in range(len(beat.data) // 8))
    return {name: keep if name == "keep" else beat[name] for name, _ in out_layout(8)}


def _at_least(count: Value, n: int) -> Value:
    """Whether `count` is `n` or more, without a carry from its lower bits to the upper ones."""
    low, high = count[:3], count[3:]
    upper, lower = divmod(n, 8)
    if not len(high):
        return low >= lower
    if not lower:
        return high >= upper
    return (high > upper) | ((high == upper) & (low >= lower))


class Egress(wiring.Component):
    """Joins each frame with its result; takes no time.

    Frames that do not go on are consumed at a beat per cycle. `o_done` is high when a frame's last
    beat goes; then `o_verdict` and `o_bad` say how it ended.
    """

    i: stream.Interface
    i_result: stream.Interface
    o: stream.Interface
    o_done: Signal
    o_verdict: Signal
    o_bad: Signal

    def __init__(self, width: int) -> None:
        self.width = width
        super().__init__(
            {
                "i": In(stream.Signature(stored_layout(width))),
                "i_result": In(stream.Signature(RESULT)),
                "o": Out(stream.Signature(decided_layout(width))),
                "o_done": Out(1),
                "o_verdict": Out(VERDICT_BITS),
                "o_bad": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        beat = self.i.payload
        verdict, forward = self.i_result.payload.verdict, self.i_result.payload.forward
        m.d.comb += [
            self.o.valid.eq(self.i.valid & self.i_result.valid & forward),
            self.i.ready.eq(self.i_result.valid & (self.o.ready | ~forward)),
            self.o_done.eq(self.i.valid & self.i.ready & beat.last),
            self.o_verdict.eq(verdict),
            self.o_bad.eq(beat.err),
            self.i_result.ready.eq(self.o_done),
            self.o.payload.verdict.eq(verdict),
            *(self.o.payload[name].eq(beat[name]) for name, _ in stored_layout(8)),
        ]
        return m
