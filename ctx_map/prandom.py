"""Seed, packet number, call site -> the 32-bit value of bpf_get_prandom_u32, the same everywhere.

An add-rotate-xor permutation: eight 32-bit additions in hardware, and no state besides the packet
number, so that any run can be replayed.
"""

ROUND_CONSTANTS = (
    0x9E3779B9, 0x7F4A7C15, 0xF39CC060, 0x5CEDC834, 0x1082276B, 0xF3A27251, 0xF86C6A11, 0xD0C18E95,
)
ROTATE_RIGHT = 8
ROTATE_LEFT = 3
_MASK = 0xFFFF_FFFF


def site(chain: tuple[int, ...]) -> int:
    """The number of a call site: the slots of the calls that lead to it, and its own slot."""
    number = 0
    for slot in chain:
        number = (number * 4099 + slot + 1) & _MASK
    return number


def prandom(seed: int, packet: int, call_site: int) -> int:
    """The value that call site `call_site` yields for packet number `packet` (both 32 bits)."""
    x, y = (packet ^ seed) & _MASK, call_site
    for constant in ROUND_CONSTANTS:
        x = (((x >> ROTATE_RIGHT | x << 32 - ROTATE_RIGHT) & _MASK) + y & _MASK) ^ constant
        y = ((y << ROTATE_LEFT | y >> 32 - ROTATE_LEFT) & _MASK) ^ x
    return y
