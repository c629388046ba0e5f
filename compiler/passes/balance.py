"""Chains of one associative operation -> trees, shallow where their operands come late.

    %3 = and.1 %0, %1             %3 = and.1 %1, %2
    %4 = and.1 %3, %2        ->   %4 = and.1 %0, %3          where %0 comes last
    output verdict = %4           output verdict = %4

Operands that are chosen alike are joined before they are chosen: a choice is saved, and its waiting.

    %3 = case.1 %key, 5: %a       %3 = and.1 %a, %b
    %4 = case.1 %key, 5: %b  ->   %4 = case.1 %key, 5: %3
    %5 = and.1 %3, %4
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from heapq import heapify, heappop, heapreplace
from typing import ClassVar

from ..builder import Builder
from ..ir import WIRING, Function, Node
from .choices import CHOICES, arms, choose, deciders
from .replay import replay, same

_DUAL = {"and": "or", "or": "and", "xor": "xor"}
_CHAINS = frozenset({"and", "or", "xor", "add"})
_COST = {"add": 3, "sub": 3, "ult": 3, "slt": 3, "case": 2, "eq": 2, "mul": 20, "udiv": 99, "urem": 99}
"""About how long operations take; others take 1."""

Literal = tuple[int, bool]
"""A node, and whether its complement is meant."""


@dataclass(frozen=True, slots=True)
class Balance:
    """Builds chains again as trees."""

    name: ClassVar[str] = "balance"

    def run(self, function: Function) -> Function:
        chains = _Chains(function)
        if not chains.literals:
            return function
        return replay(function, _Trees(function, chains).rule, chains.inside)


class _Chains:
    """Operands of each chain by the node that ends it; complements go through and, or and xor."""

    def __init__(self, function: Function) -> None:
        self.nodes = function.nodes
        self.readers = function.readers()
        self.inside: set[int] = set()
        self.literals: dict[int, list[Literal]] = {}
        for n in range(len(self.nodes) - 1, -1, -1):
            if self.readers[n] and self.nodes[n].op in _CHAINS and n not in self.inside:
                self.literals[n] = self._operands(n, self.nodes[n].op)

    def _operands(self, n: int, op: str) -> list[Literal]:
        found = []
        todo = [(a, False, True) for a in self.nodes[n].args]
        while todo:
            a, flipped, alone = todo.pop()
            node = self.nodes[a]
            alone = alone and self.readers[a] == 1
            if node.op == "not" and op != "add":
                if alone:
                    self.inside.add(a)
                todo.append((node.args[0], not flipped, alone))
            elif alone and node.op == (_DUAL[op] if flipped else op):
                self.inside.add(a)
                first, *rest = node.args
                todo.append((first, flipped, True))
                todo += [(x, flipped and op != "xor", True) for x in rest]
            else:
                found.append((a, flipped))
        return found

    def alike(self, n: int) -> Iterable[list[Literal]]:
        """The operands of n; choices that nobody else reads, with the same deciders, in one group."""
        groups: dict[Hashable, list[Literal]] = {}
        for literal in sorted(self.literals[n]):
            node = self.nodes[literal[0]]
            key: Hashable = len(groups)
            if self.nodes[n].op != "add" and node.op in CHOICES and self.readers[literal[0]] == 1:
                key = node.op, deciders(node), node.attr, literal[1]
            groups.setdefault(key, []).append(literal)
        return groups.values()


class _Trees:
    """Rebuilds chains, knowing how late the nodes of the new graph are."""

    def __init__(self, function: Function, chains: _Chains) -> None:
        self.nodes, self.chains = function.nodes, chains
        self.new: dict[int, int] = {}
        self.depths: list[int] = []

    def rule(self, b: Builder, n: int, node: Node, args: list[int]) -> int:
        if n in self.chains.literals:
            operands = [self.group(b, node.op, group) for group in self.chains.alike(n)]
            self.new[n] = self.tree(b, node.op, operands)
        else:
            self.new[n] = same(b, n, node, args)
        return self.new[n]

    def group(self, b: Builder, op: str, group: list[Literal]) -> int:
        """One operand, or one choice for several that are chosen alike."""
        [(n, flipped), *others] = group
        if not others:
            return b.not_(self.new[n]) if flipped else self.new[n]
        node = self.nodes[n]
        columns = zip(*(arms(self.nodes[m]) for m, _ in group), strict=True)
        inner = _DUAL[op] if flipped else op
        values = [self.tree(b, inner, [self.new[a] for a in column]) for column in columns]
        made = choose(b, node, [self.new[a] for a in deciders(node)], values)
        return b.not_(made) if flipped and (op != "xor" or len(group) % 2) else made

    def tree(self, b: Builder, op: str, operands: list[int]) -> int:
        """Operands that come late are joined last."""
        make = b.add if op == "add" else lambda x, y: b.bitwise(op, x, y)
        heap = [(self.depth(b, n), n) for n in operands]
        heapify(heap)
        while len(heap) > 1:
            _, x = heappop(heap)
            made = make(x, heap[0][1])
            heapreplace(heap, (self.depth(b, made), made))
        return heap[0][1]

    def depth(self, b: Builder, n: int) -> int:
        """How late a node of the new graph is."""
        for node in b.nodes[len(self.depths) : n + 1]:
            before = max((self.depths[a] for a in node.args), default=0)
            free = node.op in WIRING or node.op == "not"
            self.depths.append(before + (0 if free else _COST.get(node.op, 1)))
        return self.depths[n]
