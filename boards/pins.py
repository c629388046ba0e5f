"""Board -> the device on it, and where each wire of a design goes, from amaranth-boards."""

import importlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..compiler.errors import ToolError
from .kit import Kit, Resource

_DEVICES = {
    "LFE5U-25F": "--25k",
    "LFE5UM-45F": "--um-45k",
    "LFE5UM5G-45F": "--um5g-45k",
    "LFE5UM5G-85F": "--um5g-85k",
}
"""What nextpnr-ecp5 calls a device."""
_ALIASES = {"tx_ctrl": "tx_ctl", "rx_ctrl": "rx_ctl"}
_IDLE = {"PULLMODE": "UP"}
"""A serial line on which nothing is said is high, also if there is none."""
RGMII = ("rx_clk", "rx_ctl", "rx_data", "tx_clk", "tx_ctl", "tx_data")


@dataclass(frozen=True, slots=True)
class Pin:
    """A wire of a design: the site of the device it goes to, and the attributes of that site's
    buffer. An `inverted` one is active low."""

    wire: str
    site: str
    attributes: tuple[tuple[str, str], ...]
    inverted: bool = False


@dataclass(frozen=True, slots=True)
class Device:
    """An FPGA, how nextpnr-ecp5 is told which, and the compiler's name of its delays."""

    name: str
    router: tuple[str, ...]
    delays: str


def device(kit: Kit) -> Device:
    """The device of a board."""
    platform = _platform(kit)
    package = platform.package.replace("BG", "CABGA")
    return Device(
        f"{platform.device}-{platform.speed}{platform.package}",
        (_DEVICES[platform.device], "--package", package, "--speed", platform.speed),
        f"ecp5-{platform.speed}",
    )


def pins(kit: Kit) -> tuple[Pin, ...]:
    """Every wire of the board's design. Ports that share a reset have one wire for it."""
    found = [*_wires(kit, kit.oscillator, {"": "osc"})]
    if kit.reset is not None:
        found += _wires(kit, kit.reset, {"": "button"})
    for letter, port in zip("ab", kit.ports, strict=False):
        found += _wires(kit, port.resource, {n: f"eth_{letter}_{n}" for n in RGMII})
    resets = [p for port in kit.ports for p in _wires(kit, port.resource, {"rst": "eth_rst"})]
    sites = dict.fromkeys(p.site for p in resets)
    for n, site in enumerate(sites):
        first = next(p for p in resets if p.site == site)
        found.append(Pin(_bit("eth_rst", n, len(sites)), site, first.attributes, first.inverted))
    if kit.uart is not None:
        [listens] = _parts(kit, "uart_rx", kit.uart[:1])
        pulled = tuple((dict(listens.attributes) | _IDLE).items())
        found += [replace(listens, attributes=pulled), *_parts(kit, "uart_tx", kit.uart[1:])]
    found += _parts(kit, "led", kit.leds)
    found += _parts(kit, "fixed", [resource for resource, _ in kit.fixed])
    return tuple(found)


def _parts(kit: Kit, wire: str, resources: Sequence[Resource]) -> list[Pin]:
    """One wire for the pins of several resources, or parts of them."""
    found: list[Pin] = []
    for resource in resources:
        name, _, part = resource.name.partition(".")
        found += _wires(kit, Resource(name, resource.number), {part: wire})
    return [
        replace(pin, wire=_bit(wire, n, len(found))) for n, pin in enumerate(found)
    ]


def _wires(kit: Kit, wanted: Resource, names: dict[str, str]) -> Iterator[Pin]:
    """The pins of the parts of a resource that `names` gives wires to; its own part is ""."""
    resource = next(
        r for r in _platform(kit).resources
        if (r.name, r.number) == (wanted.name, wanted.number)
    )
    for part in resource.ios:
        inner = hasattr(part, "ios")
        name = _ALIASES.get(part.name, part.name) if inner else ""
        if name not in names:
            continue
        [io] = part.ios if inner else [part]
        attributes = dict(resource.attrs) | (dict(part.attrs) if inner else {})
        sites = (io.p if hasattr(io, "p") else io).names
        for n, site in enumerate(sites):
            texts = tuple((k, str(v)) for k, v in attributes.items())
            yield Pin(_bit(names[name], n, len(sites)), site, texts, io.invert)


def _bit(wire: str, n: int, width: int) -> str:
    """The name of a wire's bit, in a design of Verilog."""
    return wire if width == 1 else f"{wire}[{n}]"


def _platform(kit: Kit) -> Any:
    """The board's platform, a class with tables."""
    try:
        return getattr(importlib.import_module(kit.module), kit.platform)
    except ModuleNotFoundError:
        raise ToolError(
            "The pins of boards are in the Python package amaranth-boards, which is missing. "
            "`pip install 'rxgate[synth]'` brings it, and the tools that make bitstreams."
        ) from None
