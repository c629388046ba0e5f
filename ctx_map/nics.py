"""What a NIC tells XDP programs besides the packet -> how its metadata functions answer.

A program is compiled for one NIC, as the kernel binds it to a device when it uses these functions
(Documentation/networking/xdp-rx-metadata.rst).
"""

from dataclasses import dataclass, replace
from enum import Enum


class Answer(Enum):
    """What a metadata function returns."""

    DATA = "0 with the data, or -ENODATA where a packet has none"
    NO_DATA = "-ENODATA, since tags stay in the frames (--strip-vlan)"
    UNSUPPORTED = "-EOPNOTSUPP"


@dataclass(frozen=True, slots=True)
class Nic:
    """How each metadata function answers; the fields are those of `kfuncs.METADATA`."""

    name: str
    doc: str
    rx_hash: Answer = Answer.UNSUPPORTED
    rx_vlan_tag: Answer = Answer.UNSUPPORTED
    rx_timestamp: Answer = Answer.UNSUPPORTED

    def bound(self, tags_taken_out: bool) -> "Nic":
        """The same where VLAN tags stay in the frames, or not: then they are no metadata."""
        if tags_taken_out or self.rx_vlan_tag is not Answer.DATA:
            return self
        return replace(self, rx_vlan_tag=Answer.NO_DATA)


FRONT_END = Nic(
    "rxgate", "rxgate's own front end, which offers all metadata",
    rx_hash=Answer.DATA, rx_vlan_tag=Answer.DATA, rx_timestamp=Answer.DATA,
)
UNSTRIPPED = FRONT_END.bound(tags_taken_out=False)
"""What a program is bound to until options say otherwise."""
NICS = {n.name: n for n in (FRONT_END, Nic("plain", "a NIC that offers no metadata"))}
"""By the name that is given to --nic."""
