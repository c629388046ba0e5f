"""Lattice ECP5 and ECP5-5G Versa Development Boards (LFE5UM-45F-8, LFE5UM5G-45F-8), two 88E1512 PHYs.

The PHYs delay the clocks of both directions by themselves, out of reset: designs that are known to
work on this board, LiteX's among them, have no delay in the FPGA.
"""

from dataclasses import replace

from ..kit import UART, Kit, Port, Resource

VERSA_ECP5 = Kit(
    name="versa-ecp5",
    title="Lattice ECP5 Versa Development Board",
    module="amaranth_boards.versa_ecp5",
    platform="VersaECP5Platform",
    oscillator=Resource("clk100"),
    oscillator_mhz=100.0,
    ports=(
        Port(Resource("eth_rgmii", 0), "RJ45 of PHY 1"),
        Port(Resource("eth_rgmii", 1), "RJ45 of PHY 2"),
    ),
    leds=tuple(Resource("led", n) for n in range(8)),
    reset=Resource("rst"),
    uart=UART,
    adapter="ft2232",
)

VERSA_ECP5_5G = replace(
    VERSA_ECP5,
    name="versa-ecp5-5g",
    title="Lattice ECP5-5G Versa Development Board",
    module="amaranth_boards.versa_ecp5_5g",
    platform="VersaECP55GPlatform",
)
