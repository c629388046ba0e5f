"""Filtered frames, and frames of the other port -> frames that two ports send.

It is a filter in one direction of a wire. Port A is where the world is, port B where what is
protected is. What A receives runs through the program, as on the interface of a host: what passes
goes to B, what is transmitted (XDP_TX) back to A. What B receives goes to A as it is, but for frames
in error.
"""

from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..hdl.ethernet.frames import SENT, received, sent
from ..hdl.ethernet.merge import Merge
from ..hdl.ethernet.packet_buffer import PacketBuffer
from ..hdl.queue import Queue
from ..hdl.skid import Skid
from ..hdl.stream import connect_stream

ABSORB = 4096
"""Bytes that may wait for a port that sends slower than another receives, beside whole frames."""


def connect(m: Module, source: stream.Interface, sink: stream.Interface) -> None:
    """Connects a stream inside a component with one of its ports."""
    m.d.comb += [
        sink.payload.eq(source.payload), sink.valid.eq(source.valid), source.ready.eq(sink.ready)
    ]


class Bridge(wiring.Component):
    """Strobes tell, per frame, what became of what B received."""

    filtered: stream.Interface
    i_back: Signal
    b_received: stream.Interface
    a_sent: stream.Interface
    b_sent: stream.Interface
    o_returned: Signal
    o_bad: Signal
    o_overflow: Signal

    def __init__(self, max_frame: int) -> None:
        self.max_frame = max_frame
        super().__init__(
            {
                "filtered": In(sent()),
                "i_back": In(1),
                "b_received": In(received()),
                "a_sent": Out(sent()),
                "b_sent": Out(sent()),
                "o_returned": Out(1),
                "o_bad": Out(1),
                "o_overflow": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.waiting = waiting = Queue(SENT, ABSORB)
        depth = 1 << (2 * self.max_frame + ABSORB - 1).bit_length()
        m.submodules.returning = returning = PacketBuffer(depth, self.max_frame)
        m.submodules.merge = merge = Merge()
        m.submodules.skid_a = skid_a = Skid(SENT)
        m.submodules.skid_b = skid_b = Skid(SENT)
        m.d.comb += [
            waiting.i.payload.eq(self.filtered.payload),
            merge.i_b.payload.eq(self.filtered.payload),
            waiting.i.valid.eq(self.filtered.valid & ~self.i_back),
            merge.i_b.valid.eq(self.filtered.valid & self.i_back),
            self.filtered.ready.eq(
                (self.i_back & merge.i_b.ready) | (~self.i_back & waiting.i.ready)
            ),
            returning.i.payload.eq(self.b_received.payload),
            returning.i.valid.eq(self.b_received.valid),
            self.o_returned.eq(returning.o_good),
            self.o_bad.eq(returning.o_bad),
            self.o_overflow.eq(returning.o_overflow),
        ]
        connect_stream(m, waiting.o, skid_b.i)
        connect_stream(m, returning.o, merge.i_a)
        connect_stream(m, merge.o, skid_a.i)
        connect(m, skid_a.o, self.a_sent)
        connect(m, skid_b.o, self.b_sent)
        return m
