"""A program's return value -> what happens to the packet."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType


class Verdict(IntEnum):
    """What happens to a packet; the numbers are the hardware encoding, 3 bits (and XDP's own)."""

    ABORTED = 0
    DROP = 1
    PASS = 2
    TX = 3
    REDIRECT = 4

    @property
    def drops(self) -> bool:
        """True when the packet does not leave the pipeline."""
        return self in (Verdict.ABORTED, Verdict.DROP)


VERDICT_BITS = 3


@dataclass(frozen=True, slots=True)
class VerdictRule:
    """How the low 32 bits of r0 are read: the listed values, and everything else."""

    name: str
    exact: Mapping[int, Verdict]
    otherwise: Verdict

    def verdict(self, r0: int) -> Verdict:
        """The verdict of a 64-bit return value."""
        return self.exact.get(r0 & 0xFFFF_FFFF, self.otherwise)


PHYS_DEV = VerdictRule(
    "phys_dev", MappingProxyType({0: Verdict.DROP, 1: Verdict.PASS}), Verdict.ABORTED
)
"""enum bpf_phys_dev_action: BPF_PHYS_DEV_DROP 0, BPF_PHYS_DEV_OK 1."""

XDP = VerdictRule("xdp", MappingProxyType({int(v): v for v in Verdict}), Verdict.ABORTED)
"""enum xdp_action, whose numbers are Verdict's own."""

MATCH_PASSES = VerdictRule("filter", MappingProxyType({0: Verdict.DROP}), Verdict.PASS)
"""Socket filters and tcpdump expressions: non-zero passes."""

MATCH_DROPS = VerdictRule("filter, match drops", MappingProxyType({0: Verdict.PASS}), Verdict.DROP)
"""The same, turned round."""

TC_ACTION = VerdictRule(
    "tc action",
    MappingProxyType({0: Verdict.PASS, 2: Verdict.DROP, 0xFFFF_FFFF: Verdict.PASS}),
    Verdict.ABORTED,
)
"""TC_ACT_OK 0, TC_ACT_SHOT 2, TC_ACT_UNSPEC -1 (include/uapi/linux/pkt_cls.h); others abort."""
