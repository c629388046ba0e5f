"""ButterStick (LFE5UM5G-85F-8), a KSZ9031 PHY.

Delays are those of LiteX for this board. Its seven lights share three wires for their colours, of which
blue is on, as there. It has no serial line of its own; the pins of its card slot are 3.3 V whatever the
voltages of its other connectors, which a design has to set first.
"""

from ..kit import Kit, Port, Resource

BUTTERSTICK = Kit(
    name="butterstick",
    title="ButterStick",
    module="amaranth_boards.butterstick",
    platform="ButterStickPlatform",
    oscillator=Resource("clk30"),
    oscillator_mhz=30.0,
    ports=(Port(Resource("eth_rgmii"), "RJ45", receive_delay=2.0, transmit_delay=2.0),),
    leds=(Resource("rgb_leds_muxed.leds"),),
    fixed=tuple((Resource(f"rgb_leds_muxed.{colour}"), colour == "b") for colour in "rgb"),
    uart=(Resource("sd_card_1bit.dat"), Resource("sd_card_1bit.cmd")),
)
