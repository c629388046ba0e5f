"""Random numbers and pools of telling values -> the contents of generated header fields."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")

_BLOB_SIZE = 1 << 15


@dataclass(frozen=True, slots=True)
class Values:
    """What fields are drawn from; a field may be any value, but these come often."""

    ports: tuple[int, ...] = (
        20, 22, 23, 25, 53, 53, 67, 68, 80, 80, 123, 161, 179, 443, 443, 445, 853, 1900, 3389, 4789,
        5000, 5353, 6081, 8080, 8443, 11211, 33434, 65535, 0,
    )
    protocols: tuple[int, ...] = (0, 2, 4, 41, 43, 44, 50, 51, 58, 59, 60, 88, 89, 103, 112, 255)
    ethertypes: tuple[int, ...] = (
        0x0806, 0x0842, 0x8035, 0x809B, 0x80F3, 0x8137, 0x8809, 0x888E, 0x88CC, 0x88F7, 0x9000,
        0x0600, 0x05FF, 0x05DC, 0xFFFF,
    )
    addresses: tuple[int, ...] = (
        0x0A000001, 0x0A000002, 0x0A0000FE, 0xAC100001, 0xC0A80001, 0xC0A80102, 0xC0000201,
        0xC0000281, 0xC6336401, 0xCB007101, 0x08080808, 0x7F000001, 0xA9FE0101, 0xE0000001,
        0xE00000FB, 0xFFFFFFFF, 0x00000000, 0x64400001, 0xF0000001,
    )
    vlans: tuple[int, ...] = (0, 1, 2, 3, 5, 7, 10, 42, 100, 200, 300, 4094, 4095)
    octets: tuple[int, ...] = (0, 1, 2, 3, 5, 8, 16, 63, 64, 127, 128, 255)
    sizes: tuple[int, ...] = ()


HOSTS6 = tuple(
    bytes.fromhex(h)
    for h in (
        "20010db8000000000000000000000001", "20010db8000000000000000000000002",
        "20010db8ffff00010002000300040005", "fe800000000000000000000000000001",
        "ff020000000000000000000000000001", "ff0200000000000000000001ff000001",
        "00000000000000000000000000000001", "00000000000000000000000000000000",
        "0064ff9b00000000000000000a000001",
    )
)
MACS = tuple(
    bytes.fromhex(m)
    for m in (
        "020000000001", "020000000002", "020000000003", "ffffffffffff", "01005e000001",
        "333300000001", "0180c2000000", "0180c200000e", "aabbccddeeff", "000000000000",
    )
)


@dataclass(slots=True)
class Dice:
    """Quick draws from one seeded generator."""

    rng: random.Random
    blob: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.blob = self.rng.randbytes(_BLOB_SIZE)

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.rng.random() < probability

    def below(self, n: int) -> int:
        """A number from 0 to n - 1."""
        return int(self.rng.random() * n)

    def pick(self, pool: Sequence[T]) -> T:
        """One of the pool."""
        return pool[int(self.rng.random() * len(pool))]

    def bits(self, n: int) -> int:
        """n random bits."""
        return self.rng.getrandbits(n)

    def mostly(self, pool: Sequence[int], bits: int) -> int:
        """One of the pool, or now and then any number of `bits` bits."""
        r = self.rng.random() / 0.8
        return pool[int(r * len(pool))] if r < 1 else self.rng.getrandbits(bits)

    def payload(self, size: int) -> bytes:
        """`size` random bytes (at most 16384)."""
        at = int(self.rng.random() * (_BLOB_SIZE // 2))
        return self.blob[at : at + size]

    def size(self) -> int:
        """A payload size: mostly small, sometimes a full frame, rarely a jumbo one."""
        r = self.rng.random()
        if r < 0.6:
            return int(r * 100)
        if r < 0.9:
            return int((r - 0.6) * 2000)
        return 1400 + int((r - 0.9) * 1000) if r < 0.998 else 8900 + int((r - 0.998) * 40000)
