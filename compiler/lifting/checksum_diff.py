"""bpf_csum_diff -> sums in one's complement, as net/core/filter.c of Linux 6.13 and later has it.

A sum modulo 2**n - 1 is 0 only when nothing but zeros was added, and else in 1 .. 2**n - 1, whatever
the order of additions; so one wide sum, folded once, is what the kernel's loop gives.
"""

from collections.abc import Sequence

from ..builder import Builder

_WORD = 4


def checksum_diff(b: Builder, old: Sequence[int], new: Sequence[int], seed: int) -> int:
    """The 64-bit result, from bytes (8-bit nodes) taken away and added, and a 32-bit seed."""
    if old and new:
        added = _sum(b, [*_words(b, new), seed])
        total = _sum(b, [added, b.not_(_sum(b, _words(b, old)))])
    elif old:
        total = b.not_(_sum(b, [*_words(b, old), b.not_(seed)]))
    else:
        total = _sum(b, [*_words(b, new), seed])
    return b.zext(_fold(b, total, 16), 64)


def _words(b: Builder, data: Sequence[int]) -> list[int]:
    """Words of 32 bits, least significant byte first; the last one is filled up with zeros."""
    full = [*data, *[b.const(0, 8)] * (-len(data) % _WORD)]
    return [b.concat(*full[i : i + _WORD]) for i in range(0, len(full), _WORD)]


def _sum(b: Builder, words: list[int]) -> int:
    """The sum of 32-bit words modulo 2**32 - 1, by a tree of adders that grow by a bit per level."""
    level = words
    while len(level) > 1:
        width = b.width(level[0]) + 1
        wide = [b.zext(w, width) for w in level]
        level = [b.add(*wide[i : i + 2]) for i in range(0, len(wide) - 1, 2)]
        if len(wide) % 2:
            level.append(wide[-1])
    return _fold(b, level[0], 32)


def _fold(b: Builder, total: int, bits: int) -> int:
    """A number of at most 2 * `bits` bits modulo 2**bits - 1; 0 only if it is 0."""
    high = b.width(total) - bits
    if not high:
        return total
    low = b.zext(b.slice(total, 0, bits), bits + 1)
    once = b.add(low, b.zext(b.slice(total, bits, high), bits + 1))
    return b.add(b.slice(once, 0, bits), b.zext(b.slice(once, bits, 1), bits))
