"""What verification finds -> which blocks are reached, where each access goes, how deep it reaches."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..ctx_map.context import Field
from ..ctx_map.helpers import PRINTS
from ..ctx_map.kfuncs import TIME, Metadata
from ..ctx_map.nics import Answer
from .analysis.state import Region
from .insn import Call
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
    """A packet load at one of `offsets` (bytes from byte 0; only those that can be in range).

    A `guarded` one is not proven to lie in the packet: where it does not, the program is aborted.
    """

    offsets: tuple[int, ...]
    size: int
    guarded: bool = False


@dataclass(frozen=True, slots=True)
class LoadBytes:
    """A helper that copies from one of the packet's bytes to one of the stack's."""

    packet: PacketAccess
    to: MemoryAccess


@dataclass(frozen=True, slots=True)
class Memory:
    """`size` bytes that a function reads; nothing is at `place` when there are none."""

    place: MemoryAccess | PacketAccess | None
    size: int


@dataclass(frozen=True, slots=True)
class CallMemory:
    """What a helper reads, by the register that holds its address."""

    inputs: Mapping[int, Memory]


@dataclass(frozen=True, slots=True)
class MetadataCall:
    """A metadata function, how the NIC answers it, and the stack bytes that it fills."""

    function: Metadata
    answer: Answer
    to: tuple[MemoryAccess, ...]

    @property
    def signals(self) -> set[str]:
        """The descriptor fields that it needs."""
        if self.answer is not Answer.DATA:
            return set()
        return {self.function.present, *(o.signal for o in self.function.outputs)} - {"", TIME}


@dataclass(frozen=True, slots=True)
class BoundsCheck:
    """A comparison of packet addresses with the packet's end, or their difference.

    `deepest` is the greatest offset that is compared, bytes; None when the length itself is needed.
    """

    deepest: int | None


Access = (
    ContextAccess | MemoryAccess | PacketAccess | LoadBytes | CallMemory | MetadataCall | BoundsCheck
)
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

    def guarded(self) -> list[int]:
        """The slots of the packet loads that are checked at run time, each once per block."""
        return [slot for (_, slot), access in self.accesses.items() if _guarded(access)]

    def kept(self) -> set[tuple[int, int]]:
        """Stack bytes, by call depth and offset, that a call fills only when it succeeds."""
        found = set()
        for access in self.accesses.values():
            if isinstance(access, LoadBytes):
                filled = [(access.to, access.packet.size)]
            elif isinstance(access, MetadataCall):
                sizes = (output.size for output in access.function.outputs)
                filled = list(zip(access.to, sizes, strict=True))
            else:
                continue
            found |= {(to.frame, to.offsets[0] + i) for to, size in filled for i in range(size)}
        return found

    def prints(self) -> list[int]:
        """The slots of the calls that print, which have no effect in hardware."""
        insns = self.graph.program.insns
        found = {s for (_, s), a in self.accesses.items() if isinstance(a, CallMemory)}
        return sorted(s for s in found if isinstance(i := insns[s], Call) and i.helper in PRINTS)

    def metadata(self) -> dict[str, Answer]:
        """The metadata functions that are called, and how the NIC answers them."""
        calls = [a for a in self.accesses.values() if isinstance(a, MetadataCall)]
        return {c.function.prototype.name: c.answer for c in calls}


def _guarded(access: Access | None) -> bool:
    if isinstance(access, CallMemory):
        places = (memory.place for memory in access.inputs.values())
        return any(isinstance(place, PacketAccess) and place.guarded for place in places)
    return isinstance(access, PacketAccess) and access.guarded
