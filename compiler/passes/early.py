"""Comparisons of what was chosen with constants -> choices between comparisons, a bit each.

All that may be chosen is compared before it is known what is meant: a bit waits for the choice
instead of a field, and the choice is one of bits.

    %3 = case.16 %key, 5: %a, 6: %b       %3 = eq.1 %a, 53
    %4 = eq.1 %3, 53                 ->   %4 = eq.1 %b, 53
                                          %5 = case.1 %key, 5: %3, 6: %4

A choice that something else reads, or more comparisons than are cheap, stays as it is.
"""

from dataclasses import dataclass
from typing import ClassVar

from ..builder import Builder
from ..ir import WIRING, Function, Node
from .choices import CHOICES, arms, choose_bit, deciders
from .replay import replay, same
from .tests import Equal, Test, Wires, test_of

_MOST_TESTS = 24
_STAGE = 4
"""Operations in a row that are about a stage."""
_BIT = Equal(1, 1)


@dataclass(frozen=True, slots=True)
class Early:
    """Moves comparisons with constants before the choices that they read."""

    name: ClassVar[str] = "early"

    def run(self, function: Function) -> Function:
        tests = _Plan(function).tests
        if not tests:
            return function
        return replay(function, _Moving(function, tests).rule)


class _Plan:
    """For each choice that only tests read, and few: these."""

    def __init__(self, function: Function) -> None:
        self.function = function
        self.wires = Wires(function)
        self.depth = _depths(function)
        self.read: dict[int, dict[Test, None] | None] = {}
        self.tests: dict[int, tuple[Test, ...]] = {}
        for n in function.outputs.values():
            self.whole(n)
        live = function.live(function.outputs.values())
        for n in range(len(function.nodes) - 1, -1, -1):
            if live[n] and function.nodes[n].op not in WIRING and function.nodes[n].op != "not":
                self.look(n, function.nodes[n])

    def look(self, n: int, node: Node) -> None:
        """What one operation reads, once all is known of who reads its result."""
        if node.op in CHOICES:
            found = self.read.get(n)
            moved = found is not None and self.pays(node, list(found))
            if moved and found:
                self.tests[n] = tuple(found)
            for a in arms(node):
                if moved and found:
                    for test in found:
                        self.test(a, test)
                else:
                    self.whole(a)
            for a in deciders(node):
                self.whole(a)
        elif (found := test_of(self.function, node)) is not None:
            self.test(*found)
        else:
            for a in node.args:
                self.whole(a)

    def test(self, n: int, test: Test) -> None:
        """A test of n reads tests of its sources."""
        for source, own in split(self.wires, n, test).items():
            found = self.read.setdefault(source, {})
            if found is not None:
                found[own] = None
                if len(found) > _MOST_TESTS:
                    self.read[source] = None
        if isinstance(test, Equal) or len(self.wires.sources(n)) == 1:
            return
        self.whole(n)

    def whole(self, n: int) -> None:
        """All of n is read; one bit is as good as a test."""
        if self.function.nodes[n].width == 1:
            self.test(n, _BIT)
        else:
            for source in self.wires.sources(n):
                self.read[source] = None

    def pays(self, node: Node, tests: list[Test]) -> bool:
        """Whether tests of all arms take less than a choice, in look-up tables and registers."""
        width, count = node.width, len(tests)
        if width == 1 or not count:
            return False
        varying = sum(self.function.nodes[a].op != "const" for a in arms(node))
        waits = max(self.depth[a] for a in deciders(node)) - min(
            self.depth[a] for a in arms(node) if self.function.nodes[a].op != "const"
        ) if varying else 0
        stages = max(0, waits) / _STAGE
        size = sum(_bits(test) for test in tests) / 3
        choice = 1.2 * width * max(1, varying - 1) + size + stages * width * varying
        moved = varying * size + count * varying + stages * count * varying
        return moved < choice


def _bits(test: Test) -> float:
    """What a test is worth in bits that are compared."""
    return test.mask.bit_count() if isinstance(test, Equal) else 1.5 * test.width


def _depths(function: Function) -> list[int]:
    """Operations on the longest way to each node."""
    depths: list[int] = []
    for node in function.nodes:
        before = max((depths[a] for a in node.args), default=0)
        depths.append(before + (node.op not in WIRING and node.op != "not"))
    return depths


def split(wires: Wires, n: int, test: Test) -> dict[int, Test]:
    """The tests of the sources of n that a test of n needs; none where it is constant or not split."""
    if isinstance(test, Equal):
        return dict(test.split(wires.parts(n)) or {})
    found = test.through(wires.parts(n))
    return dict([found]) if found else {}


class _Moving:
    """Builds the graph again, with the tests of `tests` made of tests of arms."""

    def __init__(self, function: Function, tests: dict[int, tuple[Test, ...]]) -> None:
        self.function, self.tests = function, tests
        self.wires = Wires(function)
        self.made: dict[tuple[int, Test], int] = {}
        self.new: dict[int, int] = {}

    def rule(self, b: Builder, n: int, node: Node, args: list[int]) -> int:
        if n in self.tests:
            by = [self.bit(b, a) for a in deciders(node)]
            for test in self.tests[n]:
                self.made[n, test] = choose_bit(
                    b, node, by, lambda a, t=test: self.tested(b, a, t), test.of(0)
                )
        found = test_of(self.function, node)
        if found is not None:
            self.new[n] = self.tested(b, *found)
        elif node.op in WIRING or node.op == "not":
            self.new[n] = same(b, n, node, args)
        else:
            self.new[n] = same(b, n, node, [self.bit(b, a) for a in node.args])
        return self.new[n]

    def bit(self, b: Builder, n: int) -> int:
        """The node n, made of tests when it is a bit of what they replace."""
        if self.function.nodes[n].width == 1 and self.wires.sources(n) & self.tests.keys():
            return self.tested(b, n, _BIT)
        return self.new[n]

    def tested(self, b: Builder, n: int, test: Test) -> int:
        """A test of the old node n."""
        if isinstance(test, Equal):
            parts = test.split(self.wires.parts(n))
            if parts is None:
                return b.const(0, 1)
            if parts.keys() & self.tests.keys():
                return b.all_of([
                    self.made[s, t] if s in self.tests else t.build(b, self.new[s])
                    for s, t in parts.items()
                ])
        else:
            found = test.through(self.wires.parts(n))
            if found is not None and found[0] in self.tests:
                return self.made[found]
        return test.build(b, self.new[n])
