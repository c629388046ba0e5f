"""Every example and expression, on every circuit asked for, against the golden interpreter.

    python benchmarks/acceptance.py --packets 100000 --widths 64,512 -o runs.jsonl

Each run appends a line of JSON to the output file. A run that it already holds, with the very same
Verilog, is not repeated, so that an interrupted call can be taken up again. Two descriptor routes
that give the same Verilog are one run. Exit status 1 when any packet disagrees.
"""

import argparse
import hashlib
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from programs import names, program
from rxgate.compiler.driver import compile_program
from rxgate.compiler.options import Options, Route
from rxgate.sim.cocotb_engine import simulate_cocotb
from rxgate.sim.conditions import Conditions
from rxgate.sim.fast import simulate_fast
from rxgate.sim.golden import Frame
from rxgate.sim.traffic import generate_frames

ENGINES = {"fast": simulate_fast, "cocotb": simulate_cocotb}


@dataclass(frozen=True)
class Run:
    """One simulation to do."""

    program: str
    width: int
    engine: str
    packets: int
    seed: int
    idle: float
    stall: float
    random_start: bool


Row = dict[str, object]


def key(row: Row) -> str:
    """What tells runs apart: the circuit and the conditions."""
    wanted = (*Run.__dataclass_fields__, "verilog")
    return json.dumps([row["asked"] if f == "packets" else row[f] for f in wanted])


@lru_cache(maxsize=1)
def traffic(name: str, packets: int, seed: int) -> list[Frame]:
    """Frames that are aimed at a program's branches; the same for all of its circuits."""
    return [Frame(data) for data in generate_frames(program(name), packets, seed, "mixed")]


def simulate(run: Run, route: Route, done: frozenset[str]) -> Row | None:
    """The figures of one run, None when it is done."""
    tested = program(run.program)
    design = compile_program(tested, Options(width=run.width, route=route))
    digest = hashlib.sha256(design.verilog.encode()).hexdigest()[:16]
    row: Row = asdict(run) | {"asked": run.packets, "verilog": digest, "route": route.value}
    if key(row) in done:
        return None
    frames = traffic(run.program, run.packets, run.seed)
    conditions = Conditions(
        seed=run.seed, idle=run.idle, stall=run.stall, random_start=run.random_start
    )
    result = ENGINES[run.engine](
        design.verilog, design.config, design.inputs, frames, design.program,
        conditions=conditions,
    )
    first = str(result.mismatches[0]) if result.mismatches else ""
    return row | result.to_json() | {
        "seconds": round(result.seconds, 2), "first_mismatch": first
    }


def simulate_routes(run: Run, routes: tuple[Route, ...], done: frozenset[str]) -> list[Row]:
    """The figures of one run for each route whose circuit is not done."""
    rows = []
    for route in routes:
        row = simulate(run, route, done)
        if row is not None:
            rows.append(row)
            done |= {key(row)}
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=100_000)
    parser.add_argument("--widths", default="64,512")
    parser.add_argument("--routes", default=",".join(r.value for r in Route))
    parser.add_argument("--engine", choices=list(ENGINES), default="fast")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--idle", type=float, default=0.0)
    parser.add_argument("--stall", type=float, default=0.0)
    parser.add_argument("--random-start", action="store_true")
    parser.add_argument("--only", default="", help="programs whose name contains this")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, required=True)
    o = parser.parse_args()

    rows: list[Row] = []
    if o.output.exists():
        rows = [json.loads(line) for line in o.output.read_text().splitlines()]
    done = frozenset(map(key, rows))
    runs = [
        Run(name, int(width), o.engine, o.packets, o.seed, o.idle, o.stall, o.random_start)
        for name in names() if o.only in name for width in o.widths.split(",")
    ]
    routes = tuple(map(Route, o.routes.split(",")))
    with ProcessPoolExecutor(o.jobs) as pool, o.output.open("a") as log:
        futures = [(run, pool.submit(simulate_routes, run, routes, done)) for run in runs]
        for n, (run, future) in enumerate(futures, 1):
            for row in future.result():
                rows.append(row)
                log.write(json.dumps(row) + "\n")
                log.flush()
                print(f"{n}/{len(runs)} {run.program} {run.width} {row['route']}:"
                      f" {row['packets']} packets, {row['mismatches']} mismatches,"
                      f" {row['input_stalls']} stalls {row['first_mismatch']}", flush=True)
    bad = sum(bool(row["mismatches"]) for row in rows)
    print(f"{len(rows)} circuits simulated, {bad} with mismatches")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
