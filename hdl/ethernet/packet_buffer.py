"""Frames as they come -> the good ones, each of which leaves only when all of it is there."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..queue import store_rows
from .frames import SENT, received, sent

UNSEEN = 3
"""Bytes that come before `full` tells of them: the pointer, the level and `full` are registers."""


class PacketBuffer(wiring.Component):
    """A ring of `depth` bytes, a power of two. Frames leave without a pause for as long as `o` is ready.

    Per frame one of these is high for a cycle: `o_good`, `o_bad` (it ended with an error, or was
    longer than `max_frame` bytes), or `o_overflow` (there was no room for all of it).
    """

    i: stream.Interface
    o: stream.Interface
    o_good: Signal
    o_bad: Signal
    o_overflow: Signal

    def __init__(self, depth: int, max_frame: int) -> None:
        if depth < 8 or depth & (depth - 1):
            raise ValueError(f"Depth must be a power of two, and 8 at least, not {depth!r}")
        self.depth = depth
        self.max_frame = max_frame
        super().__init__(
            {
                "i": In(received()),
                "o": Out(sent()),
                "o_good": Out(1),
                "o_bad": Out(1),
                "o_overflow": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        beat = self.i.payload
        pointer_bits = range(2 * self.depth)
        head, tail, begun = Signal(pointer_bits), Signal(pointer_bits), Signal(pointer_bits)
        """Next to be read, next to be written, and where the frame that is written began."""
        length = Signal(range(self.max_frame))
        long = Signal()
        """As many bytes as a frame may have came before this one."""
        level = Signal(pointer_bits)
        full, lost = Signal(), Signal()
        store, good, bad = Signal(), Signal(), Signal()
        given, taken = Signal(SENT), Signal(SENT)
        m.d.comb += [
            store.eq(self.i.valid & ~beat.empty & ~full & ~lost),
            given.data.eq(beat.data),
            given.last.eq(beat.last),
            bad.eq(beat.err | long),
            good.eq(~bad & ~lost & ~full),
        ]
        m.d.sync += [level.eq(tail - head), full.eq(level >= self.depth - UNSEEN)]
        with m.If(self.i.valid):
            with m.If(beat.last):
                m.d.sync += [
                    tail.eq(Mux(good, tail + 1, begun)),
                    begun.eq(Mux(good, tail + 1, begun)),
                    lost.eq(0),
                    long.eq(0),
                    length.eq(0),
                ]
            with m.Else():
                m.d.sync += [
                    tail.eq(tail + store),
                    lost.eq(lost | full),
                    long.eq(long | (length == self.max_frame - 1)),
                    length.eq(length + 1),
                ]
        ended = self.i.valid & beat.last
        m.d.sync += [
            self.o_good.eq(ended & good),
            self.o_bad.eq(ended & bad),
            self.o_overflow.eq(ended & ~good & ~bad),
        ]

        fetched, valid = Signal(), Signal()
        held = Signal(SENT, reset_less=True)
        fetch, move = Signal(), Signal()
        m.d.comb += [
            move.eq(~valid | self.o.ready),
            fetch.eq((head != begun) & (~fetched | move)),
            self.o.valid.eq(valid),
            self.o.payload.eq(held),
        ]
        m.d.sync += head.eq(head + fetch)
        with m.If(~fetched | move):
            m.d.sync += fetched.eq(fetch)
        with m.If(move):
            m.d.sync += [valid.eq(fetched), held.eq(taken)]

        store_rows(
            m, self.depth, tail, given, when=store, read=head, into=taken, fetch=fetch
        )
        return m
