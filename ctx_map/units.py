"""Arithmetic unit, operand width -> its latency in cycles; every unit takes operands each cycle."""

from math import ceil

MAX_WIDTH = 64
LIMB = 16
"""Bits of the partial products' operands: those of a hardware multiplier block."""


def mul_latency(width: int) -> int:
    """Cycles of a product modulo 2**width: partial products, then pairs of them are added."""
    limbs = ceil(_checked(width) / LIMB)
    products = limbs * (limbs + 1) // 2
    return 1 + (products - 1).bit_length()


def div_latency(width: int) -> int:
    """Cycles of an unsigned division: one per bit of the quotient."""
    return _checked(width)


def _checked(width: int) -> int:
    if not 1 <= width <= MAX_WIDTH:
        raise ValueError(f"Width must be 1 to {MAX_WIDTH} bits, not {width!r}")
    return width
