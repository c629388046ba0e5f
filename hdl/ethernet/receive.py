"""Both halves of RGMII receive cycles -> bytes of frames, checked and without preamble and FCS.

Every start frame delimiter begins a frame, and every frame has exactly one last byte. A frame is in
error when its frame check sequence is wrong (IEEE 802.3 clause 4.2.4.1.2), when it is shorter than
minFrameSize, or when the PHY signals an error within it (clause 35.2.2.8). A nibble behind the last
whole byte is left out (clause 4.2.4.2.1).
"""

from amaranth.hdl import Array, Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .crc import CRC_BITS, FCS_BYTES, RESIDUE, START, crc_next
from .frames import DELIMITER, MIN_FRAME, RECEIVED, received

_HELD = FCS_BYTES + 1
"""Bytes that wait: when a frame ends the last four are its FCS, the one before its last."""


class Receive(wiring.Component):
    """Runs in the PHY's receive clock, which is `sync` here.

    `i_rise` and `i_fall` are RXD[3:0] at the clock's edges, `i_dv` and `i_control` RX_CTL at the
    rising and the falling one (RGMII 2.0 section 3.0). With `i_gigabit` a cycle has a byte, its low
    half first; otherwise it has a nibble. A byte comes out when the fifth after it has come in, and
    the last one three cycles after the carrier's end.
    """

    i_rise: Signal
    i_fall: Signal
    i_dv: Signal
    i_control: Signal
    i_gigabit: Signal
    o: stream.Interface

    def __init__(self) -> None:
        super().__init__(
            {
                "i_rise": In(4),
                "i_fall": In(4),
                "i_dv": In(1),
                "i_control": In(1),
                "i_gigabit": In(1),
                "o": Out(received()),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        taken, ended, error = Signal(), Signal(), Signal()
        byte = Signal(8, reset_less=True)
        self._find(m, taken, ended, error, byte)

        crc = Signal(CRC_BITS, init=START)
        size = Signal(range(MIN_FRAME + 1))
        bad = Signal()
        held = Array(Signal(8, name=f"held_{n}", reset_less=True) for n in range(_HELD))
        full = Signal()
        m.d.comb += full.eq(size >= _HELD)
        with m.If(taken):
            m.d.sync += [
                crc.eq(crc_next(crc, byte)),
                size.eq(size + (size != MIN_FRAME)),
                held[0].eq(byte),
                *(held[n].eq(held[n - 1]) for n in range(1, _HELD)),
            ]
        with m.If(ended):
            m.d.sync += [crc.eq(START), size.eq(0), bad.eq(0)]
        with m.Elif(error):
            m.d.sync += bad.eq(1)

        beat = Signal(RECEIVED, reset_less=True)
        valid = Signal()
        m.d.sync += [
            valid.eq((taken & full) | ended),
            beat.data.eq(held[_HELD - 1]),
            beat.empty.eq(~full),
            beat.last.eq(ended),
            beat.err.eq(ended & (bad | error | (size != MIN_FRAME) | (crc != RESIDUE))),
        ]
        m.d.comb += [self.o.valid.eq(valid), self.o.payload.eq(beat)]
        return m

    def _find(
        self, m: Module, taken: Signal, ended: Signal, error: Signal, byte: Signal
    ) -> None:
        """Strobes for the bytes behind a delimiter, for their end, and for errors in between."""
        pair = Signal(8, reset_less=True)
        carrier, wrong = Signal(), Signal()
        m.d.sync += [
            pair.eq(Cat(self.i_rise, self.i_fall)),
            carrier.eq(self.i_dv),
            wrong.eq(self.i_dv & ~self.i_control),
        ]
        inside, half = Signal(), Signal()
        before = Signal(4)
        found = Signal(8)
        m.d.comb += found.eq(Mux(self.i_gigabit, pair, Cat(before, pair[:4])))
        m.d.sync += [
            before.eq(Mux(carrier, pair[:4], 0)),
            inside.eq(carrier & (inside | (found == DELIMITER))),
            half.eq(carrier & inside & ~half),
            taken.eq(carrier & inside & (self.i_gigabit | half)),
            ended.eq(inside & ~carrier),
            error.eq(inside & wrong),
            byte.eq(found),
        ]
