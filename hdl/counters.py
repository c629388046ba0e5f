"""Events of frames -> 64-bit totals."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..ctx_map.registers import COUNTERS as _COUNTERS
from ..ctx_map.verdicts import VERDICT_BITS, Verdict

COUNTER_BITS = 64
COUNTERS = tuple(_COUNTERS)
"""received is the sum of the others once all frames have left; each frame is in one of them."""


class Counters(wiring.Component):
    """Counts; the totals follow the events by two cycles.

    With `clear` there is a port `i_clear`: where it is high, what a total would have risen by in that
    cycle is what it becomes.
    """

    i_received: Signal
    i_overflow: Signal
    i_done: Signal
    i_verdict: Signal
    i_bad: Signal
    i_clear: Signal

    def __init__(self, *, clear: bool = False) -> None:
        self.clear = clear
        super().__init__(
            {
                "i_received": In(1),
                "i_overflow": In(1),
                "i_done": In(1),
                "i_verdict": In(VERDICT_BITS),
                "i_bad": In(1),
                **{f"o_{name}": Out(COUNTER_BITS) for name in COUNTERS},
                **({"i_clear": In(1)} if clear else {}),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        good = self.i_done & ~self.i_bad
        events = {
            "received": self.i_received,
            "overflow": self.i_overflow,
            "bad": self.i_done & self.i_bad,
            **{v.name.lower(): good & (self.i_verdict == v.value) for v in Verdict},
        }
        for name in COUNTERS:
            event = Signal(name=f"event_{name}")
            total = getattr(self, f"o_{name}")
            m.d.sync += [event.eq(events[name]), total.eq(total + event)]
            if self.clear:
                with m.If(self.i_clear):
                    m.d.sync += total.eq(event)
        return m
