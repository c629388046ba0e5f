"""Entries -> the same entries later, out of a ring of block memory."""

from amaranth.hdl import Module, Mux, Signal, Value, ValueLike
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from .stream import flow

SHALLOW, BLOCK = 2048, 16384
"""Up to so many rows tools find the best blocks themselves. Deeper memories are given to them in columns
of so many bits: as wide as the blocks of ECP5 (and half a block of UltraScale+) of that depth."""
UNSEEN = 2
"""Entries that come before `o_room` tells of them: the level and `o_room` are registers."""


def store_rows(
    m: Module, depth: int, tail: Value, row: ValueLike, *, when: Value, read: Value,
    into: ValueLike, fetch: Value,
) -> None:
    """Block memory of `depth` rows: `row` goes to `tail` with `when`, and a cycle after `fetch` the row
    at `read` is `into`. What is wide and deep is made of columns, as block memories are."""
    given, taken = Value.cast(row), Value.cast(into)
    step = len(given) if depth <= SHALLOW else max(1, BLOCK // depth)
    for at in range(0, len(given), step):
        column = given[at : at + step]
        m.submodules[f"memory_{at}"] = rows = memory.Memory(shape=len(column), depth=depth, init=[])
        write_port, read_port = rows.write_port(), rows.read_port()
        m.d.comb += [
            write_port.addr.eq(tail),
            write_port.data.eq(column),
            write_port.en.eq(when),
            read_port.addr.eq(read),
            read_port.en.eq(fetch),
            taken[at : at + step].eq(read_port.data),
        ]


class Ring(wiring.Component):
    """`depth` rows of memory, a power of two, then the memory's output register and another.

    An entry appears at `o` `latency` cycles after it came, at the earliest. Entries come at any time;
    whoever sends them sees to it that there never are `depth` of them. `o_room` is a register:
    while it is high, `reserve` more fit behind those that have come up to this cycle.

    A block memory needs most of a cycle of 200 MHz to answer (4.3 ns on ECP5). So nothing lies
    between it and the second register: no choice of rows, since the depth is a power of two and deep
    memories are made of columns, and no comparison of addresses, since no row is read in the cycle
    in which it is written. Whether an entry is `waiting` was found out a cycle before: `level`, the
    rows in use, takes no part in the path from `o.ready` to the memory, and is not added to there: it
    moves or it does not.
    """

    i: stream.Interface
    o: stream.Interface
    o_room: Signal

    latency = 3

    def __init__(self, shape, depth: int, *, reserve: int = 0) -> None:
        if depth < 8 or depth & (depth - 1):
            raise ValueError(f"Depth must be a power of two, and 8 at least, not {depth!r}")
        if not 0 <= reserve <= depth - UNSEEN - 1:
            raise ValueError(f"Of {depth} entries {reserve!r} cannot be held in reserve")
        self.shape = shape
        self.depth = depth
        self.reserve = reserve
        super().__init__(
            {
                "i": In(flow(shape)),
                "o": Out(stream.Signature(shape)),
                "o_room": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        rows = range(self.depth)
        tail, head = Signal(rows), Signal(rows)
        level = Signal(rows)
        waiting, fetched, valid = Signal(), Signal(), Signal()
        fetch, move = Signal(), Signal()
        held = Signal(self.shape, reset_less=True)
        row = Signal(self.shape)
        store_rows(
            m, self.depth, tail, self.i.payload, when=self.i.valid, read=head, into=row, fetch=fetch
        )

        m.d.comb += [
            move.eq(~valid | self.o.ready),
            fetch.eq(waiting & (~fetched | move)),
            self.o.valid.eq(valid),
            self.o.payload.eq(held),
        ]
        m.d.sync += [
            tail.eq(tail + self.i.valid),
            self.o_room.eq(level < self.depth - UNSEEN - self.reserve),
            waiting.eq(self.i.valid | level[1:].any() | (level[0] & ~fetch)),
            fetched.eq(fetch | (fetched & ~move)),
        ]
        with m.If(fetch):
            m.d.sync += head.eq(head + 1)
        with m.If(self.i.valid != fetch):
            m.d.sync += level.eq(level + Mux(self.i.valid, 1, -1))
        with m.If(move):
            m.d.sync += [valid.eq(fetched), held.eq(row)]
        return m


class Queue(wiring.Component):
    """A ring behind a stream that can be stalled; `i.ready` is a register. It holds one entry more
    than `depth`."""

    i: stream.Interface
    o: stream.Interface

    latency = Ring.latency

    def __init__(self, shape, depth: int) -> None:
        self.ring = Ring(shape, depth)
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.ring = ring = self.ring
        m.d.comb += [
            self.i.ready.eq(ring.o_room),
            ring.i.payload.eq(self.i.payload),
            ring.i.valid.eq(self.i.valid & self.i.ready),
            self.o.payload.eq(ring.o.payload),
            self.o.valid.eq(ring.o.valid),
            ring.o.ready.eq(self.o.ready),
        ]
        return m
