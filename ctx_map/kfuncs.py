"""Kernel functions that XDP programs may call -> prototypes, and what each returns for a packet.

Signatures: include/net/xdp.h and net/core/xdp.c of the kernel. The result is a C int, of which the
upper half of r0 says nothing in the kernel; here it is 0, as after any 32-bit operation.
"""

from dataclasses import dataclass

from .descriptor import Descriptor
from .helpers import Arg, Prototype
from .nics import Answer, Nic

ENODATA = 61
EOPNOTSUPP = 95


@dataclass(frozen=True, slots=True)
class Output:
    """What is written through one argument: `size` bytes of a descriptor field, or of the time.

    A `network_order` value is stored with its most significant byte first.
    """

    signal: str
    size: int
    network_order: bool = False


TIME = "ktime"
"""The `signal` of an output that is the time of the launch."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """A metadata function: `nic` is the field of Nic that says how it answers.

    `present` is the descriptor field that is 0 in packets without the data ("" when all have it).
    """

    prototype: Prototype
    nic: str
    present: str
    outputs: tuple[Output, ...]

    def answer(self, nic: Nic) -> Answer:
        """How the function answers on a NIC."""
        answer = getattr(nic, self.nic)
        assert isinstance(answer, Answer)
        return answer

    def results(self, nic: Nic) -> tuple[int, ...]:
        """Every value that it can return, signed."""
        match self.answer(nic):
            case Answer.UNSUPPORTED:
                return (-EOPNOTSUPP,)
            case Answer.NO_DATA:
                return (-ENODATA,)
            case Answer.DATA:
                return (0, -ENODATA) if self.present else (0,)

    def call(self, nic: Nic, descriptor: Descriptor, ktime: int) -> tuple[int, tuple[bytes, ...]]:
        """(result, the bytes written through each output argument); () when nothing is."""
        result = self.results(nic)[0]
        if result == 0 and self.present and not getattr(descriptor, self.present):
            result = -ENODATA
        if result:
            return result, ()
        return 0, tuple(
            (ktime if o.signal == TIME else getattr(descriptor, o.signal)).to_bytes(
                o.size, "big" if o.network_order else "little"
            )
            for o in self.outputs
        )


METADATA = {
    m.prototype.name: m for m in (
        Metadata(
            Prototype(
                "bpf_xdp_metadata_rx_hash", (Arg.CONTEXT, Arg.OUT_U32, Arg.OUT_U32), 32,
                doc="the receive hash and what it covers; -ENODATA where there is none (not IP, or cut)",
            ),
            "rx_hash", "hash_type", (Output("hash", 4), Output("hash_type", 4)),
        ),
        Metadata(
            Prototype(
                "bpf_xdp_metadata_rx_vlan_tag", (Arg.CONTEXT, Arg.OUT_U16, Arg.OUT_U16), 32,
                doc="the tag that was taken out of the frame, protocol in network order, tci in host"
                " order; -ENODATA where none was, so always without `--strip-vlan`, unless the shell"
                " delivers it",
            ),
            "rx_vlan_tag", "vlan_proto",
            (Output("vlan_proto", 2, network_order=True), Output("vlan_tci", 2)),
        ),
        Metadata(
            Prototype(
                "bpf_xdp_metadata_rx_timestamp", (Arg.CONTEXT, Arg.OUT_U64), 32,
                doc="the time that was sampled when the packet was launched",
            ),
            "rx_timestamp", "", (Output(TIME, 8),),
        ),
    )
}
"""By name."""
