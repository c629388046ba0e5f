"""Through wiring: where the bits of a value come from, and who reads the bits of an operation."""

from collections.abc import Iterable

from .ir import WIRING, Function


def sources(function: Function, n: int, mask: int) -> list[tuple[int, int]]:
    """Where the bits `mask` of node n come from, through wiring: (node, mask), constants left out."""
    node = function.nodes[n]
    if not mask or node.op == "const":
        return []
    match node.op:
        case "slice":
            return sources(function, node.args[0], mask << node.number)
        case "concat":
            found, shift = [], 0
            for a in node.args:
                width = function.nodes[a].width
                found += sources(function, a, mask >> shift & (1 << width) - 1)
                shift += width
            return found
        case "sext":
            width = function.nodes[node.args[0]].width
            low = mask & (1 << width) - 1 | (1 << width - 1 if mask >> width else 0)
            return sources(function, node.args[0], low)
    return [(n, mask)]


def all_sources(function: Function, nodes: Iterable[int]) -> dict[int, int]:
    """Every node that whole values of `nodes` come from, with the mask of its bits."""
    found: dict[int, int] = {}
    for n in nodes:
        for source, mask in sources(function, n, (1 << function.nodes[n].width) - 1):
            found[source] = found.get(source, 0) | mask
    return found


def arguments(function: Function) -> dict[int, tuple[dict[int, int], ...]]:
    """For every operation and each of its arguments what it reads, as `all_sources` says."""
    found: dict[int, dict[int, int]] = {}
    for node in function.nodes:
        if node.op not in WIRING:
            for a in node.args:
                if a not in found:
                    found[a] = all_sources(function, (a,))
    return {
        n: tuple(found[a] for a in node.args)
        for n, node in enumerate(function.nodes) if node.op not in WIRING
    }


def joined(read: Iterable[dict[int, int]]) -> dict[int, int]:
    """Several such findings as one."""
    found: dict[int, int] = {}
    for part in read:
        for source, mask in part.items():
            found[source] = found.get(source, 0) | mask
    return found


def reads(function: Function) -> dict[int, dict[int, int]]:
    """For every operation what it reads, as `all_sources` says."""
    return {n: joined(parts) for n, parts in arguments(function).items()}
