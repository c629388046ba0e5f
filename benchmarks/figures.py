"""Examples and expressions -> the tables of docs/results.md that say what each costs.

    python benchmarks/figures.py -o figures.md

Cycles per packet are for 64-byte frames back to back with the sink always ready; packets per second
are wall clock of one run on this machine, from the first frame sent to the last one compared with the
golden model (native in the fast engine, the interpreter with cocotb), and only good for comparing rows.
"""

import argparse
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from programs import expressions, names, program
from rxgate.compiler.driver import compile_program
from rxgate.compiler.ir import WIRING
from rxgate.compiler.options import WIDTHS, Options
from rxgate.sim.cocotb_engine import simulate_cocotb
from rxgate.sim.conditions import Conditions
from rxgate.sim.fast import simulate_fast
from rxgate.sim.golden import Frame
from rxgate.sim.packets import generate
from rxgate.sim.result import SimResult

FAST_PACKETS = 1_000_000
COCOTB_PACKETS = 50_000
RATE_PACKETS = 5_000


@dataclass(frozen=True)
class Cost:
    """Static figures of one program at 512 bits, front-end route."""

    name: str
    instructions: int
    operations: int
    stages: int
    latency: int
    live_bits: int
    window: int
    compile_ms: float


@dataclass(frozen=True)
class Speed:
    """Simulated figures of one example."""

    name: str
    cycles: tuple[float, ...]
    stalls: int
    fast: float
    cocotb: float


def cost(name: str) -> Cost:
    tested = program(name)
    start = time.perf_counter()
    design = compile_program(tested)
    elapsed = time.perf_counter() - start
    placed = design.schedule
    return Cost(
        name,
        sum(i is not None for i in tested.insns),
        sum(n.op not in WIRING for n in placed.function.nodes),
        placed.latency,
        design.gate.latency,
        sum(placed.live_bits(k) for k in range(placed.latency)),
        design.config.window,
        elapsed * 1000,
    )


def simulate(
    name: str, width: int, count: int, engine: Callable[..., SimResult]
) -> SimResult:
    tested = program(name)
    design = compile_program(tested, Options(width=width))
    frames = [Frame(data) for data in generate(count, 1, "64")]
    result = engine(
        design.verilog, design.config, design.inputs, frames, tested, conditions=Conditions()
    )
    if not result.agreed:
        raise SystemExit(f"{name} at {width} bits: {result.mismatches[0]}")
    return result


def speed(name: str) -> Speed:
    rates = [simulate(name, width, RATE_PACKETS, simulate_fast) for width in WIDTHS]
    fast = simulate(name, 512, FAST_PACKETS, simulate_fast)
    cocotb = simulate(name, 512, COCOTB_PACKETS, simulate_cocotb)
    return Speed(
        name,
        tuple(r.cycles_per_packet for r in rates),
        sum(r.input_stalls for r in rates),
        fast.packets / fast.seconds,
        cocotb.packets / cocotb.seconds,
    )


def cost_table(costs: list[Cost]) -> str:
    lines = [
        "| program | instructions | operations | stages | latency, cycles | live bits, all cuts |"
        " window, bytes | compile, ms |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for c in costs:
        name = c.name.replace("|", "\\|")
        lines.append(
            f"| `{name}` | {c.instructions} | {c.operations} | {c.stages} | {c.latency} |"
            f" {c.live_bits} | {c.window} | {c.compile_ms:.0f} |"
        )
    return "\n".join(lines)


def speed_table(speeds: list[Speed]) -> str:
    heads = " | ".join(f"{w} bits" for w in WIDTHS)
    lines = [
        f"| example | {heads} | stalls | fast engine, packets/s | cocotb, packets/s |",
        "|---|" + "--:|" * (len(WIDTHS) + 3),
    ]
    for s in speeds:
        cycles = " | ".join(f"{c:.2f}" for c in s.cycles)
        lines.append(f"| `{s.name}` | {cycles} | {s.stalls} | {s.fast:,.0f} | {s.cocotb:,.0f} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--no-simulation", action="store_true")
    parser.add_argument("--only", help="examples to simulate, by name, with commas between")
    parser.add_argument("-o", "--output", type=Path, required=True)
    o = parser.parse_args()
    parts = ["## What each program costs\n", cost_table([cost(n) for n in names()]), ""]
    if not o.no_simulation:
        examples = [n for n in names() if n not in expressions()]
        if o.only:
            examples = [n for n in examples if n in o.only.split(",")]
        with ProcessPoolExecutor(o.jobs) as pool:
            speeds = list(pool.map(speed, examples))
        parts += ["## Cycles per 64-byte packet, and simulation speed\n", speed_table(speeds), ""]
    o.output.write_text("\n".join(parts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
