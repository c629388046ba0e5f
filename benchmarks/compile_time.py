"""Generated programs of growing size -> the table of docs/results.md on compile time.

    python benchmarks/compile_time.py -o compile_time.md

Seconds are processor time of this process and of Yosys, from a program's bytes in a file to Verilog
text. The last column compares ten times as many instructions with n log n, leaving out the time of a
program of two instructions, which is that of the gate around it: at most 1 when the time grows no
faster. Exit status 1 when a program takes longer than `LIMITS` allows.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import log
from pathlib import Path
from typing import Any

from rxgate.compiler import driver
from rxgate.compiler.decode import decode
from rxgate.compiler.encode import encode
from rxgate.compiler.insn import Program
from rxgate.compiler.load import load_program
from shapes import SHAPES, nothing

SIZES = (100, 1_000, 2_000, 10_000)
LIMITS = {100: 1.0, 2_000: 10.0}
"""Seconds that a program of so many instructions may take."""
PHASES = ("load", "decode", "build_cfg", "verify", "lift", "run_passes", "schedule", "verilog")


@dataclass(frozen=True)
class Time:
    """Seconds of each phase of one program, and what came out."""

    shape: str
    size: int
    phases: dict[str, float]
    total: float
    stages: int
    live_bits: int


def cpu() -> float:
    """Seconds of processor time of this process and of the tools that it called."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@contextmanager
def watched(phases: dict[str, float]) -> Iterator[None]:
    """Add the time of the driver's calls to `phases`."""
    originals: dict[str, Callable[..., Any]] = {
        name: getattr(driver, name) for name in PHASES if hasattr(driver, name)
    }

    def timed(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any, **named: Any) -> Any:
            start = cpu()
            result = call(*args, **named)
            phases[name] = phases.get(name, 0.0) + cpu() - start
            return result

        return wrapper

    for name, call in originals.items():
        setattr(driver, name, timed(name, call))
    try:
        yield
    finally:
        for name, call in originals.items():
            setattr(driver, name, call)


def measure(shape: Callable[[int], Program], size: int, directory: Path) -> Time:
    program = shape(size)
    path = directory / "program.hex"
    path.write_text("\n".join(encode(program).code.hex(" ", 8).split()))
    phases: dict[str, float] = {}
    start = cpu()
    raw = load_program(path, context=program.context)
    phases["load"] = cpu() - start
    tested = decode(raw)
    phases["decode"] = cpu() - start - phases["load"]
    with watched(phases):
        design = driver.compile_program(tested)
    before = cpu()
    _ = design.verilog
    end = cpu()
    phases["verilog"] = end - before
    placed = design.schedule
    live = sum(placed.live_bits(k) for k in range(placed.latency))
    return Time(shape.__name__, size, phases, end - start, placed.latency, live)


def growth(base: Time, small: Time, large: Time) -> float:
    """The time's growth between two sizes, over that of n log n."""
    expected = large.size * log(large.size) / (small.size * log(small.size))
    return (large.total - base.total) / (small.total - base.total) / expected


def table(base: Time, times: list[Time]) -> str:
    lines = [
        "| shape | instructions | " + " | ".join(p.replace("_", " ") for p in PHASES)
        + " | total, s | stages | live bits, all cuts | growth / n log n |",
        "|---|" + "--:|" * (len(PHASES) + 5),
    ]
    for t in [base, *times]:
        tenth = [s for s in times if s.shape == t.shape and s.size * 10 == t.size and s.size > 100]
        ratio = f"{growth(base, tenth[0], t):.2f}" if tenth else ""
        phases = " | ".join(f"{t.phases.get(p, 0):.3f}" for p in PHASES)
        lines.append(
            f"| {t.shape.replace('_', ' ')} | {t.size:,} | {phases} | {t.total:.2f} | {t.stages} |"
            f" {t.live_bits:,} | {ratio} |"
        )
    return "\n".join(lines)


HEAD = """\
## Compile time

Processor seconds from a program's bytes to Verilog text, at 512 bits; instructions count after
inlining and unrolling. The last column compares ten times as many instructions with n log n, without
the time of `nothing`, which is that of the gate around a program. A pipeline with more stages holds
more bits in each: where time grows faster, so does the circuit.

"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shapes", default=",".join(SHAPES))
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("-o", "--output", type=Path, required=True)
    o = parser.parse_args()
    times: list[Time] = []
    with tempfile.TemporaryDirectory() as directory:
        measure(nothing, 2, Path(directory))  # what is imported late is no compile time
        base = measure(nothing, 2, Path(directory))
        for shape in o.shapes.split(","):
            for size in map(int, o.sizes.split(",")):
                times.append(measure(SHAPES[shape], size, Path(directory)))
                print(f"{shape} {size}: {times[-1].total:.2f} s", flush=True)
                o.output.write_text(HEAD + table(base, times) + "\n")
    slow = [t for t in times if t.total > LIMITS.get(t.size, t.total)]
    for t in slow:
        print(f"too slow: {t.shape} of {t.size} instructions, {t.total:.2f} s")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
