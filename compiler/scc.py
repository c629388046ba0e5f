"""Directed graph -> its strongly connected components, in topological order (Tarjan, 1972)."""

from collections.abc import Iterator, Mapping, Sequence


def strongly_connected(entry: int, edges: Mapping[int, Sequence[int]]) -> list[list[int]]:
    """The components that `entry` reaches; every edge stays in its component or leads to a later one."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    open_nodes: list[int] = []
    is_open: set[int] = set()
    found: list[list[int]] = []
    path: list[tuple[int, Iterator[int]]] = []

    def enter(node: int) -> None:
        index[node] = low[node] = len(index)
        open_nodes.append(node)
        is_open.add(node)
        path.append((node, iter(edges[node])))

    enter(entry)
    while path:
        node, rest = path[-1]
        successor = next(rest, None)
        if successor is None:
            path.pop()
            if path:
                low[path[-1][0]] = min(low[path[-1][0]], low[node])
            if low[node] == index[node]:
                group = []
                while node in is_open:
                    group.append(open_nodes.pop())
                    is_open.discard(group[-1])
                found.append(group[::-1])
        elif successor not in index:
            enter(successor)
        elif successor in is_open:
            low[node] = min(low[node], index[successor])
    return found[::-1]
