"""A board's registers -> what is on it and what became of its frames, for people and programs."""

from dataclasses import dataclass
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from ...ctx_map.link import ONE_PORT
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
    """What changes: the links' speeds in Mb/s (0: no clock) by port, what port A received by its end,
    and what port B did, or with one port what was sent back."""

    links: dict[str, int]
    filtered: dict[str, int]
    returned: dict[str, int]

    @classmethod
    def read(cls, client: Client) -> "Status":
        """Of a board; the counters of the filter are those of one cycle."""
        word = client.board("links")
        ports = {"a": word} if word >> ONE_PORT & 1 else {"a": word, "b": word >> 4}
        links = {
            port: SPEEDS[min(bits & 3, 2)] if bits & _PRESENT else 0 for port, bits in ports.items()
        }
        names = {"passed": "returned", "bad": "returned_bad", "overflow": "returned_overflow"}
        return cls(
            links,
            client.counters(),
            {name: client.board(register) for name, register in names.items()},
        )


def to_json(identity: Identity, status: Status) -> dict[str, Any]:
    """What `host --json` prints."""
    there, back = _ways(status)
    return {
        "program": identity.program,
        "digest": identity.digest,
        "rxgate_version": identity.version,
        "flags": list(identity.flags),
        "max_frame": identity.max_frame,
        "links_mbps": status.links,
        _key(there): status.filtered,
        _key(back): status.returned,
    }


def dashboard(
    identity: Identity, status: Status, before: Status | None, seconds: float
) -> Group:
    """A table; with what was `before`, and how long ago, also rates."""
    table = Table(box=None, pad_edge=False)
    table.add_column("frames")
    for name in ("total", "per second"):
        table.add_column(name, justify="right")
    there, back = _ways(status)
    parts = (
        (there, status.filtered, before.filtered if before else None),
        (back, status.returned, before.returned if before else None),
    )
    for direction, counts, old in parts:
        for name, count in counts.items():
            rate = f"{(count - old[name]) / seconds:,.0f}" if old and seconds > 0 else ""
            table.add_row(f"{direction}  {name}", f"{count:,}", rate)
    links = ", ".join(
        f"port {port.upper()} {f'{mbps} Mb/s' if mbps else 'without a clock'}"
        for port, mbps in status.links.items()
    )
    return Group(
        Text(f"{identity.program or 'a program without a name'}, digest {identity.digest},"
             f" rxgate {identity.version}"),
        Text(links),
        table,
    )


def _ways(status: Status) -> tuple[str, str]:
    """What the two directions of a board are called."""
    return ("A to B", "B to A") if "b" in status.links else ("in at A", "back at A")


def _key(way: str) -> str:
    return way.lower().replace(" ", "_")
