"""Comparisons -> one bit, on the bits that can differ."""


from .choice import Choice
from .wiring import runs_of


class Comparison(Choice):
    """Equal, below unsigned, below signed."""

    def eq(self, a: int, b: int) -> int:
        ka, kb = self.known[a], self.known[b]
        if a == b:
            return self.const(1, 1)
        both = ka.mask & kb.mask
        if (ka.value ^ kb.value) & both or ka.high < kb.low or kb.high < ka.low:
            return self.const(0, 1)
        if both:
            runs = [(low, w) for low, w, same in runs_of(ka.width, both) if not same]
            if not runs:
                return self.const(1, 1)
            x = self.concat(*(self.slice(a, low, w) for low, w in runs))
            y = self.concat(*(self.slice(b, low, w) for low, w in runs))
            return self.eq(x, y)
        for x, y in ((a, b), (b, a)):
            value = self.constant(y)
            if value is not None and self.width(x) == 1:
                return x if value else self.not_(x)
            if value is not None and self.nodes[x].op == "mux":
                lifted = self._compare_mux(x, y)
                if lifted is not None:
                    return lifted
        return self._node("eq", 1, (min(a, b), max(a, b)))

    def _compare_mux(self, x: int, constant: int) -> int | None:
        """mux(c, k1, k2) == k decides by c alone when an arm is constant."""
        c, *arms = self.nodes[x].args
        if all(self.constant(arm) is None for arm in arms):
            return None
        return self.mux(c, self.eq(arms[0], constant), self.eq(arms[1], constant))

    def ne(self, a: int, b: int) -> int:
        return self.not_(self.eq(a, b))

    def ult(self, a: int, b: int) -> int:
        """Whether a < b, unsigned."""
        if a == b:
            return self.const(0, 1)
        ka, kb = self.known[a], self.known[b]
        if ka.high < kb.low:
            return self.const(1, 1)
        if ka.low >= kb.high:
            return self.const(0, 1)
        if ka.constant == 0:
            return self.ne(b, a)
        if kb.constant == 1:
            return self.eq(a, self.const(0, self.width(a)))
        same = ka.mask & kb.mask & ~(ka.value ^ kb.value)
        top = (~same & ka.full).bit_length()
        if top < ka.width:
            return self.ult(self.slice(a, 0, top), self.slice(b, 0, top))
        if kb.constant is not None:
            n = self._trailing_zeros(b)
            if n:
                return self.ult(self.slice(a, n, top - n), self.slice(b, n, top - n))
        return self._node("ult", 1, (a, b))

    def slt(self, a: int, b: int) -> int:
        """Whether a < b, both signed."""
        if a == b:
            return self.const(0, 1)
        sign = self.width(a) - 1
        ka, kb = self.known[a], self.known[b]
        if ka.mask >> sign & kb.mask >> sign & 1:
            if (ka.value ^ kb.value) >> sign & 1:
                return self.const(ka.value >> sign & 1, 1)
            return self.ult(a, b)
        if self.constant(b) == 0:
            return self.slice(a, sign, 1)
        return self._node("slt", 1, (a, b))
