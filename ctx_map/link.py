"""What host and board say to each other over a serial line -> the one declaration of it.

A request is `REQUEST_SYNC`, an operation, a number, an address (16 bits), data (32 bits) and a CRC; a
reply is `REPLY_SYNC`, the request's number, a status, data and a CRC. Numbers of several bytes begin
with the lowest. The CRC is that of IEEE 802.3, over what is between it and the first byte.

A request whose CRC is wrong is not answered, and one whose bytes come with a pause of more than
`SILENCE` seconds is forgotten: the host sends it again, with the same number. A board answers the
number that it answered last as it did then, and does nothing again, so that no command acts twice. It
forgets that number when it is greeted, which every host does first.
"""

from dataclasses import dataclass
from enum import IntEnum

BAUD = 115_200
SILENCE = 0.008
REQUEST_SYNC, REPLY_SYNC = 0xA5, 0x5A
CRC_BYTES = 4
REQUEST_BYTES = 8
"""Between the first byte of a request and its CRC."""
REPLY_BYTES = 6
VERSION = 1
"""What a greeting is answered with."""


class Operation(IntEnum):
    """What a request asks for."""

    GREET = 0
    READ = 1
    WRITE = 2
    BOARD = 3
    """Read a register of the board, whose address is a number of `BOARD_REGISTERS`."""


class Status(IntEnum):
    """What became of a request."""

    DONE = 0
    REFUSED = 1
    """There is no such register, or it cannot be written; or no such operation."""


@dataclass(frozen=True, slots=True)
class BoardRegister:
    """A register of what is around the gate, 32 bits."""

    name: str
    doc: str


ONE_PORT = 3
"""The bit of `links` that tells boards with port A alone."""
BOARD_REGISTERS = (
    BoardRegister("links", "port A in bits 2:0, B in 6:4: 1:0 speed (10, 100, 1000), 2 clock there;"
                  " 3 there is no port B"),
    BoardRegister("returned", "frames from B to A, or sent back with one port, modulo 2 to the 32nd"),
    BoardRegister("returned_bad", "of what B received, in error or too long"),
    BoardRegister("returned_overflow", "dropped because there was no room"),
)
