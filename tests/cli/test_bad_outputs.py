"""A place that cannot be written is refused, and everything is left as it was."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from rxgate.compiler.driver import Design

FILTER = ("--filter", "udp")


@pytest.fixture
def taken(tmp_path):
    """A file `file`, a directory `dir` where rxgate.v is a directory, another with manifest.json."""
    (tmp_path / "file").write_text("mine")
    (tmp_path / "dir" / "rxgate.v").mkdir(parents=True)
    (tmp_path / "other" / "manifest.json").mkdir(parents=True)
    (tmp_path / "other" / "rxgate.v").write_text("mine")


def test_compile(refused, taken, monkeypatch):
    monkeypatch.setattr(Design, "verilog", "")
    monkeypatch.setattr("rxgate.boards.compile_command.manifest", lambda design: {})

    def text(place):
        return refused("compile", *FILTER, "--json", "-o", place)

    assert text("file") == "rxgate: file cannot be written: it is a file, not a directory."
    assert text("file/in/it").startswith("rxgate: file/in/it cannot be written: ")
    assert text("dir") == "rxgate: dir cannot be written: dir/rxgate.v is a directory."
    assert text("other") == "rxgate: other cannot be written: other/manifest.json is a directory."
    assert text("a\0b") == "rxgate: a\0b cannot be written: embedded null byte."
    assert text("x" * 300) == f"rxgate: {'x' * 300} cannot be written: File name too long."
    assert text("new/" + "x" * 300).endswith("cannot be written: File name too long.")


@pytest.mark.usefixtures("taken")
def test_run(refused):
    def text(place):
        return refused("run", *FILTER, "--packets", 5, "--json", "--out", place)

    told = "rxgate: the capture {} cannot be written: {}."
    assert text("dir") == told.format("dir", "it is a directory")
    assert text(".") == told.format(".", "it is a directory")
    assert text("none/x.pcap") == told.format("none/x.pcap", "No such file or directory")
    assert text("file/x.pcap") == told.format("file/x.pcap", "Not a directory")
    assert text("a\0b") == told.format("a\0b", "embedded null byte")
    assert text("x" * 300) == told.format("x" * 300, "File name too long")


def test_waves(refused, tmp_path):
    (tmp_path / "dir").mkdir()
    words = ("sim", *FILTER, "--packets", 5, "--json", "--waves")
    assert refused(*words, "dir") == "rxgate: dir cannot be written: it is a directory."
    assert refused(*words, "none/x.fst") == (
        f"rxgate: none/x.fst cannot be written: {tmp_path}/none is no directory to write in."
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission(refused, tmp_path):
    (tmp_path / "shut").mkdir(mode=0o500)
    assert "Permission denied" in refused("compile", *FILTER, "-o", "shut")
    assert "Permission denied" in refused("run", *FILTER, "--out", "shut/x.pcap")


@pytest.mark.parametrize("words", [("check",), ("check", "--json"), ("disasm",), ("run",)])
def test_full_disk(words):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", "from rxgate.cli import main; main()", *words, *FILTER],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )
    assert (done.returncode, done.stderr) == (2, "rxgate: No space left on device\n")
