"""What registers and stack bytes hold while a program is lifted: nodes or addresses."""

from dataclasses import dataclass, field

from ...ctx_map.models import MICROSOFT_KEY
from ..analysis.state import Region


@dataclass(frozen=True, slots=True)
class Address:
    """A pointer whose region is known; `offset` is a 64-bit node (facts.Pointer's convention).

    `null` is a 1-bit node that holds where the value is 0 instead; None: nowhere.
    """

    region: Region
    offset: int
    frame: int = 0
    section: str = ""
    null: int | None = None


Symbol = int | Address


@dataclass(frozen=True, slots=True)
class AddressByte:
    """One byte of an address spilled to the stack."""

    address: Address
    lane: int


@dataclass(slots=True)
class State:
    """Registers (None: not readable), stack bytes by (depth, offset), callers' r6..r10."""

    regs: list[Symbol | None]
    stack: dict[tuple[int, int], int | AddressByte] = field(default_factory=dict)
    saved: tuple[tuple[Symbol | None, ...], ...] = ()

    def copy(self) -> "State":
        return State(list(self.regs), dict(self.stack), self.saved)

    def settle(self, address: Address, value: Symbol, byte: int) -> None:
        """Every copy of `address` becomes `value`, in bytes `byte` when that is a number."""

        def settled(old: Symbol | None) -> Symbol | None:
            return value if old == address else old

        self.regs = [settled(r) for r in self.regs]
        self.saved = tuple(tuple(settled(r) for r in s) for s in self.saved)
        for key, lane in self.stack.items():
            if isinstance(lane, AddressByte) and lane.address == address:
                whole = isinstance(value, Address)
                self.stack[key] = AddressByte(value, lane.lane) if whole else byte


@dataclass(frozen=True, slots=True)
class Target:
    """What the dataflow may take from its surroundings.

    `delivered` names the descriptor fields that come as inputs; the others are computed from the
    window by the front end with `hash_key`.
    """

    delivered: frozenset[str]
    hash_key: bytes = MICROSOFT_KEY
    strip_vlan: bool = False
    prandom_seed: int = 0
