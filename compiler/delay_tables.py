"""Name of a device -> what a register, a look-up table and a carry chain take on it, in nanoseconds.

`benchmarks/delay.py` routes circuits, and `delay_page.py` fits the figures of ECP5 anew; docs/delay.md
shows them next to what was measured, and says where those of UltraScale+ come from. `generic` stands for
no device: what fits a cycle of 250 MHz there fits one of 156.25 MHz on an ECP5 of speed 8.
"""

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class Delays:
    """Typical nanoseconds of a device whose look-up tables have `inputs` inputs.

    `fixed` is what every stage pays: clock to output of a register, and setup. A `level` is a look-up
    table and the routing to it. Its select signal drives many: every doubling of the bits that it
    selects adds `fan_out`. A sum of n bits takes `carry` + n * `carry_bit`, a comparison that many and
    `compare` more; routing to them is included. A choice by k bits takes `select` for each beyond
    the table's own inputs, a shift `shift` for each bit of its amount. `product` is a multiplier
    block from operands to result, `clock_mhz` the clock that one would ask of the device.
    """

    inputs: int
    fixed: float
    level: float
    fan_out: float
    carry: float
    carry_bit: float
    compare: float
    select: float
    shift: float
    product: float
    clock_mhz: float

    def scaled(self, factor: float, clock_mhz: float) -> "Delays":
        """All times `factor` as long, for another clock."""
        kept = ("inputs", "clock_mhz")
        times = {f.name: factor * getattr(self, f.name) for f in fields(self) if f.name not in kept}
        return replace(self, clock_mhz=clock_mhz, **times)


ECP5_8 = Delays(
    inputs=4, fixed=0.46, level=0.856, fan_out=0.13, carry=1.65, carry_bit=0.027, compare=0.63,
    select=0.18, shift=0.68, product=5.19, clock_mhz=180.0,
)
ECP5_6 = Delays(
    inputs=4, fixed=0.55, level=1.23, fan_out=0.17, carry=2.33, carry_bit=0.033, compare=0.93,
    select=0.18, shift=0.95, product=6.41, clock_mhz=125.0,
)
XCUP = Delays(
    inputs=4, fixed=0.11, level=0.62, fan_out=0.05, carry=1.10, carry_bit=0.010, compare=0.50,
    select=0.10, shift=0.30, product=1.90, clock_mhz=322.0,
)

DELAYS = {
    "generic": ECP5_8.scaled(156.25 / 250.0, 250.0),
    "ecp5-8": ECP5_8,
    "ecp5-6": ECP5_6,
    "xcup": XCUP,
}
"""By name; the first is for who does not know the device."""
