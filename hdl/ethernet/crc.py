"""CRC and byte -> the next CRC, as the frame check sequence of IEEE 802.3 clause 3.2.9 is made.

The register is kept with the first bit on the wire in its lowest place. It begins as all ones; what
is sent is its complement, lowest byte first.
"""

from amaranth.hdl import Cat, Value

CRC_BITS = 32
FCS_BYTES = CRC_BITS // 8
START = 0xFFFF_FFFF
RESIDUE = 0xDEBB_20E3
"""What the register holds after a frame and its correct frame check sequence."""
_POLYNOMIAL = 0xEDB8_8320
"""The generator polynomial of clause 3.2.9, lowest place first."""


def step(crc: int, byte: int) -> int:
    """The register after a byte, as numbers."""
    crc ^= byte
    for _ in range(8):
        crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
    return crc


def crc_next(crc: Value, byte: Value) -> Value:
    """The register after a byte, as wires: each bit is a sum of bits of both."""
    inputs = Cat(crc, byte)
    reach = [step(1 << n, 0) for n in range(CRC_BITS)] + [step(0, 1 << n) for n in range(8)]
    return Cat(
        Cat(inputs[n] for n, reached in enumerate(reach) if reached >> bit & 1).xor()
        for bit in range(CRC_BITS)
    )
