"""Examples, expressions and the constant PASS -> rows: what each takes of a device.

    python benchmarks/area.py --target ecp5-45f-8 --width 64 --seeds 3 -o now.jsonl
    python benchmarks/area.py --target ecp5-45f-8 --width 64 --naive -o now.jsonl
    python benchmarks/area.py --target xcup --width 512 -o now.jsonl
    python benchmarks/area_page.py now.jsonl --before before.jsonl

With --seeds designs are routed too, which takes minutes each. Every row goes to the file at once, and
what the file has already is not measured again. --naive leaves out the passes that narrow values, and
places operations as soon as possible. A file from an older checkout shows what has changed since.
"""

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

from programs import ROOT, names, program
from rxgate.boards.measure import measure, to_json
from rxgate.boards.targets import TARGETS
from rxgate.compiler.delay_tables import DELAYS
from rxgate.compiler.driver import compile_program
from rxgate.compiler.options import Options, Scheduler
from rxgate.compiler.source import read_program

PASS = "constant_pass"


def row(name: str, target: str, width: int, seeds: int, naive: bool) -> dict[str, Any]:
    """Measure one program."""
    device = TARGETS[target]
    clock = DELAYS[device.delays].clock_mhz
    options = Options(width=width, target=device.delays, clock_mhz=clock)
    if naive:
        options = replace(options, narrow=False, scheduler=Scheduler.ASAP)
    path = ROOT / "benchmarks" / f"{PASS}.c"
    tested = read_program(str(path)) if name == PASS else program(name)
    design = compile_program(tested, options)
    found = measure(design, device, seeds, lambda doing: None)
    live = sum(design.schedule.live_bits(k) for k in range(design.schedule.latency))
    return {
        "program": name, "naive": naive, "live_bits": live, **to_json(found, design, device)
    }


def key(found: dict[str, Any]) -> tuple[Any, ...]:
    return found["program"], found["target"], found["width"], found["seeds"], found["naive"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--target", choices=list(TARGETS), default=next(iter(TARGETS)))
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--naive", action="store_true")
    parser.add_argument("--only", help="programs, by name, with commas between")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, required=True)
    o = parser.parse_args()
    o.output.touch()
    have = {key(json.loads(line)) for line in o.output.read_text().splitlines()}
    chosen = o.only.split(",") if o.only else [PASS, *names()]
    how = (o.target, o.width, o.seeds, o.naive)
    missing = [name for name in chosen if (name, *how) not in have]
    with ProcessPoolExecutor(o.jobs) as pool:
        running = [pool.submit(row, name, *how) for name in missing]
        for done in as_completed(running):
            found = done.result()
            with o.output.open("a") as file:
                file.write(json.dumps(found) + "\n")
            mhz = found["fmax_mhz"] or "-"
            print(f"{found['program']}: {found['lut']} LUT, {mhz} MHz", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
