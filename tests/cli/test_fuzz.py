"""`fuzz`: what a user sees of a campaign, and of one case."""

import json

import pytest
from rxgate.compiler.insn import AluOp
from rxgate.sim import fuzz, kernel, semantics

COUNTS = (
    "programs", "refused", "refused_by_rxgate_alone", "refused_by_kernel_alone",
    "not_for_the_kernel", "packets", "programs_in_kernel", "packets_in_kernel",
    "programs_in_verilog", "packets_in_verilog",
    "disagreements",
)


def test_a_campaign_that_agrees(rxgate, tmp_path):
    words = ("fuzz", "--programs", 5, "--packets", 8, "-o", "out")
    ended = rxgate(*words, "--json")
    found = json.loads(ended.out)
    assert ended.status == 0
    assert [found[name] for name in ("programs", "disagreements", "failures")] == [5, 0, []]
    assert set(COUNTS) < set(found)
    assert (tmp_path / "out" / "state.json").exists()
    again = rxgate(*words)
    assert again.status == 0
    assert again.out.startswith("5 programs, ")
    assert "other options" in rxgate(*words, "--seed", 1).err


@pytest.mark.rtl
def test_a_case_is_written_and_replayed(rxgate, tmp_path, monkeypatch):
    monkeypatch.setattr(kernel, "available", lambda: "not asked")
    right = semantics.ALU[AluOp.XOR]
    monkeypatch.setitem(semantics.ALU, AluOp.XOR, lambda *a: right(*a) ^ 1)
    monkeypatch.setattr(fuzz, "_MOST_SHRUNK", 0)
    ended = rxgate("fuzz", "--programs", 9, "--packets", 8, "--seed", 3)
    assert ended.status == 1
    seed = ended.out.removeprefix("program ").split(":")[0]
    assert ended.out.startswith(f"program {seed}: dataflow graph: frame ")
    replay = ("fuzz", "--replay", f"fuzz/case-{seed}.json")
    assert rxgate(*replay).status == 1
    assert "dataflow graph" in json.loads(rxgate(*replay, "--json").out)["disagreement"]
    monkeypatch.setitem(semantics.ALU, AluOp.XOR, right)
    assert rxgate(*replay).out == "all executors agree\n"


def test_no_case(refused):
    assert "cannot be read" in refused("fuzz", "--replay", "missing.json")
