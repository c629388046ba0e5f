"""Bitwise operations -> wiring where bits are known, a node per run where they are not."""

from collections.abc import Callable, Sequence

from .wiring import Wiring, runs_of


class Logic(Wiring):
    """Not, and, or, exclusive or, and trees of them."""

    def and_(self, a: int, b: int) -> int:
        return self.bitwise("and", a, b)

    def or_(self, a: int, b: int) -> int:
        return self.bitwise("or", a, b)

    def xor(self, a: int, b: int) -> int:
        return self.bitwise("xor", a, b)

    def bitwise(self, op: str, a: int, b: int) -> int:
        """Bits that one side knows become wiring; the rest is a node per run of unknown bits."""
        if a == b:
            return self.const(0, self.width(a)) if op == "xor" else a
        ka, kb = self.known[a], self.known[b]
        either = ka.mask | kb.mask
        if either:
            parts = []
            for low, width, _ in runs_of(self.width(a), ka.mask, kb.mask, ka.value, kb.value):
                x, y = self.slice(a, low, width), self.slice(b, low, width)
                parts.append(self._bitwise_run(op, x, y))
            return self.concat(*parts)
        return self._logic(op, a, b)

    def _bitwise_run(self, op: str, x: int, y: int) -> int:
        """A bitwise operation where each side is known everywhere, with equal bits, or nowhere."""
        width = self.width(x)
        folded = self._fold(op, width, (x, y))
        if folded is not None:
            return folded
        for constant, other in ((x, y), (y, x)):
            value = self.constant(constant)
            if value is None:
                continue
            ones = value != 0
            if op == "xor":
                return self.not_(other) if ones else other
            return other if ones == (op == "and") else constant
        return self._logic(op, x, y)

    def _logic(self, op: str, a: int, b: int) -> int:
        """Complement and absorption rules on what is left."""
        if a == b:
            return self.const(0, self.width(a)) if op == "xor" else a
        if self._complementary(a, b):
            return self.const(0 if op == "and" else -1, self.width(a))
        dual = {"and": "or", "or": "and"}.get(op)
        for x, y in ((a, b), (b, a)):
            if dual and self.nodes[y].op == dual:
                if x in self.nodes[y].args:
                    return x
                rest = [z for z in self.nodes[y].args if not self._complementary(x, z)]
                if len(rest) == 1:
                    return self.bitwise(op, x, rest[0])
            if dual and self.nodes[y].op == op and x in self.nodes[y].args:
                return y
        return self._node(op, self.width(a), (min(a, b), max(a, b)))

    def _complementary(self, a: int, b: int) -> bool:
        x, y = self.nodes[a], self.nodes[b]
        return (x.op == "not" and x.args[0] == b) or (y.op == "not" and y.args[0] == a)

    def all_of(self, bits: Sequence[int]) -> int:
        """The conjunction of 1-bit nodes, as a balanced tree."""
        return self._tree(self.and_, bits, 1)

    def any_of(self, bits: Sequence[int]) -> int:
        """The disjunction of 1-bit nodes, as a balanced tree."""
        return self._tree(self.or_, bits, 0)

    def _tree(self, op: Callable[[int, int], int], bits: Sequence[int], empty: int) -> int:
        level = sorted(set(bits))
        if not level:
            return self.const(empty, 1)
        while len(level) > 1:
            pairs = [op(*level[i : i + 2]) for i in range(0, len(level) - 1, 2)]
            level = pairs + (level[-1:] if len(level) % 2 else [])
        return level[0]

    def parity(self, x: int) -> int:
        """The exclusive or of all bits of x."""
        node = self.nodes[x]
        if node.op == "concat":
            ones = sum(v.bit_count() for v in map(self.constant, node.args) if v is not None)
            rest = self.concat(*(p for p in node.args if self.constant(p) is None))
            if rest != x:
                return self.not_(self.parity(rest)) if ones % 2 else self.parity(rest)
        folded = self._fold("parity", 1, (x,))
        if folded is not None:
            return folded
        return x if node.width == 1 else self._node("parity", 1, (x,))
