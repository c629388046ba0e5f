"""A serial port's device file -> a line of bytes."""

import os
import select
import termios
import tty
from collections.abc import Callable
from typing import Any

from ...compiler.errors import InputError

_CHUNK = 4096


class SerialLine:
    """A line of `ctx_map.link.BAUD`, eight bits, no parity, no flow control."""

    def __init__(self, path: str) -> None:
        try:
            self._file = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            tty.setraw(self._file)
            modes = termios.tcgetattr(self._file)
            modes[4] = modes[5] = termios.B115200
            modes[2] |= termios.CLOCAL | termios.CREAD
            termios.tcsetattr(self._file, termios.TCSANOW, modes)
            termios.tcflush(self._file, termios.TCIOFLUSH)
        except (OSError, termios.error) as error:
            reason = error.strerror if isinstance(error, OSError) else error.args[-1]
            raise InputError(f"the serial port {path} cannot be used: {reason}.") from None
        self._path = path

    def close(self) -> None:
        """Give the port back."""
        os.close(self._file)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        left = memoryview(data)
        while left:
            select.select([], [self._file], [])
            left = left[self._done(os.write, left) :]

    def read(self, seconds: float) -> bytes:
        """The bytes that came, waiting up to so long for the first."""
        ready, _, _ = select.select([self._file], [], [], seconds)
        return self._done(os.read, _CHUNK) if ready else b""

    def _done(self, work: Callable[[int, Any], Any], what: Any) -> Any:
        try:
            return work(self._file, what)
        except OSError as error:
            raise InputError(f"the serial port {self._path} is gone: {error.strerror}.") from None
