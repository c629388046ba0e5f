"""Sets of numbers, as intervals -> unions, intersections, and the logic that tells members."""

from collections.abc import Iterator

from .builder import Builder
from .insn import JumpOp

Numbers = tuple[tuple[int, int], ...]
"""Ascending intervals, both bounds included, neither touching nor overlapping."""
NONE: Numbers = ()


def all_numbers(width: int) -> Numbers:
    return ((0, (1 << width) - 1),)


def complement(numbers: Numbers, width: int) -> Numbers:
    """The numbers of `width` bits that are not in the set."""
    found, at = [], 0
    for low, high in numbers:
        if low > at:
            found.append((at, low - 1))
        at = high + 1
    if at < 1 << width:
        found.append((at, (1 << width) - 1))
    return tuple(found)


def union(a: Numbers, b: Numbers) -> Numbers:
    found: list[tuple[int, int]] = []
    for low, high in sorted(a + b):
        if found and low <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(high, found[-1][1])
        else:
            found.append((low, high))
    return tuple(found)


def intersection(a: Numbers, b: Numbers) -> Numbers:
    found, i, k = [], 0, 0
    while i < len(a) and k < len(b):
        low, high = max(a[i][0], b[k][0]), min(a[i][1], b[k][1])
        if low <= high:
            found.append((low, high))
        if a[i][1] < b[k][1]:
            i += 1
        else:
            k += 1
    return tuple(found)


def where(op: JumpOp, k: int, width: int) -> Numbers | None:
    """The numbers n of `width` bits for which `n op k` holds; None where that is no use."""
    most, half = (1 << width) - 1, 1 << width - 1
    signed = k - (1 << width) if k & half else k
    match op:
        case JumpOp.EQ | JumpOp.NE:
            numbers = _clipped(k, k, most)
        case JumpOp.GT | JumpOp.LE:
            numbers = _clipped(k + 1, most, most)
        case JumpOp.GE | JumpOp.LT:
            numbers = _clipped(k, most, most)
        case JumpOp.SGT | JumpOp.SLE:
            numbers = _signed(signed + 1, half)
        case JumpOp.SGE | JumpOp.SLT:
            numbers = _signed(signed, half)
        case _:
            return None
    negated = op in (JumpOp.NE, JumpOp.LE, JumpOp.LT, JumpOp.SLE, JumpOp.SLT)
    return complement(numbers, width) if negated else numbers


def _clipped(low: int, high: int, most: int) -> Numbers:
    return ((low, min(high, most)),) if low <= most else NONE


def _signed(low: int, half: int) -> Numbers:
    """The numbers from `low` upward, as those of 2 * `half` signed ones."""
    negative = _clipped(low + 2 * half, 2 * half - 1, 2 * half - 1) if low < 0 else NONE
    return union(_clipped(max(low, 0), half - 1, half - 1), negative)


def sought(b: Builder, x: int, numbers: Numbers) -> tuple[int, Numbers]:
    """The same condition of what x is made of: without constants added to it, without zeros above."""
    while True:
        width = b.known[x].active
        if width < b.width(x):
            x, numbers = b.slice(x, 0, width), intersection(numbers, all_numbers(width))
        node = b.nodes[x]
        added = b.constant(node.args[1]) if node.op == "add" else None
        if added is None:
            return x, numbers
        x, numbers = node.args[0], _moved(numbers, -added, width)


def _moved(numbers: Numbers, by: int, width: int) -> Numbers:
    """Every number plus `by`, modulo 2**width."""
    found, size = NONE, 1 << width
    for low, high in numbers:
        low, high = (low + by) % size, (high + by) % size
        found = union(found, ((low, high),) if low <= high else ((0, high), (low, size - 1)))
    return found


def member(b: Builder, x: int, numbers: Numbers) -> int:
    """Whether the node x is one of `numbers`, by these or by the others, whichever are fewer."""
    width = b.width(x)
    others = complement(numbers, width)
    if len(others) < len(numbers):
        return b.not_(member(b, x, others))
    return b.any_of([_between(b, x, low, high) for low, high in numbers])


def _between(b: Builder, x: int, low: int, high: int) -> int:
    """Whether low <= x <= high."""
    width = b.width(x)
    blocks = list(_blocks(low, high, 3))
    if len(blocks) < 3 and (blocks[1:] == [] or (low and high + 1 < 1 << width)):
        return b.any_of([
            b.eq(b.slice(x, size, width - size), b.const(start >> size, width - size))
            if size < width else b.const(1, 1)
            for start, size in blocks
        ])
    above = b.const(1, 1) if not low else b.not_(b.ult(x, b.const(low, width)))
    below = b.const(1, 1) if high + 1 >> width else b.ult(x, b.const(high + 1, width))
    return b.and_(above, below)


def _blocks(low: int, high: int, most: int) -> Iterator[tuple[int, int]]:
    """Intervals of 2**n numbers, as (start, n), that fill it from below; at most `most`."""
    while low <= high and most:
        size = (low & -low).bit_length() - 1 if low else high.bit_length()
        while low + (1 << size) - 1 > high:
            size -= 1
        yield low, size
        low, most = low + (1 << size), most - 1
