"""What is known of a 64-bit number at one place of a program: an abstract value.

A `Scalar` is an unsigned interval together with known bits; when at most `MAX_OPTIONS` values are
possible it is that very set. Objects are compared by identity: a copied register holds the same
object, so that what a branch says of one copy holds for all.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..insn import AluOp, JumpOp

MAX_OPTIONS = 64
"""Possible values that are kept one by one."""
U64 = (1 << 64) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """Numbers n with low <= n <= high, (n ^ bits) & ~unknown == 0, and n in options if not None."""

    low: int
    high: int
    bits: int
    unknown: int
    options: tuple[int, ...] | None = None

    @property
    def constant(self) -> int | None:
        """The value, when only one is possible."""
        return self.low if self.low == self.high else None

    def possible(self, limit: int) -> list[int] | None:
        """Every possible value in ascending order, or None when there may be more than `limit`."""
        if self.options is not None:
            return list(self.options) if len(self.options) <= limit else None
        if self.high - self.low < limit * 64:
            found = [n for n in range(self.low, self.high + 1) if not (n ^ self.bits) & ~self.unknown]
            return found if len(found) <= limit else None
        return None

    def contains(self, n: int) -> bool:
        """Whether `n` is possible."""
        if self.options is not None:
            return n in self.options
        return self.low <= n <= self.high and not (n ^ self.bits) & ~self.unknown

    def __str__(self) -> str:
        if self.constant is not None:
            return f"{self.constant:#x}" if self.constant > 9 else str(self.constant)
        if self.options is not None and len(self.options) <= 8:
            return "{" + ", ".join(map(str, self.options)) + "}"
        return f"{self.low:#x}..{self.high:#x}"


def constant(n: int) -> Scalar:
    """The number `n` (taken modulo 2**64)."""
    n &= U64
    return Scalar(n, n, n, 0, (n,))


def unknown(width: int = 64) -> Scalar:
    """Any number of `width` bits."""
    mask = (1 << width) - 1
    return Scalar(0, mask, 0, mask)


def one_of(values: Iterator[int] | set[int] | list[int]) -> Scalar:
    """One of `values`, which must not be empty."""
    found = sorted({v & U64 for v in values})
    varying = 0
    for v in found:
        varying |= v ^ found[0]
    options = tuple(found) if len(found) <= MAX_OPTIONS else None
    return Scalar(found[0], found[-1], found[0] & ~varying, varying, options)


def _make(low: int, high: int, bits: int, unknown_bits: int) -> Scalar | None:
    """The scalar of an interval and known bits, made exact when small; None when impossible."""
    low, high = max(low, bits), min(high, bits | unknown_bits)
    if low > high:
        return None
    common = low ^ high
    span = (1 << common.bit_length()) - 1
    # Bits above the first difference of the bounds are those of the bounds.
    if (bits ^ low) & ~unknown_bits & ~span:
        return None
    bits, unknown_bits = (bits & span) | (low & ~span), unknown_bits & span
    if unknown_bits.bit_count() <= 6:
        values = [n for n in _submasks(bits, unknown_bits) if low <= n <= high]
        return one_of(values) if values else None
    if high - low < MAX_OPTIONS:
        values = [n for n in range(low, high + 1) if not (n ^ bits) & ~unknown_bits]
        return one_of(values) if values else None
    return Scalar(low, high, bits, unknown_bits)


def _submasks(bits: int, mask: int) -> Iterator[int]:
    part = mask
    while True:
        yield bits | part
        if not part:
            return
        part = (part - 1) & mask


def _must(s: Scalar | None) -> Scalar:
    assert s is not None
    return s


def join(a: Scalar, b: Scalar) -> Scalar:
    """Either `a` or `b`."""
    if a is b:
        return a
    if a.options is not None and b.options is not None:
        return one_of([*a.options, *b.options])
    unknown_bits = a.unknown | b.unknown | (a.bits ^ b.bits)
    return _must(
        _make(min(a.low, b.low), max(a.high, b.high), a.bits & ~unknown_bits, unknown_bits)
    )


_EXACT: dict[AluOp, Callable[[int, int], int]] = {
    AluOp.ADD: lambda a, b: a + b,
    AluOp.SUB: lambda a, b: a - b,
    AluOp.MUL: lambda a, b: a * b,
    AluOp.AND: lambda a, b: a & b,
    AluOp.OR: lambda a, b: a | b,
    AluOp.XOR: lambda a, b: a ^ b,
    AluOp.DIV: lambda a, b: a // b if b else 0,
    AluOp.MOD: lambda a, b: a % b if b else a,
}


def apply(op: AluOp, a: Scalar, b: Scalar, bits: int) -> Scalar:
    """The possible results of `a op b` at 32 or 64 bits (a 32-bit result is zero-extended)."""
    mask, sign = (1 << bits) - 1, 1 << bits - 1
    if bits == 32:
        a, b = truncate(a, 32), truncate(b, 32)
    if op is AluOp.MOV:
        return b
    if a.options is not None and b.options is not None and len(a.options) * len(b.options) <= 1024:
        if op in _EXACT:
            f = _EXACT[op]
            return one_of({f(x, y) & mask for x in a.options for y in b.options})
        if op is AluOp.LSH:
            return one_of({x << (y & bits - 1) & mask for x in a.options for y in b.options})
        if op is AluOp.RSH:
            return one_of({x >> (y & bits - 1) for x in a.options for y in b.options})
        if op is AluOp.ARSH:
            return one_of({
                ((x ^ sign) - sign >> (y & bits - 1)) & mask for x in a.options for y in b.options
            })
    return _approximate(op, a, b, bits)


def _approximate(op: AluOp, a: Scalar, b: Scalar, bits: int) -> Scalar:
    mask = (1 << bits) - 1
    if op is AluOp.ARSH and not a.high >> bits - 1:
        op = AluOp.RSH
    match op:
        case AluOp.ADD | AluOp.SUB:
            return _sum(a, b, op is AluOp.SUB, bits)
        case AluOp.AND:
            known_zero = (~a.bits & ~a.unknown) | (~b.bits & ~b.unknown)
            ones = a.bits & b.bits
            unknown_bits = mask & ~known_zero & ~ones
            return _must(_make(0, min(a.high, b.high), ones, unknown_bits))
        case AluOp.OR | AluOp.XOR:
            ones = (a.bits | b.bits) if op is AluOp.OR else (a.bits ^ b.bits)
            unknown_bits = a.unknown | b.unknown
            if op is AluOp.OR:
                unknown_bits &= ~ones
            return _must(_make(0, mask, ones & ~unknown_bits, unknown_bits))
        case AluOp.LSH | AluOp.RSH if b.constant is not None:
            n = b.constant & bits - 1
            if op is AluOp.RSH:
                return _must(_make(a.low >> n, a.high >> n, a.bits >> n, a.unknown >> n))
            fits = a.high << n <= mask
            return _must(
                _make(
                    a.low << n if fits else 0, a.high << n if fits else mask,
                    a.bits << n & mask, a.unknown << n & mask,
                )
            )
        case AluOp.RSH:
            return _must(_make(0, a.high, 0, (1 << a.high.bit_length()) - 1))
        case AluOp.MUL if a.high * b.high <= mask:
            high = a.high * b.high
            return _must(_make(a.low * b.low, high, 0, (1 << high.bit_length()) - 1))
        case AluOp.DIV:
            high = a.high // max(1, b.low)
            return _must(_make(0, high, 0, (1 << high.bit_length()) - 1))
        case AluOp.MOD:
            high = min(a.high, b.high - 1) if b.low > 0 else a.high
            return _must(_make(0, high, 0, (1 << high.bit_length()) - 1))
    return unknown(bits)


def _sum(a: Scalar, b: Scalar, subtract: bool, bits: int) -> Scalar:
    """Interval and low known bits of a + b or a - b, modulo 2**bits."""
    mask, size = (1 << bits) - 1, 1 << bits
    low, high = (a.low - b.high, a.high - b.low) if subtract else (a.low + b.low, a.high + b.high)
    if low // size != high // size:
        low, high = 0, mask
    else:
        low, high = low & mask, high & mask
    # Bits below the lowest unknown bit of either are exact.
    lowest = a.unknown | b.unknown
    exact = (lowest & -lowest) - 1 if lowest else mask
    result = (a.bits - b.bits if subtract else a.bits + b.bits) & exact
    return _must(_make(low, high, result, mask & ~exact))


def truncate(s: Scalar, bits: int) -> Scalar:
    """The low `bits` of `s`, zero-extended; `s` itself when nothing is lost."""
    mask = (1 << bits) - 1
    if s.high <= mask:
        return s
    if s.options is not None:
        return one_of([n & mask for n in s.options])
    return _must(_make(0, mask, s.bits & mask, s.unknown & mask))


def sign_extend(s: Scalar, from_bits: int, bits: int) -> Scalar:
    """The low `from_bits` of `s`, sign-extended to `bits`."""
    low = truncate(s, from_bits)
    sign, mask = 1 << from_bits - 1, (1 << bits) - 1
    if low.high < sign:
        return low
    if low.options is not None:
        return one_of([(n ^ sign) - sign & mask for n in low.options])
    return unknown(bits)


NEGATED = {
    JumpOp.EQ: JumpOp.NE, JumpOp.NE: JumpOp.EQ, JumpOp.GT: JumpOp.LE, JumpOp.LE: JumpOp.GT,
    JumpOp.GE: JumpOp.LT, JumpOp.LT: JumpOp.GE, JumpOp.SGT: JumpOp.SLE, JumpOp.SLE: JumpOp.SGT,
    JumpOp.SGE: JumpOp.SLT, JumpOp.SLT: JumpOp.SGE,
}
"""The condition that holds when the key does not; SET has none."""
MIRRORED = {
    JumpOp.EQ: JumpOp.EQ, JumpOp.NE: JumpOp.NE, JumpOp.GT: JumpOp.LT, JumpOp.LT: JumpOp.GT,
    JumpOp.GE: JumpOp.LE, JumpOp.LE: JumpOp.GE,
}
"""The condition with its operands exchanged, for the unsigned ones."""

_KEEPS: dict[JumpOp, Callable[[int, int], bool]] = {
    JumpOp.EQ: lambda a, b: a == b,
    JumpOp.NE: lambda a, b: a != b,
    JumpOp.GT: lambda a, b: a > b,
    JumpOp.GE: lambda a, b: a >= b,
    JumpOp.LT: lambda a, b: a < b,
    JumpOp.LE: lambda a, b: a <= b,
    JumpOp.SET: lambda a, b: a & b != 0,
}


def refine(a: Scalar, op: JumpOp, b: Scalar, holds: bool) -> Scalar | None:
    """What `a` can be where `a op b` (64 bits) holds, or does not; None when that is impossible.

    Signed conditions refine nothing unless both sides are below 2**63.
    """
    if op in (JumpOp.SGT, JumpOp.SGE, JumpOp.SLT, JumpOp.SLE):
        if a.high >> 63 or b.high >> 63:
            return a
        op = JumpOp[op.name[1:]]
    if a.options is not None and b.constant is not None:
        kept = [n for n in a.options if _KEEPS[op](n, b.constant) == holds]
        if len(kept) == len(a.options):
            return a
        return one_of(kept) if kept else None
    if not holds:
        if op is JumpOp.SET:
            return _make(a.low, a.high, a.bits, a.unknown & ~b.constant) if (
                b.constant is not None and not a.bits & b.constant
            ) else (None if b.constant is not None else a)
        op = NEGATED[op]
    low, high = a.low, a.high
    match op:
        case JumpOp.EQ:
            known = ~a.unknown & ~b.unknown
            if (a.bits ^ b.bits) & known & U64:
                return None
            return _make(
                max(low, b.low), min(high, b.high), a.bits | b.bits, a.unknown & b.unknown
            )
        case JumpOp.NE if b.constant is not None:
            low, high = low + (b.constant == low), high - (b.constant == high)
        case JumpOp.GT:
            low = max(low, b.low + 1)
        case JumpOp.GE:
            low = max(low, b.low)
        case JumpOp.LT:
            high = min(high, b.high - 1)
        case JumpOp.LE:
            high = min(high, b.high)
    if (low, high) == (a.low, a.high):
        return a
    return _make(low, high, a.bits, a.unknown)
