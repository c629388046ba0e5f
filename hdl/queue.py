"""Stream -> the same stream through a block-RAM queue, and the number of entries in it."""

from amaranth.hdl import Module, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out


class Queue(wiring.Component):
    """`depth` entries of memory, then the memory's output register and another behind it.

    An entry appears at `o` three cycles after it was accepted, at the earliest. `i.ready` is a
    register; `o_level` counts entries in the memory, up to and including the last cycle's.
    """

    i: stream.Interface
    o: stream.Interface
    o_level: Signal

    latency = 3

    def __init__(self, shape, depth: int) -> None:
        if depth < 4:
            raise ValueError(f"Depth must be at least 4, not {depth!r}")
        self.shape = shape
        self.depth = depth
        super().__init__(
            {
                "i": In(stream.Signature(shape)),
                "o": Out(stream.Signature(shape)),
                "o_level": Out(range(depth + 1)),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.memory = mem = memory.Memory(shape=self.shape, depth=self.depth, init=[])
        write = mem.write_port()
        read = mem.read_port()
        head = Signal(range(self.depth))
        tail = Signal(range(self.depth))
        ready = Signal()
        fetched = Signal()
        valid = Signal()
        held = Signal(self.shape, reset_less=True)
        push = Signal()
        fetch = Signal()
        move = Signal()

        m.d.comb += [
            self.i.ready.eq(ready),
            push.eq(self.i.valid & ready),
            write.addr.eq(tail),
            write.data.eq(self.i.payload),
            write.en.eq(push),
            move.eq(~valid | self.o.ready),
            fetch.eq((self.o_level != 0) & (~fetched | move)),
            read.addr.eq(head),
            read.en.eq(fetch),
            self.o.valid.eq(valid),
            self.o.payload.eq(held),
        ]
        m.d.sync += [
            self.o_level.eq(self.o_level + push - fetch),
            ready.eq(self.o_level < self.depth - 1),
        ]
        with m.If(push):
            m.d.sync += tail.eq(_following(tail, self.depth))
        with m.If(fetch):
            m.d.sync += head.eq(_following(head, self.depth))
        with m.If(~fetched | move):
            m.d.sync += fetched.eq(fetch)
        with m.If(move):
            m.d.sync += [valid.eq(fetched), held.eq(read.data)]
        return m


def _following(pointer: Signal, depth: int):
    """The pointer after `pointer`, in a ring of `depth`."""
    mask = (pointer != depth - 1).replicate(len(pointer))
    return (pointer + 1)[: len(pointer)] & mask
