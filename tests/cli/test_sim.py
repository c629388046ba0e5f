"""`sim`: agreement is status 0, a disagreement status 1 with the packet that shows it."""

import json

import pytest
from rxgate.compiler.driver import Design, compile_program
from rxgate.compiler.options import Options
from rxgate.compiler.source import read_expression
from rxgate.sim.captures import read_capture

pytestmark = pytest.mark.rtl
FILTER = ("--filter", "udp")


@pytest.fixture
def swapped(monkeypatch):
    """The gate of another program stands in for the one that was asked for."""
    other = compile_program(read_expression("tcp"), Options(width=64)).verilog
    monkeypatch.setattr(Design, "verilog", other)


@pytest.mark.usefixtures("swapped")
@pytest.mark.parametrize("as_json", [True, False])
def test_mismatch(rxgate, tmp_path, as_json):
    words = ("sim", *FILTER, "--packets", 100, "--width", "64")
    ended = rxgate(*words, *["--json"] * as_json)
    assert ended.status == 1
    captures = list(tmp_path.glob("*.pcap"))
    assert [c.name.startswith("mismatch-") for c in captures] == [True]
    assert len(read_capture(captures[0])) == 1
    if as_json:
        result = json.loads(ended.out)
        assert result["mismatches"] > 0
        assert result["capture"] == captures[0].name
    else:
        assert "mismatches" in ended.out
        assert "0 mismatches" not in ended.out.replace("10 mis", "").replace("00 mis", "")


@pytest.mark.parametrize("more", [(), ("--on-drop", "mark"), ("--ingress", "no-backpressure")])
def test_agreement(rxgate, more):
    ended = rxgate("sim", *FILTER, "--packets", 60, "--width", "64", "--stall", 0.3, *more)
    assert (ended.status, ended.err) == (0, "")
    assert "60 packets, 0 mismatches" in ended.out
    assert "\x1b" not in ended.out


def test_waves(rxgate, tmp_path):
    ended = rxgate("sim", *FILTER, "--packets", 5, "--width", "64", "--waves", "w aves.fst")
    assert ended.status == 0
    assert (tmp_path / "w aves.fst").stat().st_size > 100
