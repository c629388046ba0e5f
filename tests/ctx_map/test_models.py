"""The descriptor models against published vectors and slow, obvious definitions."""

import random

import pytest
from rxgate.ctx_map.hash_types import HashType
from rxgate.ctx_map.models import checksum, describe, receive_hash, toeplitz, vlan_tag

# Microsoft's RSS verification suite: (source, source port, destination, destination port).
V4 = [
    ("66.9.149.187", 2794, "161.142.100.80", 1766, 0x323E8FC2, 0x51CCC178),
    ("199.92.111.2", 14230, "65.69.140.83", 4739, 0xD718262A, 0xC626B0EA),
    ("24.19.198.95", 12898, "12.22.207.184", 38024, 0xD2D0A5DE, 0x5C2B394A),
]


def ipv4(text: str) -> bytes:
    return bytes(map(int, text.split(".")))


@pytest.mark.parametrize(("src", "sport", "dst", "dport", "two", "four"), V4)
def test_toeplitz_matches_the_published_vectors(src, sport, dst, dport, two, four):
    addresses = ipv4(src) + ipv4(dst)
    ports = sport.to_bytes(2, "big") + dport.to_bytes(2, "big")
    assert toeplitz(addresses) == two
    assert toeplitz(addresses + ports) == four


def frame_v4(proto: int, fragment: int = 0, ihl: int = 5, tags: bytes = b"") -> bytes:
    src, sport, dst, dport, _, _ = V4[0]
    header = bytes([0x40 | ihl, 0, 0, 0, 0, 0]) + fragment.to_bytes(2, "big") + bytes([64, proto])
    ports = sport.to_bytes(2, "big") + dport.to_bytes(2, "big")
    ip = header + b"\0\0" + ipv4(src) + ipv4(dst) + bytes(max(0, ihl * 4 - 20)) + ports
    return bytes(12) + tags + b"\x08\x00" + ip


@pytest.mark.parametrize("tags", [b"", b"\x81\0\0\x05", b"\x88\xa8\0\x05\x81\0\0\x06"])
@pytest.mark.parametrize("ihl", [5, 6, 15])
def test_hash_finds_ports_behind_tags_and_options(tags, ihl):
    assert receive_hash(frame_v4(6, ihl=ihl, tags=tags)) == (0x51CCC178, HashType.L4_IPV4_TCP)
    assert receive_hash(frame_v4(17, ihl=ihl, tags=tags)) == (0x51CCC178, HashType.L4_IPV4_UDP)


def test_hash_falls_back_to_addresses_or_to_nothing():
    assert receive_hash(frame_v4(1)) == (0x323E8FC2, HashType.L3_IPV4)
    assert receive_hash(frame_v4(6, fragment=0x2000)) == (0x323E8FC2, HashType.L3_IPV4)
    assert receive_hash(frame_v4(6, fragment=0x4000))[1] == HashType.L4_IPV4_TCP
    assert receive_hash(frame_v4(6)[:-1]) == (0, 0)
    assert receive_hash(frame_v4(6, ihl=4)) == (0, 0)
    assert receive_hash(frame_v4(6, tags=b"\x81\0\0\x05" * 3)) == (0, 0)


def test_checksum_is_the_folded_sum_of_words():
    rng = random.Random(1)
    for length in [0, 13, 14, 15, 16, 17, 64, 1501]:
        for fill in (None, 0, 0xFF):
            frame = rng.randbytes(length) if fill is None else bytes([fill]) * length
            body, total = frame[14:], 0
            for i in range(0, len(body), 2):
                total += int.from_bytes(body[i : i + 2].ljust(2, b"\0"), "big")
            while total > 0xFFFF:
                total = (total & 0xFFFF) + (total >> 16)
            assert checksum(frame) == total


def test_vlan_tag_must_be_whole():
    tagged = bytes(12) + b"\x81\x00\x30\x05"
    assert vlan_tag(tagged) == (0x3005, 0x8100)
    assert vlan_tag(tagged[:15]) == (0, 0)
    assert vlan_tag(bytes(12) + b"\x91\x00\x30\x05") == (0, 0)


def test_stripping_takes_out_the_outer_tag_only():
    frame = frame_v4(6, tags=b"\x88\xa8\0\x05\x81\0\0\x06")
    plain, stripped = describe(frame), describe(frame, strip_vlan=True)
    assert stripped.frame == frame[:12] + frame[16:]
    assert stripped.descriptor.len == plain.descriptor.len - 4
    assert stripped.descriptor.hash == plain.descriptor.hash
    assert stripped.descriptor.vlan_tci == 5
    assert stripped.descriptor.protocol == 0x8100
