"""A board's registers -> what is on it and what became of its frames, for people and programs."""

from dataclasses import dataclass
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from ...ctx_map.registers import FLAGS
from .client import Client

SPEEDS = (10, 100, 1000)
_PRESENT = 4


@dataclass(frozen=True, slots=True)
class Identity:
    """What never changes of a board: its program and the digest of that, and how it was built."""

    program: str
    digest: str
    version: str
    flags: tuple[str, ...]
    window: int
    max_frame: int

    @classmethod
    def read(cls, client: Client) -> "Identity":
        """Of a board."""
        version, flags = client.read("rxgate_version"), client.read("flags")
        name = client.read("program").to_bytes(32, "little").rstrip(b"\0").decode("ascii", "replace")
        return cls(
            name,
            client.read("digest").to_bytes(8, "little").hex(),
            f"{version >> 16}.{version >> 8 & 0xFF}.{version & 0xFF}",
            tuple(flag.name for flag in FLAGS if flags >> flag.position & 1),
            client.read("window"),
            client.read("max_frame"),
        )


@dataclass(frozen=True, slots=True)
class Status:
    """What changes: the links' speeds in Mb/s (0: no clock), what port A received by its end, and
    what port B did."""

    links: tuple[int, int]
    filtered: dict[str, int]
    returned: dict[str, int]

    @classmethod
    def read(cls, client: Client) -> "Status":
        """Of a board; the counters of the filter are those of one cycle."""
        word = client.board("links")
        links = tuple(
            SPEEDS[min(bits & 3, 2)] if bits & _PRESENT else 0 for bits in (word & 7, word >> 4 & 7)
        )
        names = {"passed": "returned", "bad": "returned_bad", "overflow": "returned_overflow"}
        return cls(
            (links[0], links[1]),
            client.counters(),
            {name: client.board(register) for name, register in names.items()},
        )


def to_json(identity: Identity, status: Status) -> dict[str, Any]:
    """What `host --json` prints."""
    return {
        "program": identity.program,
        "digest": identity.digest,
        "rxgate_version": identity.version,
        "flags": list(identity.flags),
        "max_frame": identity.max_frame,
        "links_mbps": {"a": status.links[0], "b": status.links[1]},
        "a_to_b": status.filtered,
        "b_to_a": status.returned,
    }


def dashboard(
    identity: Identity, status: Status, before: Status | None, seconds: float
) -> Group:
    """A table; with what was `before`, and how long ago, also rates."""
    table = Table(box=None, pad_edge=False)
    table.add_column("frames")
    for name in ("total", "per second"):
        table.add_column(name, justify="right")
    parts = (
        ("A to B", status.filtered, before.filtered if before else None),
        ("B to A", status.returned, before.returned if before else None),
    )
    for direction, counts, old in parts:
        for name, count in counts.items():
            rate = f"{(count - old[name]) / seconds:,.0f}" if old and seconds > 0 else ""
            table.add_row(f"{direction}  {name}", f"{count:,}", rate)
    links = ", ".join(
        f"port {letter} {f'{mbps} Mb/s' if mbps else 'without a clock'}"
        for letter, mbps in zip("AB", status.links, strict=True)
    )
    return Group(
        Text(f"{identity.program or 'a program without a name'}, digest {identity.digest},"
             f" rxgate {identity.version}"),
        Text(links),
        table,
    )
