"""Frames, and a verdict for each -> what must leave the gate and what its counters must say.

Knows nothing of cycles. A frame is what lies between two ends of the stream: with `max_frame`, a
frame of more bytes is cut there and becomes bad, as is one that comes with an error at its end.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..ctx_map.verdicts import Verdict

_TPIDS = (0x8100, 0x88A8)


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as it comes in, without FCS."""

    data: bytes
    err: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A frame as the program sees it; `data` is also what goes into the packet buffer.

    `csum` is the folded RFC 1071 sum from byte 14 on. The vlan_* fields are those of the tag that
    was removed, 0 when none was.
    """

    data: bytes
    bad: bool
    csum: int
    stripped: bool = False
    vlan_tci: int = 0
    vlan_proto: int = 0

    @property
    def len(self) -> int:
        """Bytes of the frame, after stripping and cutting."""
        return len(self.data)

    def window(self, size: int) -> bytes:
        """The header window: its first `size` bytes, with zeros beyond the frame's end."""
        return self.data[:size].ljust(size, b"\0")

    def present(self, size: int) -> int:
        """How many bytes of a header window of `size` bytes there are."""
        return min(size, len(self.data))


@dataclass(frozen=True, slots=True)
class OutFrame:
    """A frame as it leaves."""

    data: bytes
    verdict: Verdict
    err: bool = False


@dataclass(slots=True)
class Counts:
    """The stat_* ports, once all frames have left; `received` is the sum of the others."""

    received: int = 0
    passed: int = 0
    drop: int = 0
    aborted: int = 0
    tx: int = 0
    redirect: int = 0
    overflow: int = 0
    bad: int = 0

    def ports(self) -> dict[str, int]:
        """Port name -> value."""
        names = ("received", "pass", "drop", "aborted", "tx", "redirect", "overflow", "bad")
        values = (
            self.received, self.passed, self.drop, self.aborted,
            self.tx, self.redirect, self.overflow, self.bad,
        )
        return {f"stat_{name}": value for name, value in zip(names, values, strict=True)}

    def count(self, verdict: Verdict) -> None:
        """Adds a good frame."""
        match verdict:
            case Verdict.PASS:
                self.passed += 1
            case Verdict.DROP:
                self.drop += 1
            case Verdict.ABORTED:
                self.aborted += 1
            case Verdict.TX:
                self.tx += 1
            case Verdict.REDIRECT:
                self.redirect += 1


@dataclass(frozen=True, slots=True)
class Expected:
    """What a gate must do."""

    frames: list[OutFrame] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)


def checksum(data: bytes) -> int:
    """RFC 1071 sum of big-endian 16-bit words, an odd end padded with 0; folded, not inverted."""
    padded = data + b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(padded[n : n + 2], "big") for n in range(0, len(padded), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def seen(frame: Frame, *, strip_vlan: bool, max_frame: int) -> Seen:
    """A frame after stripping and cutting, in this order."""
    data = frame.data
    tci = proto = 0
    stripped = False
    if strip_vlan and len(data) >= 16 and int.from_bytes(data[12:14], "big") in _TPIDS:
        proto, tci = int.from_bytes(data[12:14], "big"), int.from_bytes(data[14:16], "big")
        data, stripped = data[:12] + data[16:], True
    bad = frame.err or len(data) > max_frame
    data = data[:max_frame]
    return Seen(data, bad, checksum(data[14:]), stripped, tci, proto)


def fate(
    frame: Seen, verdict: Verdict, *, store_and_forward: bool, mark: bool = False
) -> OutFrame | None:
    """What leaves of an admitted frame; bad ones have a verdict too: the program runs on these."""
    leaves = not verdict.drops and not (frame.bad and store_and_forward)
    return OutFrame(frame.data, verdict, frame.bad) if mark or leaves else None


def expected(
    frames: Iterable[Seen],
    verdicts: Iterable[Verdict],
    *,
    store_and_forward: bool,
    mark: bool = False,
    admitted: Sequence[bool] | None = None,
) -> Expected:
    """What must leave, in order.

    `verdicts` has one entry for every frame that was admitted. `admitted` tells, per frame, which
    were; None: all, as with back-pressure.
    """
    result = Expected()
    given = iter(verdicts)
    for n, frame in enumerate(frames):
        result.counts.received += 1
        if admitted is not None and not admitted[n]:
            result.counts.overflow += 1
            continue
        verdict = next(given)
        if frame.bad:
            result.counts.bad += 1
        else:
            result.counts.count(verdict)
        out = fate(frame, verdict, store_and_forward=store_and_forward, mark=mark)
        if out is not None:
            result.frames.append(out)
    return result
