"""The campaign of random programs: that it agrees, and that it would tell if it did not."""

import json

import pytest
from rxgate.compiler import ir_eval
from rxgate.sim import fuzz
from rxgate.sim.fuzz import Executor, campaign, try_program, write_failure

PACKETS = 12


def test_executors_agree_on_the_first_programs():
    tried = list(campaign(0, 25, PACKETS, 0))
    assert [t.seed for t in tried] == list(range(25))
    assert not any(t.failure for t in tried)
    assert sum(t.packets for t in tried) > 20 * PACKETS


@pytest.mark.rtl
def test_verilog_agrees_on_a_program():
    tried = try_program(3, PACKETS, in_kernel=False, in_verilog=True)
    assert tried.failure is None
    assert tried.in_verilog == PACKETS


def test_a_wrong_graph_is_told_and_written(monkeypatch, tmp_path):
    right = ir_eval.evaluate

    def wrong(function, inputs):
        values = right(function, inputs)
        values[function.outputs["verdict"]] ^= 1
        return values

    monkeypatch.setattr(fuzz, "evaluate", wrong)
    tried = try_program(1, PACKETS, in_kernel=False, in_verilog=False)
    assert tried.failure is not None
    assert tried.failure.executor is Executor.GRAPH
    assert "after lift: verdict is" in str(tried.failure)
    paths = write_failure(tmp_path, tried.failure)
    assert [p.name for p in paths] == ["program-1.hex", "program-1.json"]
    assert json.loads(paths[1].read_text())["frame"] == tried.failure.frame.hex()
