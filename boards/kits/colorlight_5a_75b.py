"""Colorlight 5A-75B, revision 7.0 (LFE5U-25F-6), two B50612D PHYs that share their reset.

Delays are those of LiteX for this board: TXC is delayed by the PHY. The serial line takes the pins of
the light and the button, at J19: KEY+ is the board's input, DATA_LED- its output.
"""

from ..kit import UART, Kit, Port, Resource

COLORLIGHT_5A_75B = Kit(
    name="colorlight-5a-75b",
    title="Colorlight 5A-75B R7.0",
    module="amaranth_boards.colorlight_5a75b_r7_0",
    platform="Colorlight_5A75B_R70Platform",
    oscillator=Resource("clk25"),
    oscillator_mhz=25.0,
    ports=(
        Port(Resource("eth_rgmii", 0), "RJ45 0", receive_delay=2.0),
        Port(Resource("eth_rgmii", 1), "RJ45 1", receive_delay=2.0),
    ),
    uart=UART,
    loader="colorlight",
)
