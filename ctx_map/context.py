"""One declaration per context -> access rules, memory image, C header and documentation."""

from dataclasses import dataclass, replace
from enum import Enum

from .descriptor import BY_NAME, Descriptor
from .helpers import COMMON, Helper
from .kfuncs import METADATA
from .verdicts import MATCH_PASSES, PHYS_DEV, TC_ACTION, XDP, VerdictRule


class PacketEnd(Enum):
    """Where an address in the context points."""

    START = "first byte of the packet"
    END = "byte behind the packet's last"


@dataclass(frozen=True, slots=True)
class Field:
    """A 4-byte, read-only context field at byte `offset`.

    `signal` names the descriptor field behind it. `network_order` fields hold the 16-bit value
    byte-swapped, as the kernel's __be16 members do; `flag` fields are 1 when the signal is not 0.
    A field with `points_to` yields an address of the packet instead of a number.
    """

    name: str
    offset: int
    signal: str = ""
    network_order: bool = False
    flag: bool = False
    points_to: PacketEnd | None = None

    SIZE = 4

    def value(self, descriptor: Descriptor) -> int:
        """What a load of this field yields."""
        v = getattr(descriptor, self.signal)
        if self.flag:
            return int(v != 0)
        return int.from_bytes(v.to_bytes(2, "big"), "little") if self.network_order else v


@dataclass(frozen=True, slots=True)
class Context:
    """What a program's r1 points to, and how its return value is read.

    `size` is the span of the struct in bytes; bytes of it that no field covers exist in the kernel
    but not in a receive descriptor. `absent` names such fields for diagnostics. `narrow_loads`
    tells whether a field may be read in part, `packet_loads` whether LD_ABS and LD_IND are legal.
    """

    name: str
    structs: tuple[str, ...]
    sections: tuple[str, ...]
    fields: tuple[Field, ...]
    size: int
    verdicts: VerdictRule
    absent: tuple[tuple[int, str], ...] = ()
    narrow_loads: bool = False
    packet_loads: bool = True
    helpers: frozenset[Helper] = COMMON | {Helper.SKB_LOAD_BYTES}
    kernel_functions: frozenset[str] = frozenset()

    def at(self, offset: int) -> Field | None:
        """The field that starts at byte `offset`."""
        return next((f for f in self.fields if f.offset == offset), None)

    def absent_at(self, offset: int) -> str | None:
        """The name of a field that the kernel has at `offset` and a descriptor has not."""
        return next((n for o, n in reversed(self.absent) if o <= offset), None)


XDP_METADATA = Context(
    name="xdp_metadata",
    structs=("xdp_metadata", "bpf_phys_dev_md"),
    sections=("phys_dev",),
    fields=(
        Field("len", 0, "len"),
        Field("hash", 4, "hash"),
        Field("hash_type", 8, "hash_type"),
        Field("vlan_tci", 12, "vlan_tci"),
        Field("vlan_proto", 16, "vlan_proto"),
        Field("csum", 20, "csum"),
        Field("ingress_ifindex", 24, "ingress_ifindex"),
        Field("rx_queue_index", 28, "rx_queue_index"),
    ),
    size=32,
    verdicts=PHYS_DEV,
)
"""The context of PHYS_DEV programs (RFC of April 2016, extended by the fields its thread asked for)."""

SK_BUFF = Context(
    name="__sk_buff",
    structs=("__sk_buff",),
    sections=("socket",),
    fields=(
        Field("len", 0, "len"),
        Field("queue_mapping", 12, "rx_queue_index"),
        Field("protocol", 16, "protocol", network_order=True),
        Field("vlan_present", 20, "vlan_proto", flag=True),
        Field("vlan_tci", 24, "vlan_tci"),
        Field("vlan_proto", 28, "vlan_proto", network_order=True),
        Field("ingress_ifindex", 36, "ingress_ifindex"),
        Field("ifindex", 40, "ingress_ifindex"),
        Field("hash", 68, "hash"),
    ),
    size=192,
    verdicts=MATCH_PASSES,
    narrow_loads=True,
    absent=(
        (4, "pkt_type"), (8, "mark"), (32, "priority"), (44, "tc_index"), (48, "cb"),
        (72, "tc_classid"), (76, "data"), (80, "data_end"), (84, "napi_id"), (88, "family"),
        (92, "remote_ip4"), (96, "local_ip4"), (100, "remote_ip6"), (116, "local_ip6"),
        (132, "remote_port"), (136, "local_port"), (140, "data_meta"), (144, "flow_keys"),
        (152, "tstamp"), (160, "wire_len"), (164, "gso_segs"), (168, "sk"), (176, "gso_size"),
        (180, "tstamp_type"), (184, "hwtstamp"),
    ),
)
"""The part of struct __sk_buff (include/uapi/linux/bpf.h) that a receive descriptor can fill."""

TC = replace(
    SK_BUFF, name="tc", sections=("classifier", "tc"), verdicts=TC_ACTION,
    helpers=SK_BUFF.helpers | {Helper.CSUM_DIFF},
)
"""The same struct for direct-action classifiers, whose return value is a TC_ACT code."""

XDP_MD = Context(
    name="xdp_md",
    structs=("xdp_md",),
    sections=("xdp",),
    fields=(
        Field("data", 0, points_to=PacketEnd.START),
        Field("data_end", 4, points_to=PacketEnd.END),
        Field("data_meta", 8, points_to=PacketEnd.START),
        Field("ingress_ifindex", 12, "ingress_ifindex"),
        Field("rx_queue_index", 16, "rx_queue_index"),
    ),
    size=24,
    verdicts=XDP,
    absent=((20, "egress_ifindex"),),
    packet_loads=False,
    helpers=COMMON | {Helper.CSUM_DIFF, Helper.XDP_GET_BUFF_LEN, Helper.XDP_LOAD_BYTES},
    kernel_functions=frozenset(METADATA),
)
"""struct xdp_md (include/uapi/linux/bpf.h). There is no metadata: data_meta equals data."""

CONTEXTS = (XDP_METADATA, SK_BUFF, TC, XDP_MD)

for _context in CONTEXTS:
    for _field in _context.fields:
        assert (_field.signal in BY_NAME) != (_field.points_to is not None)
