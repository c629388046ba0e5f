"""What the control port answers -> the one declaration of its registers, which all else derives from.

Offsets are in bytes, registers are whole 32-bit words, the lowest word and byte first: bits 7:0 of a
text's first word are its first character. Registers that may be added leave the others where they are.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum

WORD_BITS = 32
WORD_BYTES = WORD_BITS // 8
ADDRESS_BITS = 16
MAGIC = int.from_bytes(b"RXGT", "little")
MAP_VERSION = 0x0001_0001
"""Bits 31:16 change when a register moves or changes its meaning, bits 15:0 when one is added."""
DIGEST_BYTES = 8
NAME_BYTES = 32


class Access(Enum):
    """What the host may do with a register; anything else is answered with SLVERR."""

    READ = "read"
    READ_WRITE = "read, write"
    COMMAND = "write, reads as 0"


@dataclass(frozen=True, slots=True)
class Bit:
    """One bit of a register."""

    name: str
    position: int
    doc: str


@dataclass(frozen=True, slots=True)
class Register:
    """Some words at a fixed offset; `width` is in bits."""

    name: str
    offset: int
    width: int
    access: Access
    doc: str
    bits: tuple[Bit, ...] = ()

    @property
    def words(self) -> int:
        """Words of the register."""
        return self.width // WORD_BITS

    @property
    def end(self) -> int:
        """The offset behind its last byte."""
        return self.offset + self.width // 8


@dataclass(frozen=True, slots=True)
class Region:
    """A range of addresses for registers of one kind; `size` is in bytes."""

    name: str
    offset: int
    size: int
    doc: str

    @property
    def end(self) -> int:
        """The offset behind its last byte."""
        return self.offset + self.size


@dataclass(frozen=True, slots=True)
class Tunable:
    """A constant of the program that the host may change: some words, as bytes in memory.

    `initial` is what it is after a reset. What fills its last word reads as 0.
    """

    name: str
    offset: int
    initial: bytes

    @property
    def size(self) -> int:
        """Bytes of the constant."""
        return len(self.initial)

    @property
    def words(self) -> int:
        """Words that hold it."""
        return -(-self.size // WORD_BYTES)

    @property
    def end(self) -> int:
        """The offset behind its last word."""
        return self.offset + self.words * WORD_BYTES


REGIONS = (
    Region("identification", 0x0000, 0x0100, "what this circuit is; never changes"),
    Region("control", 0x0100, 0x0100, "commands"),
    Region("counters", 0x0200, 0x0E00, "totals as of the last snapshot"),
    Region("tunables", 0x1000, 0x1000, "constants of the program that can be changed"),
    Region("maps", 0x2000, 0xE000, "reserved for maps"),
)

TUNABLES = next(r for r in REGIONS if r.name == "tunables")

FLAGS = (
    Bit("store_and_forward", 0, "frames wait for their last beat"),
    Bit("strip_vlan", 1, "the outer VLAN tag is taken out of frames"),
    Bit("mark_drops", 2, "dropped frames are forwarded with their verdict"),
    Bit("no_backpressure", 3, "frames that find no room are dropped, the source is never stalled"),
    Bit("reads_time", 4, "the program reads ktime_ns"),
    Bit("tunables", 5, "constants of the program can be changed"),
)
COMMANDS = (
    Bit("snapshot", 0, "all counters are copied, in one cycle, to where they are read"),
    Bit("clear", 1, "all counters start from 0; with snapshot no event is lost or counted twice"),
    Bit("commit", 2, "all tunables become, in one cycle, what was written to them"),
)
COUNTERS = {
    "received": "frames that came in",
    "pass": "of these, passed",
    "drop": "dropped by the program",
    "aborted": "dropped because the program failed, or returned no verdict",
    "tx": "sent back",
    "redirect": "redirected",
    "overflow": "dropped because there was no room",
    "bad": "ended with an error, or were too long",
}
"""received is the sum of the others once all frames have left; each frame is in one of them."""


def _identification() -> list[Register]:
    read = Access.READ
    return [
        Register("magic", 0x00, 32, read, '0x54475852, "RXGT"'),
        Register("map_version", 0x04, 32, read, "of these registers: 31:16 major, 15:0 minor"),
        Register("rxgate_version", 0x08, 32, read, "31:16 major, 15:8 minor, 7:0 patch"),
        Register("flags", 0x0C, 32, read, "of the circuit", FLAGS),
        Register("width", 0x10, 32, read, "of the streams, in bits"),
        Register("window", 0x14, 32, read, "header window, in bytes"),
        Register("max_frame", 0x18, 32, read, "the longest frame, in bytes"),
        Register("latency", 0x1C, 32, read, "as latency_cycles in manifest.json"),
        Register(
            "digest", 0x20, 8 * DIGEST_BYTES, read,
            "first 8 bytes of the SHA-256 of the program: its instructions, then what they refer to",
        ),
        Register("program", 0x40, 8 * NAME_BYTES, read, "its name, cut or filled with zeros"),
    ]  # fmt: skip


def _counters() -> list[Register]:
    start = next(r.offset for r in REGIONS if r.name == "counters")
    return [
        Register(name, start + 8 * n, 64, Access.READ, doc)
        for n, (name, doc) in enumerate(COUNTERS.items())
    ]


REGISTERS = (
    *_identification(),
    Register("scratch", 0x100, 32, Access.READ_WRITE, "for trying the bus; 0 after a reset"),
    Register("command", 0x104, 32, Access.COMMAND, "each bit that is written as 1 acts", COMMANDS),
    Register("commits", 0x108, 32, Access.READ, "how often tunables were committed since a reset"),
    *_counters(),
)
BY_NAME = {r.name: r for r in REGISTERS}


def place_tunables(parts: Iterable[tuple[str, bytes]]) -> tuple[Tunable, ...]:
    """Names with first values -> their places: one after the other, each at a multiple of 8."""
    at, placed = TUNABLES.offset, []
    for name, initial in parts:
        placed.append(Tunable(name, at, initial))
        at = -(-placed[-1].end // 8) * 8
    return tuple(placed)


@dataclass(frozen=True, slots=True)
class ProgramId:
    """The program that a circuit holds, and the `version` of the rxgate that compiled it."""

    name: str = ""
    digest: bytes = bytes(DIGEST_BYTES)
    version: str = "0.0.0"

    def __post_init__(self) -> None:
        if len(self.digest) != DIGEST_BYTES:
            raise ValueError(f"A digest has {DIGEST_BYTES} bytes, not {len(self.digest)!r}")

    @property
    def version_word(self) -> int:
        """The register rxgate_version."""
        release = re.match(r"[0-9.]*", self.version)
        parts = [int(part) for part in (release[0] if release else "").split(".") if part]
        major, minor, patch, *_ = *parts, 0, 0, 0
        return major << 16 | minor << 8 | patch

    @property
    def name_bytes(self) -> bytes:
        """The register program; what is not printable ASCII is "?"."""
        text = "".join(c if c.isascii() and c.isprintable() else "?" for c in self.name)
        return text.encode()[:NAME_BYTES].ljust(NAME_BYTES, b"\0")


UNNAMED = ProgramId()


def identification(
    program: ProgramId, *, width: int, window: int, max_frame: int, latency: int,
    flags: Collection[str],
) -> dict[str, int]:
    """The values of the registers that never change; `flags` are names of `FLAGS`."""
    return {
        "magic": MAGIC,
        "map_version": MAP_VERSION,
        "rxgate_version": program.version_word,
        "flags": sum((flag.name in flags) << flag.position for flag in FLAGS),
        "width": width,
        "window": window,
        "max_frame": max_frame,
        "latency": latency,
        "digest": int.from_bytes(program.digest, "little"),
        "program": int.from_bytes(program.name_bytes, "little"),
    }  # fmt: skip
