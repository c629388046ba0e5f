"""Descriptor field -> dataflow over the header window, for fields that the shell does not deliver.

The same rules as `ctx_map.models`, which these are tested against. Being ordinary dataflow, they are
narrowed, shared and scheduled together with the program.
"""

from functools import cached_property

from ..ctx_map.hash_types import HashType
from ..ctx_map.models import TAGS
from .builder import Builder
from .builder.wiring import runs_of

REACH = {"hash": 86, "hash_type": 86, "vlan_tci": 16, "vlan_proto": 16, "protocol": 16}
"""Deepest window byte that a field needs, as a count of bytes from byte 0.

The hash: 14 of Ethernet, 8 of two tags, 60 of IPv4 with options, 4 of ports.
"""


class Window:
    """The header window as dataflow: bytes, and how many of them the frame has."""

    def __init__(self, builder: Builder, size: int) -> None:
        self.b = builder
        self.size = size

    @cached_property
    def present(self) -> int:
        """Bytes of the frame in the window, saturating at its size."""
        return self.b.input("present", self.size.bit_length())

    def byte(self, at: int) -> int:
        return self.b.input("window", 8, at)

    def word(self, at: int, size: int) -> int:
        """`size` bytes from byte `at` as a number in network order."""
        return self.b.concat(*(self.byte(at + i) for i in range(size - 1, -1, -1)))

    def has(self, count: int) -> int:
        """Whether the frame has at least `count` bytes (1 bit); `count` is inside the window."""
        b = self.b
        if count == 0:
            return b.const(1, 1)
        return b.not_(b.ult(self.present, b.const(count, self.size.bit_length())))


class FrontEnd:
    """Builds each field at most once. `stripped` tells that an outer tag was taken out before."""

    def __init__(self, window: Window, key: bytes, strip_vlan: bool) -> None:
        self.w, self.b, self.key = window, window.b, key
        self.strip_vlan = strip_vlan

    def field(self, name: str) -> int:
        """The node of a WINDOW field."""
        match name:
            case "hash":
                return self.hash
            case "hash_type":
                return self.hash_type
            case "vlan_tci":
                return self._tag_part(14)
            case "vlan_proto":
                return self._tag_part(12)
            case "protocol":
                return self.protocol
        raise AssertionError(f"{name} is not computed from the window")

    def _is_tag(self, at: int) -> int:
        """Whether a whole VLAN tag starts at byte `at`."""
        word = self.w.word(at, 2)
        found = [self.b.eq(word, self.b.const(t, 16)) for t in TAGS]
        return self.b.and_(self.b.any_of(found), self.w.has(at + 4))

    def _tag_part(self, at: int) -> int:
        return self.b.mux(self._is_tag(12), self.w.word(at, 2), self.b.const(0, 16))

    @cached_property
    def protocol(self) -> int:
        b, w = self.b, self.w
        ethertype = w.word(12, 2)
        novell = b.and_(b.eq(w.word(14, 2), b.const(0xFFFF, 16)), w.has(16))
        length = b.mux(novell, b.const(1, 16), b.const(4, 16))
        value = b.mux(b.ult(ethertype, b.const(0x600, 16)), length, ethertype)
        return b.mux(w.has(14), value, b.const(0, 16))

    @cached_property
    def _tags(self) -> tuple[int, int, int]:
        """(no tag, one tag, two tags) before the network header, as 1-bit nodes."""
        b = self.b
        first, second = self._is_tag(12), self._is_tag(16)
        if self.strip_vlan:
            second = b.and_(second, b.not_(b.input("stripped", 1)))
        both = b.and_(first, second)
        return b.not_(first), b.and_(first, b.not_(second)), both

    def _byte(self, at: int) -> int:
        """Byte `at` counted from the EtherType that ends the Ethernet header and its tags."""
        pairs = [(tag, self.w.byte(12 + 4 * n + at)) for n, tag in enumerate(self._tags)]
        return self.b.onehot(pairs)

    def _word(self, at: int, size: int) -> int:
        return self.b.concat(*(self._byte(at + i) for i in range(size - 1, -1, -1)))

    def _has(self, count: int) -> int:
        """Whether `count` bytes follow the start of the EtherType."""
        pairs = [(tag, self.w.has(12 + 4 * n + count)) for n, tag in enumerate(self._tags)]
        return self.b.onehot(pairs)

    @cached_property
    def _ipv4(self) -> int:
        b = self.b
        head = self._byte(2)
        return b.all_of([
            self._ethertype(0x0800), self._has(22),
            b.eq(b.slice(head, 4, 4), b.const(4, 4)),
            b.not_(b.ult(self._ihl, b.const(5, 4))),
        ])

    @cached_property
    def _ihl(self) -> int:
        return self.b.slice(self._byte(2), 0, 4)

    def _ethertype(self, value: int) -> int:
        return self.b.eq(self._word(0, 2), self.b.const(value, 16))

    @cached_property
    def _ipv6(self) -> int:
        b = self.b
        version = b.eq(b.slice(self._byte(2), 4, 4), b.const(6, 4))
        return b.all_of([self._ethertype(0x86DD), self._has(42), version])

    @cached_property
    def _protocols(self) -> dict[str, int]:
        """Whether the tuple has the ports of this transport, by its name."""
        b = self.b
        number = b.mux(self._ipv4, self._byte(11), self._byte(8))
        whole = b.or_(self._ipv6, b.eq(
            b.and_(self._word(8, 2), b.const(0x3FFF, 16)), b.const(0, 16)
        ))
        ip = b.and_(b.or_(self._ipv4, self._ipv6), whole)
        return {
            name: b.and_(ip, b.eq(number, b.const(n, 8)))
            for name, n in (("TCP", 6), ("UDP", 17), ("SCTP", 132))
        }

    @cached_property
    def _has_ports(self) -> int:
        """Whether the four bytes of ports are in the frame."""
        b = self.b
        v4 = b.case(self._ihl, {ihl: self._has(2 + ihl * 4 + 4) for ihl in range(5, 16)})
        return b.mux(self._ipv4, v4, self._has(2 + 40 + 4))

    @cached_property
    def _wants_ports(self) -> int:
        return self.b.any_of(list(self._protocols.values()))

    @cached_property
    def _truncated(self) -> int:
        return self.b.and_(self._wants_ports, self.b.not_(self._has_ports))

    @cached_property
    def hash_type(self) -> int:
        b = self.b
        types = []
        for version, is_ip in (("IPV4", self._ipv4), ("IPV6", self._ipv6)):
            ip = b.and_(is_ip, b.not_(self._truncated))
            l3 = b.and_(ip, b.not_(self._wants_ports))
            types.append((l3, b.const(HashType[f"L3_{version}"], 16)))
            for name, is_transport in self._protocols.items():
                value = HashType[f"L4_{version}_{name}"]
                types.append((b.and_(ip, is_transport), b.const(value, 16)))
        return b.onehot(types)

    @cached_property
    def hash(self) -> int:
        """The Toeplitz hash: each result bit is the parity of the tuple bits that its key selects."""
        b, content = self.b, self._tuple()
        top, key = len(self.key) * 8, int.from_bytes(self.key, "big")
        result = []
        for n in range(32):
            chosen = []
            for i, byte in reversed(list(enumerate(content))):
                # Tuple bit i from the top meets key bit i + (31 - n) from the top.
                mask = key >> (top - 8 * i - 8 - (31 - n)) & 0xFF
                chosen += [b.slice(byte, low, w) for low, w, one in runs_of(8, mask) if one]
            result.append(b.parity(b.concat(*chosen)))
        return b.concat(*result)

    def _tuple(self) -> list[int]:
        """36 bytes: IPv4 addresses and ports first, or IPv6 addresses then ports; the rest 0."""
        b = self.b
        v4 = b.and_(self._ipv4, b.not_(self._truncated))
        v6 = b.and_(self._ipv6, b.not_(self._truncated))
        v4_bytes = [self._byte(2 + 12 + i) for i in range(8)] + self._ports(
            [
                b.case(self._ihl, {n: self._byte(2 + n * 4 + i) for n in range(5, 16)})
                for i in range(4)
            ]
        )
        v6_bytes = [self._byte(2 + 8 + i) for i in range(32)]
        v6_bytes += self._ports([self._byte(2 + 40 + i) for i in range(4)])
        zero = b.const(0, 8)
        return [
            b.onehot([(v6, six), (v4, four)])
            for six, four in zip(v6_bytes, v4_bytes + [zero] * 24, strict=True)
        ]

    def _ports(self, raw: list[int]) -> list[int]:
        return [self.b.mux(self._wants_ports, p, self.b.const(0, 8)) for p in raw]
