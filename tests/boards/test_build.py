# amaranth: UnusedElaboratable=no
# A filter is made for its error only.
"""A board's bitstream: what is written, and what is said when it cannot be."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from rxgate.boards.build import Built, Place, TimingError, check_timing, explained
from rxgate.boards.filter import Filter
from rxgate.boards.pins import Device
from rxgate.boards.route import Hop
from rxgate.boards.timing import Clock, Timing, read_timing
from rxgate.cli import cli
from rxgate.compiler.driver import compile_program
from rxgate.compiler.errors import ToolError
from rxgate.compiler.source import read_program
from rxgate.sim import tools

ROOT = Path(__file__).parents[2]
PROGRAM = str(ROOT / "examples" / "drop_by_length.c")


def invoke(*words: str):
    return CliRunner().invoke(cli, ["build", *words])


def test_a_bitstream(tmp_path):
    done = invoke(PROGRAM, "--board", "versa-ecp5", "-o", str(tmp_path), "--json")
    assert done.exit_code == 0, done.output
    written = json.loads((tmp_path / "build.json").read_text())
    assert written["met"] is True
    assert set(written["clocks"]) == {"system", "eth_a_rx_clk", "eth_b_rx_clk"}
    for clock in written["clocks"].values():
        assert clock["fmax_mhz"] >= clock["constraint_mhz"] == 125
    assert 500 < written["utilisation"]["lut"]["used"] < written["utilisation"]["lut"]["available"]
    assert written["critical_path"]
    # The preamble of every configuration of an ECP5.
    assert b"\xff\xff\xbd\xb3" in (tmp_path / "top.bit").read_bytes()[:200]
    names = {"top.bit", "build.json", "top.v", "rxgate.v", "top.lpf"}
    assert names <= {path.name for path in tmp_path.iterdir()}


def test_an_unknown_board_is_answered_with_those_there_are():
    done = invoke(PROGRAM, "--board", "nexys", "-o", "out")
    assert done.exit_code == 2
    assert "there is no board 'nexys'; there are versa-ecp5, versa-ecp5-5g, " in done.output


def test_missing_tools_are_found_out_first(tmp_path, monkeypatch):
    monkeypatch.setattr(tools, "_package", lambda name: None)
    monkeypatch.setenv("PATH", "")
    tools.yosys.cache_clear()
    with pytest.raises(ToolError, match="Yosys is missing"):
        cli.main(["build", PROGRAM, "--board", "versa-ecp5", "-o", str(tmp_path / "o")],
                 standalone_mode=False)
    assert not (tmp_path / "o").exists()


def timing(seed: int, mhz: float) -> Timing:
    clocks = (Clock("system", mhz, 125.0, (Hop("bridge.gate.x", 1.0),)), Clock("rx", 150.0, 125.0, ()))
    return Timing(seed, clocks, {})


def test_a_slow_clock_is_told_with_its_path():
    path = (Place("stage 3", "a.c:7", 9.0),)
    tried = (timing(1, 90.0), timing(2, 100.04))
    slow = Built(Device("d", (), "ecp5-8"), tried, tried[1], path, ("a.c:7",), b"")
    with pytest.raises(TimingError) as raised:
        check_timing(slow)
    assert str(raised.value) == (
        "timing is not met: system reaches 100.0 of 125 MHz (the best of 2 seeds). The slowest path"
        " is in stage 3; it computes a.c:7. Try more --seeds, or --allow-timing-fail to write what"
        " there is."
    )


@pytest.mark.parametrize("allowed", [False, True])
def test_a_slow_design_is_only_written_when_asked_for(tmp_path, monkeypatch, allowed):
    late = timing(1, 80.0)
    monkeypatch.setattr("rxgate.boards.build_command.build_board", lambda *_: Built(
        Device("d", (), "ecp5-8"), (late,), late, (Place("gate.buffer", None, 12.0),), (), b"bits"))
    words = [PROGRAM, "--board", "versa-ecp5", "-o", str(tmp_path / "o")]
    done = invoke(*words, *(["--allow-timing-fail"] if allowed else []))
    assert (tmp_path / "o").exists() is allowed
    assert isinstance(done.exception, TimingError) is not allowed
    if allowed:
        assert json.loads((tmp_path / "o" / "build.json").read_text())["met"] is False


def test_places_outside_the_gate_are_told_by_their_signals():
    hops = (Hop("mac_a.transmit.crc_TRELLIS_FF_Q_3", 0.5), Hop("mac_a.transmit.state_LUT4_A", 1.0),
            Hop("returning.i__payload.err_LUT4_B_Z_CCU2C_S0$CCU2_COMB0", 2.0), Hop("$PACKER_X", 0.1))
    found = Timing(1, (Clock("system", 100.0, 125.0, hops),), {})
    netlist, design = object(), object()
    places, lines = explained(found, netlist, design)
    assert places == (Place("mac_a.transmit", None, 1.5), Place("returning.i__payload", None, 2.0),
                      Place("$PACKER_X", None, 0.1))
    assert lines == ()


def report(**clocks):
    return {"fmax": {n: {"achieved": a, "constraint": c} for n, (a, c) in clocks.items()},
            "utilization": {}, "critical_paths": []}


def test_clocks_are_those_of_the_design():
    wanted = {"system": 125.0, "rx": 125.0}
    found = read_timing(report(**{"$glbnet$some.clk": (130.0, 125.0),
                                  "$glbnet$rx$TRELLIS_IO_IN": (140.0, 125.0)}), 3, wanted)
    assert [(c.name, c.met) for c in found.clocks] == [("system", True), ("rx", True)]
    assert found.worst.name == "system"


@pytest.mark.parametrize("clocks", [
    {"$glbnet$some.clk": (130.0, 125.0)},
    {"a": (1.0, 125.0), "b": (1.0, 125.0)},
    {"a": (130.0, 12.0), "rx": (130.0, 125.0)},
])
def test_a_clock_that_nobody_constrained_is_an_error(clocks):
    with pytest.raises(ToolError, match=r"^nextpnr (reports the clocks|was not told how fast) "):
        read_timing(report(**clocks), 1, {"system": 125.0, "rx": 125.0})


def test_a_board_refuses_other_gates():
    gate = compile_program(read_program(PROGRAM)).gate
    with pytest.raises(ValueError, match=r"^A board needs a gate of 8 bits that stores frames"):
        Filter(gate, "rxgate")
