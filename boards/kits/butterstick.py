"""ButterStick (LFE5UM5G-85F-8), a KSZ9031 PHY.

Delays are those of LiteX for this board. Its seven lights share three wires for their colours, and it
has no serial line of its own: the filter runs, and nothing but its frames tells.
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
    adapter=False,
)
