"""Seeded draws -> network and transport headers with their payloads, tunnels included."""

from struct import pack

from .packet_values import HOSTS6, MACS, Dice, Values

IPV4, IPV6, ARP, MPLS, VLAN, QINQ, PPPOE = 0x0800, 0x86DD, 0x0806, 0x8847, 0x8100, 0x88A8, 0x8864
_TCP, _UDP, _ICMP, _ICMP6, _SCTP, _GRE, _IPIP, _IP6IN = 6, 17, 1, 58, 132, 47, 4, 41
_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AH, _DEST_OPTIONS = 0, 43, 44, 51, 60
_COMMON = (_TCP,) * 9 + (_UDP,) * 8 + (_ICMP,) * 2 + (_SCTP, _GRE, _GRE, _IPIP, _IP6IN)
_TCP_FLAGS = (2, 2, 18, 16, 16, 24, 24, 17, 4, 20, 1, 3, 0, 0x29, 0x3F, 0xC2, 0xFF)
_EXTENSIONS = (_HOP_BY_HOP, _ROUTING, _FRAGMENT, _DEST_OPTIONS, _AH)
_VXLAN_PORT, _GENEVE_PORT, _DNS_PORT = 4789, 6081, 53
_CHECKSUM_AT = {_TCP: 16, _UDP: 6, _ICMP: 2, _ICMP6: 2}
_MAX_DEPTH = 2
_LLC_HEADERS = (b"\x42\x42\x03", b"\xaa\xaa\x03", b"\xfe\xfe\x03", b"\xf0\xf0\x03")
_TCP_DATA = (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00", b"")


def checksum(data: bytes, more: int = 0) -> int:
    """The RFC 1071 checksum of `data`, with `more` (words, or numbers made of them) added."""
    number = int.from_bytes(data + b"\0" * (len(data) % 2), "big") + more
    return 0xFFFF - number % 0xFFFF


def sealed(protocol: int, body: bytes, pseudo: int) -> bytes:
    """A transport header and payload with the right checksum, `pseudo` being its pseudo-header."""
    at = _CHECKSUM_AT.get(protocol)
    if at is None or len(body) < at + 2:
        return body
    value = checksum(body[:at] + body[at + 2 :], pseudo)
    return b"%b%b%b" % (body[:at], pack("!H", value), body[at + 2 :])


class Layers:
    """Draws packets from the network layer upward. `depth` counts the tunnels around them."""

    def __init__(self, dice: Dice, values: Values) -> None:
        self.dice = dice
        self.values = values

    def network(self, depth: int = 0) -> tuple[int, bytes]:
        """An EtherType and what follows it."""
        d, r = self.dice, self.dice.rng.random()
        if r < 0.58:
            return IPV4, self.ipv4(depth)
        if r < 0.82:
            return IPV6, self.ipv6(depth)
        if r < 0.90:
            return ARP, self.arp()
        if r < 0.94:
            return MPLS, self.mpls(depth)
        if r < 0.97:
            return PPPOE, self.pppoe(depth)
        body = d.payload(d.size())
        if r < 0.985:
            return len(body) % 1501, d.pick(_LLC_HEADERS) + body
        return d.mostly(self.values.ethertypes, 16), body

    def arp(self) -> bytes:
        d = self.dice
        return pack(
            "!HHBBH6sI6sI", 1, IPV4, 6, 4, d.pick((1, 2, 2, 3)), d.pick(MACS),
            d.mostly(self.values.addresses, 32), d.pick(MACS), d.mostly(self.values.addresses, 32),
        )

    def mpls(self, depth: int) -> bytes:
        d, labels = self.dice, 1 + self.dice.below(3)
        stack = b"".join(
            pack("!I", d.mostly(self.values.vlans, 20) << 12 | (n == labels - 1) << 8 | 64)
            for n in range(labels)
        )
        return stack + (self.ipv4(depth) if d.chance(0.6) else self.ipv6(depth))

    def pppoe(self, depth: int) -> bytes:
        d = self.dice
        four = d.chance(0.6)
        inner = self.ipv4(depth) if four else self.ipv6(depth)
        session = d.mostly(self.values.vlans, 16)
        return pack("!BBHHH", 0x11, 0, session, len(inner) + 2, 0x21 if four else 0x57) + inner

    def ipv4(self, depth: int = 0) -> bytes:
        d, v = self.dice, self.values
        options = 4 * (1 + d.below(10)) if d.chance(0.2) else 0
        fragment = d.pick((0x2000, 0x2001, 1, 185, 0x4001, 0x1FFF)) if d.chance(0.1) else (
            0x4000 if d.chance(0.5) else 0
        )
        protocol, body = self.transport(d.pick(_COMMON), depth)
        source, target = d.mostly(v.addresses, 32), d.mostly(v.addresses, 32)
        if d.chance(0.6):
            pseudo = 0 if protocol == _ICMP else source + target + protocol + len(body)
            body = sealed(protocol, body, pseudo)
        total = 20 + options + len(body)
        if d.chance(0.05):
            total = d.mostly(v.octets, 16)
        header = pack(
            "!BBHHHBBHII", 0x45 + options // 4, d.pick(v.octets), total & 0xFFFF, d.bits(16),
            fragment, d.mostly(v.octets, 8), protocol, 0, source, target,
        ) + (d.payload(options) if options else b"")
        return b"%b%b%b%b" % (header[:10], pack("!H", checksum(header)), header[12:], body)

    def ipv6(self, depth: int = 0) -> bytes:
        d = self.dice
        protocol, body = self.transport(d.pick(_COMMON), depth)
        if protocol == _ICMP:
            protocol = _ICMP6
        source, target = self._host6(), self._host6()
        if d.chance(0.6):
            hosts = int.from_bytes(source, "big") + int.from_bytes(target, "big")
            body = sealed(protocol, body, hosts + protocol + len(body))
        while d.chance(0.25):
            kind = d.pick(_EXTENSIONS)
            body, protocol = self._extension(kind, protocol) + body, kind
        size = len(body) if d.chance(0.95) else d.bits(16)
        return pack(
            "!IHBB16s16s", 0x60000000 | (d.bits(28) if d.chance(0.3) else 0), size & 0xFFFF,
            protocol, d.mostly(self.values.octets, 8), source, target,
        ) + body

    def _host6(self) -> bytes:
        return self.dice.pick(HOSTS6) if self.dice.chance(0.8) else self.dice.payload(16)

    def _extension(self, kind: int, following: int) -> bytes:
        d = self.dice
        if kind == _FRAGMENT:
            offset = d.pick((0, 0, 1, 8, 1480, 0xFFF8))
            return pack("!BBHI", following, 0, offset, d.bits(32))
        words = d.below(3)
        size = 8 + 4 * words if kind == _AH else 8 + 8 * words
        return pack("!BB", following, 1 + words if kind == _AH else words) + d.payload(size - 2)

    def transport(self, protocol: int, depth: int) -> tuple[int, bytes]:
        """A protocol number and what follows the IP header."""
        d = self.dice
        if protocol == _TCP:
            return protocol, self.tcp()
        if protocol == _UDP:
            return protocol, self.udp(depth)
        if protocol == _ICMP:
            return protocol, self.icmp()
        if protocol == _SCTP:
            ports = pack("!HHII", self._port(), self._port(), d.bits(32), d.bits(32))
            return protocol, ports + d.payload(d.size())
        if depth < _MAX_DEPTH and protocol == _GRE:
            return protocol, self.gre(depth + 1)
        if depth < _MAX_DEPTH and protocol == _IPIP:
            return protocol, self.ipv4(depth + 1)
        if depth < _MAX_DEPTH and protocol == _IP6IN:
            return protocol, self.ipv6(depth + 1)
        return d.mostly(self.values.protocols, 8), d.payload(d.size())

    def _port(self) -> int:
        return self.dice.mostly(self.values.ports, 16)

    def icmp(self) -> bytes:
        d = self.dice
        kind, code = d.pick((0, 3, 8, 8, 11, 128, 129, 133, 135)), d.pick((0, 0, 1, 3, 4))
        head = pack("!BBHHH", kind, code, d.bits(16), d.bits(16), d.below(100))
        return head + d.payload(d.size())

    def tcp(self) -> bytes:
        d = self.dice
        options = 4 * d.below(11) if d.chance(0.5) else 0
        flags = d.mostly(_TCP_FLAGS, 9)
        return pack(
            "!HHIIHHHH", self._port(), self._port(), d.bits(32), d.bits(32),
            (5 + options // 4) << 12 | flags, d.bits(16) if d.chance(0.8) else 0, d.bits(16), 0,
        ) + d.payload(options) + d.pick(_TCP_DATA) + d.payload(d.size())

    def udp(self, depth: int) -> bytes:
        d = self.dice
        source, target = self._port(), self._port()
        if target == _VXLAN_PORT and depth < _MAX_DEPTH:
            vni = d.mostly(self.values.vlans, 24)
            body = pack("!II", 0x08000000, vni << 8) + self._inner(depth)
        elif target == _GENEVE_PORT and depth < _MAX_DEPTH:
            words = d.below(5)
            vni = d.mostly(self.values.vlans, 24) << 8
            body = pack("!BBHI", words, 0, 0x6558, vni) + d.payload(4 * words) + self._inner(depth)
        elif _DNS_PORT in (source, target):
            flags = d.pick((0x0100, 0x8180, 0x8400, 0x8580))
            header = pack("!6H", d.bits(16), flags, 1, d.below(20), 0, d.below(3))
            body = header + d.payload(d.size())
        else:
            body = d.payload(d.size())
        size = len(body) + 8 if d.chance(0.95) else d.mostly(self.values.octets, 16)
        return pack("!HHHH", source, target, size & 0xFFFF, d.bits(16)) + body

    def _inner(self, depth: int) -> bytes:
        """An Ethernet frame inside a tunnel."""
        kind, body = self.network(depth + 1)
        return self.dice.pick(MACS) + self.dice.pick(MACS) + pack("!H", kind) + body

    def gre(self, depth: int) -> bytes:
        d = self.dice
        flags = d.pick((0, 0, 0x2000, 0x8000, 0x3000, 0xB000))
        optional = 4 * (flags & 0xB000).bit_count()
        kind = d.pick((IPV4, IPV6, 0x6558))
        if kind == IPV4:
            body = self.ipv4(depth)
        elif kind == IPV6:
            body = self.ipv6(depth)
        else:
            body = self._inner(depth)
        return pack("!HH", flags, kind) + d.payload(optional) + body
