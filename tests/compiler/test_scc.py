"""Strongly connected components: what reaches itself, in topological order."""

import random

import pytest
from rxgate.compiler.scc import strongly_connected


def test_order_and_members():
    edges = {0: [1, 4], 1: [2], 2: [1, 3], 3: [], 4: [3], 5: [0]}
    assert strongly_connected(0, edges) == [[0], [4], [1, 2], [3]]


@pytest.mark.parametrize("seed", range(50))
def test_against_reachability(seed):
    rng = random.Random(seed)
    count = rng.randrange(1, 12)
    edges = {n: [m for m in range(count) if rng.random() < 0.2] for n in range(count)}

    def reached(start: int) -> set[int]:
        found, todo = {start}, [start]
        while todo:
            for m in edges[todo.pop()]:
                if m not in found:
                    found.add(m)
                    todo.append(m)
        return found

    groups = strongly_connected(0, edges)
    place = {n: k for k, group in enumerate(groups) for n in group}
    assert set(place) == reached(0)
    for n in place:
        assert all(place[m] >= place[n] for m in edges[n])
        same = {m for m in place if m in reached(n) and n in reached(m)}
        assert same == set(groups[place[n]])


def test_deep_graphs_need_no_recursion():
    count = 20_000
    edges = {n: [n + 1] if n + 1 < count else [0] for n in range(count)}
    assert len(strongly_connected(0, edges)) == 1
