"""Every wire of a board's design has a site of its own, and the constraints name them all."""

import pytest
from rxgate.boards.kits import KITS
from rxgate.boards.lpf import lpf
from rxgate.boards.pins import Pin, device, pins


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


def test_constraints():
    text = lpf([Pin("a[0]", "B2", (("IO_TYPE", "LVCMOS33"), ("DRIVE", "4")))], {"osc": 12.5})
    assert text.splitlines()[2:] == [
        'LOCATE COMP "a[0]" SITE "B2";',
        'IOBUF PORT "a[0]" IO_TYPE=LVCMOS33 DRIVE=4;',
        'FREQUENCY PORT "osc" 12.5 MHZ;',
    ]
