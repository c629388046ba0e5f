"""Requests and replies <-> bytes, as ctx_map/link.py declares them."""

import zlib
from dataclasses import dataclass
from struct import Struct

from ...ctx_map.link import CRC_BYTES, REPLY_BYTES, REPLY_SYNC, REQUEST_SYNC, Operation, Status

_REQUEST = Struct("<BBHI")
_REPLY = Struct("<BBI")
_WHOLE_REPLY = 1 + REPLY_BYTES + CRC_BYTES


@dataclass(frozen=True, slots=True)
class Request:
    """What a host asks for."""

    operation: Operation
    number: int
    address: int = 0
    data: int = 0

    def encode(self) -> bytes:
        """Its bytes."""
        inner = _REQUEST.pack(self.operation, self.number, self.address, self.data)
        return bytes([REQUEST_SYNC]) + inner + _crc(inner)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a board answers."""

    number: int
    status: Status
    data: int

    def encode(self) -> bytes:
        """Its bytes."""
        inner = _REPLY.pack(self.number, self.status, self.data)
        return bytes([REPLY_SYNC]) + inner + _crc(inner)


def find_reply(text: bytes) -> tuple[Reply | None, bytes]:
    """The first reply in `text` whose CRC is right, and the bytes that may be part of another."""
    at = text.find(REPLY_SYNC)
    while at >= 0 and len(text) - at >= _WHOLE_REPLY:
        inner, crc = text[at + 1 : at + 1 + REPLY_BYTES], text[at + 1 + REPLY_BYTES :][:CRC_BYTES]
        number, status, data = _REPLY.unpack(inner)
        if crc == _crc(inner) and status in tuple(Status):
            return Reply(number, Status(status), data), text[at + _WHOLE_REPLY :]
        at = text.find(REPLY_SYNC, at + 1)
    return None, text[at:] if at >= 0 else b""


def _crc(inner: bytes) -> bytes:
    return zlib.crc32(inner).to_bytes(CRC_BYTES, "little")
