"""Each XDP example gives the verdicts that its comment says."""

import struct
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from rxgate.compiler.decode import decode
from rxgate.compiler.load import load_program
from rxgate.ctx_map.models import describe, receive_hash
from rxgate.ctx_map.nics import FRONT_END, NICS, Nic
from rxgate.ctx_map.verdicts import Verdict
from rxgate.sim.interp import Interpreter

EXAMPLES = Path(__file__).parents[2] / "examples"
TCP, UDP = 6, 17
PASS, DROP, TX, ABORTED = Verdict.PASS, Verdict.DROP, Verdict.TX, Verdict.ABORTED


def ether(kind: int, payload: bytes, *tags: int) -> bytes:
    head = bytes.fromhex("020000000001020000000002")
    head += b"".join(struct.pack(">HH", 0x8100, tci) for tci in tags)
    return head + struct.pack(">H", kind) + payload


def ip4(proto: int, body: bytes, *tags: int, options=0, frag=0, ttl=64, src="198.51.100.1") -> bytes:
    size = 20 + options + len(body)
    head = struct.pack(">BBHHHBBH", 0x45 + options // 4, 0, size, 1, frag, ttl, proto, 0)
    head += bytes(map(int, src.split("."))) + bytes((8, 8, 8, 8)) + b"\1" * options
    return ether(0x0800, head + body, *tags)


def ip6(proto: int, body: bytes, *, hops=64, src=bytes(16)) -> bytes:
    head = struct.pack(">IHBB", 6 << 28, len(body), proto, hops) + src + bytes(range(16))
    return ether(0x86DD, head + body)


def tcp(dport=443, sport=1000) -> bytes:
    return struct.pack(">HHIIBBHHH", sport, dport, 1, 2, 0x50, 0x10, 1000, 0, 0)


def udp(dport=9, body=b"", sport=1000) -> bytes:
    return struct.pack(">HHHH", sport, dport, 8 + len(body), 0) + body


def dns(flags=0, questions=1, answers=0, size=20) -> bytes:
    return struct.pack(">HBBHHHH", 1, flags, 0, questions, answers, 0, 0).ljust(size, b"\0")


def quic(flags=0xC0, version=1, ids=(8, 8), size=1200) -> bytes:
    head = struct.pack(">BIB", flags, version, ids[0]) + bytes(ids[0]) + bytes((ids[1],))
    return ip4(UDP, udp(443, head.ljust(size, b"\0")))


def mpls(payload: bytes, *labels: int) -> bytes:
    """A frame's payload behind a stack of labels."""
    last = len(labels) - 1
    stack = [(label << 12 | (n == last) << 8 | 64) for n, label in enumerate(labels)]
    return ether(0x8847, struct.pack(f">{len(labels)}I", *stack) + payload)


def arp(operation: int, sender: str) -> bytes:
    head = struct.pack(">HHBBH", 1, 0x0800, 6, 4, operation) + bytes(6)
    return ether(0x0806, head + bytes(map(int, sender.split("."))) + bytes(10))


def to(frame: bytes, address: str) -> bytes:
    """An untagged IPv4 frame with this destination address."""
    return frame[:30] + bytes(map(int, address.split("."))) + frame[34:]


def from_mac(frame: bytes, address: str) -> bytes:
    return frame[:6] + bytes.fromhex(address) + frame[12:]


ARP = ether(0x0806, bytes(46))
TEN = bytes.fromhex("20010db8") + bytes(12)
REDIRECT = Verdict.REDIRECT
def flow(residue: int) -> bytes:
    """A packet of a flow whose receive hash leaves `residue` when divided by 16."""
    packets = (ip4(TCP, tcp(sport=port)) for port in range(1000, 2000))
    return next(p for p in packets if receive_hash(p)[0] % 16 == residue)


CASES = {
    "xdp_port_filter": [
        (ARP, PASS), (ip4(TCP, tcp(23)), DROP), (ip4(TCP, tcp(22)), PASS),
        (ip4(UDP, udp(11211), options=40), DROP), (ip4(UDP, udp(23), frag=9), PASS),
        (ip6(TCP, tcp(137)), DROP), (ip6(58, tcp(137)), PASS), (ip4(TCP, b""), DROP),
    ],
    "xdp_block_list": [
        (ARP, PASS), (ip4(TCP, tcp()), DROP), (ip4(TCP, tcp(), src="198.51.101.0"), PASS),
        (ip4(TCP, tcp(23), src="10.0.0.1"), DROP), (ip4(TCP, tcp(0), src="10.0.0.1"), PASS),
        (ip4(UDP, udp(11211), options=40, src="10.0.0.1"), DROP), (ip6(TCP, tcp(23)), PASS),
        (ip4(UDP, udp(23), frag=9, src="10.0.0.1"), PASS), (ip4(1, b"", src="10.0.0.1"), PASS),
        (ip4(UDP, b"", src="10.0.0.1"), DROP),
    ],
    "xdp_vlan_parse": [
        (ARP, DROP), (ip4(TCP, tcp()), PASS), (ip4(TCP, tcp(), 1), PASS),
        (ip4(TCP, tcp(), 1, 2), PASS), (ip4(TCP, tcp(), 1, 2, 3), DROP), (ip6(TCP, b""), PASS),
        (ether(0x0800, b"\x60" * 40), ABORTED), (ether(0x86DD, b"\x45" * 40), ABORTED),
        (ip4(TCP, b"", 1)[:37], DROP),
    ],
    "xdp_icmp_pass": [
        (ARP, PASS), (ip4(1, bytes(8)), PASS), (ip4(1, bytes(8), options=8), PASS),
        (ip4(1, bytes(7)), DROP), (ip4(TCP, tcp()), DROP), (ip6(58, bytes(8)), PASS),
        (ip6(58, bytes(7)), DROP), (ip6(1, bytes(8)), DROP),
    ],
    "xdp_dns_guard": [
        (ARP, PASS), (ip4(UDP, udp(53, dns())), PASS), (ip4(UDP, udp(53, dns(answers=1))), DROP),
        (ip4(UDP, udp(53, dns(0x28))), DROP), (ip4(UDP, udp(53, dns(questions=2))), DROP),
        (ip4(UDP, udp(9, dns(0x80, size=1232), 53), options=40), PASS),
        (ip4(UDP, udp(9, dns(0x80, size=1233), 53)), DROP), (ip4(UDP, udp(9, dns(), 53)), DROP),
        (ip4(UDP, udp(), frag=0x2000), DROP), (ip4(TCP, tcp(53)), PASS), (ip4(UDP, udp()), PASS),
    ],
    "xdp_ntp_guard": [
        (ARP, PASS), (ip4(UDP, udp(123, b"\x23" + bytes(47))), PASS),
        (ip4(UDP, udp(123, b"\x17")), DROP), (ip4(UDP, udp(9, b"\x24" + bytes(47), 123)), PASS),
        (ip4(UDP, udp(9, b"\x24" + bytes(67), 123), options=8), PASS),
        (ip4(UDP, udp(9, b"\x24" + bytes(200), 123)), DROP),
        (ip6(UDP, udp(123, b"\x16")), DROP), (ip6(UDP, udp(123, b"\x23")), PASS),
    ],
    "xdp_quic_guard": [
        (ARP, PASS), (quic(), PASS), (quic(size=1199), DROP), (quic(0xD0, size=60), PASS),
        (quic(version=2), DROP), (quic(0xD0, 0x6B3343CF, size=100), DROP),
        (quic(0xC0, 0x6B3343CF, size=100), PASS), (quic(0x80), DROP), (quic(0x40, 9, size=30), PASS),
        (quic(ids=(21, 0)), DROP), (quic(ids=(20, 20)), PASS), (quic(ids=(20, 21)), DROP),
        (ip4(UDP, udp(444, b"\0")), PASS), (ip4(UDP, udp(443, b"\xc0")), DROP),
    ],
    "xdp_ttl_filter": [
        (ARP, PASS), (ip4(TCP, tcp(), ttl=1), DROP), (ip4(TCP, tcp(), ttl=2), PASS),
        (ip4(TCP, tcp(179)), DROP), (ip4(TCP, tcp(179), ttl=255), PASS),
        (ip4(TCP, tcp(sport=179), options=12), DROP), (ip6(TCP, tcp(179), hops=254), DROP),
        (ip6(UDP, tcp(179), hops=254), PASS), (ip6(58, b"", hops=0), DROP),
    ],
    "xdp_fragment_filter": [
        (ARP, PASS), (ip4(TCP, tcp()), PASS), (ip4(TCP, tcp(), frag=1), DROP),
        (ip4(TCP, tcp(), frag=0x2000), DROP), (ip4(UDP, bytes(28), frag=0x2000), PASS),
        (ip4(UDP, bytes(8), frag=5), PASS), (ip6(44, bytes(8)), DROP), (ip6(TCP, tcp()), PASS),
        (ip6(0, bytes((44, 0)) + bytes(14)), DROP), (ip6(60, bytes((6, 1)) + bytes(22)), PASS),
        (ip6(0, bytes((6, 4)) + bytes(62)), DROP),
    ],
    "xdp_packet_length": [
        (ARP, PASS), (ether(0x0806, bytes(1500)), PASS), (ether(0x0806, bytes(1501)), DROP),
        (bytes(13), ABORTED), (ip4(UDP, udp()), PASS), (ip4(UDP, udp())[:-1], DROP),
        (ip4(UDP, udp()) + bytes(9), PASS), (ip6(UDP, udp())[:-1], DROP), (ip6(UDP, udp()), PASS),
        (ip4(UDP, b"")[:33], ABORTED),
    ],
    "xdp_ipv6_ext": [
        (ARP, PASS), (ip6(TCP, tcp()), PASS), (ip6(0, bytes((6, 0)) + bytes(14)), PASS),
        (ip6(43, bytes((6, 0, 0, 1)) + bytes(12)), DROP),
        (ip6(43, bytes((6, 0, 4, 1)) + bytes(12)), PASS),
        (ip6(44, bytes((6, 0, 0, 1, 0, 0, 0, 0))), PASS),
        (ip6(44, bytes((6, 0, 0, 9, 0, 0, 0, 0))), DROP), (ip6(60, bytes((6, 3)) + bytes(40)), DROP),
        (ip6(0, bytes(64)), DROP), (ip6(0, bytes((6, 0, 0))), DROP),
        (ether(0x86DD, ip6(43, bytes((6, 0, 0, 1)) + bytes(12))[14:], 7, 8), DROP),
        (ether(0x86DD, ip6(43, bytes((6, 0, 4, 1)) + bytes(12))[14:], 7), PASS),
        (ether(0x86DD, ip6(43, bytes((6, 0, 0, 1)) + bytes(12))[14:], 7, 8, 9), PASS),
        (ether(0x86DD, b"", 7)[:17], DROP), (ether(0x86DD, bytes(39), 7, 8), DROP),
    ],
    "xdp_five_tuple": [
        (ARP, PASS), (ip4(TCP, tcp(22)), DROP), (ip4(TCP, tcp(22), src="192.168.7.7"), PASS),
        (ip4(TCP, tcp(443)), PASS), (ip4(TCP, tcp(80)), DROP), (ip4(TCP, tcp(1024)), PASS),
        (ip4(UDP, udp(7)), TX), (ip4(UDP, udp(99, sport=53)), PASS), (ip4(UDP, udp(53)), DROP),
        (ip4(1, b"", src="127.0.0.1"), DROP), (ip4(1, b"", 666), DROP), (ip4(1, b"", 667), PASS),
    ],
    "xdp_hash_sampler": [
        (ARP, PASS), (flow(0), REDIRECT), (flow(1), PASS), (flow(15), PASS),
        (ip4(TCP, tcp(), 1000), REDIRECT if receive_hash(ip4(TCP, tcp()))[0] % 16 == 0 else PASS),
        (ip4(TCP, b"")[:33], PASS),
    ],
    "xdp_flow_table": [
        (ARP, PASS), (arp(2, "192.0.2.1"), DROP), (arp(2, "192.0.2.2"), PASS),
        (ARP[:41], DROP), (ip4(TCP, tcp(23)), DROP), (ip4(TCP, tcp(443)), PASS),
        (to(ip4(TCP, tcp(443)), "198.51.100.31"), REDIRECT),
        (to(ip4(TCP, tcp(443)), "198.51.100.32"), PASS), (ip4(UDP, udp(7), options=40), TX),
        (ip4(UDP, udp(8)), DROP), (ip4(UDP, udp(9, sport=53)), PASS), (ip4(UDP, udp(53)), DROP),
        (to(ip4(UDP, udp(53)), "192.0.2.53"), REDIRECT), (ip4(UDP, udp(0x7FFF)), REDIRECT),
        (ip4(TCP, tcp(22), src="10.1.2.3"), PASS), (ip4(TCP, tcp(22), src="10.2.2.3"), DROP),
        (from_mac(ip4(TCP, tcp(443)), "030000000002"), DROP), (ip6(TCP, b""), PASS),
        (ip4(1, b"\x08\0"), PASS), (ip4(1, b"\x08\1"), DROP), (ip4(1, b"\0"), DROP),
        (ip4(47, b"")[:15] + b"\xb8" + ip4(47, b"")[16:], REDIRECT), (ip4(47, b""), DROP),
        (ip4(TCP, tcp(443), 666), DROP), (ip4(47, b"", 0xA000 | 200), REDIRECT),
        (ip4(47, b"", 200), PASS), (ip4(TCP, tcp(25), 300), DROP), (ip4(TCP, tcp(80), 300), PASS),
        (to(ip4(TCP, tcp(0x8001)), "198.51.100.9"), PASS), (ip4(TCP, tcp(0x8001)), DROP),
        (ip4(TCP, tcp(443), src="127.1.1.1"), DROP), (ip4(TCP, tcp(443), src="225.1.1.1"), DROP),
        (ip4(TCP, tcp(443), frag=1), DROP), (ether(0x88CC, b""), DROP),
        (bytes.fromhex("0180c200000e") + ether(0x88CC, b"")[6:], PASS),
    ],
    "xdp_p4_parser": [
        (ARP, PASS), (bytes(13), ABORTED), (ip4(TCP, tcp()), PASS), (ip4(TCP, tcp(22)), DROP),
        (ip4(TCP, tcp(22), 5, options=40), DROP), (ip4(TCP, tcp(22), frag=3), PASS),
        (ip4(TCP, tcp(22), ttl=1), DROP), (ip4(UDP, udp(7), 5), TX), (ip4(UDP, udp(7))[:-1], ABORTED),
        (ip4(TCP, tcp(), 666), DROP), (ip4(TCP, tcp(), 7, 666), DROP), (ip4(TCP, tcp(), 666, 7), PASS),
        (ip4(1, b"", 7, 8, 9), PASS),
        (ip4(UDP, udp(99, bytes(600))), REDIRECT), (ip4(UDP, udp(99)), PASS),
        (to(ip4(1, b""), "127.0.0.1"), DROP), (to(ip4(1, b""), "10.0.0.1"), DROP),
        (mpls(ip4(TCP, tcp(22))[14:], 16), DROP), (mpls(ip4(TCP, tcp())[14:], 16, 17), PASS),
        (mpls(ip4(TCP, tcp())[14:], 16, 17, 18), ABORTED), (mpls(b"\0", 16), PASS),
        (mpls(ip6(UDP, udp(7))[14:], 16), TX), (mpls(b"", 16), ABORTED),
        (ip6(TCP, tcp())[:38] + TEN + tcp(), DROP), (ip6(TCP, tcp(), hops=1), DROP),
        (ip4(TCP, tcp()[:13] + b"\x13" + bytes(6)), DROP), (ether(0x0800, bytes(40)), ABORTED),
    ],
    "xdp_tx_echo": [
        (ARP, PASS), (ip4(UDP, udp(7)), TX), (ip4(UDP, udp(7), options=40), TX),
        (ip4(UDP, udp(8)), PASS), (ip4(TCP, tcp(7)), PASS), (ip6(UDP, udp(7)), TX),
        (ip6(UDP, udp(7), src=bytes(range(16))), DROP), (b"\3" + ip4(UDP, udp(7))[1:], PASS),
        (ip4(UDP, udp(7))[:-1], PASS),
    ],
}


@cache
def interpreter(name: str, mcpu: str) -> Interpreter:
    return Interpreter(decode(load_program(EXAMPLES / f"{name}.c", mcpu=mcpu)))


@pytest.mark.parametrize("mcpu", ["v1", "v4"])
@pytest.mark.parametrize("name", CASES)
def test_verdicts(name, mcpu):
    run = interpreter(name, mcpu).run
    got = [(frame.hex(), run(frame, describe(frame).descriptor).verdict) for frame, _ in CASES[name]]
    assert got == [(frame.hex(), wanted) for frame, wanted in CASES[name]]


def sampled(frame: bytes, nic: Nic, ktime: int = 0) -> Verdict:
    program = replace(interpreter("xdp_hash_sampler", "v4").program, nic=nic)
    received = describe(frame, strip_vlan=True)
    return Interpreter(program).run(received.frame, received.descriptor, ktime=ktime).verdict


def test_the_hash_sampler_goes_round():
    for turn in range(40):
        chosen = {n for n in range(16) if sampled(flow(n), FRONT_END, turn << 36) is REDIRECT}
        assert chosen == {turn % 16}


def test_the_hash_sampler_redirects_a_vlan_whose_tags_are_taken_out():
    assert sampled(ether(0x0806, bytes(46), 0xE000 | 1000), FRONT_END) is REDIRECT
    assert sampled(ether(0x0806, bytes(46), 999), FRONT_END) is PASS


def test_the_hash_sampler_without_metadata():
    """One hash for both directions, and no turns."""
    there, back = ip4(1, b"", src="10.0.0.1"), to(ip4(1, b"", src="8.8.8.8"), "10.0.0.1")
    assert there[26:34] == back[30:34] + back[26:30]
    counts = dict.fromkeys((PASS, REDIRECT), 0)
    for host in range(512):
        address = f"10.0.{host >> 8}.{host & 255}"
        verdicts = {
            sampled(frame, NICS["plain"], ktime)
            for frame in (ip4(1, b"", src=address), to(ip4(6, b"", src="8.8.8.8"), address))
            for ktime in (0, 5 << 36)
        }
        [verdict] = verdicts
        counts[verdict] += 1
    assert 16 < counts[REDIRECT] < 64
    assert sampled(ARP, NICS["plain"]) is PASS


@pytest.mark.parametrize("name", CASES)
def test_no_length_is_read_beyond_the_end(name):
    """The interpreter raises when a program does."""
    for frame, _ in CASES[name]:
        for size in range(min(len(frame), 130)):
            cut = frame[:size]
            interpreter(name, "v4").run(cut, describe(cut).descriptor)


def test_every_program_has_a_test():
    assert {p.stem for p in EXAMPLES.glob("xdp_*.c")} == set(CASES)
