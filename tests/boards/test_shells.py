"""What a gate is compiled for."""

from click.testing import CliRunner
from rxgate.boards.shell import Shell
from rxgate.boards.shells import SHELLS
from rxgate.cli import cli


def invoke(*words: str):
    return CliRunner().invoke(cli, ["compile", "--filter", "udp", *words])


def test_nobody_has_to_name_a_shell(tmp_path):
    for name, words in (("plain", ()), ("named", ("--shell", "axis"))):
        assert invoke("-o", str(tmp_path / name), *words).exit_code == 0
    plain, named = ({p.name: p.read_bytes() for p in (tmp_path / n).iterdir()}
                    for n in ("plain", "named"))
    assert plain == named
    assert {"rxgate.v", "manifest.json", "report.html"} <= set(plain)


def test_a_shell_says_what_is_written(tmp_path, monkeypatch):
    made = Shell("made", "for this test", lambda design: {"slot.v": design.program.name})
    monkeypatch.setitem(SHELLS, "made", made)
    assert invoke("--shell", "made", "-o", str(tmp_path / "o")).exit_code == 0
    assert {p.name for p in (tmp_path / "o").iterdir()} == {"slot.v", "report.html"}


def test_an_unknown_shell_is_answered_with_those_there_are(tmp_path):
    done = invoke("--shell", "corundum", "-o", str(tmp_path / "o"))
    assert done.exit_code == 2
    assert "there is no shell 'corundum', only axis" in done.output
    assert not (tmp_path / "o").exists()
