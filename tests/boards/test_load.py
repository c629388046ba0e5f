"""Loading: what openFPGALoader is called with, and what is said when nothing was loaded."""

import json
import stat

import pytest
from click.testing import CliRunner
from rxgate.boards.build import Built, Place
from rxgate.boards.pins import Device
from rxgate.boards.timing import Clock, Timing
from rxgate.cli import cli
from rxgate.compiler.errors import ToolError

EXPRESSION = ("--filter", "udp")


@pytest.fixture
def build(tmp_path, monkeypatch):
    """`rxgate build`, but for what takes long; PATH has a folder of its own."""
    clock = Clock("system", 130.0, 125.0, ())
    timing = Timing(1, (clock,), {})
    monkeypatch.setattr("rxgate.boards.build_command.build_board", lambda *_: Built(
        Device("d", (), "ecp5-8"), (timing,), timing, (Place("gate.buffer", None, 7.0),), (), b"bits"))
    monkeypatch.setattr("rxgate.boards.build_command.output_files",
                        lambda *_: {"top.bit": b"bits"})
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    def run(board: str, *words: str):
        where = str(tmp_path / "o")
        return CliRunner().invoke(
            cli, ["build", *EXPRESSION, "--board", board, "-o", where, *words])

    return run


def stand_in(tmp_path, does: str) -> None:
    path = tmp_path / "bin" / "openFPGALoader"
    path.write_text(f"#!/bin/sh\necho \"$@\" > {tmp_path}/called\n{does}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(("board", "words", "called"), [
    ("versa-ecp5", (), "-c ft2232 -m"),
    ("versa-ecp5", ("--cable", "dirtyJtag"), "-c dirtyJtag -m"),
    ("ecpix5-85f", (), "-b ecpix5 -m"),
    ("ecpix5-85f", ("--cable", "ft4232"), "-b ecpix5 -c ft4232 -m"),
    ("colorlight-5a-75b", ("--cable", "dirtyJtag"), "-b colorlight -c dirtyJtag -m"),
    ("butterstick", ("--cable", "ft232"), "-c ft232 -m"),
])
def test_the_board_is_told_as_the_loader_knows_it(build, tmp_path, board, words, called):
    stand_in(tmp_path, "")
    done = build(board, "--load", *words)
    assert done.exit_code == 0, done.output
    bitstream = tmp_path / "o" / "top.bit"
    assert (tmp_path / "called").read_text() == f"{called} {bitstream}\n"
    assert done.output.endswith(f"loaded {bitstream}\n")


def test_json_stays_one_object(build, tmp_path):
    stand_in(tmp_path, "")
    done = build("versa-ecp5", "--load", "--json")
    assert json.loads(done.stdout)["met"] is True
    assert done.stderr == f"loaded {tmp_path}/o/top.bit\n"


def test_without_a_loader_files_are_written(build, tmp_path):
    done = build("versa-ecp5", "--load")
    assert isinstance(done.exception, ToolError)
    assert str(done.exception) == (
        "openFPGALoader is missing. `apt-get install openfpgaloader` where there is such a package,"
        f" or see its project's pages. Nothing was loaded; {tmp_path}/o/top.bit is written."
    )
    assert (tmp_path / "o" / "top.bit").read_bytes() == b"bits"


def test_a_loader_that_fails_is_quoted(build, tmp_path):
    stand_in(tmp_path, "echo 'unable to open ftdi device' >&2; exit 1")
    error = build("versa-ecp5", "--load").exception
    assert isinstance(error, ToolError)
    assert str(error) == (
        "openFPGALoader failed with status 1:\nunable to open ftdi device"
        f" Nothing was loaded; {tmp_path}/o/top.bit is written."
    )


@pytest.mark.parametrize(("board", "words", "said"), [
    ("colorlight-5a-75b", ["--load"],
     "--load needs --cable NAME: Colorlight 5A-75B R7.0 has no adapter of its own"),
    ("versa-ecp5", ["--cable", "ft2232"], "--cable is for --load"),
])
def test_what_cannot_be_loaded_is_not_built(build, tmp_path, board, words, said):
    done = build(board, *words)
    assert done.exit_code == 2
    assert said in done.output
    assert not (tmp_path / "o").exists()
