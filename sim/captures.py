"""pcap and pcapng files <-> frames, and libpcap's own verdict on frames.

What is filtered is the frame as captured: bytes that a snap length cut off are not there, and the
frame's `len` is the number of bytes that are. Who reads a capture should say how many were cut.
"""

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..compiler.errors import InputError
from ..compiler.load import libpcap
from ..compiler.load.pcap_filter import compile_expression


@dataclass(frozen=True, slots=True)
class Frame:
    """An Ethernet frame without FCS: the bytes at hand, its length on the wire, ns since 1970."""

    data: bytes
    length: int
    time_ns: int = 0

    @property
    def cut(self) -> bool:
        """Whether a snap length left less than the whole frame."""
        return len(self.data) < self.length


def read_capture(path: Path | str) -> list[Frame]:
    """All frames of an Ethernet pcap or pcapng file; "-" is standard input."""
    try:
        if str(path) != "-" and stat.S_ISDIR(Path(path).stat().st_mode):
            raise IsADirectoryError(errno.EISDIR, "Is a directory")
    except (OSError, ValueError) as error:
        raise InputError(f"the capture {path} cannot be read: {_reason(error)}.") from None
    try:
        return [Frame(*packet) for packet in libpcap.read_file(Path(path))]
    except libpcap.LibpcapError as error:
        raise InputError(
            f"the capture {path} cannot be used: {error}. It must be a whole pcap or pcapng file "
            "of Ethernet frames."
        ) from None


def write_capture(path: Path | str, frames: Iterable[Frame]) -> None:
    """Write a pcap file with nanosecond times; `path` is replaced whole, or left as it was."""
    path = Path(path)
    packets = (libpcap.Packet(f.data, f.length, f.time_ns) for f in frames)
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a directory")
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
    except (OSError, ValueError) as error:
        raise InputError(f"the capture {path} cannot be written: {_reason(error)}.") from None
    temporary = Path(name)
    try:
        libpcap.write_file(temporary, packets)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except (libpcap.LibpcapError, OSError) as error:
        raise InputError(f"the capture {path} cannot be written: {_reason(error)}.") from None
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def _reason(error: Exception) -> str:
    """Why, without the name of a temporary file."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _umask() -> int:
    """The process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def match(expression: str, frames: Sequence[bytes]) -> list[int]:
    """What libpcap's offline filter returns for each frame: 0 for no match."""
    return libpcap.run_filter(compile_expression(expression), frames)
