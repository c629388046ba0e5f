"""`--control-port` on the command line."""

import json


def test_compile_writes_the_registers(rxgate, tmp_path):
    words = ("--filter", "udp", "--width", "64", "--control-port", "-o", "out", "--json")
    ended = rxgate("compile", *words)
    assert ended.status == 0, ended
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"rxgate.v", "manifest.json", "rxgate_regs.h", "registers.json", "report.html"}
    told = json.loads(ended.out)
    assert {path.rpartition("/")[2] for path in told["files"]} == names
    registers = json.loads((tmp_path / "out" / "registers.json").read_text())
    assert told["control_port"] == registers
    assert "RXGATE_REG_RECEIVED" in (tmp_path / "out" / "rxgate_regs.h").read_text()
