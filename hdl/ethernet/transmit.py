"""Bytes of whole frames -> bytes on the wire: preamble, delimiter, frame, padding, FCS, gap.

IEEE 802.3 clauses 4.2.5 (preamble), 4.2.6 (delimiter), 3.2.8 (padding to minFrameSize), 3.2.9 (frame
check sequence), 4.2.3.2.2 and 4.4.2 (interPacketGap).
"""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .crc import CRC_BITS, FCS_BYTES, START, crc_next
from .frames import DELIMITER, GAP, MIN_FRAME, PREAMBLE, PREAMBLE_BYTES, sent

_SHORTEST = MIN_FRAME - FCS_BYTES


class Transmit(wiring.Component):
    """`o_data` and `o_enable` (TXD and TX_EN of clause 35.2.2) change after cycles with `i_tick`, one
    per byte time. A byte of `i` is taken in each byte time of a frame, whether there is one or not.
    """

    i: stream.Interface
    i_tick: Signal
    o_data: Signal
    o_enable: Signal

    def __init__(self) -> None:
        super().__init__(
            {"i": In(sent()), "i_tick": In(1), "o_data": Out(8), "o_enable": Out(1)}
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        crc = Signal(CRC_BITS, init=START)
        count = Signal(range(max(PREAMBLE_BYTES, GAP) + 1))
        size = Signal(range(_SHORTEST + 1))
        byte = Signal(8)
        summed = Signal()
        """The byte goes into the check sequence."""
        enable = Signal()
        sending = Signal()

        with m.FSM():
            with m.State("IDLE"):
                with m.If(self.i_tick & self.i.valid):
                    m.d.sync += count.eq(PREAMBLE_BYTES)
                    m.next = "PREAMBLE"
            with m.State("PREAMBLE"):
                m.d.comb += [enable.eq(1), byte.eq(PREAMBLE)]
                with m.If(count == 0):
                    m.d.comb += byte.eq(DELIMITER)
                with m.If(self.i_tick):
                    m.d.sync += [count.eq(count - 1), crc.eq(START), size.eq(0)]
                    with m.If(count == 0):
                        m.next = "DATA"
            with m.State("DATA"):
                m.d.comb += [
                    enable.eq(1), byte.eq(self.i.payload.data), summed.eq(1), sending.eq(1)
                ]
                with m.If(self.i_tick & self.i.payload.last):
                    m.d.sync += count.eq(FCS_BYTES - 1)
                    with m.If(size >= _SHORTEST - 1):
                        m.next = "FCS"
                    with m.Else():
                        m.next = "PAD"
            with m.State("PAD"):
                m.d.comb += [enable.eq(1), summed.eq(1)]
                with m.If(self.i_tick & (size == _SHORTEST - 1)):
                    m.next = "FCS"
            with m.State("FCS"):
                m.d.comb += [enable.eq(1), byte.eq(~crc[:8])]
                with m.If(self.i_tick):
                    m.d.sync += [count.eq(count - 1), crc.eq(crc >> 8)]
                    with m.If(count == 0):
                        # Idle is a byte time of the gap, and so is the one that leads there.
                        m.d.sync += count.eq(GAP - 2)
                        m.next = "GAP"
            with m.State("GAP"):
                with m.If(self.i_tick):
                    m.d.sync += count.eq(count - 1)
                    with m.If(count == 0):
                        m.next = "IDLE"

        m.d.comb += self.i.ready.eq(sending & self.i_tick)
        with m.If(self.i_tick):
            m.d.sync += [self.o_data.eq(byte), self.o_enable.eq(enable)]
            with m.If(summed):
                m.d.sync += [
                    crc.eq(crc_next(crc, byte)),
                    size.eq(size + (size != _SHORTEST)),
                ]
        return m
