"""Frame -> its receive descriptor: the bit-exact model of every field, independent of any hardware."""

from dataclasses import dataclass
from functools import lru_cache

from .descriptor import Descriptor
from .hash_types import HashType

TAGS = (0x8100, 0x88A8)
"""EtherTypes of VLAN tags (IEEE 802.1Q, 802.1ad)."""
MAX_TAGS = 2
"""Tags that the hash looks behind, counted in the frame as received."""
MICROSOFT_KEY = bytes.fromhex(
    "6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa"
)
"""The key of Microsoft's RSS verification suite, 40 bytes."""
_PORTS = {6: "TCP", 17: "UDP", 132: "SCTP"}


@dataclass(frozen=True, slots=True)
class Received:
    """A frame as the program sees it, after any stripping, with its descriptor."""

    frame: bytes
    descriptor: Descriptor


@lru_cache(maxsize=8)
def _contributions(key: bytes) -> list[list[int]]:
    """What each value of each input byte adds: a set bit adds the key's 32 bits from there on."""
    number, top = int.from_bytes(key, "big"), len(key) * 8 - 32
    tables = []
    for at in range(0, top, 8):
        table = [0] * 256
        for value in range(1, 256):
            lowest = value & -value
            shift = top - at - 8 + lowest.bit_length()
            table[value] = table[value ^ lowest] ^ number >> shift & 0xFFFF_FFFF
        tables.append(table)
    return tables


def toeplitz(data: bytes, key: bytes = MICROSOFT_KEY) -> int:
    """The 32-bit Toeplitz hash of up to 36 bytes with a 40-byte key."""
    result = 0
    for byte, table in zip(data, _contributions(key), strict=False):
        result ^= table[byte]
    return result


def _half(frame: bytes, at: int) -> int:
    return int.from_bytes(frame[at : at + 2], "big")


def vlan_tag(frame: bytes) -> tuple[int, int]:
    """(tci, proto) of the outermost tag, both 0 when there is none or it is not whole."""
    if len(frame) >= 16 and _half(frame, 12) in TAGS:
        return _half(frame, 14), _half(frame, 12)
    return 0, 0


def receive_hash(frame: bytes, key: bytes = MICROSOFT_KEY, tags: int = MAX_TAGS) -> tuple[int, int]:
    """(hash, type) of a frame, looking behind at most `tags` VLAN tags.

    A tuple that the frame does not hold whole gives (0, 0).
    """
    at = 12
    for _ in range(tags):
        if len(frame) >= at + 4 and _half(frame, at) in TAGS:
            at += 4
    if len(frame) < at + 2:
        return 0, 0
    ethertype, ip = _half(frame, at), at + 2
    if ethertype == 0x0800:
        return _hash_ipv4(frame[ip:], key)
    if ethertype == 0x86DD:
        return _hash_ipv6(frame[ip:], key)
    return 0, 0


def _hash_ipv4(ip: bytes, key: bytes) -> tuple[int, int]:
    if len(ip) < 20 or ip[0] >> 4 != 4 or ip[0] & 15 < 5:
        return 0, 0
    addresses, fragment = ip[12:20], _half(ip, 6) & 0x3FFF
    if ip[9] not in _PORTS or fragment:
        return toeplitz(addresses, key), HashType.L3_IPV4
    return _hash_ports(ip, addresses, (ip[0] & 15) * 4, HashType[f"L4_IPV4_{_PORTS[ip[9]]}"], key)


def _hash_ipv6(ip: bytes, key: bytes) -> tuple[int, int]:
    if len(ip) < 40 or ip[0] >> 4 != 6:
        return 0, 0
    addresses = ip[8:40]
    if ip[6] not in _PORTS:
        return toeplitz(addresses, key), HashType.L3_IPV6
    return _hash_ports(ip, addresses, 40, HashType[f"L4_IPV6_{_PORTS[ip[6]]}"], key)


def _hash_ports(
    ip: bytes, addresses: bytes, at: int, kind: HashType, key: bytes
) -> tuple[int, int]:
    ports = ip[at : at + 4]
    return (toeplitz(addresses + ports, key), kind) if len(ports) == 4 else (0, 0)


def checksum(frame: bytes) -> int:
    """The folded RFC 1071 sum of bytes 14 to the end, big-endian words, not inverted."""
    body = frame[14:]
    number = int.from_bytes(body + b"\0" * (len(body) % 2), "big")
    return (number - 1) % 0xFFFF + 1 if number else 0


def protocol(frame: bytes) -> int:
    """What eth_type_trans() (net/ethernet/eth.c) stores in skb->protocol, host order."""
    if len(frame) < 14:
        return 0
    ethertype = _half(frame, 12)
    if ethertype >= 0x0600:
        return ethertype
    return 0x0001 if frame[14:16] == b"\xff\xff" else 0x0004


def describe(
    frame: bytes,
    *,
    key: bytes = MICROSOFT_KEY,
    strip_vlan: bool = False,
    ingress_ifindex: int = 0,
    rx_queue_index: int = 0,
) -> Received:
    """The frame as the program sees it, and every descriptor field.

    With `strip_vlan` the outermost tag is taken out of the frame; `len`, `csum` and `protocol` are
    then those of what is left, while the hash looks behind the same tags as without.
    """
    hash_value, hash_type = receive_hash(frame, key)
    tci, proto = vlan_tag(frame)
    if strip_vlan and proto:
        frame = frame[:12] + frame[16:]
    descriptor = Descriptor(
        len=len(frame),
        hash=hash_value,
        hash_type=int(hash_type),
        vlan_tci=tci,
        vlan_proto=proto,
        csum=checksum(frame),
        ingress_ifindex=ingress_ifindex,
        rx_queue_index=rx_queue_index,
        protocol=protocol(frame),
    )
    return Received(frame, descriptor)


