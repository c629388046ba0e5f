"""Accepted beats -> one launch per frame, with its first bytes side by side.

The tap behind it never stalls: it sees beats only as they are accepted.
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .stream import counted_layout


class Window(wiring.Component):
    """Gathers the first `window` bytes; `o_valid` is high for one cycle per frame.

    That cycle comes `latency` cycles after the beat which completes the window or ends the frame, or
    with `at_end` always the latter. In it `o_window` has byte 0 in bits 7:0 and zeros beyond the
    frame's end, and `o_present` says how many of its bytes there are. With `window` 0 neither port
    exists. A window of one beat is gathered already: that beat is shown as it comes, with the
    `i_present` of it (its bytes, `window` at most), so that the beat's registers are the window's.
    """

    i_valid: Signal
    i_beat: data.View
    i_present: Signal
    o_valid: Signal
    o_window: Signal
    o_present: Signal

    def __init__(self, width: int, window: int, *, at_end: bool) -> None:
        self.width = width
        self.window = window
        self.at_end = at_end
        self.at_once = not at_end and 8 * window <= width
        self.latency = 0 if self.at_once else 1
        ports = {"i_valid": In(1), "i_beat": In(counted_layout(width, {})), "o_valid": Out(1)}
        if window:
            ports |= {"o_window": Out(8 * window), "o_present": Out(range(window + 1))}
            if self.at_once:
                ports["i_present"] = In(range(window + 1))
        super().__init__(ports)

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self.width // 8
        beats = max(1, -(-self.window // size))
        beat = self.i_beat
        if self.at_once:
            m.d.comb += self.o_valid.eq(self.i_valid & beat.first)
            if self.window:
                m.d.comb += [self.o_window.eq(beat.data), self.o_present.eq(self.i_present)]
            return m

        index = Signal(range(beats + 1))
        here = Signal(range(beats + 1))

        m.d.comb += here.eq(Mux(beat.first, 0, index))
        with m.If(self.i_valid):
            m.d.sync += index.eq(here + (here != beats))
        if self.at_end:
            m.d.sync += self.o_valid.eq(self.i_valid & beat.last)
        else:
            complete = (here == beats - 1) | (beat.last & (here != beats))
            m.d.sync += self.o_valid.eq(self.i_valid & complete)
        if not self.window:
            return m

        gathered = Signal(8 * self.window, reset_less=True)
        present = Signal(range(self.window + 1), reset_less=True)
        bytes_here = Signal(range((beats + 1) * size + 1))
        m.d.comb += [
            self.o_window.eq(gathered),
            self.o_present.eq(present),
            bytes_here.eq(here * size + beat.count),
        ]
        with m.If(self.i_valid):
            for n in range(beats):
                part = gathered[n * self.width : (n + 1) * self.width]
                with m.If(here == n):
                    m.d.sync += part.eq(beat.data)
                if n:
                    with m.Elif(beat.first):
                        m.d.sync += part.eq(0)
            with m.If(here != beats):
                m.d.sync += present.eq(
                    Mux(bytes_here > self.window, self.window, bytes_here)
                )
        return m
