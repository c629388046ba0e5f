"""Bytes and numbers -> what stateless helpers return: plain arithmetic, for the golden interpreter."""

_M32 = 0xFFFF_FFFF
_WORD = 4


def csum_diff(old: bytes, new: bytes, seed: int) -> int:
    """bpf_csum_diff (net/core/filter.c), 16 bits.

    `old` is taken away and `new` added, each if it is not empty, in one's complement.
    """
    if old and new:
        total = _partial(new, seed) + (_M32 ^ _partial(old, 0))
    elif old:
        total = _M32 ^ _partial(old, _M32 ^ seed)
    else:
        total = _partial(new, seed)
    return _modulo(_modulo(total, _M32), 0xFFFF)


def _partial(data: bytes, seed: int) -> int:
    """csum_partial: 32-bit little-endian words (the last may be short) and a seed, modulo 2**32 - 1."""
    words = (int.from_bytes(data[i : i + _WORD], "little") for i in range(0, len(data), _WORD))
    return _modulo(sum(words) + seed, _M32)


def _modulo(total: int, modulus: int) -> int:
    """The representative that end-around carries leave: 0 only for 0."""
    return (total - 1) % modulus + 1 if total else 0
