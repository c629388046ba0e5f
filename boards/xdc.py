"""Pins and clocks -> the constraints of a board's design for flows that read XDC, which is Tcl.

Sites and buffers are those of the board's own device. What is asynchronous: lights, buttons, the
serial line and the PHYs' resets. Between two clocks a value may take a cycle: they are crossed by
counters in Gray code, of which no two bits may be seen in different orders, and by single bits.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import permutations

from .pins import Pin

_PROPERTIES = {"IO_TYPE": "IOSTANDARD", "DRIVE": "DRIVE", "SLEWRATE": "SLEW", "PULLMODE": "PULLTYPE"}
_PULLS = {"UP": "PULLUP", "DOWN": "PULLDOWN", "NONE": "NONE"}
_INPUTS = ("button", "uart_rx")
_OUTPUTS = ("eth_rst", "led", "fixed", "uart_tx")


def xdc(
    pins: Iterable[Pin], inputs_mhz: Mapping[str, float], oscillator: str, system: str,
    system_mhz: float, pll: str,
) -> str:
    """`inputs_mhz` are the clocks that come in, by port; the PLL's output `pll` makes `system`, of
    `system_mhz`, from `oscillator`, which clocks nothing else."""
    lines = []
    for pin in pins:
        site = {"PACKAGE_PIN": pin.site}
        wanted = {_PROPERTIES[name]: _PULLS.get(value, value) for name, value in pin.attributes}
        lines += [
            f"set_property {name} {value} [get_ports {{{pin.wire}}}]"
            for name, value in (site | wanted).items()
        ]
    lines += [
        f"create_clock -name {name} -period {_ns(mhz)} [get_ports {name}]"
        for name, mhz in inputs_mhz.items()
    ]
    ratio = Fraction(system_mhz) / Fraction(inputs_mhz[oscillator])
    lines.append(
        f"create_generated_clock -name {system} -source [get_ports {oscillator}]"
        f" -multiply_by {ratio.numerator} -divide_by {ratio.denominator} [get_pins {{{pll}}}]"
    )
    clocks = {system: system_mhz} | {n: m for n, m in inputs_mhz.items() if n != oscillator}
    lines += [
        f"set_max_delay -datapath_only -from [get_clocks {source}] -to [get_clocks {sink}]"
        f" {_ns(max(clocks[source], clocks[sink]))}"
        for source, sink in permutations(clocks, 2)
    ]
    wires = dict.fromkeys(pin.wire.split("[")[0] for pin in pins)
    for option, names in (("-from", _INPUTS), ("-to", _OUTPUTS)):
        lines += [
            f"set_false_path {option} [get_ports {{{name}*}}]" for name in names if name in wires
        ]
    return "\n".join(lines) + "\n"


def _ns(mhz: float) -> str:
    return f"{1000 / mhz:.3f}"
