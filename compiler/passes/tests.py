"""Comparisons with constants -> tests: which bits of which node decide, whatever wiring lies between."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..builder import Builder
from ..ir import Function, Node
from ..ir_eval import evaluate_node


@dataclass(frozen=True, slots=True)
class Part:
    """Bits `low` upward of the node `source`, or of its complement.

    Without a source it is the constant `low`.
    """

    source: int | None
    low: int
    width: int
    flipped: bool = False

    def cut(self, low: int, width: int) -> "Part":
        """Some of its bits."""
        if self.source is None:
            return Part(None, self.low >> low & (1 << width) - 1, width)
        return Part(self.source, self.low + low, width, self.flipped)

    def complement(self) -> "Part":
        if self.source is None:
            return Part(None, ~self.low & (1 << self.width) - 1, self.width)
        return Part(self.source, self.low, self.width, not self.flipped)


Parts = tuple[Part, ...]


def cut(parts: Parts, low: int, width: int) -> Iterator[Part]:
    """Bits `low` upward of `parts` together."""
    at = 0
    for part in parts:
        first, last = max(low, at), min(low + width, at + part.width)
        if first < last:
            yield part.cut(first - at, last - first)
        at += part.width


class Wires:
    """The parts of any node of one graph: its bits where they are computed."""

    def __init__(self, function: Function) -> None:
        self.nodes = function.nodes
        self._found: dict[int, Parts] = {}

    def parts(self, n: int) -> Parts:
        """From the lowest bit upward."""
        if n not in self._found:
            self._found[n] = tuple(self._look(n, self.nodes[n]))
        return self._found[n]

    def _look(self, n: int, node: Node) -> Iterator[Part]:
        match node.op:
            case "const":
                yield Part(None, node.number, node.width)
            case "slice":
                yield from cut(self.parts(node.args[0]), node.number, node.width)
            case "concat":
                for a in node.args:
                    yield from self.parts(a)
            case "not":
                yield from (part.complement() for part in self.parts(node.args[0]))
            case "sext":
                inner = self.parts(node.args[0])
                width = self.nodes[node.args[0]].width
                yield from inner
                for _ in range(node.width - width):
                    yield from cut(inner, width - 1, 1)
            case _:
                yield Part(n, 0, node.width)

    def sources(self, n: int) -> set[int]:
        """The nodes that bits of n are computed by."""
        return {p.source for p in self.parts(n) if p.source is not None}


@dataclass(frozen=True, slots=True)
class Equal:
    """Whether the bits `mask` of a value are those of `value`."""

    mask: int
    value: int

    def of(self, number: int) -> bool:
        return number & self.mask == self.value

    def split(self, parts: Parts) -> "dict[int, Equal] | None":
        """The same test as tests of all sources of the value; None when it cannot hold."""
        found: dict[int, Equal] = {}
        at = 0
        for part in parts:
            full = (1 << part.width) - 1
            mask, value = self.mask >> at & full, self.value >> at & full
            at += part.width
            if part.source is None:
                if part.low & mask != value:
                    return None
            elif mask:
                before = found.get(part.source, Equal(0, 0))
                mask, value = mask << part.low, (value ^ (mask if part.flipped else 0)) << part.low
                if (before.value ^ value) & before.mask & mask:
                    return None
                found[part.source] = Equal(before.mask | mask, before.value | value)
        return found

    def build(self, b: Builder, x: int) -> int:
        """The test of the node x."""
        bits, number, shift, mask = [], 0, 0, self.mask
        while mask:
            low = (mask & -mask).bit_length() - 1
            width = (~(mask >> low) & (mask >> low) + 1).bit_length() - 1
            run = (1 << width) - 1
            bits.append(b.slice(x, low, width))
            number, shift = number | (self.value >> low & run) << shift, shift + width
            mask &= ~(run << low)
        return b.eq(b.concat(*bits), b.const(number, shift)) if bits else b.const(1, 1)


@dataclass(frozen=True, slots=True)
class Below:
    """Whether what `parts` make of a value is on one side of a constant.

    Sources in `parts` mean the value itself; `first`: the constant is the left side.
    """

    op: str
    parts: Parts
    constant: int
    first: bool

    @property
    def width(self) -> int:
        return sum(part.width for part in self.parts)

    def of(self, number: int) -> bool:
        x = shift = 0
        for part in self.parts:
            full = (1 << part.width) - 1
            bits = part.low if part.source is None else number >> part.low ^ (
                full if part.flipped else 0
            )
            x, shift = x | (bits & full) << shift, shift + part.width
        sides = [self.constant, x] if self.first else [x, self.constant]
        return bool(evaluate_node(Node(self.op, 1, ()), sides, [shift, shift]))

    def through(self, parts: Parts) -> "tuple[int, Below] | None":
        """The same test as one of the only source of the value; None when there are several."""
        made: list[Part] = []
        for mine in self.parts:
            if mine.source is None:
                made.append(mine)
            else:
                found = cut(parts, mine.low, mine.width)
                made += [p.complement() if mine.flipped else p for p in found]
        sources = {p.source for p in made if p.source is not None}
        if len(sources) != 1:
            return None
        own = tuple(p if p.source is None else Part(0, p.low, p.width, p.flipped) for p in made)
        return sources.pop(), Below(self.op, own, self.constant, self.first)

    def build(self, b: Builder, x: int) -> int:
        """The test of the node x."""
        found = []
        for part in self.parts:
            if part.source is None:
                found.append(b.const(part.low, part.width))
            else:
                bits = b.slice(x, part.low, part.width)
                found.append(b.not_(bits) if part.flipped else bits)
        value, constant = b.concat(*found), b.const(self.constant, self.width)
        sides = (constant, value) if self.first else (value, constant)
        return b.ult(*sides) if self.op == "ult" else b.slt(*sides)


Test = Equal | Below


def test_of(function: Function, node: Node) -> tuple[int, Test] | None:
    """(what is tested, how) of a comparison with a constant."""
    if node.op not in ("eq", "ult", "slt"):
        return None
    for x, other, first in ((*node.args, False), (*reversed(node.args), True)):
        constant = function.nodes[other]
        if constant.op == "const" and function.nodes[x].op != "const":
            if node.op == "eq":
                return x, Equal((1 << constant.width) - 1, constant.number)
            return x, Below(node.op, (Part(0, 0, constant.width),), constant.number, first)
    return None
