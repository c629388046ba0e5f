"""Every board's design elaborates, and Yosys maps it to cells that the board has."""

import json

import pytest
from rxgate.boards import bitstream, build
from rxgate.boards.kits import KITS
from rxgate.boards.pins import pins

CELLS = {"EHXPLLL", "IDDRX1F", "ODDRX1F", "DELAYG"}


TWINS = {"versa-ecp5-5g": "versa-ecp5", "ecpix5-85f": "ecpix5-45f"}
"""Boards that differ in their device alone: what Yosys gets is the same."""


@pytest.mark.parametrize("name", TWINS)
def test_twins_have_the_same_design(board, name):
    design = board.design_of("drop_by_length.c")
    mine, other = (build.sources(design, KITS[n]) for n in (name, TWINS[name]))
    assert {n: t for n, t in mine.items() if n != "top.core"} == {
        n: t for n, t in other.items() if n != "top.core"
    }
    assert mine["top.core"] != other["top.core"]


@pytest.mark.parametrize("name", [name for name in KITS if name not in TWINS])
def test_a_board_synthesises(board, name, tmp_path):
    kit = KITS[name]
    files = build.sources(board.design_of("drop_by_length.c"), kit)
    for file, text in files.items():
        (tmp_path / file).write_text(text)
    verilog = tuple(file for file in files if file.endswith(".v"))
    module = bitstream.synthesise(verilog, tmp_path)
    kinds = {cell["type"] for cell in module["cells"].values()}
    assert kinds >= CELLS
    assert "$scopeinfo" in kinds
    wires = {p.wire.split("[")[0] for p in pins(kit)}
    assert set(module["ports"]) == wires
    # A clock that nobody uses would have no constraint.
    for letter in "ab"[: len(kit.ports)]:
        assert f'FREQUENCY PORT "eth_{letter}_rx_clk" 125 MHZ;' in files["top.lpf"]
    assert f'FREQUENCY PORT "osc" {kit.oscillator_mhz:g} MHZ;' in files["top.lpf"]


def test_files_for_other_flows(board, tmp_path):
    kit = KITS["versa-ecp5"]
    text = build.sources(board.design_of("drop_by_length.c"), kit)["top.core"]
    head, _, body = text.partition("\n")
    assert head == "CAPI=2:"
    # YAML is a superset of what is written here.
    core = json.loads(body)
    assert core["filesets"]["rtl"]["files"] == ["rxgate.v", "top.v"]
    assert core["targets"]["default"]["toplevel"] == "top"
    assert core["targets"]["default"]["tools"]["trellis"]["nextpnr_options"][0] == "--um-45k"
    assert core["targets"]["diamond"]["tools"]["diamond"]["part"] == "LFE5UM-45F-8BG381C"
    named = {file for files in core["filesets"].values() for file in files["files"]}
    assert named | {"top.core"} == set(build.sources(board.design_of("drop_by_length.c"), kit))
