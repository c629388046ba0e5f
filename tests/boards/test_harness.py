"""The harness takes a gate with whatever ports it has."""

import re
from pathlib import Path

import pytest
from rxgate.boards.harness import Harness
from rxgate.compiler.driver import TOP, compile_program
from rxgate.compiler.options import Options
from rxgate.compiler.source import read_program
from rxgate.hdl.verilog import to_verilog

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("options", [
    Options(width=8, control_port=True), Options(width=512, backpressure=False),
], ids=["control port", "no back-pressure"])
def test_every_port_is_connected(options):
    design = compile_program(read_program(str(EXAMPLES / "time_window.c")), options)
    text = to_verilog(Harness.around(design.gate, TOP), "harness")
    instance = re.search(rf"^  {TOP} gate \((.*?)\);$", text, re.MULTILINE | re.DOTALL)
    connected = dict(re.findall(r"\.(\w+)\((.*?)\)", instance[1]))
    wanted = {"clk", "rst", *dict(design.gate.signature.members.items())}
    assert set(connected) == wanted
    assert "ktime_ns" in connected
    assert ("s_axil_araddr" in connected) == options.control_port
    assert all(connected.values())
    ports = re.search(r"^module harness\((.*?)\);", text, re.MULTILINE)
    assert sorted(ports[1].split(", ")) == ["clk", "i", "o", "rst"]
