"""What README and docs name is there: files, links, commands and their options."""

import re
import shlex
from pathlib import Path

import click
import pytest
from rxgate.cli import cli

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")),
         *sorted((ROOT / "examples").rglob("*.md"))]
PLACES = ("compiler/", "sim/", "hdl/", "ctx_map/", "boards/", "examples/", "docs/", "tests/",
          "benchmarks/", ".ci/")
WRAPPED = {"test"}
"""Commands of the wrapper script alone."""


def blocks(text: str) -> str:
    """The code blocks of a page."""
    return "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL))


def commands(page: Path) -> list[str]:
    """The lines of code blocks that call rxgate."""
    lines = blocks(page.read_text()).replace("\\\n", " ").splitlines()
    return [
        line for line in (raw.strip().removeprefix("$ ") for raw in lines)
        if re.match(r"(\./)?rxgate ", line)
    ]


ALL = [(page.relative_to(ROOT).as_posix(), line) for page in PAGES for line in commands(page)]


def test_there_are_examples():
    assert len([page for page, _ in ALL if page == "README.md"]) >= 5


@pytest.mark.parametrize(("page", "line"), ALL)
def test_command_is_one(page, line):
    words = shlex.split(line, comments=True)[1:]
    cut = next((n for n, w in enumerate(words) if w in ("|", ">", "&&")), len(words))
    words = words[:cut]
    if words[0] in WRAPPED:
        return
    command = cli.commands[words[0]]
    context = command.make_context(words[0], words[1:], resilient_parsing=False)
    assert isinstance(context, click.Context)
    for value in (context.params.get("prog"), context.params.get("pcap")):
        if isinstance(value, str) and value.startswith("examples/"):
            assert (ROOT / value).exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_named_files_exist(page):
    for name in re.findall(r"[\w./-]+\.(?:py|c|h|cpp|md|pcap|pcapng|txt|sh)\b", page.read_text()):
        if name.startswith(PLACES):
            assert (ROOT / name).exists(), name


def test_what_is_supported_has_its_test():
    """Rows of the table name tests that exist; a row that says supported names one at least."""
    rows = re.findall(r"^\|([^|]+)\|([^|]+)\|([^|]*)\|$", (ROOT / "docs" / "support.md").read_text(),
                      re.MULTILINE)
    states = {"supported", "refused", "planned"}
    assert {re.split("[,;]", state.strip())[0] for _, state, _ in rows} - {"state", "---"} == states
    for feature, state, notes in rows:
        names = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", notes)
        assert names or not state.strip().startswith("supported"), feature
        for file, test in names:
            assert re.search(rf"^def {test}\(", (ROOT / file).read_text(), re.MULTILINE), (file, test)


def test_readme_names_every_command():
    text = (ROOT / "README.md").read_text()
    for name in cli.commands:
        assert f"rxgate {name}" in text, name


QUICK = ("rxgate check", "rxgate disasm", "rxgate run")


@pytest.mark.parametrize("line", [li for p, li in ALL if p == "README.md" and li.startswith(QUICK)])
def test_quick_commands_work(line, monkeypatch, tmp_path, capsys):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    assert cli.main(shlex.split(line, comments=True)[1:], standalone_mode=False) is None
    assert capsys.readouterr().out
