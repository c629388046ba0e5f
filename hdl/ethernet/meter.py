"""A PHY's receive clock -> the speed of its link, by how fast that clock is.

RGMII 2.0 section 3.3: RXC has 125, 25 or 2.5 MHz; no PHY has to be asked for its status.
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import Out

from .encode import Speed

WINDOW = 2048
"""Cycles of the system clock in which is counted."""
AGREE = 3
"""Windows one after the other that have to be of one speed. So a clock that stands still for a while
changes no speed: of windows in which it has some edges, but too few, that gives two at most."""
_DIVIDER_BITS = 3
_GIGABIT = WINDOW >> _DIVIDER_BITS
"""Periods of the divided clock in a window when both clocks have 125 MHz."""
_AT_LEAST_1000 = _GIGABIT // 2
_AT_LEAST_100 = _GIGABIT // 10


class Meter(wiring.Component):
    """`o_speed` of the clock of `domain`, against a system clock of 125 MHz; `o_present` when it has
    edges at all: as of the last whole window, but for speeds that are not certain yet."""

    o_speed: Signal
    o_present: Signal

    def __init__(self, domain: str) -> None:
        self.domain = domain
        super().__init__({"o_speed": Out(Speed), "o_present": Out(1)})

    def elaborate(self, platform) -> Module:
        m = Module()
        divider = Signal(_DIVIDER_BITS, reset_less=True)
        m.d[self.domain] += divider.eq(divider + 1)
        slow, before = Signal(), Signal()
        m.submodules.cdc = FFSynchronizer(divider[-1], slow)

        time = Signal(range(WINDOW))
        edges = Signal(range(2 * _GIGABIT))
        found, last = Signal(Speed), Signal(Speed)
        others = Signal(range(AGREE))
        """Windows before this one that were of the speed `last`, up to AGREE - 1."""
        m.d.comb += found.eq(
            Mux(edges >= _AT_LEAST_1000, Speed.M1000,
                Mux(edges >= _AT_LEAST_100, Speed.M100, Speed.M10))
        )
        m.d.sync += [before.eq(slow), time.eq(time + 1)]
        with m.If(time == 0):
            m.d.sync += [edges.eq(0), self.o_present.eq(edges != 0), last.eq(found), others.eq(1)]
            with m.If(edges == 0):
                m.d.sync += others.eq(0)
            with m.Elif((found == last) & (others == AGREE - 1)):
                m.d.sync += [self.o_speed.eq(found), others.eq(others)]
            with m.Elif((found == last) & (others != 0)):
                m.d.sync += others.eq(others + 1)
        with m.Elif(slow & ~before & (edges != 2 * _GIGABIT - 1)):
            m.d.sync += edges.eq(edges + 1)
        return m
