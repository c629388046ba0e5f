"""Each example does what its comment says, on frames for its branches, cut short anywhere."""

import struct
from functools import cache
from pathlib import Path

import pytest
from rxgate.compiler.decode import decode
from rxgate.compiler.load import load_program
from rxgate.ctx_map.models import checksum, describe, receive_hash
from rxgate.ctx_map.verdicts import Verdict
from rxgate.sim.interp import Interpreter

EXAMPLES = Path(__file__).parents[2] / "examples"
PHYS_DEV = {p.stem for p in EXAMPLES.glob("*.c") if not p.stem.startswith("xdp_")}
TCP, UDP, GRE = 6, 17, 47


@cache
def interpreters(name: str) -> tuple[Interpreter, ...]:
    path = EXAMPLES / f"{name}.c"
    return tuple(Interpreter(decode(load_program(path, mcpu=m))) for m in ("v1", "v3", "v4"))


def passes(name: str, frame: bytes, **run) -> bool:
    """The verdict, the same from every instruction set."""
    descriptor = describe(frame).descriptor
    verdicts = {i.run(frame, descriptor, **run).verdict for i in interpreters(name)}
    assert len(verdicts) == 1
    verdict = verdicts.pop()
    assert verdict in (Verdict.PASS, Verdict.DROP)
    return verdict is Verdict.PASS


def ether(kind: int, payload: bytes, *tags: tuple[int, int], pad: int = 0) -> bytes:
    head = bytes.fromhex("020000000001020000000002")
    for proto, tci in tags:
        head += struct.pack(">HH", proto, tci)
    return (head + struct.pack(">H", kind) + payload).ljust(pad, b"\0")


def ipv4(
    proto: int, payload: bytes, *, src="192.88.99.1", dst="8.8.8.8", options=0, frag=0
) -> bytes:
    def address(text: str) -> bytes:
        return bytes(map(int, text.split(".")))

    size = 20 + options + len(payload)
    head = struct.pack(">BBHHHBBH", 0x45 + options // 4, 0, size, 1, frag, 64, proto, 0)
    head += address(src) + address(dst) + b"\1" * options
    total = sum(struct.unpack(f">{len(head) // 2}H", head))
    total = (total & 0xFFFF) + (total >> 16)
    total = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return head[:10] + struct.pack(">H", total) + head[12:] + payload


def ip4(proto: int, payload: bytes, **fields) -> bytes:
    return ether(0x0800, ipv4(proto, payload, **fields))


def ip6(proto: int, payload: bytes) -> bytes:
    head = struct.pack(">IHBB", 6 << 28, len(payload), proto, 64) + bytes(range(32))
    return ether(0x86DD, head + payload)


def tcp(dport=443, flags=0x10, sport=1000) -> bytes:
    return struct.pack(">HHIIBBHHH", sport, dport, 1, 2, 0x50, flags, 1000, 0, 0)


def udp(dport=9, body=b"", sport=1000, size=None, csum=0) -> bytes:
    return struct.pack(">HHHH", sport, dport, 8 + len(body) if size is None else size, csum) + body


ARP = ether(0x0806, bytes(28), pad=60)
LLDP = ether(0x88CC, bytes(46))
VXLAN = struct.pack(">BBHI", 8, 0, 0, 42 << 8)


def inner(payload: bytes, kind=0x0800, vxlan=VXLAN) -> bytes:
    return ip4(UDP, udp(4789, vxlan + ether(kind, payload)))


def correct_udp(body: bytes) -> bytes:
    """A UDP packet over IPv4 with the right checksum."""
    packet = ipv4(UDP, udp(9, body))
    pseudo = packet[12:20] + struct.pack(">HH", UDP, 8 + len(body))
    value = ~checksum(bytes(14) + pseudo + packet[20:]) & 0xFFFF or 0xFFFF
    return ether(0x0800, packet[:26] + struct.pack(">H", value) + packet[28:], pad=60)


GOOD_UDP = correct_udp(b"odd")
CASES = {
    "drop_by_length": [(ARP, 1), (b"", 1), (bytes(1518), 1), (bytes(1519), 0), (bytes(9000), 0)],
    "vlan_allow": [
        (ARP, 0), (ether(0x0800, b"", (0x8100, 42)), 1), (ether(0x0800, b"", (0x8100, 43)), 0),
        (ether(0x0800, b"", (0x8100, 0xE000 | 107)), 1), (ether(0x0800, b"", (0x8100, 116)), 0),
        (ether(0x0800, b"", (0x8100, 0xE000)), 0), (ether(0x0800, b"", (0x88A8, 42)), 0),
        (ether(0x0800, b"", (0x8100, 42))[:15], 0),
    ],
    "ip_protocol": [
        (ARP, 1), (LLDP, 0), (ip4(TCP, tcp()), 1), (ip4(1, b""), 1), (ip4(GRE, b""), 0),
        (ip4(132, b""), 0), (ip6(UDP, udp()), 1), (ip6(58, b""), 1), (ip6(1, b""), 1),
        (ip6(44, b""), 0), (ether(0x0800, ipv4(TCP, b""), (0x8100, 5)), 1),
        (ether(0x0800, ipv4(89, b""), (0x8100, 5)), 0), (ip4(TCP, b"")[:23], 0), (b"", 0),
        (ether(0x0800, ipv4(TCP, b""), (0x88A8, 5)), 0),
    ],
    "port_block": [
        (ARP, 1), (ip4(TCP, tcp(23)), 0), (ip4(TCP, tcp(22)), 1), (ip4(UDP, udp(11211)), 0),
        (ip4(TCP, tcp(138), options=40), 0), (ip4(TCP, tcp(140), options=40), 1),
        (ip4(UDP, udp(1900), frag=0x2000), 0), (ip4(UDP, udp(1900), frag=1), 1),
        (ip4(1, udp(23)), 1), (ip6(TCP, tcp(445)), 0), (ip6(UDP, udp(53)), 1),
        (ether(0x0800, b"\x44" + ipv4(TCP, tcp())[1:]), 0), (ip4(TCP, tcp())[:37], 0),
    ],
    "fragment_filter": [
        (ARP, 1), (ip4(UDP, udp()), 1), (ip4(UDP, udp(), frag=0x4000), 1),
        (ip4(UDP, udp(), frag=0x2000), 0), (ip4(TCP, b"", frag=1), 0), (ip6(TCP, tcp()), 1),
        (ip6(44, bytes(8)), 0), (ip6(0, bytes([44, 0]) + bytes(14)), 0),
        (ip6(0, bytes([6, 0]) + bytes(14)), 1), (ip6(60, bytes([43, 1]) + bytes(14)), 0),
        (ip6(0, bytes([43, 1]) + bytes(14) + bytes([44, 0]) + bytes(6)), 0),
        (ip6(0, bytes([43, 1]) + bytes(14) + bytes([6, 0]) + bytes(6)), 1),
        (ip6(0, bytes([60, 4]) + bytes(60)), 0),
    ],
    "tcp_flags": [
        (ARP, 1), (ip4(TCP, tcp(flags=0x02)), 1), (ip4(TCP, tcp(flags=0x12)), 1),
        (ip4(TCP, tcp(flags=0x11)), 1), (ip4(TCP, tcp(flags=0x03)), 0),
        (ip4(TCP, tcp(flags=0x06)), 0), (ip4(TCP, tcp(flags=0)), 0), (ip4(TCP, tcp(flags=1)), 0),
        (ip4(TCP, tcp(flags=0x39)), 0), (ip4(TCP, tcp(flags=0xC0), options=8), 0),
        (ip4(TCP, tcp(flags=0x18), options=40), 1), (ip4(TCP, tcp(flags=0), frag=5), 1),
        (ip6(TCP, tcp(flags=0x29)), 0), (ip6(TCP, tcp(flags=4)), 1), (ip4(TCP, tcp())[:47], 0),
        (ip4(UDP, tcp(flags=0)), 1),
    ],
    "dns_guard": [
        (ARP, 1), (ip4(UDP, udp(9, b"\0\0\x80" + bytes(1200), 53)), 1),
        (ip4(UDP, udp(9, b"\0\0\x80" + bytes(1229), 53), options=12), 1),
        (ip4(UDP, udp(9, b"\0\0\x80" + bytes(1230), 53)), 0),
        (ip4(UDP, udp(9, b"\0\0\x80" + bytes(1300), 53, size=100)), 0),
        (ip4(UDP, udp(9, b"\0\0\x00" + bytes(1300), 53)), 1),
        (ip4(UDP, udp(9, b"\0\0\x80" + bytes(20), 53), frag=0x2000), 0),
        (ip4(UDP, bytes(40), frag=100), 0), (ip4(UDP, udp(53, bytes(1400))), 1),
        (ip4(UDP, udp(9, b"\0\0", 53)), 0), (ip4(TCP, tcp(sport=53)), 1),
    ],
    "bogon": [
        (ARP, 1), *((ip4(TCP, tcp(), src=s), 0) for s in (
            "0.1.2.3", "10.255.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "169.254.1.1",
            "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.200", "192.168.44.1",
            "198.19.255.255", "198.51.100.1", "203.0.113.9", "224.0.0.1", "255.255.255.255",
        )),
        *((ip4(TCP, tcp(), src=s), 1) for s in (
            "1.1.1.1", "100.128.0.1", "172.32.0.1", "192.0.1.1", "198.20.0.1", "223.255.255.255",
        )),
        (ip6(TCP, tcp()), 1), (ip4(TCP, b"")[:29], 0),
    ],
    "vxlan_inner": [
        (ARP, 1), (ip4(UDP, udp()), 1), (ip4(UDP, udp(), options=4), 0),
        (ip4(UDP, udp(4789, VXLAN), frag=0x2000), 0), (inner(ipv4(TCP, tcp())), 1),
        (inner(ipv4(TCP, tcp(), dst="169.254.169.254")), 0), (inner(ipv4(89, b"")), 0),
        (inner(bytes(28), 0x0806), 1), (inner(bytes(28), 0x8847), 0),
        (inner(ipv4(TCP, tcp()), vxlan=bytes(8)), 0), (inner(ipv4(UDP, udp()))[:81], 0),
    ],
    "gre_inner": [
        (ARP, 1), (ip4(TCP, tcp()), 1),
        (ip4(GRE, b"\0\0\x08\0" + ipv4(TCP, tcp())), 1),
        (ip4(GRE, b"\0\0\x08\0" + ipv4(UDP, udp())), 0),
        (ip4(GRE, b"\xb0\0\x08\0" + bytes(12) + ipv4(TCP, tcp()), options=40), 1),
        (ip4(GRE, b"\xb0\0\x08\0" + bytes(12) + ipv4(UDP, udp()), options=40), 0),
        (ip4(GRE, b"\x20\0\x08\0" + bytes(4) + ipv4(TCP, tcp())), 1),
        (ip4(GRE, b"\x40\0\x08\0" + bytes(4) + ipv4(TCP, tcp())), 0),
        (ip4(GRE, b"\0\1\x08\0" + ipv4(TCP, tcp())), 0),
        (ip4(GRE, b"\0\0\x86\xdd" + ipv4(TCP, tcp())), 0),
        (ip4(GRE, b"\0\0\x08\0" + ipv4(TCP, tcp()), frag=3), 0),
    ],
    "checksum_guard": [
        (ARP, 1), (GOOD_UDP, 1), (correct_udp(bytes(1000)), 1), (correct_udp(b"\xff" * 77), 1),
        *((GOOD_UDP[:n] + bytes([GOOD_UDP[n] ^ 4]) + GOOD_UDP[n + 1 :], 0) for n in (22, 27, 42)),
        (ip4(UDP, udp(9, b"no checksum")), 1), (ip4(UDP, udp(csum=5), options=4), 0),
        (ip4(UDP, udp(csum=5), frag=0x2000), 1), (ip4(TCP, tcp()), 1), (GOOD_UDP[:41], 0),
    ],
    "subprog_parse": [
        (ARP, 1), (ip4(TCP, tcp(443)), 1), (ip4(TCP, tcp(80), options=24), 1),
        (ip4(TCP, tcp(22), options=24), 0), (ip4(UDP, udp(443)), 1), (ip6(UDP, udp(53)), 0),
        (ip6(58, b""), 1), (ip4(TCP, tcp(22), frag=9), 1), (b"", 0), (ip4(TCP, tcp())[:23], 0),
        (ip4(TCP, tcp(80))[:36], 0), (ip4(1, b""), 1),
    ],
    "stack_parse": [
        (ARP, 1), (ip4(UDP, udp(123, b"\x17" + bytes(47))), 0),
        (ip4(UDP, udp(123, b"\x23" + bytes(47))), 1), (ip4(UDP, udp(123, b"\x16")), 0),
        (ip4(UDP, udp(123, b"\x16" + bytes(40)), options=20), 0),
        (ip4(UDP, udp(123, b"\x13" + bytes(40)), options=40), 1),
        (ip4(UDP, udp(124, b"\x16" + bytes(40)), options=40), 1),
        (ip4(UDP, udp(123, b"\x17" + bytes(9)), frag=7), 1), (ip4(UDP, udp(123)), 1),
        (ip4(UDP, udp(124, b"\x17")), 1), (ip4(UDP, udp(9, b"short"), options=12), 0),
        (ip4(TCP, tcp(123)), 1),
    ],
}


@pytest.mark.parametrize("name", CASES)
def test_verdicts(name):
    got = [(frame.hex(" "), passes(name, frame)) for frame, _ in CASES[name]]
    assert got == [(frame.hex(" "), bool(wanted)) for frame, wanted in CASES[name]]


@pytest.mark.parametrize("name", sorted(PHYS_DEV))
def test_no_length_makes_a_program_abort(name):
    for frame, _ in CASES.get(name, [(GOOD_UDP, 1)]):
        for size in range(0, min(len(frame), 100)):
            passes(name, frame[:size])


def test_hash_sampler_keeps_flows_whole_and_one_in_16():
    verdicts = {}
    for port in range(2000):
        frame = ip4(TCP, tcp(sport=port))
        verdicts[port] = passes("hash_sampler", frame)
        assert verdicts[port] == (receive_hash(frame)[0] % 16 == 0)
    assert 60 < sum(verdicts.values()) < 200
    assert passes("hash_sampler", ARP)


def test_random_sampler_passes_about_one_in_100():
    count = sum(passes("random_sampler", ARP, number=n) for n in range(5000))
    assert 20 < count < 100


def test_time_window():
    control = ether(0x0800, b"", (0x8100, 6 << 13))
    edges = [(0, 1), ((1 << 17) - 1, 1), (1 << 17, 0), ((1 << 20) - 1, 0), (5 << 20, 1)]
    for ktime, wanted in edges:
        assert passes("time_window", ARP, ktime=ktime) is bool(wanted)
        assert passes("time_window", control, ktime=ktime)


def test_every_program_has_a_test():
    others = {"hash_sampler", "random_sampler", "time_window"}
    assert set(CASES) | others == PHYS_DEV
