"""What a receive hash was computed over -> the number in `hash_type`."""

from enum import IntEnum


class HashType(IntEnum):
    """Values of the kernel's enum xdp_rss_hash_type (include/net/xdp.h) that rxgate produces."""

    NONE = 0
    L3_IPV4 = 1
    L3_IPV6 = 2
    L4_IPV4_TCP = 25
    L4_IPV4_UDP = 41
    L4_IPV4_SCTP = 73
    L4_IPV6_TCP = 26
    L4_IPV6_UDP = 42
    L4_IPV6_SCTP = 74
