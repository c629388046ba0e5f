"""Operation and what is known of its arguments -> what is known of its result."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """Bits in `mask` are known to be those of `value`; the number is at most `high` (unsigned)."""

    width: int
    mask: int
    value: int
    high: int

    @property
    def full(self) -> int:
        return (1 << self.width) - 1

    @property
    def constant(self) -> int | None:
        return self.value if self.mask == self.full else None

    @property
    def low(self) -> int:
        """The smallest number that the known bits allow."""
        return self.value

    @property
    def active(self) -> int:
        """Bits up to the highest that may be 1, at least 1."""
        return max(1, self.high.bit_length())


def known(width: int, mask: int = 0, value: int = 0, high: int | None = None) -> Known:
    """Build a Known, letting bits and bound sharpen each other."""
    full = (1 << width) - 1
    most = (value | ~mask) & full
    high = most if high is None else min(high, most)
    zeros = full & ~((1 << high.bit_length()) - 1)
    return Known(width, (mask | zeros) & full, value & full, high)


def exactly(value: int, width: int) -> Known:
    return Known(width, (1 << width) - 1, value, value)


def _low_exact(a: Known, b: Known) -> int:
    """Mask of the low bits below the first bit that either side does not know."""
    missing = ~(a.mask & b.mask)
    return (missing & -missing) - 1


def _join(ks: list[Known]) -> Known:
    mask, value, high = ks[0].mask, ks[0].value, ks[0].high
    for k in ks[1:]:
        mask &= k.mask & ~(value ^ k.value)
        high = max(high, k.high)
    return known(ks[0].width, mask, value & mask, high)


def result(op: str, width: int, a: list[Known], attr: object) -> Known:
    """What is known of a node."""
    full = (1 << width) - 1
    match op:
        case "const":
            assert isinstance(attr, int)
            return exactly(attr, width)
        case "slice":
            assert isinstance(attr, int)
            high = a[0].high >> attr if a[0].high >> attr <= full else None
            return known(width, a[0].mask >> attr & full, a[0].value >> attr & full, high)
        case "concat":
            mask = value = high = shift = 0
            for k in a:
                mask, value = mask | k.mask << shift, value | k.value << shift
                high, shift = high | k.high << shift, shift + k.width
            return known(width, mask, value, high)
        case "sext":
            sign = a[0].width - 1
            if a[0].mask >> sign & 1:
                upper = full & ~a[0].full
                negative = a[0].value >> sign & 1
                return known(width, a[0].mask | upper, a[0].value | (upper if negative else 0))
            return known(width, a[0].mask, a[0].value)
        case "not":
            return known(width, a[0].mask, ~a[0].value & a[0].mask)
        case "and":
            zeros = (a[0].mask & ~a[0].value) | (a[1].mask & ~a[1].value)
            ones = a[0].value & a[1].value
            return known(width, zeros | ones, ones, min(a[0].high, a[1].high))
        case "or":
            ones = a[0].value | a[1].value
            return known(width, (a[0].mask & a[1].mask) | ones, ones)
        case "xor":
            mask = a[0].mask & a[1].mask
            return known(width, mask, (a[0].value ^ a[1].value) & mask)
        case "add":
            mask = _low_exact(a[0], a[1]) & full
            total = a[0].high + a[1].high
            bound = total if total <= full else None
            return known(width, mask, a[0].value + a[1].value & mask, bound)
        case "sub":
            mask = _low_exact(a[0], a[1]) & full
            bound = a[0].high - a[1].low if a[0].low >= a[1].high else None
            return known(width, mask, a[0].value - a[1].value & mask, bound)
        case "mul":
            product = a[0].high * a[1].high
            return known(width, high=product if product <= full else None)
        case "udiv":
            return known(width, high=a[0].high // max(1, a[1].low))
        case "urem":
            bound = min(a[0].high, a[1].high - 1) if a[1].low else a[0].high
            return known(width, high=bound)
        case "lshr":
            return known(width, high=a[0].high >> a[1].low)
        case "onehot":
            values = a[1::2]
            zeros = full
            for k in values:
                zeros &= k.mask & ~k.value
            return known(width, zeros, 0)
        case "case":
            return _join([*a[1:], exactly(0, width)])
        case "mux":
            return _join(a[1:])
    return known(width)
