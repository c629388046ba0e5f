"""Cells are counted, placed and levelled as a device has them."""

from typing import Any

from rxgate.boards.netlist import Area, Netlist, Place
from rxgate.boards.targets import ECP5_CELLS, XCUP_CELLS


def cell(kind: str, inputs: dict[str, Any], outputs: dict[str, Any], src: str = "") -> dict[str, Any]:
    """A cell as Yosys writes it; a net is a number, several are a list."""
    pins = inputs | outputs
    return {
        "type": kind,
        "attributes": {"src": src} if src else {},
        "port_directions": {
            **dict.fromkeys(inputs, "input"), **dict.fromkeys(outputs, "output"),
        },
        "connections": {p: bits if isinstance(bits, list) else [bits] for p, bits in pins.items()},
    }


def scope(lines: str) -> dict[str, Any]:
    return cell("$scopeinfo", {}, {}) | {"attributes": {"module_src": f"rxgate.v:{lines}"}}


def module(cells: dict[str, Any], outputs: tuple[int, ...] = ()) -> dict[str, Any]:
    return {"cells": cells, "ports": {"o": {"direction": "output", "bits": list(outputs)}}}


def ff(d: int, q: int, line: int) -> dict[str, Any]:
    return cell("TRELLIS_FF", {"CLK": 1, "DI": d}, {"Q": q}, f"rxgate.v:{line}.3-{line}.9|x.v:1.1")


STAGES = {
    "pipeline": scope("100.1-199.10"),
    "pipeline.stage_0": scope("200.1-299.10"),
    "pipeline.stage_1": scope("300.1-399.10"),
    "launch": scope("400.1-499.10"),
}
LAUNCH, FIRST, SECOND = Place("launch"), Place("pipeline", 0), Place("pipeline", 1)


def test_logic_counts_where_its_value_is_stored():
    """Names mislead: a register of one stage is an input of the next, and named after either."""
    cells = STAGES | {
        "pipeline.stage_0.window": ff(9, 10, 450),
        "a": cell("LUT4", {"A": 10, "B": "0"}, {"Z": 11}),
        "b": cell("LUT4", {"A": 11, "B": 10}, {"Z": 12}),
        "pipeline.stage_1.v1": ff(12, 13, 210),
        "c": cell("LUT4", {"A": 13}, {"Z": 14}),
        "pipeline.v1": ff(14, 15, 310),
    }
    netlist = Netlist(module(cells), ECP5_CELLS)
    assert netlist.areas() == {LAUNCH: Area(ff=1), FIRST: Area(2, 1), SECOND: Area(1, 1)}
    assert netlist.levels() == {FIRST: 2, SECOND: 1}
    assert netlist.others == []


def test_slice_multiplexers_and_carries_within_a_chain_add_no_level():
    cells = STAGES | {
        "from": ff(9, 10, 450),
        "a": cell("LUT4", {"A": 10}, {"Z": 20}),
        "b": cell("LUT4", {"A": 10}, {"Z": 21}),
        "pf": cell("PFUMX", {"ALUT": 20, "BLUT": 21, "C0": 10}, {"Z": 22}),
        "c0": cell("CCU2C", {"A0": 22, "CIN": "0"}, {"COUT": 23, "S0": 30}),
        "c1": cell("CCU2C", {"A0": 10, "CIN": 23}, {"COUT": 24, "S0": 31}),
        "c2": cell("CCU2C", {"A0": 10, "CIN": 24}, {"S0": 25}),
        "to": ff(25, 26, 210),
    }
    netlist = Netlist(module(cells), ECP5_CELLS)
    assert netlist.levels() == {FIRST: 2}
    assert netlist.areas()[FIRST] == Area(lut=2, ff=1, carry=3)


def test_memory_in_look_up_tables_is_read_at_once_and_written_by_the_clock():
    ram = cell("TRELLIS_DPR16X4", {"WCK": 1, "DI": 11, "WAD": 11, "RAD": 10}, {"DO": 12},
               "rxgate.v:410.1-410.2")
    cells = STAGES | {
        "from": ff(9, 10, 450),
        "a": cell("LUT4", {"A": 10}, {"Z": 13}),
        "b": cell("LUT4", {"A": 13}, {"Z": 11}),
        "ram": ram,
        "to": ff(12, 26, 210),
    }
    netlist = Netlist(module(cells), ECP5_CELLS)
    assert netlist.levels() == {LAUNCH: 2, FIRST: 1}
    assert netlist.areas()[LAUNCH] == Area(lut=8, ff=1)


def test_outputs_are_ends_too():
    cells = STAGES | {
        "from": ff(9, 10, 450),
        "launch.ready_LUT4_Z": cell("LUT4", {"A": 10}, {"Z": 11}),
    }
    assert Netlist(module(cells, (11, 10)), ECP5_CELLS).levels() == {LAUNCH: 1}


def test_halves_of_block_memories():
    cells = {n: cell(kind, {"ADDR": 1}, {"DO": n}) for n, kind in (
        (2, "RAMB18E2"), (3, "RAMB36E2"), (4, "RAM64M"), (5, "SRL16E"), (6, "FDSE"))}
    found = Netlist(module({str(n): c for n, c in cells.items()}), XCUP_CELLS).areas()
    assert [a.to_json() for a in found.values()] == [
        {"lut": 5, "ff": 1, "bram": 1.5, "dsp": 0, "carry": 0}
    ]


def test_the_harness_is_not_the_gate():
    cells = {f"gate.{name}": found for name, found in STAGES.items()} | {
        "gate": scope("1.1-99.10"),
        "drive": ff(8, 9, 5) | {"attributes": {"src": "harness.v:210.1-210.2"}},
        "gate.launch.x": ff(9, 10, 450),
        "gate.mine": ff(9, 11, 50),
    }
    found = Netlist(module(cells), ECP5_CELLS, "gate").areas()
    assert list(found) == [Place("gate"), Place("harness"), LAUNCH]
    netlist = Netlist(module(cells), ECP5_CELLS, "gate")
    assert netlist.place("gate.pipeline.stage_1.v7$nextpnr_copy") == SECOND


def test_cells_that_cannot_be_counted_are_named():
    cells = {"a": cell("LUT4", {"A": 1}, {"Z": 2}), "b": cell("ODDRX1F", {"D": 1}, {"Q": 2})}
    assert Netlist(module(cells), ECP5_CELLS).others == ["ODDRX1F"]


def test_signals_of_a_register_under_all_their_names():
    netnames = {
        "pipeline.i_window": [7, 8, 9, 10], "launch.o_window": [7, 8, 9, 10], "x": [12, 13],
        "pipeline.stage_0.v1": [13],
    }
    cells = STAGES | {
        "launch.o_window_TRELLIS_FF_Q_2": ff(20, 10, 450),
        "x_TRELLIS_FF_Q_DI_LUT4_Z": cell("LUT4", {"A": 10}, {"Z": 11}),
        "y": ff(11, 13, 210),
    }
    found = module(cells) | {"netnames": {
        name: {"hide_name": 0, "bits": bits, "attributes": {}} for name, bits in netnames.items()
    }}
    netlist = Netlist(found, ECP5_CELLS)
    assert netlist.signals("launch.o_window_TRELLIS_FF_Q_2") == [
        ("pipeline.i_window", 3), ("launch.o_window", 3)
    ]
    assert netlist.signals("x_TRELLIS_FF_Q_DI_LUT4_Z") == [("x", 0)]
    assert netlist.signals("y") == [("x", 1), ("pipeline.stage_0.v1", 0)]
    assert netlist.signals("$nextpnr_LUT4_7") == []


def test_a_shift_register_of_fixed_length_begins_a_path():
    cells = STAGES | {
        "launch.srl": cell("SRL16E", {"A0": "0", "A1": "1", "D": 9}, {"Q": 10}),
        "launch.a": cell("LUT2", {"I0": 10, "I1": 9}, {"O": 11}),
    }
    assert Netlist(module(cells, (11, 10)), XCUP_CELLS).levels() == {LAUNCH: 1}
