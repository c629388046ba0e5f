"""Helper functions that need no host -> their numbers (enum bpf_func_id) and prototypes."""

from dataclasses import dataclass
from enum import Enum, IntEnum


class Arg(Enum):
    """What a helper accepts in one argument register."""

    CONTEXT = "the context pointer"
    SCALAR = "a number"
    OUT_MEMORY = "a pointer to stack memory that the helper fills"
    CONST_SIZE = "a positive constant size in bytes"


class Helper(IntEnum):
    """Helper numbers as in include/uapi/linux/bpf.h."""

    KTIME_GET_NS = 5
    GET_PRANDOM_U32 = 7
    GET_SMP_PROCESSOR_ID = 8
    SKB_LOAD_BYTES = 26
    XDP_GET_BUFF_LEN = 188


@dataclass(frozen=True, slots=True)
class Prototype:
    """The arguments of a helper, in r1, r2, …; the result is a 64-bit number in r0."""

    name: str
    args: tuple[Arg, ...]


PROTOTYPES = {
    Helper.KTIME_GET_NS: Prototype("bpf_ktime_get_ns", ()),
    Helper.GET_PRANDOM_U32: Prototype("bpf_get_prandom_u32", ()),
    Helper.GET_SMP_PROCESSOR_ID: Prototype("bpf_get_smp_processor_id", ()),
    Helper.SKB_LOAD_BYTES: Prototype(
        "bpf_skb_load_bytes", (Arg.CONTEXT, Arg.SCALAR, Arg.OUT_MEMORY, Arg.CONST_SIZE)
    ),
    Helper.XDP_GET_BUFF_LEN: Prototype("bpf_xdp_get_buff_len", (Arg.CONTEXT,)),
}

COMMON = frozenset({Helper.KTIME_GET_NS, Helper.GET_PRANDOM_U32, Helper.GET_SMP_PROCESSOR_ID})
"""Helpers that every kind of program may call."""

EFAULT = 14
"""What bpf_skb_load_bytes returns, negated, for a range outside the packet."""
