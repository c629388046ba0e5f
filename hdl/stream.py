"""Beats of a packet stream -> their layouts, and connections that check them.

Inside the gate every beat but a frame's last is full, bytes that are not the frame's are zero, and
only a frame without any byte has a beat without one. `err` is set at last beats only. Side-band
members are valid at first beats only. Up to the packet buffer beats come when they come: nothing
there stalls, since the source was stopped in time or the frame is left out.

Before admission, beside `count`, `keep` tells which bytes are the frame's: ones from the first byte
on, so that a comparison of the count with a number is one bit of it.
"""

from collections.abc import Mapping
from typing import Any

from amaranth.hdl import Cat, Const, Module, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import Out


def axis_layout(width: int, side: Mapping[str, int]) -> data.StructLayout:
    """An AXI4-Stream beat of `width` bits as it comes in; `side` is name -> bits."""
    return data.StructLayout({"data": width, "keep": width // 8, "last": 1, "err": 1, **side})


def beat_layout(width: int, side: Mapping[str, int]) -> data.StructLayout:
    """A beat before admission."""
    return data.StructLayout({"keep": width // 8, **counted_layout(width, side).members})


def counted_layout(width: int, side: Mapping[str, int]) -> data.StructLayout:
    """A beat; `count` is its number of bytes."""
    return data.StructLayout(
        {"data": width, "count": range(width // 8 + 1), "first": 1, "last": 1, "err": 1, **side}
    )


def stored_layout(width: int) -> data.StructLayout:
    """A beat in the packet buffer."""
    return data.StructLayout({"data": width, "count": range(width // 8 + 1), "last": 1, "err": 1})


def decided_layout(width: int) -> data.StructLayout:
    """A beat of a frame that goes on, with the frame's verdict."""
    return data.StructLayout(
        {"data": width, "count": range(width // 8 + 1), "last": 1, "verdict": 3, "err": 1}
    )


def out_layout(width: int) -> data.StructLayout:
    """A beat on its way out."""
    return data.StructLayout(
        {"data": width, "keep": width // 8, "last": 1, "verdict": 3, "err": 1}
    )


def flow(shape: Any) -> wiring.Signature:
    """A stream without `ready`: whatever comes is taken."""
    return wiring.Signature({"payload": Out(shape), "valid": Out(1)})


def connect_stream(m: Module, src: stream.Interface, dst: stream.Interface) -> None:
    """Connects two streams, after comparing their payload layouts. A source that cannot wait needs
    a sink that always takes."""
    shapes = [s.signature.members["payload"].shape for s in (src, dst)]
    if shapes[0] != shapes[1]:
        raise TypeError(f"Payloads differ: {shapes[0]!r} and {shapes[1]!r}")
    waits = ["ready" in s.signature.members for s in (src, dst)]
    if waits == [False, True]:
        raise TypeError("The source cannot wait, but the sink may not be ready")
    m.d.comb += [dst.payload.eq(src.payload), dst.valid.eq(src.valid)]
    if waits[0]:
        m.d.comb += src.ready.eq(dst.ready if waits[1] else 1)


def counted(ones: Value) -> Value:
    """How many ones there are before the zeros. A bit of the count is 1 in ranges of counts, each
    between two of the bits: so it has an OR of these behind it, and no chain of choices."""
    bits = []
    for k in range(len(ones).bit_length()):
        step = 1 << k
        starts = range(step, len(ones) + 1, 2 * step)
        ranges = [
            ones[n - 1] & ~(ones[n + step - 1] if n + step <= len(ones) else Const(0))
            for n in starts
        ]
        bits.append(Cat(*ranges).any())
    return Cat(*bits)
