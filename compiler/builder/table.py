"""A key and a table -> the value that the table has for the key."""


from .. import known as kn
from .comparison import Comparison
from .wiring import runs_of


class Table(Comparison):
    """Choices by a key."""

    def case(self, key: int, table: dict[int, int]) -> int:
        """The value that `table` has for `key`, 0 for keys that it has not."""
        value = self.constant(key)
        width = self.width(next(iter(table.values())))
        if value is not None:
            return table.get(value, self.const(0, width))
        known = self.known[key]
        table = {
            k: v for k, v in sorted(table.items())
            if not (k ^ known.value) & known.mask and k <= known.high
        }
        if not table:
            return self.const(0, width)
        runs = [(low, w) for low, w, is_known in runs_of(known.width, known.mask) if not is_known]
        if runs != [(0, known.width)]:
            narrow = self.concat(*(self.slice(key, low, w) for low, w in runs))
            return self.case(narrow, {_gather(k, runs): v for k, v in table.items()})
        if len(table) == 1:
            [(k, v)] = table.items()
            return self.mux(self.eq(key, self.const(k, self.width(key))), v, self.const(0, width))
        if len(set(table.values())) == 1 and len(table) == 1 << known.width:
            return next(iter(table.values()))
        keys, values = tuple(table), list(table.values())
        result = kn.result(
            "case", width, [known, *(self.known[v] for v in values)], None
        )
        return self._outside_known(
            result, values, lambda *vs: self._node("case", self.width(vs[0]), (key, *vs), keys)
        )


def _gather(value: int, runs: list[tuple[int, int]]) -> int:
    """The bits of `value` in the given runs, packed."""
    packed = shift = 0
    for low, width in runs:
        packed |= (value >> low & (1 << width) - 1) << shift
        shift += width
    return packed
