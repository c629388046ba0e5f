"""What is known at one point of a program: registers, stack bytes, and joins of both."""

from dataclasses import dataclass, field, replace
from enum import Enum

from ..insn import FP, STACK_SIZE
from . import scalars
from .scalars import Scalar


class Region(Enum):
    """What a pointer points into."""

    CONTEXT = "context"
    STACK = "stack"
    DATA = "read-only data"
    PACKET = "packet"
    PACKET_END = "packet end"


@dataclass(frozen=True, slots=True, eq=False)
class Pointer:
    """An address: `offset` bytes (modulo 2**64) from the region's origin.

    The origin is the context's byte 0, a data section's byte 0, the packet's first byte or the one
    behind its last, or the top of the stack of the function instance at call depth `frame`, so that
    stack offsets are negative. A packet pointer's offset is also the variable number `anchor` (None:
    0) plus the constant `fixed`; what a bounds check proves holds for all pointers with one anchor.

    With `nullable` the value may be 0 instead, and all that is known is known of the other case.
    With `low` it is the lower half of the address, which only differences can be made of.
    """

    region: Region
    offset: Scalar
    frame: int = 0
    section: str = ""
    anchor: Scalar | None = None
    fixed: int = 0
    nullable: bool = False
    low: bool = False

    def same_object(self, other: "Pointer") -> bool:
        """Whether both point into the same thing."""
        mine, theirs = ((p.region, p.frame, p.section, p.low) for p in (self, other))
        return mine == theirs

    def __str__(self) -> str:
        low, high = _signed(self.offset.low), _signed(self.offset.high)
        options = sorted(map(_signed, self.offset.options or ()))
        if low == high:
            place = f"{low:+d}"
        elif 0 < len(options) <= 8:
            place = "{" + ", ".join(f"{o:+d}" for o in options) + "}"
        else:
            place = f"{low:+d}..{high:+d}" if low < high else "+anything"
        half, null = "low half of a " if self.low else "", " or 0" if self.nullable else ""
        return f"{half}{self.region.value} pointer {place}{null}"


def _signed(n: int) -> int:
    return n - (1 << 64) if n >> 63 else n


@dataclass(frozen=True, slots=True, eq=False)
class Unreadable:
    """A register that must not be read, and why."""

    reason: str

    def __str__(self) -> str:
        return self.reason


Abstract = Scalar | Pointer | Unreadable

UNSET = Unreadable("was never written")
DESTROYED = Unreadable("was destroyed by a call or a packet load")


@dataclass(frozen=True, slots=True)
class Lane:
    """Byte `index` (0 = least significant) of a `size`-byte value that was stored on the stack."""

    value: Scalar | Pointer
    index: int
    size: int


@dataclass(slots=True)
class State:
    """Registers and stacks at one point. `stack` maps (call depth, offset from its top) to a byte.

    `saved` holds r6..r10 of the callers, outermost first. `proven` maps the anchor of packet pointers
    to a number n for which the packet is known to have at least anchor + n bytes. `guarded` tells
    that, on every path, some packet pointer with a variable part was found inside the packet.
    `assumed` has the anchors of which only checks at run time have proven something.
    `blurred` has bytes without an entry in `stack` that hold part of an address on some paths.
    """

    regs: list[Abstract]
    stack: dict[tuple[int, int], Lane] = field(default_factory=dict)
    saved: tuple[tuple[Abstract, ...], ...] = ()
    proven: dict[Scalar | None, int] = field(default_factory=lambda: {None: 0})
    guarded: bool = False
    assumed: set[Scalar | None] = field(default_factory=set)
    blurred: frozenset[tuple[int, int]] = frozenset()

    def copy(self) -> "State":
        return State(
            list(self.regs), dict(self.stack), self.saved, dict(self.proven), self.guarded,
            set(self.assumed),
            self.blurred,
        )

    def prove(self, pointer: Pointer, extra: int) -> None:
        """Note that the packet does not end before `pointer` plus `extra` bytes."""
        self.guarded |= pointer.anchor is not None
        self.assumed.discard(pointer.anchor)
        known = self.proven.get(pointer.anchor)
        found = pointer.fixed + extra
        self.proven[pointer.anchor] = found if known is None else max(known, found)

    def assume(self, pointer: Pointer, size: int) -> None:
        """Note that a check at run time found `size` bytes at `pointer`."""
        only = pointer.anchor not in self.proven or pointer.anchor in self.assumed
        self.prove(pointer, size)
        if only:
            self.assumed.add(pointer.anchor)

    def may_assume(self, pointer: Pointer) -> bool:
        """Whether a load that is not proven may be checked at run time: the program has checked
        another pointer with a variable part, and may mean this one."""
        anchor = pointer.anchor
        if anchor not in self.proven or anchor in self.assumed:
            return self.guarded
        return any(
            other is not None and other is not anchor and other not in self.assumed
            for other in self.proven
        )

    def slack(self, pointer: Pointer) -> int | None:
        """Bytes that the packet is known to have from `pointer` on; None when nothing is known."""
        choices = []
        if pointer.anchor in self.proven:
            choices.append(self.proven[pointer.anchor] - pointer.fixed)
        if pointer.anchor is not None:
            choices.append(self.proven[None] - pointer.offset.high)
        return max(choices, default=None)

    def enter(self) -> None:
        """Begin a called function: callee-saved registers are set aside, a new stack begins."""
        self.saved = (*self.saved, tuple(self.regs[6:11]))
        self.regs[6:FP] = [UNSET] * 4
        self.regs[FP] = Pointer(Region.STACK, scalars.constant(0), len(self.saved))
        self.regs[0] = UNSET

    def leave(self) -> None:
        """Return to the caller: its registers come back, the callee's stack is gone."""
        depth = len(self.saved)
        self.regs[6:11] = self.saved[-1]
        self.regs[1:6] = [DESTROYED] * 5
        self.saved = self.saved[:-1]
        self.stack = {k: v for k, v in self.stack.items() if k[0] != depth}
        self.blurred = frozenset(k for k in self.blurred if k[0] != depth)

    def replace(self, old: Scalar | Pointer, new: Scalar | Pointer) -> None:
        """Every copy of `old`, in registers and on the stack, becomes `new`."""
        self.regs = [new if r is old else r for r in self.regs]
        self.saved = tuple(tuple(new if r is old else r for r in s) for s in self.saved)
        for key, lane in self.stack.items():
            if lane.value is old:
                self.stack[key] = Lane(new, lane.index, lane.size)


def entry_state() -> State:
    """r1 is the context, r10 the stack's top; nothing else may be read."""
    regs: list[Abstract] = [UNSET] * 11
    regs[1] = Pointer(Region.CONTEXT, scalars.constant(0))
    regs[FP] = Pointer(Region.STACK, scalars.constant(0))
    return State(regs)


class Joiner:
    """Joins states that meet at a block; copies of one value stay copies of one value."""

    def __init__(self) -> None:
        self._memo: dict[tuple[int, int], Abstract] = {}
        self._alive: list[Abstract] = []
        self._met: list[tuple[Abstract, Abstract, Pointer]] = []

    def join(self, a: State, b: State) -> State:
        regs = [self.value(x, y) for x, y in zip(a.regs, b.regs, strict=True)]
        saved = tuple(
            tuple(self.value(x, y) for x, y in zip(s, t, strict=True))
            for s, t in zip(a.saved, b.saved, strict=True)
        )
        stack = {}
        for key, lane in a.stack.items():
            other = b.stack.get(key)
            met = self._lane(lane, other) if other is not None and other is not lane else other
            if met is not None:
                stack[key] = met
        assumed = a.assumed | b.assumed | {
            met.anchor for x, y, met in self._met
            for s, p in ((a, x), (b, y)) if isinstance(p, Pointer) and p.anchor in s.assumed
        }
        blurred = a.blurred | b.blurred | {
            key for s in (a, b) for key, lane in s.stack.items()
            if key not in stack and isinstance(lane.value, Pointer)
        }
        proven = self._proven(a, b)
        return State(regs, stack, saved, proven, a.guarded and b.guarded, assumed, blurred)

    def _proven(self, a: State, b: State) -> dict[Scalar | None, int]:
        """What both sides have proven, also of packet pointers that differed before they met."""
        proven = {k: min(n, b.proven[k]) for k, n in a.proven.items() if k in b.proven}
        for x, y, met in self._met:
            slacks = [s.slack(p) for s, p in ((a, x), (b, y)) if isinstance(p, Pointer)]
            known = [n for n in slacks if n is not None]
            if len(known) == len(slacks):
                found = min(known) + met.fixed
                proven[met.anchor] = max(found, proven.get(met.anchor, found))
        self._met.clear()
        return proven

    def _lane(self, a: Lane, b: Lane) -> Lane | None:
        if (a.index, a.size) == (b.index, b.size):
            value = self.value(a.value, b.value)
            return None if isinstance(value, Unreadable) else Lane(value, a.index, a.size)
        if isinstance(a.value, Pointer) or isinstance(b.value, Pointer):
            return None
        return Lane(scalars.join(lane_value(a), lane_value(b)), 0, 1)

    def value(self, a: Abstract, b: Abstract) -> Abstract:
        """Either `a` or `b`."""
        if a is b:
            return a
        key = (id(a), id(b))
        if key not in self._memo:
            self._alive += [a, b]
            met = _join(a, b)
            self._memo[key] = met
        else:
            met = self._memo[key]
        if isinstance(met, Pointer) and met.region is Region.PACKET:
            self._met.append((a, b, met))
        return met


def _join(a: Abstract, b: Abstract) -> Abstract:
    match a, b:
        case Scalar(), Scalar():
            return scalars.join(a, b)
        case Pointer(), Pointer() if a.same_object(b):
            offset, nullable = scalars.join(a.offset, b.offset), a.nullable or b.nullable
            if a.region is Region.PACKET:
                if (a.anchor, a.fixed) == (b.anchor, b.fixed):
                    same = offset is a.offset and nullable == a.nullable
                    return a if same else replace(a, offset=offset, nullable=nullable)
                return replace(a, offset=offset, anchor=offset, fixed=0, nullable=nullable)
            return replace(a, offset=offset, nullable=nullable)
        case (Pointer() as pointer, Scalar() as n) | (Scalar() as n, Pointer() as pointer) if (
            n.constant == 0 and not pointer.low
        ):
            # An anchor of its own: what is proven of it need not hold where the value is 0.
            return replace(pointer, anchor=replace(pointer.offset), fixed=0, nullable=True)
        case Unreadable(), Unreadable():
            return a if a.reason == b.reason else Unreadable("cannot be read on some paths")
        case (Unreadable() as u, _) | (_, Unreadable() as u):
            return Unreadable(f"{u.reason} on some paths")
    return Unreadable(f"holds a {_kind(a)} on some paths and a {_kind(b)} on others")


def _kind(a: Abstract) -> str:
    return f"{a.region.value} pointer" if isinstance(a, Pointer) else "number"


def lane_value(lane: Lane) -> Scalar:
    """The possible values of a stored byte."""
    assert isinstance(lane.value, Scalar)
    shifted = scalars.apply(
        scalars.AluOp.RSH, lane.value, scalars.constant(lane.index * 8), 64
    )
    return scalars.truncate(shifted, 8)


def stack_bytes(offset: Scalar, size: int) -> tuple[int, ...] | None:
    """The offsets (negative) where a stack access of `size` bytes may begin; None outside the stack.

    `offset` counts from the stack's top, modulo 2**64.
    """
    starts = offset.possible(STACK_SIZE)
    if starts is None:
        return None
    places = tuple(_signed(n) for n in starts)
    return places if all(-STACK_SIZE <= p and p + size <= 0 for p in places) else None
