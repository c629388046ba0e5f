"""A byte per byte time -> both halves of RGMII transmit cycles, the transmit clock among them.

RGMII 2.0 section 3.3: 125, 25 or 2.5 MHz, made here of a system clock of 125 MHz; a byte at both
edges of a cycle, or a nibble in each cycle.
"""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import enum, wiring
from amaranth.lib.wiring import In, Out


class Speed(enum.Enum, shape=2):
    """A link's speed, in megabits per second; the numbers are RGMII's own (section 3.4)."""

    M10 = 0
    M100 = 1
    M1000 = 2


_PERIODS = {Speed.M10: 50, Speed.M100: 5}
"""Cycles of the system clock in one of the transmit clock."""


class Encode(wiring.Component):
    """`o_rise` and `o_fall` are TXD[3:0] in the two halves of a system cycle, `o_control` is TX_CTL
    in both, bits 0 and 1 of `o_clock` are TXC in them. TXD changes with the rising edge of TXC.

    `o_tick` is high in the last cycle of each byte time; `i_data` and `i_enable` change after it.
    """

    i_speed: Signal
    i_data: Signal
    i_enable: Signal
    o_tick: Signal
    o_rise: Signal
    o_fall: Signal
    o_control: Signal
    o_clock: Signal

    def __init__(self) -> None:
        super().__init__(
            {
                "i_speed": In(Speed),
                "i_data": In(8),
                "i_enable": In(1),
                "o_tick": Out(1),
                "o_rise": Out(4),
                "o_fall": Out(4),
                "o_control": Out(1),
                "o_clock": Out(2),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        left = Signal(range(max(_PERIODS.values())))
        over, high, gigabit, fast = Signal(), Signal(), Signal(), Signal()
        """The last cycle of a byte's or nibble's time, before which `left` counts to 0."""
        nibble = Signal(4)
        m.d.comb += [
            gigabit.eq(self.i_speed == Speed.M1000),
            fast.eq(self.i_speed == Speed.M100),
            nibble.eq(self.i_data.word_select(high, 4)),
        ]
        ends = gigabit | (~over & (left == 0))
        m.d.sync += [
            over.eq(ends),
            self.o_tick.eq(gigabit | (ends & high)),
            high.eq(~gigabit & (high ^ over)),
            left.eq(left - 1),
            self.o_control.eq(self.i_enable),
        ]
        with m.If(over):
            m.d.sync += left.eq(Mux(fast, _PERIODS[Speed.M100], _PERIODS[Speed.M10]) - 2)
        with m.If(gigabit):
            m.d.sync += [
                self.o_rise.eq(self.i_data[:4]),
                self.o_fall.eq(self.i_data[4:]),
                self.o_clock.eq(0b01),
            ]
        with m.Else():
            # In the cycle p of a period of n, n - 2 - p are left; both halves of TXC are n / 2 long.
            first = Mux(fast, left >= 1, left >= 24)
            second = Mux(fast, left >= 2, left >= 24)
            m.d.sync += [
                self.o_rise.eq(nibble),
                self.o_fall.eq(nibble),
                self.o_clock.eq(Mux(over, 0, Cat(first, second))),
            ]
        return m
