"""Conditions and values -> the narrowest multiplexer."""

from collections.abc import Callable, Sequence

from .. import known as kn
from ..known import Known
from .logic import Logic


class Choice(Logic):
    """Choices by a condition, or by conditions of which one holds."""

    def mux(self, c: int, a: int, b: int) -> int:
        """a if c else b."""
        value = self.constant(c)
        if value is not None:
            return a if value else b
        if a == b:
            return a
        if self.nodes[c].op == "not":
            return self.mux(self.nodes[c].args[0], b, a)
        width = self.width(a)
        if width == 1:
            simple = self._mux_bit(c, a, b)
            if simple is not None:
                return simple
        known = kn.result("mux", width, [self.known[c], self.known[a], self.known[b]], None)
        return self._outside_known(
            known, (a, b), lambda x, y: self._node("mux", self.width(x), (c, x, y))
        )

    def _mux_bit(self, c: int, a: int, b: int) -> int | None:
        match self.constant(a), self.constant(b):
            case 1, 0:
                return c
            case 0, 1:
                return self.not_(c)
            case 1, _:
                return self.or_(c, b)
            case 0, _:
                return self.and_(self.not_(c), b)
            case _, 1:
                return self.or_(self.not_(c), a)
            case _, 0:
                return self.and_(c, a)
        return None

    def _outside_known(
        self, known: Known, args: Sequence[int], make: Callable[..., int]
    ) -> int:
        """Build a bit-parallel operation, leaving out its top and bottom bits where known."""
        top = (~known.mask & known.full).bit_length()
        unknown = ~known.mask & known.full
        low = (unknown & -unknown).bit_length() - 1 if unknown else 0
        if not unknown:
            return self.const(known.value, known.width)
        if low == 0 and top == known.width:
            return make(*args)
        parts = [make(*(self.slice(a, low, top - low) for a in args))]
        if low:
            parts.insert(0, self.const(known.value, low))
        if top < known.width:
            parts.append(self.const(known.value >> top, known.width - top))
        return self.concat(*parts)

    def onehot(self, pairs: Sequence[tuple[int, int]]) -> int:
        """The value whose condition holds; at most one does. 0 when none does."""
        width = self.width(pairs[0][1])
        by_value: dict[int, list[int]] = {}
        for p, v in pairs:
            if self.constant(p) != 0 and self.constant(v) != 0:
                by_value.setdefault(v, []).append(p)
        if not by_value:
            return self.const(0, width)
        chosen = [(self.any_of(ps), v) for v, ps in by_value.items()]
        if len(chosen) == 1:
            return self.mux(chosen[0][0], chosen[0][1], self.const(0, width))
        conditions = [p for p, _ in chosen]
        args = [x for pair in chosen for x in pair]
        known = kn.result("onehot", width, [self.known[x] for x in args], None)
        if width == 1:
            return self.any_of([self.and_(p, v) for p, v in chosen])

        def make(*values: int) -> int:
            flat = tuple(x for pair in zip(conditions, values, strict=True) for x in pair)
            return self._node("onehot", self.width(values[0]), flat)

        return self._outside_known(known, [v for _, v in chosen], make)
