"""What a receive descriptor can say of a packet -> signal names, widths and their order in tuser."""

from dataclasses import dataclass, fields
from enum import Enum


class Source(Enum):
    """Who produces a descriptor field when the shell does not."""

    STREAM = "comes with the stream"
    WINDOW = "computed from the header window"
    FRAME = "known after the last beat"


@dataclass(frozen=True, slots=True)
class Signal:
    """One descriptor field in hardware: `width` bits; wider reads see zeros above."""

    name: str
    width: int
    source: Source
    doc: str


SIGNALS = (
    Signal("len", 16, Source.FRAME, "frame length in bytes, without FCS"),
    Signal("hash", 32, Source.WINDOW, "Toeplitz receive hash, 0 when there is none"),
    Signal("hash_type", 16, Source.WINDOW, "what the hash covers (enum xdp_rss_hash_type)"),
    Signal("vlan_tci", 16, Source.WINDOW, "outermost VLAN tag, host order, 0 when untagged"),
    Signal("vlan_proto", 16, Source.WINDOW, "its EtherType, host order, 0 when untagged"),
    Signal("csum", 16, Source.FRAME, "folded RFC 1071 sum of bytes 14 to the end, not inverted"),
    Signal("ingress_ifindex", 32, Source.STREAM, "interface that the packet came in on"),
    Signal("rx_queue_index", 32, Source.STREAM, "receive queue"),
    Signal("protocol", 16, Source.WINDOW, "EtherType as eth_type_trans() gives it, host order"),
)
"""In the order in which they stand in tuser, from bit 1 upward (bit 0 is the error flag)."""

BY_NAME = {s.name: s for s in SIGNALS}


@dataclass(frozen=True, slots=True)
class Descriptor:
    """The values of one packet; field names are those of `SIGNALS`."""

    len: int = 0
    hash: int = 0
    hash_type: int = 0
    vlan_tci: int = 0
    vlan_proto: int = 0
    csum: int = 0
    ingress_ifindex: int = 0
    rx_queue_index: int = 0
    protocol: int = 0


assert [f.name for f in fields(Descriptor)] == [s.name for s in SIGNALS]
