"""Frames and a host's writes -> what harness_stream.h reads; what harness_judge.h writes -> records."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from ..compiler.errors import ToolError
from .golden import Frame
from .retune import Write

_FRAME = struct.Struct("<IBII")
_END = 2
_WRITE, _IMAGE = 128, 64
_HEADS = {
    "P": "Q", "J": "QQQIIBBB", "N": "I", "H": "12Q", "I": "Q", "A": "B", "D": "B", "K": "Q",
    "C": "I", "F": "QIBB", "T": "QI", "X": "QI", "S": "13Q",
}
_LAYOUTS = {ord(kind): struct.Struct(f"<x{fields}") for kind, fields in _HEADS.items()}
_WITH_BYTES = b"FTX"
"""Records with as many bytes behind them as their second number says."""


@dataclass(frozen=True, slots=True)
class Record:
    """What the simulator tells: `kind` and `values` as in harness_judge.h."""

    kind: str
    values: tuple[int, ...]
    content: bytes


def frame_records(frames: Sequence[Frame], empty_end: Iterable[bool]) -> bytes:
    """Frames to send, at least one; `empty_end` says which may end with a beat without bytes."""
    data, errors, interfaces, queues = zip(*frames, strict=True)
    flags = [err | _END * empty for err, empty in zip(errors, empty_end, strict=True)]
    heads = map(_FRAME.pack, map(len, data), flags, interfaces, queues)
    return b"".join(chain.from_iterable(zip(heads, data, strict=True)))


def retune_records(image: bytes, writes: Iterable[Write]) -> bytes:
    """Writes of the host, which end in a commit of the tunables `image`."""
    return struct.pack("<IB", len(image), _IMAGE) + image + b"".join(
        struct.pack("<IBIB", write.address, _WRITE, write.value, write.strobe) for write in writes
    )


def split(content: bytes) -> tuple[list[Record], bytes]:
    """The whole records, and the rest."""
    found, at, size = [], 0, len(content)
    while at < size:
        layout = _LAYOUTS.get(content[at])
        if layout is None:
            raise ToolError(f"The simulator sent a record of unknown kind {content[at]}.")
        body = at + layout.size
        if body > size:
            break
        values = layout.unpack_from(content, at)
        following = body + (values[1] if content[at] in _WITH_BYTES else 0)
        if following > size:
            break
        found.append(Record(chr(content[at]), values, content[body:following]))
        at = following
    return found, content[at:]
