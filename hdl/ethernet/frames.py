"""Bytes of frames -> their layouts, between a MAC and what stands behind it.

`RECEIVED` comes without a way to stall it. `err` and `empty` count at the last byte of a frame: an
`empty` one is no byte, and ends a frame that has none. `SENT` is what a MAC takes: whole frames
that are good, without their frame check sequence, and in which the source never pauses.
"""

from amaranth.lib import data, stream

RECEIVED = data.StructLayout({"data": 8, "empty": 1, "last": 1, "err": 1})
SENT = data.StructLayout({"data": 8, "last": 1})
MIN_FRAME = 64
"""minFrameSize of IEEE 802.3 clause 4.4.2, in bytes with the frame check sequence."""
GAP = 12
"""interPacketGap of the same clause, in bytes."""
PREAMBLE, DELIMITER = 0x55, 0xD5
"""Clauses 4.2.5 and 4.2.6, as bytes whose lowest bit is sent first."""
PREAMBLE_BYTES = 7


def received() -> stream.Signature:
    """A stream of bytes that were received."""
    return stream.Signature(RECEIVED, always_ready=True)


def sent() -> stream.Signature:
    """A stream of bytes to be sent."""
    return stream.Signature(SENT)
