"""Comparisons -> one bit, on the bits that can differ."""

from .choice import Choice
from .wiring import runs_of

_MOST_PARTS = 64
"""Parts of a number that are compared on their own."""


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
            if value is not None:
                found = self._taken_apart(x, value)
                if found is not None:
                    return found
        return self._node("eq", 1, (min(a, b), max(a, b)))

    def _taken_apart(self, x: int, number: int) -> int | None:
        """x == number through complements, signs, constants added, disjunctions of 0, conjunctions of 1.

        What is left is compared by the nodes that it comes from, so that equal tests meet. None where
        there is nothing to take apart, or too much.
        """
        todo, found, apart = [(x, number)], dict[int, dict[int, int]](), False
        while todo:
            if len(todo) + len(found) > _MOST_PARTS:
                return None
            part, value = todo.pop()
            node, full = self.nodes[part], (1 << self.width(part)) - 1
            match node.op:
                case "concat":
                    for a in node.args:
                        todo.append((a, value & (1 << self.width(a)) - 1))
                        value >>= self.width(a)
                    continue
                case "not":
                    todo.append((node.args[0], ~value & full))
                case "or" if value == 0:
                    todo += [(a, 0) for a in node.args]
                case "and" if value == full:
                    todo += [(a, full) for a in node.args]
                case "add" | "sub" if (added := self.constant(node.args[1])) is not None:
                    before = value - added if node.op == "add" else value + added
                    todo.append((node.args[0], before & full))
                case "sext":
                    inner = self.width(node.args[0])
                    if value >> inner - 1 not in (0, full >> inner - 1):
                        return self.const(0, 1)
                    todo.append((node.args[0], value & (1 << inner) - 1))
                case "const":
                    if node.number != value:
                        return self.const(0, 1)
                case _:
                    base = node.args[0] if node.op == "slice" else -1 if node.op == "input" else part
                    if found.setdefault(base, {}).setdefault(part, value) != value:
                        return self.const(0, 1)
                    continue
            apart = True
        if not apart:
            return None
        tests = []
        for parts in found.values():
            bound, at = 0, 0
            ordered = sorted(parts, key=self._place)
            for part in ordered:
                bound, at = bound | parts[part] << at, at + self.width(part)
            tests.append(self.eq(self.concat(*ordered), self.const(bound, at)))
        return self.all_of(tests)

    def _place(self, part: int) -> int:
        """Where bits stand among those of the node that they come from."""
        node = self.nodes[part]
        return node.number if node.op == "slice" else part

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
