"""Wires -> cells of an ECP5: its PLL, and what stands at the pins of an RGMII port.

Parameters are those of FPGA-TN-02200 (PLL) and FPGA-TN-02035 (double data rate registers, delays).
"""

from dataclasses import dataclass

from amaranth.hdl import ClockSignal, Instance, Module, Signal, Value

VCO_MHZ = (400.0, 800.0)
PFD_MHZ = (3.125, 400.0)
DELAY_STEP_NS = 0.025
DELAY_STEPS = 127
PLL_OUTPUT = "pll/CLKOP"
"""The pin of the PLL that drives its clock, from the module that `pll` is called for."""


@dataclass(frozen=True, slots=True)
class Divisors:
    """What an EHXPLLL divides by: its input, its feedback, and its oscillator for the output."""

    reference: int
    feedback: int
    output: int


def divisors(input_mhz: float, output_mhz: float) -> Divisors:
    """The smallest divisors with an oscillator nearest the middle of its range."""
    middle = sum(VCO_MHZ) / 2
    output = min(
        (n for n in range(1, 129) if VCO_MHZ[0] <= n * output_mhz <= VCO_MHZ[1]),
        key=lambda n: abs(n * output_mhz - middle),
    )
    for reference in range(1, 129):
        feedback = output_mhz * reference / input_mhz
        if feedback == int(feedback) and PFD_MHZ[0] <= input_mhz / reference <= PFD_MHZ[1]:
            return Divisors(reference, int(feedback), output)
    raise ValueError(f"No divisors make {output_mhz!r} MHz of {input_mhz!r} MHz")


def pll(
    m: Module, input_mhz: float, output_mhz: float, oscillator: Value, clock: Value, locked: Value
) -> None:
    """`clock` of `output_mhz`, in phase with the oscillator; `locked` once it can be used."""
    by = divisors(input_mhz, output_mhz)
    m.submodules.pll = Instance(
        "EHXPLLL",
        a_FREQUENCY_PIN_CLKI=f"{input_mhz:g}", a_FREQUENCY_PIN_CLKOP=f"{output_mhz:g}",
        a_ICP_CURRENT="12", a_LPF_RESISTOR="8",
        p_PLLRST_ENA="DISABLED", p_INTFB_WAKE="DISABLED", p_STDBY_ENABLE="DISABLED",
        p_DPHASE_SOURCE="DISABLED", p_FEEDBK_PATH="CLKOP",
        p_CLKI_DIV=by.reference, p_CLKFB_DIV=by.feedback,
        p_CLKOP_ENABLE="ENABLED", p_CLKOP_DIV=by.output,
        p_CLKOP_CPHASE=by.output - 1, p_CLKOP_FPHASE=0, p_OUTDIVIDER_MUXA="DIVA",
        i_CLKI=oscillator, i_CLKFB=clock, i_RST=0, i_STDBY=0, i_ENCLKOP=0, i_PLLWAKESYNC=0,
        i_PHASESEL0=0, i_PHASESEL1=0, i_PHASEDIR=0, i_PHASESTEP=0, i_PHASELOADREG=0,
        o_CLKOP=clock, o_LOCK=locked,
    )  # fmt: skip


def double_in(
    m: Module, name: str, domain: str, pin: Value, rise: Value, fall: Value, delay_ns: float
) -> None:
    """What the wires of `pin` are at both edges of a clock; both come at the next rising one."""
    for n in range(len(pin)):
        late = Signal(name=f"{name}_late_{n}")
        m.submodules[f"{name}_delay_{n}"] = _delay(pin[n], late, delay_ns)
        m.submodules[f"{name}_ddr_{n}"] = Instance(
            "IDDRX1F",
            i_D=late, i_SCLK=ClockSignal(domain), i_RST=0, o_Q0=rise[n], o_Q1=fall[n],
        )


def double_out(
    m: Module, name: str, rise: Value, fall: Value, pin: Value, delay_ns: float = 0.0
) -> None:
    """Drives the wires of `pin` with `rise` in the first half of a cycle, then with `fall`."""
    for n in range(len(pin)):
        early = Signal(name=f"{name}_early_{n}")
        m.submodules[f"{name}_ddr_{n}"] = Instance(
            "ODDRX1F",
            i_D0=rise[n], i_D1=fall[n], i_SCLK=ClockSignal(), i_RST=0, o_Q=early,
        )
        m.submodules[f"{name}_delay_{n}"] = _delay(early, pin[n], delay_ns)


def _delay(before: Value, after: Value, ns: float) -> Instance:
    steps = round(ns / DELAY_STEP_NS)
    if not 0 <= steps <= DELAY_STEPS:
        raise ValueError(f"Delays are 0 to {DELAY_STEPS * DELAY_STEP_NS:g} ns, not {ns!r}")
    return Instance(
        "DELAYG", p_DEL_MODE="USER_DEFINED", p_DEL_VALUE=steps, i_A=before, o_Z=after
    )
