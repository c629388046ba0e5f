"""What a board is: the facts that a build needs beside the pins, which amaranth-boards knows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of the board's platform in amaranth-boards, by name and number."""

    name: str
    number: int = 0


UART = (Resource("uart.rx"), Resource("uart.tx"))
"""The line of boards that have one."""


@dataclass(frozen=True, slots=True)
class Port:
    """An RGMII port. `label` is what is printed beside the connector, as far as it is known.

    RGMII wants clock edges in the middle of what they sample (RGMII 2.0 section 3.3). Who moves them
    there is the PHY, unless a delay is given here, in nanoseconds: `receive_delay` is that of RXD and
    RX_CTL, `transmit_delay` that of TXC.
    """

    resource: Resource
    label: str
    receive_delay: float = 0.0
    transmit_delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Kit:
    """A board. `platform` is its class in `module` of amaranth-boards.

    The oscillator has `oscillator_mhz`. Port A is the first of `ports`, port B the second. `leds` are
    in the order in which they get their meanings; a part of a resource is named behind it, as in
    "rgb_led.r". Other wires are `fixed` at a level. `reset` is a button, `uart` the line to the host:
    what the board receives, and what it sends. `loader` is openFPGALoader's name of the board, "" where
    it has none, `adapter` that of what the board has between USB and JTAG: "" where the board's name
    says so, None where there is nothing.
    """

    name: str
    title: str
    module: str
    platform: str
    oscillator: Resource
    oscillator_mhz: float
    ports: tuple[Port, ...]
    leds: tuple[Resource, ...] = ()
    fixed: tuple[tuple[Resource, bool], ...] = ()
    reset: Resource | None = None
    uart: tuple[Resource, Resource] | None = None
    loader: str = ""
    adapter: str | None = None
