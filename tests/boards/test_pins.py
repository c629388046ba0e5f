"""Every wire of a board's design has a site of its own, and the constraints name them all."""

import pytest
from rxgate.boards.kits import KITS
from rxgate.boards.lpf import lpf
from rxgate.boards.pins import Pin, device, pins
from rxgate.boards.xdc import xdc
from rxgate.compiler.delay_tables import DELAYS


@pytest.mark.parametrize("name", KITS)
def test_every_wire_has_its_site(name):
    kit = KITS[name]
    found = pins(kit)
    assert len({p.wire for p in found}) == len({p.site for p in found}) == len(found)
    wires = {p.wire for p in found}
    for letter in "ab"[: len(kit.ports)]:
        for wire in ("rx_clk", "rx_ctl", "tx_clk", "tx_ctl"):
            assert f"eth_{letter}_{wire}" in wires
        for n in range(4):
            assert {f"eth_{letter}_rx_data[{n}]", f"eth_{letter}_tx_data[{n}]"} <= wires
    assert "osc" in wires


def test_versa_has_the_pins_of_the_board():
    kit = KITS["versa-ecp5"]
    found = {p.wire: p for p in pins(kit)}
    assert (found["eth_a_rx_clk"].site, found["eth_b_rx_clk"].site) == ("L20", "J19")
    assert (found["eth_a_tx_clk"].site, found["eth_b_tx_clk"].site) == ("P19", "C20")
    assert (found["osc"].site, dict(found["osc"].attributes)) == ("P3", {"IO_TYPE": "LVDS"})
    assert found["led[0]"].inverted
    assert device(kit).router == ("--um-45k", "--package", "CABGA381", "--speed", "8")


def test_butterstick_has_what_others_have_otherwise():
    """A serial line at its card slot, and lights that share their colours."""
    found = {p.wire: p for p in pins(KITS["butterstick"])}
    assert (found["uart_rx"].site, found["uart_tx"].site) == ("C12", "A13")
    assert dict(found["uart_rx"].attributes) == {"IO_TYPE": "LVCMOS33", "PULLMODE": "UP"}
    assert [found[f"fixed[{n}]"].site for n in range(3)] == ["T1", "U1", "R1"]
    assert found["led[6]"].site == "C16"


def test_constraints():
    text = lpf([Pin("a[0]", "B2", (("IO_TYPE", "LVCMOS33"), ("DRIVE", "4")))], {"osc": 12.5})
    assert text.splitlines()[2:] == [
        'LOCATE COMP "a[0]" SITE "B2";',
        'IOBUF PORT "a[0]" IO_TYPE=LVCMOS33 DRIVE=4;',
        'FREQUENCY PORT "osc" 12.5 MHZ;',
    ]


def test_constraints_of_other_flows():
    found = (
        Pin("osc", "P3", (("IO_TYPE", "LVDS"),)),
        Pin("rx", "A1", ()),
        Pin("led[0]", "B2", (("IO_TYPE", "LVCMOS33"), ("DRIVE", "4"))),
        Pin("uart_rx", "B3", (("PULLMODE", "UP"),)),
    )
    text = xdc(found, {"osc": 12.0, "rx": 125.0}, "osc", "system", 100.0, "pll/CLKOP")
    assert text.splitlines() == [
        "set_property PACKAGE_PIN P3 [get_ports {osc}]",
        "set_property IOSTANDARD LVDS [get_ports {osc}]",
        "set_property PACKAGE_PIN A1 [get_ports {rx}]",
        "set_property PACKAGE_PIN B2 [get_ports {led[0]}]",
        "set_property IOSTANDARD LVCMOS33 [get_ports {led[0]}]",
        "set_property DRIVE 4 [get_ports {led[0]}]",
        "set_property PACKAGE_PIN B3 [get_ports {uart_rx}]",
        "set_property PULLTYPE PULLUP [get_ports {uart_rx}]",
        "create_clock -name osc -period 83.333 [get_ports osc]",
        "create_clock -name rx -period 8.000 [get_ports rx]",
        "create_generated_clock -name system -source [get_ports osc] -multiply_by 25 -divide_by 3"
        " [get_pins {pll/CLKOP}]",
        "set_max_delay -datapath_only -from [get_clocks system] -to [get_clocks rx] 8.000",
        "set_max_delay -datapath_only -from [get_clocks rx] -to [get_clocks system] 8.000",
        "set_false_path -from [get_ports {uart_rx*}]",
        "set_false_path -to [get_ports {led*}]",
    ]


@pytest.mark.parametrize("name", KITS)
def test_the_compiler_knows_the_delays_of_a_device(name):
    assert device(KITS[name]).delays in DELAYS
