"""LambdaConcept ECPIX-5 (LFE5UM5G-45F-8 or LFE5UM5G-85F-8), a KSZ9031 PHY.

Delays are those of LiteX for this board: the PHY delays RXC by itself, TXC is delayed here. Each of the
four lights is the red part of one of three colours.
"""

from dataclasses import replace

from ..kit import UART, Kit, Port, Resource

ECPIX5_45F = Kit(
    name="ecpix5-45f",
    title="LambdaConcept ECPIX-5 45F",
    module="amaranth_boards.ecpix5",
    platform="ECPIX545Platform",
    oscillator=Resource("clk100"),
    oscillator_mhz=100.0,
    ports=(Port(Resource("eth_rgmii"), "RJ45", transmit_delay=2.0),),
    leds=tuple(Resource("rgb_led.r", n) for n in range(4)),
    reset=Resource("rst"),
    uart=UART,
    loader="ecpix5",
    adapter="",
)

ECPIX5_85F = replace(
    ECPIX5_45F, name="ecpix5-85f", title="LambdaConcept ECPIX-5 85F", platform="ECPIX585Platform"
)
