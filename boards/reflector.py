"""Filtered frames -> the same frames, back to who sent them, on boards with one port.

The destination of a frame becomes its sender, and its source what it was for, so that it comes back
through switches too. No source is a group (IEEE 802 clause 8.2.2): that bit is cleared. As a mirror
every frame comes back, and its source is `MIRROR` with the verdict as last byte instead.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..ctx_map.verdicts import VERDICT_BITS
from ..hdl.ethernet.frames import SENT, sent
from ..hdl.ethernet.packet_buffer import PacketBuffer
from ..hdl.skid import Skid
from ..hdl.stream import connect_stream
from .bridge import ABSORB, connect

ADDRESS = 6
"""Bytes of a MAC address."""
MIRROR = bytes.fromhex("025258475400")
"""The source of mirrored frames, locally administered; a verdict takes the place of the last byte."""
_GROUP = 1
"""The bit of an address' first byte that tells groups."""


class Exchange(wiring.Component):
    """Frames have more than two addresses. `i_verdict` belongs to the frame at `i`. Once the first byte
    of a frame leaves, the others follow in consecutive cycles if they are there; a frame takes
    `ADDRESS` cycles more than it has bytes.
    """

    i: stream.Interface
    i_verdict: Signal
    o: stream.Interface

    def __init__(self, mirror: bool) -> None:
        self.mirror = mirror
        super().__init__({"i": In(sent()), "i_verdict": In(VERDICT_BITS), "o": Out(sent())})

    def elaborate(self, platform) -> Module:
        m = Module()
        count = Signal(range(ADDRESS))
        source = Signal(8 * ADDRESS)
        last = Signal()
        m.d.comb += last.eq(count == ADDRESS - 1)
        with m.FSM():
            with m.State("KEEP"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(self.i.valid):
                    m.d.sync += [
                        count.eq(Mux(last, 0, count + 1)),
                        source.eq(Cat(source[8:], self.i.payload.data)),
                    ]
                    with m.If(last):
                        m.next = "SENDER"
            with m.State("SENDER"):
                self._pass(m)
                with m.If(self.i.valid & self.o.ready):
                    m.d.sync += count.eq(Mux(last, 0, count + 1))
                    with m.If(last):
                        m.d.sync += source.eq(self._source(source))
                        m.next = "SOURCE"
            with m.State("SOURCE"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.data.eq(source[:8])]
                with m.If(self.o.ready):
                    m.d.sync += [count.eq(Mux(last, 0, count + 1)), source.eq(source[8:])]
                    with m.If(last):
                        m.next = "REST"
            with m.State("REST"):
                self._pass(m)
                with m.If(self.i.valid & self.o.ready & self.i.payload.last):
                    m.next = "KEEP"
        return m

    def _source(self, kept: Signal):
        """The source that a frame gets; it is chosen while the frame is at the input."""
        if not self.mirror:
            return kept & ~Const(_GROUP, len(kept))
        known = int.from_bytes(MIRROR[:-1], "little")
        return Cat(Const(known, 8 * (ADDRESS - 1)), self.i_verdict)

    def _pass(self, m: Module) -> None:
        m.d.comb += [
            self.o.payload.eq(self.i.payload),
            self.o.valid.eq(self.i.valid),
            self.i.ready.eq(self.o.ready),
        ]


class Reflector(wiring.Component):
    """`i_verdict` belongs to the frame at `filtered`, `i_err` to its last byte. Strobes tell, per frame,
    whether it is sent back, or lost because there was no room."""

    filtered: stream.Interface
    i_verdict: Signal
    i_err: Signal
    a_sent: stream.Interface
    o_returned: Signal
    o_overflow: Signal

    def __init__(self, max_frame: int, mirror: bool) -> None:
        self.max_frame = max_frame
        self.mirror = mirror
        super().__init__(
            {
                "filtered": In(sent()),
                "i_verdict": In(VERDICT_BITS),
                "i_err": In(1),
                "a_sent": Out(sent()),
                "o_returned": Out(1),
                "o_overflow": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        depth = 1 << (2 * self.max_frame + ABSORB - 1).bit_length()
        m.submodules.exchange = exchange = Exchange(self.mirror)
        m.submodules.waiting = waiting = PacketBuffer(depth, self.max_frame)
        m.submodules.skid = skid = Skid(SENT)
        connect(m, self.filtered, exchange.i)
        beat = waiting.i.payload
        m.d.comb += [
            exchange.i_verdict.eq(self.i_verdict),
            exchange.o.ready.eq(1),
            waiting.i.valid.eq(exchange.o.valid),
            beat.data.eq(exchange.o.payload.data),
            beat.last.eq(exchange.o.payload.last),
            beat.err.eq(self.i_err),
            self.o_returned.eq(waiting.o_good),
            self.o_overflow.eq(waiting.o_overflow),
        ]
        connect_stream(m, waiting.o, skid.i)
        connect(m, skid.o, self.a_sent)
        return m
