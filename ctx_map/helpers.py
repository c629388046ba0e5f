"""Helper functions that need no host -> their numbers (enum bpf_func_id) and prototypes."""

from dataclasses import dataclass
from enum import Enum, IntEnum


class Arg(Enum):
    """What a function accepts in one argument register; the value is the words of a diagnostic."""

    CONTEXT = "the context pointer"
    SCALAR = "a number"
    OUT_U16 = "a pointer to 2 bytes of stack memory that the function fills"
    OUT_U32 = "a pointer to 4 bytes of stack memory that the function fills"
    OUT_U64 = "a pointer to 8 bytes of stack memory that the function fills"
    OUT_MEMORY = "a pointer to stack memory that the function fills"
    IN_MEMORY = "a pointer to memory that the function reads"
    IN_MEMORY_OR_NULL = "a pointer to memory that the function reads, or NULL"
    CONST_SIZE = "a positive constant size in bytes"
    CONST_SIZE_OR_ZERO = "a constant size in bytes"

    @property
    def fixed_size(self) -> int:
        """Bytes that a pointer's target always has; 0 when the next argument says how many."""
        return {Arg.OUT_U16: 2, Arg.OUT_U32: 4, Arg.OUT_U64: 8}.get(self, 0)

    @property
    def sized(self) -> bool:
        """Whether the next argument is the size of the memory pointed to."""
        return self in (Arg.OUT_MEMORY, Arg.IN_MEMORY, Arg.IN_MEMORY_OR_NULL)


class Helper(IntEnum):
    """Helper numbers as in include/uapi/linux/bpf.h."""

    KTIME_GET_NS = 5
    TRACE_PRINTK = 6
    GET_PRANDOM_U32 = 7
    GET_SMP_PROCESSOR_ID = 8
    SKB_LOAD_BYTES = 26
    CSUM_DIFF = 28
    GET_NUMA_NODE_ID = 42
    KTIME_GET_BOOT_NS = 125
    KTIME_GET_COARSE_NS = 160
    TRACE_VPRINTK = 177
    XDP_GET_BUFF_LEN = 188
    XDP_LOAD_BYTES = 189
    KTIME_GET_TAI_NS = 208


EFAULT = 14
"""Negated: a range outside the packet (skb_load_bytes), an offset above 65535 (xdp_load_bytes)."""
EINVAL = 22
"""Negated: a range outside the packet (xdp_load_bytes)."""


@dataclass(frozen=True, slots=True)
class Prototype:
    """The arguments of a function, in r1, r2, …, and its result in r0: a number of `bits` bits.

    With `values` the result is one of these, which are signed. `packet_memory` tells whether what
    the function reads may be the packet. `doc` says what it does in hardware.
    """

    name: str
    args: tuple[Arg, ...] = ()
    bits: int = 64
    packet_memory: bool = False
    values: tuple[int, ...] | None = None
    doc: str = ""


_TIME = "the time that was sampled when the packet was launched"
_LOAD_ARGS = (Arg.CONTEXT, Arg.SCALAR, Arg.OUT_MEMORY, Arg.CONST_SIZE)

PROTOTYPES = {
    Helper.KTIME_GET_NS: Prototype(
        "bpf_ktime_get_ns",
        doc="the input port `ktime_ns`, sampled when the packet is launched; all calls for a packet,"
        " and all clocks below, agree",
    ),
    Helper.TRACE_PRINTK: Prototype(
        "bpf_trace_printk", (Arg.IN_MEMORY, Arg.CONST_SIZE), values=(0,),
        doc="dropped: prints nothing and gives 0; the summary names the line",
    ),
    Helper.GET_PRANDOM_U32: Prototype(
        "bpf_get_prandom_u32", bits=32,
        doc="a function of seed, packet number and call site, so that every run can be repeated",
    ),
    Helper.GET_SMP_PROCESSOR_ID: Prototype("bpf_get_smp_processor_id", values=(0,), doc="0"),
    Helper.SKB_LOAD_BYTES: Prototype(
        "bpf_skb_load_bytes", _LOAD_ARGS, values=(0, -EFAULT),
        doc="copies to the stack; out of range gives -EFAULT and zeros",
    ),
    Helper.CSUM_DIFF: Prototype(
        "bpf_csum_diff",
        (Arg.IN_MEMORY_OR_NULL, Arg.CONST_SIZE_OR_ZERO, Arg.IN_MEMORY_OR_NULL,
         Arg.CONST_SIZE_OR_ZERO, Arg.SCALAR),
        bits=16, packet_memory=True,
        doc="constant sizes, of the stack, the packet or constants; as Linux 6.18 has it: folded to 16"
        " bits, and sizes need not be multiples of 4 (older kernels differ in both)",
    ),
    Helper.GET_NUMA_NODE_ID: Prototype("bpf_get_numa_node_id", values=(0,), doc="0"),
    Helper.KTIME_GET_BOOT_NS: Prototype("bpf_ktime_get_boot_ns", doc=_TIME),
    Helper.KTIME_GET_COARSE_NS: Prototype("bpf_ktime_get_coarse_ns", doc=_TIME),
    Helper.TRACE_VPRINTK: Prototype(
        "bpf_trace_vprintk",
        (Arg.IN_MEMORY, Arg.CONST_SIZE, Arg.IN_MEMORY_OR_NULL, Arg.CONST_SIZE_OR_ZERO),
        values=(0,), doc="dropped, as `bpf_trace_printk`",
    ),
    Helper.XDP_GET_BUFF_LEN: Prototype(
        "bpf_xdp_get_buff_len", (Arg.CONTEXT,), bits=16, doc="the frame's length in bytes",
    ),
    Helper.XDP_LOAD_BYTES: Prototype(
        "bpf_xdp_load_bytes", _LOAD_ARGS, values=(0, -EFAULT, -EINVAL),
        doc="copies to the stack; out of range gives -EINVAL, an offset above 65535 -EFAULT, and"
        " the stack stays as it was",
    ),
    Helper.KTIME_GET_TAI_NS: Prototype("bpf_ktime_get_tai_ns", doc=_TIME),
}

CLOCKS = frozenset({
    Helper.KTIME_GET_NS, Helper.KTIME_GET_BOOT_NS, Helper.KTIME_GET_COARSE_NS,
    Helper.KTIME_GET_TAI_NS,
})
"""All give the time of the launch: a pipeline has one clock."""
PRINTS = frozenset({Helper.TRACE_PRINTK, Helper.TRACE_VPRINTK})
"""Dropped, since hardware has nowhere to print."""
COMMON = CLOCKS | PRINTS | {
    Helper.GET_PRANDOM_U32, Helper.GET_SMP_PROCESSOR_ID, Helper.GET_NUMA_NODE_ID,
}
"""Helpers that every kind of program may call."""
