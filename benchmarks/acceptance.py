"""Every example and expression, on every circuit asked for, against the golden interpreter.

    python benchmarks/acceptance.py --packets 100000 --widths 64,512 -o runs.jsonl

Each run appends a line of JSON to the output file; runs that it already holds are not repeated, so
that an interrupted call can be taken up again. Exit status 1 when any packet disagrees.
"""

import argparse
import hashlib
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from programs import names, program
from rxgate.compiler.driver import compile_program
from rxgate.compiler.options import Options, Route
from rxgate.sim.cocotb_engine import simulate_cocotb
from rxgate.sim.fast import Conditions, simulate_fast
from rxgate.sim.golden import Frame
from rxgate.sim.traffic import generate_frames

ENGINES = {"fast": simulate_fast, "cocotb": simulate_cocotb}


@dataclass(frozen=True)
class Run:
    """One simulation to do."""

    program: str
    width: int
    route: str
    engine: str
    packets: int
    seed: int
    idle: float
    stall: float
    random_start: bool

    @property
    def key(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)


def simulate(run: Run) -> dict[str, object]:
    """The figures of one run."""
    tested = program(run.program)
    design = compile_program(tested, Options(width=run.width, route=Route(run.route)))
    frames = [Frame(data) for data in generate_frames(tested, run.packets, run.seed, "mixed")]
    conditions = Conditions(
        seed=run.seed, idle=run.idle, stall=run.stall, random_start=run.random_start
    )
    result = ENGINES[run.engine](
        design.verilog, design.config, design.inputs, frames, tested, conditions=conditions
    )
    digest = hashlib.sha256(design.verilog.encode()).hexdigest()[:16]
    first = str(result.mismatches[0]) if result.mismatches else ""
    return asdict(run) | result.to_json() | {
        "verilog": digest, "seconds": round(result.seconds, 2), "first_mismatch": first,
    }


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

    done: dict[str, dict[str, object]] = {}
    if o.output.exists():
        fields = Run.__dataclass_fields__
        for line in o.output.read_text().splitlines():
            row = json.loads(line)
            done[Run(**{f: row[f] for f in fields} | {"packets": row["asked"]}).key] = row
    wanted = [
        Run(name, int(width), route, o.engine, o.packets, o.seed, o.idle, o.stall, o.random_start)
        for name in names() if o.only in name
        for width in o.widths.split(",") for route in o.routes.split(",")
    ]
    todo = [run for run in wanted if run.key not in done]
    bad = 0
    with ProcessPoolExecutor(o.jobs) as pool, o.output.open("a") as log:
        futures = [(run, pool.submit(simulate, run)) for run in todo]
        for n, (run, future) in enumerate(futures, 1):
            row = future.result() | {"asked": run.packets}
            log.write(json.dumps(row) + "\n")
            log.flush()
            bad += bool(row["mismatches"])
            print(f"{n}/{len(todo)} {run.program} {run.width} {run.route}:"
                  f" {row['packets']} packets, {row['mismatches']} mismatches,"
                  f" {row['input_stalls']} stalls {row['first_mismatch']}", flush=True)
    bad += sum(bool(done[r.key]["mismatches"]) for r in wanted if r.key in done)
    print(f"{len(wanted)} runs, {bad} with mismatches")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
