"""Name of a device -> how Yosys maps to it, how nextpnr is told, and what its cells are."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What a cell counts as."""

    LUT = "lut"
    FF = "ff"
    BRAM = "bram"
    DSP = "dsp"
    CARRY = "carry"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a device: it counts as `size` of its kind.

    `through` are the first letters of inputs that reach an output without waiting for a clock, and
    `level` is how many look-up tables that makes a path longer; from the input `chain` it is none.
    """

    kind: Kind
    size: float = 1
    through: tuple[str, ...] = ()
    level: int = 0
    chain: str = ""


ALL = ("",)
"""Every input."""


@dataclass(frozen=True, slots=True)
class Target:
    """A device. `delays` is what its delay model is called. `synthesis` is the command of Yosys that
    maps to it, without the top module; `router` tells nextpnr-ecp5 the device, and is empty where
    there is no router. Yosys then maps each stage of the program for itself: it would otherwise save
    area up to the levels of the slowest path of all, which only a router knows to matter or not."""

    name: str
    device: str
    delays: str
    synthesis: str
    cells: Mapping[str, Cell]
    router: tuple[str, ...] = ()


def _lut() -> Cell:
    return Cell(Kind.LUT, 1, ALL, 1)


def _join() -> Cell:
    """A multiplexer that joins look-up tables of one slice; it belongs to their level."""
    return Cell(Kind.NOTHING, 0, ALL)


def _carry(chain: str) -> Cell:
    return Cell(Kind.CARRY, 1, ALL, 1, chain)


ECP5_CELLS = {
    "LUT4": _lut(),
    "PFUMX": _join(),
    "L6MUX21": _join(),
    "CCU2C": _carry("CIN"),
    "TRELLIS_FF": Cell(Kind.FF),
    # 16 words of 4 bits: the look-up tables of two slices, and a third slice that writes them.
    "TRELLIS_DPR16X4": Cell(Kind.LUT, 6, ("RAD",), 1),
    "DP16KD": Cell(Kind.BRAM),
    "PDPW16KD": Cell(Kind.BRAM),
    "MULT18X18D": Cell(Kind.DSP, 1, ALL, 1),
    "ALU54B": Cell(Kind.DSP, 1, ALL, 1),
}

XCUP_CELLS = {
    **{f"LUT{n}": _lut() for n in range(1, 7)},
    **{f"MUXF{n}": _join() for n in (7, 8, 9)},
    "INV": _lut(),
    "CARRY4": _carry("CI"),
    "CARRY8": _carry("CI"),
    **{name: Cell(Kind.FF) for name in ("FDRE", "FDSE", "FDCE", "FDPE")},
    **{name: Cell(Kind.LUT, 1, ("A",), 1) for name in ("SRL16E", "SRLC32E")},
    "RAM32X1D": Cell(Kind.LUT, 2, ("A", "DPRA"), 1),
    "RAM64X1D": Cell(Kind.LUT, 2, ("A", "DPRA"), 1),
    "RAM128X1D": Cell(Kind.LUT, 4, ("A", "DPRA"), 1),
    **{name: Cell(Kind.LUT, 4, ("ADDR",), 1) for name in ("RAM32M", "RAM64M")},
    **{name: Cell(Kind.LUT, 8, ("ADDR",), 1) for name in ("RAM32M16", "RAM64M8")},
    # In blocks of 36 kbit.
    "RAMB18E2": Cell(Kind.BRAM, 0.5),
    "RAMB36E2": Cell(Kind.BRAM),
    # Yosys takes registers into it.
    "DSP48E2": Cell(Kind.DSP),
}

_ECP5 = "synth_ecp5"
_XCUP = "synth_xilinx -family xcup -flatten -noiopad -noclkbuf"
_PACKAGE = ("--package", "CABGA381", "--speed", "8")

TARGETS = {
    target.name: target
    for target in (
        Target(
            "ecp5-45f-8", "Lattice LFE5UM-45F-8", "ecp5-8", _ECP5, ECP5_CELLS,
            ("--um-45k", *_PACKAGE),
        ),
        Target(
            "ecp5-85f-8", "Lattice LFE5UM-85F-8", "ecp5-8", _ECP5, ECP5_CELLS,
            ("--um-85k", *_PACKAGE),
        ),
        Target("xcup", "AMD UltraScale+", "xcup", _XCUP, XCUP_CELLS),
    )
}
"""By name."""
