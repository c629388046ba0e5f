"""One small filter on rxgate, on eBPF processors and in software -> docs/peers.md.

    python benchmarks/peers.py --seeds 3

Routes the filter for the device on which the processors were measured, runs it in the interpreter and,
where bpf(2) is permitted, in the kernel. Takes some minutes.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from programs import ROOT
from rxgate.boards.measure import Measurement, measure
from rxgate.boards.targets import TARGETS
from rxgate.compiler.delay_tables import DELAYS
from rxgate.compiler.driver import compile_program
from rxgate.compiler.insn import Program
from rxgate.compiler.options import Options
from rxgate.compiler.source import read_program
from rxgate.ctx_map.models import describe
from rxgate.sim.interp import Interpreter
from rxgate.sim.kernel import KernelProgram, available

TARGET, WIDTH = "ecp5-45f-8", 64
RUNS = 20_000
KERNEL_RUNS = 1_000_000


@dataclass(frozen=True)
class Processor:
    """An eBPF processor with a filter of the same checks: cycles for the three frames."""

    name: str
    lut4: int
    mhz: float
    cycles: tuple[int, int, int]


SMALLER = Processor("VeBPF, a processor", 21_610, 33.9, (38, 76, 120))
"""Built from its public sources with Yosys 0.70, routed with nextpnr 0.11.1 for the same device."""

HEAD = """\
# One filter, on peers and in software

`benchmarks/udp_filter.c` drops UDP to port 53 after looking at Ethernet type, header length, fragment
offset and protocol. The processor runs the same checks, written by hand in 25 instructions; its figures
come from its public sources, built with the same tools for the same device, Lattice LFE5UM-45F-8.
Frames have 64 bytes. rxgate takes {beats} cycles for each of them at {width} bits, since that is how
long one is on the bus, and its area counts everything from AXI4-Stream to AXI4-Stream; a carry cell
as two LUT4.

`benchmarks/peers.py` makes this page.

"""


def frames() -> dict[str, bytes]:
    """The three kinds of frames, 60 bytes and FCS."""
    ether = bytes(12)
    ip = bytes.fromhex("45 00 00 2e 00 00 40 00 40 11 00 00 0a 00 00 01 0a 00 00 02".replace(" ", ""))
    tcp = ip[:9] + b"\x06" + ip[10:]
    ports = (1234).to_bytes(2, "big") + (53).to_bytes(2, "big")
    kinds = {"not IPv4": b"\x08\x06", "TCP": b"\x08\x00" + tcp, "UDP to port 53": b"\x08\x00" + ip}
    return {name: (ether + rest + ports).ljust(60, b"\0") for name, rest in kinds.items()}


def hardware(program: Program, seeds: int) -> tuple[Measurement, float]:
    """What the gate takes, and its clock in MHz."""
    device = TARGETS[TARGET]
    clock = DELAYS[device.delays].clock_mhz
    design = compile_program(
        program, Options(width=WIDTH, target=device.delays, clock_mhz=clock)
    )
    found = measure(design, device, seeds, lambda doing: print(doing, flush=True))
    assert found.median_mhz is not None
    return found, found.median_mhz


def software(program: Program) -> Iterator[tuple[str, list[float]]]:
    """Packets per second and core of each way to run the program here."""
    received = [describe(frame) for frame in frames().values()]
    interpreter = Interpreter(program)
    rates = []
    for r in received:
        start = time.process_time()
        for _ in range(RUNS):
            interpreter.run(r.frame, r.descriptor)
        rates.append(RUNS / (time.process_time() - start))
    yield "rxgate's interpreter, one core", rates
    if available() is None:
        with KernelProgram(program) as kernel:
            took = [kernel.nanoseconds(r.frame, r.descriptor, KERNEL_RUNS) for r in received]
        yield "Linux, JIT, one core, test run without a driver", [1e9 / ns for ns in took]


def page(program: Program, found: Measurement, mhz: float) -> str:
    beats = -(-64 // (WIDTH // 8))
    own = [mhz * 1e6 / beats] * 3
    theirs = [SMALLER.mhz * 1e6 / cycles for cycles in SMALLER.cycles]
    lut4 = found.gate.lut + 2 * found.gate.carry
    rows = [
        (f"rxgate, {WIDTH} bits", f"{lut4:,.0f}", f"{mhz:.1f}", own),
        (SMALLER.name, f"{SMALLER.lut4:,}", f"{SMALLER.mhz:.1f}", theirs),
        *((name, "-", "-", rates) for name, rates in software(program)),
    ]
    lines = [
        "| | LUT4 | clock, MHz | " + " | ".join(f"{kind}, Mpps" for kind in frames()) + " |",
        "|---|" + "--:|" * 5,
    ]
    lines += [
        f"| {name} | {area} | {clock} | " + " | ".join(f"{r / 1e6:.2f}" for r in rates) + " |"
        for name, area, clock, rates in rows
    ]
    times = ", ".join(f"{a / b:.0f}" for a, b in zip(own, theirs, strict=True))
    return (
        HEAD.format(beats=beats, width=WIDTH)
        + "\n".join(lines)
        + f"\n\nAgainst the processor: {lut4 / SMALLER.lut4:.1%} of its LUT4, {times} times its packets"
        " per second for the three kinds of frames.\n"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3)
    o = parser.parse_args()
    program = read_program(str(ROOT / "benchmarks" / "udp_filter.c"))
    text = page(program, *hardware(program, o.seeds))
    (ROOT / "docs" / "peers.md").write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
