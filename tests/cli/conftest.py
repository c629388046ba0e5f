"""Words of a command line -> what the command printed and how it ended."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from rxgate import cli


@dataclass(frozen=True)
class Ended:
    """A command that came to its end."""

    status: int
    out: str
    err: str


def files_below(directory: Path) -> dict[str, bytes | None]:
    """Every file with its content, and every directory."""
    return {
        str(p.relative_to(directory)): p.read_bytes() if p.is_file() else None
        for p in directory.rglob("*")
    }


@pytest.fixture
def rxgate(monkeypatch, capsys, tmp_path):
    """Runs the command in an empty directory; an exception that it lets through fails the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def run(*words) -> Ended:
        monkeypatch.setattr(sys, "argv", ["rxgate", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = capsys.readouterr()
        return Ended(end.value.code, out, err)

    return run


@pytest.fixture
def refused(rxgate, tmp_path):
    """Runs a command that must be refused: returns the one paragraph that says why."""

    def run(*words) -> str:
        before = files_below(tmp_path)
        ended = rxgate(*words)
        assert ended.status == 2, ended
        assert ended.out == ""
        paragraph = ended.err
        assert paragraph.startswith("rxgate"), paragraph
        assert paragraph.endswith("\n")
        assert "\n\n" not in paragraph
        assert "Traceback" not in paragraph
        assert str(tmp_path.parent) not in paragraph.replace(str(tmp_path), "")
        assert files_below(tmp_path) == before
        return paragraph.rstrip("\n")

    return run


@pytest.fixture(scope="session")
def examples() -> Path:
    """The directory of example programs and captures."""
    return Path(__file__).parents[2] / "examples"
