"""bpf_csum_diff against a plain definition; against the kernel it runs in test_kernel_calls.py."""

import random

import pytest
from rxgate.sim.helpers import csum_diff


def internet_checksum(data: bytes) -> int:
    """RFC 1071, word by word, not inverted."""
    total = 0
    for i in range(0, len(data), 2):
        total += int.from_bytes(data[i : i + 2].ljust(2, b"\0"), "big")
        total = (total & 0xFFFF) + (total >> 16)
    return total


def test_a_sum_is_the_internet_checksum():
    rng = random.Random(1)
    for size in range(1, 60):
        data = rng.randbytes(size)
        found = csum_diff(b"", data, 0).to_bytes(2, "little")
        assert int.from_bytes(found, "big") == internet_checksum(data)


def test_an_update_is_a_new_sum():
    """RFC 1624: the sum of a changed header from that of the old one."""
    rng = random.Random(2)
    for _ in range(100):
        head, old, new = (rng.randbytes(n) for n in (16, 4, 4))
        before = csum_diff(b"", head + old, 0)
        assert csum_diff(old, new, before) == csum_diff(b"", head + new, 0)


@pytest.mark.parametrize(
    ("old", "new", "seed", "result"),
    [
        ("", "", 0, 0), ("", "", 0xFFFFFFFF, 0xFFFF), ("", "", 0x10002, 3), ("", "00000000", 0, 0),
        ("", "ffff0000", 0, 0xFFFF), ("00000000", "00000000", 0, 0xFFFF), ("ffffffff", "00", 0, 0),
        ("ffffffff", "", 0, 0), ("01000000", "03000000", 0, 2), ("", "01", 0, 1),
        ("", "0001", 0, 0x100), ("00", "", 0, 0), ("01000000", "", 3, 2),
    ],
)
def test_edges(old, new, seed, result):
    assert csum_diff(bytes.fromhex(old), bytes.fromhex(new), seed) == result
