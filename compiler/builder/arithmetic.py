"""Sums, products, quotients and shifts -> the narrowest operation."""


from .. import known as kn
from ..known import Known
from .comparison import Comparison


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
        if factor is not None and factor.bit_count() <= 3:
            return self._sum_of_shifts(a, factor)
        known = kn.result("mul", width, [self.known[a], self.known[b]], None)
        return self._without_top("mul", known, min(a, b), max(a, b))

    def _sum_of_shifts(self, a: int, factor: int) -> int:
        width = self.width(a)
        total = self.const(0, width)
        for n in range(width):
            if factor >> n & 1:
                total = self.add(total, self.shift_constant("shl", a, n))
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
        active = max(self.known[a].active, self.known[b].active)
        narrow = self._node(op, active, (self.slice(a, 0, active), self.slice(b, 0, active)))
        return self.zext(narrow, width)

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
