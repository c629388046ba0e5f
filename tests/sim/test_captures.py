"""Captures: what is written is read back, and what is no capture is refused without a trace."""

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from rxgate.compiler.errors import InputError
from rxgate.sim.captures import Frame, match, read_capture, write_capture

FRAMES = [
    Frame(bytes(range(60)), 60, 1_700_000_000_123_456_789),
    Frame(b"\xff" * 96, 1514, 1_700_000_001_000_000_001),
    Frame(b"", 0, 0),
    Frame(bytes(9000), 9000, 1),
]


def block(kind: int, body: bytes) -> bytes:
    """A pcapng block."""
    body += bytes(-len(body) % 4)
    size = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + size + body + size


def pcapng(frames: list[bytes], link: int = 1) -> bytes:
    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    out += block(1, struct.pack("<HHI", link, 0, 0))
    for n, f in enumerate(frames):
        out += block(6, struct.pack("<IIIII", 0, 0, n, len(f), len(f)) + f)
    return out


def test_written_frames_are_read_back(tmp_path: Path) -> None:
    write_capture(tmp_path / "a.pcap", FRAMES)
    assert read_capture(tmp_path / "a.pcap") == FRAMES
    assert [f.cut for f in FRAMES] == [False, True, False, False]
    assert [p.name for p in tmp_path.iterdir()] == ["a.pcap"]


def test_pcapng_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.pcapng").write_bytes(pcapng([b"one", b"three"]))
    assert read_capture(tmp_path / "a.pcapng") == [Frame(b"one", 3, 0), Frame(b"three", 5, 1000)]


def test_classic_microsecond_file_in_either_byte_order(tmp_path: Path) -> None:
    for order in "<>":
        head = struct.pack(order + "IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
        record = struct.pack(order + "IIII", 7, 5, 4, 4)
        (tmp_path / "a.pcap").write_bytes(head + record + b"abcd")
        assert read_capture(tmp_path / "a.pcap") == [Frame(b"abcd", 4, 7_000_005_000)]


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_capture(path)
    return str(caught.value)


WHOLE = "It must be a whole pcap or pcapng file of Ethernet frames."


def test_what_is_no_capture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    assert refusal(path) == f"the capture {path} cannot be read: No such file or directory."
    path.write_bytes(b"no capture, only text, but long enough")
    assert refusal(path) == f"the capture {path} cannot be used: unknown file format. {WHOLE}"
    path.write_bytes(pcapng([], link=113))
    assert refusal(path) == (
        f"the capture {path} cannot be used: link type is LINUX_SLL, not Ethernet. {WHOLE}"
    )
    path.write_bytes(b"")
    assert "cannot be used" in refusal(path)


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_truncation_anywhere_is_refused_or_clean(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.pcap"
    if kind == "pcap":
        write_capture(path, FRAMES[:2])
        whole = path.read_bytes()
    else:
        whole = pcapng([FRAMES[0].data, FRAMES[1].data])
    counts = [frames_in(path, whole[:size]) for size in range(len(whole))]
    assert {n for n in counts if n is not None} <= {0, 1}
    assert sum(n is not None for n in counts) <= 3  # cut exactly between two records


def frames_in(path: Path, content: bytes) -> int | None:
    """How many frames a file with this content holds; None when it is refused."""
    path.write_bytes(content)
    try:
        return len(read_capture(path))
    except InputError:
        return None


def test_every_byte_of_the_headers_flipped_is_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    write_capture(path, FRAMES[:2])
    for whole in (path.read_bytes(), pcapng([FRAMES[0].data, FRAMES[1].data])):
        counts = []
        for at in range(min(len(whole), 96)):
            flipped = bytearray(whole)
            flipped[at] ^= 0xFF
            counts.append(frames_in(path, bytes(flipped)))
        assert None in counts
        assert all(n is None or n <= 2 for n in counts)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    write_capture(path, FRAMES)

    def broken() -> Iterator[Frame]:
        yield FRAMES[0]
        raise RuntimeError("no more frames")

    with pytest.raises(RuntimeError, match="no more frames"):
        write_capture(path, broken())
    assert read_capture(path) == FRAMES
    assert [p.name for p in tmp_path.iterdir()] == ["a.pcap"]


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        write_capture(tmp_path / "none" / "a.pcap", FRAMES)


def test_match_is_libpcaps_filter() -> None:
    arp = bytes(12) + b"\x08\x06" + bytes(46)
    assert match("arp", [arp, bytes(60), b""]) == [262144, 0, 0]
    assert match("len = 60", [arp, bytes(61)]) == [262144, 0]
