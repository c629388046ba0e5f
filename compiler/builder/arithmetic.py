"""Sums, products, quotients and shifts -> the narrowest operation."""

from collections.abc import Iterator, Sequence

from ...ctx_map.units import MAX_WIDTH
from .. import known as kn
from ..known import Known
from .comparison import Comparison

_FEW_DIGITS = 3
"""Digits of a factor up to which sums are cheaper than a multiplication."""


class Arithmetic(Comparison):
    """Arithmetic modulo 2**width."""

    def add(self, a: int, b: int) -> int:
        return self._sum("add", a, b)

    def sub(self, a: int, b: int) -> int:
        return self._sum("sub", a, b)

    def _sum(self, op: str, a: int, b: int) -> int:
        width = self.width(a)
        if self.constant(b) == 0:
            return a
        if op == "add" and self.constant(a) == 0:
            return b
        if a == b and op == "sub":
            return self.const(0, width)
        folded = self._fold(op, width, (a, b))
        if folded is not None:
            return folded
        if op == "add" and (self.constant(a) is not None or a > b):
            a, b = (b, a) if self.constant(a) is not None or self.constant(b) is None else (a, b)
        quiet = self._trailing_zeros(b)
        if op == "add" and not quiet:
            quiet = self._trailing_zeros(a)
            a, b = (b, a) if quiet else (a, b)
        if quiet:
            rest = width - quiet
            high = self._sum(op, self.slice(a, quiet, rest), self.slice(b, quiet, rest))
            return self.concat(self.slice(a, 0, quiet), high)
        known = kn.result(op, width, [self.known[a], self.known[b]], None)
        return self._without_top(op, known, a, b)

    def _without_top(self, op: str, known: Known, a: int, b: int) -> int:
        """An operation whose low bits depend on low bits only, without its known top bits."""
        top = (~known.mask & known.full).bit_length()
        if top == 0:
            return self.const(known.value, known.width)
        if top == known.width:
            return self._node(op, known.width, (a, b))
        narrow = self._node(op, top, (self.slice(a, 0, top), self.slice(b, 0, top)))
        return self.concat(narrow, self.const(known.value >> top, known.width - top))

    def mul(self, a: int, b: int) -> int:
        width = self.width(a)
        folded = self._fold("mul", width, (a, b))
        if folded is not None:
            return folded
        if self.constant(a) is not None:
            a, b = b, a
        factor = self.constant(b)
        if factor is not None and len(digits := list(_digits(factor, width))) <= _FEW_DIGITS:
            return self._sum_of_shifts(a, digits)
        known = kn.result("mul", width, [self.known[a], self.known[b]], None)
        return self._without_top("mul", known, min(a, b), max(a, b))

    def _sum_of_shifts(self, a: int, digits: Sequence[tuple[int, bool]]) -> int:
        total = self.const(0, self.width(a))
        for place, minus in sorted(digits, key=lambda digit: digit[1]):
            shifted = self.shift_constant("shl", a, place)
            total = self.sub(total, shifted) if minus else self.add(total, shifted)
        return total

    def udiv(self, a: int, b: int) -> int:
        return self._divide("udiv", a, b)

    def urem(self, a: int, b: int) -> int:
        return self._divide("urem", a, b)

    def _divide(self, op: str, a: int, b: int) -> int:
        width = self.width(a)
        folded = self._fold(op, width, (a, b))
        if folded is not None:
            return folded
        divisor = self.constant(b)
        if divisor == 0:
            return self.const(0, width) if op == "udiv" else a
        if divisor is not None and divisor & divisor - 1 == 0:
            n = divisor.bit_length() - 1
            if op == "udiv":
                return self.shift_constant("lshr", a, n)
            return self.zext(self.slice(a, 0, n), width) if n else self.const(0, width)
        quotient = self._quotient(a, divisor) if divisor is not None else None
        if divisor is not None and quotient is not None:
            return quotient if op == "udiv" else self._rest(a, quotient, divisor)
        active = max(self.known[a].active, self.known[b].active)
        narrow = self._node(op, active, (self.slice(a, 0, active), self.slice(b, 0, active)))
        return self.zext(narrow, width)

    def _quotient(self, a: int, divisor: int) -> int | None:
        """a / divisor as the upper bits of a product (Granlund and Montgomery, PLDI 1994).

        With factor = ceil(2**n / divisor) it is a * factor >> n where the error, which is
        a * (factor * divisor - 2**n), stays below 2**n. None where no unit is as wide.
        """
        width, high = self.width(a), self.known[a].high
        n = divisor.bit_length()
        while high * (-(1 << n) % divisor) >= 1 << n:
            n += 1
        factor = -(-(1 << n) // divisor)
        wide = (high * factor).bit_length()
        if wide <= n:
            return self.const(0, width)
        if wide > MAX_WIDTH:
            return None
        used = min(self.known[a].active, wide)
        product = self.mul(self.zext(self.slice(a, 0, used), wide), self.const(factor, wide))
        return self.zext(self.slice(product, n, min(wide - n, width)), width)

    def _rest(self, a: int, quotient: int, divisor: int) -> int:
        """a - quotient * divisor, which is below the divisor."""
        bits = min(self.width(a), (divisor - 1).bit_length())
        taken = self.mul(self.slice(quotient, 0, bits), self.const(divisor, bits))
        return self.zext(self.sub(self.slice(a, 0, bits), taken), self.width(a))

    # Shifts.

    def shift(self, op: str, x: int, amount: int) -> int:
        """shl, lshr or ashr of x by the number in `amount`."""
        n = self.constant(amount)
        if n is not None:
            return self.shift_constant(op, x, n)
        if op == "ashr" and self.known[x].mask >> self.width(x) - 1 & 1:
            if not self.known[x].value >> self.width(x) - 1:
                op = "lshr"
        width = self.width(x)
        amount = self.slice(amount, 0, self.known[amount].active)
        if op == "lshr" and self.known[x].active < width:
            active = self.known[x].active
            return self.zext(self.shift(op, self.slice(x, 0, active), amount), width)
        return self._node(op, width, (x, amount))

    def shift_constant(self, op: str, x: int, n: int) -> int:
        """A shift by a known number of bits: wiring."""
        width = self.width(x)
        if n == 0:
            return x
        if n >= width:
            if op == "ashr":
                return self.sext(self.slice(x, width - 1, 1), width)
            return self.const(0, width)
        if op == "shl":
            return self.concat(self.const(0, n), self.slice(x, 0, width - n))
        upper = self.slice(x, n, width - n)
        return self.sext(upper, width) if op == "ashr" else self.zext(upper, width)


def _digits(factor: int, width: int) -> Iterator[tuple[int, bool]]:
    """A factor modulo 2**width as few powers of two, (exponent, whether it is taken away).

    The digits 1, 0 and -1 of which no two neighbours are other than 0.
    """
    for place in range(width):
        if factor >> place & 1:
            minus = factor >> place & 3 == 3 and place + 1 < width
            yield place, minus
            factor += (1 << place) if minus else -(1 << place)
