"""A capture that is none is refused, and so is one that holds something else than Ethernet."""

import random
import struct

import pytest

FILTER = ("--filter", "udp")


@pytest.fixture
def small(tmp_path, rxgate):
    """Bytes of a capture with two packets."""
    assert rxgate("run", "--filter", "", "--packets", 2, "--mix", "64", "--out", "t.pcap").status == 0
    path = tmp_path / "t.pcap"
    blob = path.read_bytes()
    path.unlink()
    return blob


def test_truncated_at_every_length(refused, rxgate, tmp_path, small):
    whole = {24 + (len(small) - 24) // 2, len(small)}
    for size in range(len(small)):
        (tmp_path / "x.pcap").write_bytes(small[:size])
        if size in whole:
            assert rxgate("run", *FILTER, "--pcap", "x.pcap").status == 0
        else:
            text = refused("run", *FILTER, "--json", "--pcap", "x.pcap")
            assert "x.pcap cannot be used: " in text or "holds no packet" in text


def test_truncated_pcapng(refused, tmp_path, examples, rxgate):
    blob = (examples / "captures" / "mixed.pcapng").read_bytes()[:1500]
    seen = set()
    for size in range(0, len(blob), 11):
        (tmp_path / "x.pcapng").write_bytes(blob[:size])
        ended = rxgate("run", *FILTER, "--json", "--pcap", "x.pcapng")
        assert (ended.status, bool(ended.out)) in ((0, True), (2, False))
        seen.add(ended.status)
    assert 2 in seen


def test_every_byte_of_the_headers_changed(rxgate, tmp_path, small):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for at in range(40):
        damaged = bytearray(small)
        damaged[at] = rng.randrange(256)
        (tmp_path / "x.pcap").write_bytes(damaged)
        ended = rxgate("run", *FILTER, "--json", "--pcap", "x.pcap")
        assert (ended.status, bool(ended.out)) in ((0, True), (2, False)), at


def refusal(refused, tmp_path, blob: bytes, command: str = "run") -> str:
    (tmp_path / "x.pcap").write_bytes(blob)
    return refused(command, *FILTER, "--pcap", "x.pcap")


@pytest.mark.parametrize("command", ["run", "sim"])
def test_contents(refused, tmp_path, small, command):
    def text(blob):
        return refusal(refused, tmp_path, blob, command)

    assert "link type is LINUX_SLL, not Ethernet" in text(
        small[:20] + struct.pack("<I", 113) + small[24:]
    )
    assert "unknown file format" in text(b"\0" * 64)
    assert text(small[:24]) == "rxgate: the capture x.pcap holds no packet"
    assert "truncated dump file" in text(b"")
    assert "cannot be used" in text(small[:32] + b"\xff\xff\xff\x7f" + small[36:])


def test_places(refused, tmp_path):
    (tmp_path / "d").mkdir()
    told = "rxgate: the capture {} cannot be read: {}."
    assert refused("run", *FILTER, "--pcap", "none.pcap") == told.format(
        "none.pcap", "No such file or directory"
    )
    assert refused("run", *FILTER, "--pcap", "d") == told.format("d", "Is a directory")
    assert refused("run", *FILTER, "--pcap", "a\0b") == told.format("a\0b", "embedded null byte")
