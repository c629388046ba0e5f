"""What verification finds -> which blocks are reached, where each access goes, how deep it reaches."""

from dataclasses import dataclass

from ..ctx_map.context import Field
from .analysis.state import Region
from .unfold import Graph


@dataclass(frozen=True, slots=True)
class ContextAccess:
    """A load of `field`, `size` bytes from byte `lane` of it."""

    field: Field
    lane: int
    size: int


@dataclass(frozen=True, slots=True)
class MemoryAccess:
    """A stack or data access that begins at one of `offsets` (bytes; the stack's are negative)."""

    region: Region
    frame: int
    section: str
    offsets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PacketAccess:
    """A packet load at one of `offsets` (bytes from byte 0; only those that can be in range)."""

    offsets: tuple[int, ...]
    size: int


@dataclass(frozen=True, slots=True)
class LoadBytes:
    """bpf_skb_load_bytes: from one of the packet's bytes to one of the stack's."""

    packet: PacketAccess
    to: MemoryAccess


@dataclass(frozen=True, slots=True)
class BoundsCheck:
    """A comparison of packet addresses with the packet's end, or their difference.

    `deepest` is the greatest offset that is compared, bytes; None when the length itself is needed.
    """

    deepest: int | None


Access = ContextAccess | MemoryAccess | PacketAccess | LoadBytes | BoundsCheck
Place = tuple[int, int]
"""Block number and slot."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What verification found: the blocks that can be reached, and where each access goes.

    `window` is the deepest packet byte reached, as a count of bytes from byte 0.
    """

    graph: Graph
    accesses: dict[Place, Access]
    window: int
