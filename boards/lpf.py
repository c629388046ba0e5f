"""Pins and clocks -> the constraints of an ECP5 design, as nextpnr and Lattice Diamond read them."""

from collections.abc import Iterable, Mapping

from .pins import Pin


def lpf(pins: Iterable[Pin], clocks_mhz: Mapping[str, float]) -> str:
    """Sites and buffers of all pins, and the frequency of each clock, by the name of its port."""
    lines = ["BLOCK ASYNCPATHS;", "BLOCK RESETPATHS;"]
    for pin in pins:
        attributes = " ".join(f"{name}={value}" for name, value in pin.attributes)
        lines.append(f'LOCATE COMP "{pin.wire}" SITE "{pin.site}";')
        lines.append(f'IOBUF PORT "{pin.wire}" {attributes};')
    lines += [f'FREQUENCY PORT "{name}" {mhz:g} MHZ;' for name, mhz in clocks_mhz.items()]
    return "\n".join(lines) + "\n"
