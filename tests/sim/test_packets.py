"""Generated traffic: repeatable, of the sizes asked for, and of every kind."""

import pytest
from rxgate.ctx_map.hash_types import HashType
from rxgate.ctx_map.models import checksum, receive_hash, vlan_tag
from rxgate.sim import packets
from rxgate.sim.captures import match
from rxgate.sim.packets import Mix, generate

FRAMES = generate(4000, 7)


@pytest.mark.parametrize("mix", Mix)
def test_the_seed_alone_decides(mix: Mix) -> None:
    assert generate(50, 3, mix) == generate(50, 3, mix.value)
    assert generate(50, 3, mix) != generate(50, 4, mix)
    assert generate(80, 3, mix)[:50] == generate(50, 3, mix)


@pytest.mark.parametrize(
    ("mix", "sizes"),
    [
        ("imix", {64, 594, 1518}), ("64", {64}), ("65", {65}), ("jumbo", {9000}),
        ("runts", set(range(1, 14))),
    ],
)
def test_sizes(mix: str, sizes: set[int]) -> None:
    assert {len(f) for f in generate(400, 1, mix)} == sizes


def test_imix_is_7_to_4_to_1() -> None:
    sizes = [len(f) for f in generate(6000, 1, "imix")]
    shares = [sizes.count(n) / 500 for n in (64, 594, 1518)]
    assert shares == pytest.approx([7, 4, 1], rel=0.2)


def test_mixed_sizes_span_everything() -> None:
    sizes = {len(f) for f in FRAMES}
    assert min(sizes) < 14
    assert max(sizes) > 8000
    assert 60 in sizes


@pytest.mark.parametrize(
    "expression",
    [
        "arp", "ip", "ip6", "tcp", "udp", "icmp", "icmp6", "sctp", "ip proto 47", "ip proto 4",
        "ip proto 41", "mpls", "pppoes", "stp", "ip[0] & 0xf > 5", "ip[6:2] & 0x1fff != 0",
        "ip[6] & 0x20 != 0", "ip6[6] = 0", "ip6[6] = 43", "ip6[6] = 44", "ip6[6] = 60",
        "udp dst port 4789 and ip", "udp dst port 6081 and ip", "udp port 53", "tcp port 443",
        "vlan and vlan and vlan", "ether multicast", "ether broadcast", "ip[2:2] > len",
        "tcp[tcpflags] == 0", "tcp[tcpflags] & (tcp-syn|tcp-fin) == (tcp-syn|tcp-fin)",
        "tcp[12] & 0xf0 > 0x50", "less 14",
    ],
)
def test_every_kind_of_traffic_comes_up(expression: str) -> None:
    assert sum(map(bool, match(expression, FRAMES))) >= 4


def test_descriptor_fields_come_up() -> None:
    kinds = {receive_hash(f)[1] for f in FRAMES}
    assert kinds >= {
        0, HashType.L3_IPV4, HashType.L3_IPV6, HashType.L4_IPV4_TCP, HashType.L4_IPV4_UDP,
        HashType.L4_IPV6_TCP, HashType.L4_IPV6_UDP, HashType.L4_IPV4_SCTP,
    }
    assert {vlan_tag(f)[1] for f in FRAMES} == {0, 0x8100, 0x88A8}


def test_most_ipv4_headers_have_the_right_checksum() -> None:
    plain = [f for f in FRAMES if f[12:15] == b"\x08\x00\x45" and len(f) >= 34]
    right = sum(checksum(bytes(14) + f[14:34]) == 0xFFFF for f in plain)
    assert 0.9 < right / len(plain) < 1


def test_long_sequences_vary_what_was_drawn(monkeypatch):
    plain = generate(900, 5)
    monkeypatch.setattr(packets, "DRAWN", 100)
    frames = generate(900, 5)
    assert frames[:100] == plain[:100]
    assert len(frames) == 900
    again = sum(f in plain[:100] for f in frames[100:])
    assert 300 < again < 700
    for frame in frames[100:]:
        alike = [f for f in plain[:100] if len(f) == len(frame)]
        apart = [sum(a != b for a, b in zip(frame, f, strict=True)) for f in alike]
        assert min(apart) <= 1
    assert {len(f) for f in generate(300, 1, "64")} == {64}
