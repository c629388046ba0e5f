"""Generated programs of growing size -> the table of docs/results.md on compile time.

    python benchmarks/compile_time.py -o compile_time.md

Processor time of this process and of Yosys, in seconds: from the instructions' bytes to Verilog text.
The last column is what ten times as many instructions take, against n log n: at most 1 when time
grows no faster.
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
from rxgate.compiler.load import load_program
from shapes import SHAPES

SIZES = (100, 1_000, 2_000, 10_000)
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


def measure(shape: str, size: int, directory: Path) -> Time:
    program = SHAPES[shape](size)
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
    return Time(shape, size, phases, end - start, placed.latency, live)


def growth(small: Time, large: Time) -> float:
    """How much faster than n log n the time grows between two sizes."""
    expected = large.size * log(large.size) / (small.size * log(small.size))
    return large.total / small.total / expected


def table(times: list[Time]) -> str:
    lines = [
        "| shape | instructions | " + " | ".join(p.replace("_", " ") for p in PHASES)
        + " | total, s | stages | live bits, all cuts | growth / n log n |",
        "|---|" + "--:|" * (len(PHASES) + 5),
    ]
    for t in times:
        tenth = [s for s in times if s.shape == t.shape and s.size * 10 == t.size]
        ratio = f"{growth(tenth[0], t):.2f}" if tenth else ""
        phases = " | ".join(f"{t.phases.get(p, 0):.3f}" for p in PHASES)
        lines.append(
            f"| `{t.shape}` | {t.size:,} | {phases} | {t.total:.2f} | {t.stages} |"
            f" {t.live_bits:,} | {ratio} |"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shapes", default=",".join(SHAPES))
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("-o", "--output", type=Path, required=True)
    o = parser.parse_args()
    times = []
    with tempfile.TemporaryDirectory() as directory:
        for shape in o.shapes.split(","):
            for size in map(int, o.sizes.split(",")):
                times.append(measure(shape, size, Path(directory)))
                print(f"{shape} {size}: {times[-1].total:.2f} s", flush=True)
    o.output.write_text("## Compile time\n\n" + table(times) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
