"""Packet addresses and comparisons with the packet's end -> what they prove.

The rule of the kernel's verifier for direct packet access: on the path where `pointer <= data_end`
holds, the bytes up to `pointer` may be read, through any pointer with the same variable part.
"""

from dataclasses import replace

from .analysis import scalars
from .analysis.scalars import Scalar
from .analysis.state import Pointer, Region, State
from .insn import AluOp, JumpOp

MAX_OFFSET = 0xFFFF
"""Bytes that a packet address may lie behind the packet's start (kernel: MAX_PACKET_OFF)."""

_MIRRORED = {
    JumpOp.GT: JumpOp.LT, JumpOp.LT: JumpOp.GT, JumpOp.GE: JumpOp.LE, JumpOp.LE: JumpOp.GE,
    JumpOp.EQ: JumpOp.EQ, JumpOp.NE: JumpOp.NE,
}
_HOLDS = {
    # condition: (bytes proven where it holds, bytes proven where it does not); None: nothing
    JumpOp.GT: (None, 0), JumpOp.LE: (0, None), JumpOp.GE: (None, 1), JumpOp.LT: (1, None),
    JumpOp.EQ: (0, None), JumpOp.NE: (None, 0),
}


def is_packet(value: object) -> bool:
    """Whether a value is an address of the packet or of its end, maybe its low half, not 0."""
    return (
        isinstance(value, Pointer)
        and value.region in (Region.PACKET, Region.PACKET_END)
        and not value.nullable
    )


def moved(pointer: Pointer, op: AluOp, offset: Scalar, total: Scalar) -> Pointer | None:
    """The packet pointer after adding or subtracting `offset`; None when it may leave the packet.

    `total` is its new distance from the packet's start.
    """
    if pointer.region is Region.PACKET_END or total.high > MAX_OFFSET:
        return None
    constant = offset.constant
    if constant is not None:
        step = constant - (1 << 64) if constant >> 63 else constant
        fixed = pointer.fixed + (step if op is AluOp.ADD else -step)
        return replace(pointer, offset=total, fixed=fixed)
    if pointer.anchor is None and op is AluOp.ADD:
        return replace(pointer, offset=total, anchor=offset)
    return replace(pointer, offset=total, anchor=total, fixed=0)


def comparable(op: JumpOp, bits: int, a: Pointer, b: Pointer) -> bool:
    """Whether two packet addresses may be compared so."""
    whole = is_packet(a) and is_packet(b) and not (a.low or b.low)
    return whole and bits == 64 and op in _MIRRORED


def deepest(op: JumpOp, a: Pointer, b: Pointer) -> int | None:
    """The greatest frame length that the comparison can tell from any other, None without the end."""
    pointer = _against_end(a, b)
    return None if pointer is None else pointer.offset.high + 1


def _against_end(a: Pointer, b: Pointer) -> Pointer | None:
    """The side of a comparison that is not the packet's end, if just one is."""
    ends = [p.region is Region.PACKET_END for p in (a, b)]
    return None if ends[0] == ends[1] else (b if ends[0] else a)


def learn(state: State, op: JumpOp, a: Pointer, b: Pointer, taken: bool) -> bool:
    """Note in `state` what a comparison proves on one of its edges; False when it cannot be taken."""
    if op not in _MIRRORED:
        return True
    pointer = _against_end(a, b)
    if pointer is None:
        if a.region is Region.PACKET_END:
            zero = scalars.constant(0)
            return scalars.refine(zero, op, zero, taken) is not None
        return _bound(state, a, op, b, taken) and _bound(state, b, _MIRRORED[op], a, taken)
    if pointer is b:
        op = _MIRRORED[op]
    extra = _HOLDS[op][0 if taken else 1]
    if extra is not None:
        state.prove(pointer, extra)
    return True


def _bound(state: State, a: Pointer, op: JumpOp, b: Pointer, taken: bool) -> bool:
    """Note what a comparison with another packet pointer says of where `a` lies."""
    offset = scalars.refine(a.offset, op, b.offset, taken)
    if offset is not None and offset is not a.offset:
        state.replace(a, replace(a, offset=offset))
    return offset is not None
