"""Examples, expressions and the constant PASS -> docs/area.md: what each takes of a device.

    python benchmarks/area.py --target ecp5-45f-8 --width 64 -o area.jsonl
    python benchmarks/area.py --target ecp5-45f-8 --width 64 --seeds 3 -o area.jsonl
    python benchmarks/area.py --target ecp5-45f-8 --width 64 --naive -o area.jsonl
    python benchmarks/area.py --target xcup --width 512 -o area.jsonl

With --seeds designs are routed too, which takes minutes each. Every row goes to the file at once, and
what the file has already is not measured again. The page shows all that is in it. --naive leaves out
the passes that narrow values, and places operations as soon as possible; the page compares.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from programs import ROOT, names, program
from rxgate.boards.measure import measure, to_json
from rxgate.boards.targets import TARGETS
from rxgate.compiler.driver import compile_program
from rxgate.compiler.options import Options, Scheduler
from rxgate.compiler.source import read_program

PASS = "constant_pass"
HEAD = """\
# Area and clock

What the last run of `benchmarks/area.py` gave; [synthesis.md](synthesis.md) says how it is measured and
what the figures mean. The surroundings of `constant_pass` are the least that any program has, its clock
is the limit of device and tools.
"""


def row(name: str, target: str, width: int, seeds: int, naive: bool) -> dict[str, Any]:
    """Measure one program."""
    options = Options(width=width)
    if naive:
        options = replace(options, narrow=False, scheduler=Scheduler.ASAP)
    path = ROOT / "benchmarks" / f"{PASS}.c"
    tested = read_program(str(path)) if name == PASS else program(name)
    design = compile_program(tested, options)
    device = TARGETS[target]
    found = measure(design, device, seeds, lambda doing: None)
    return {"program": name, "naive": naive} | to_json(found, design, device)


def key(found: dict[str, Any]) -> tuple[Any, ...]:
    return found["program"], found["target"], found["width"], found["seeds"], found["naive"]


def table(rows: Iterable[dict[str, Any]]) -> str:
    """A line per program."""
    lines = [
        "| program | stages | latency | program LUT | FF | carry | levels by stage |"
        " surroundings LUT | FF | carry | BRAM | levels | clock, MHz | limited by |",
        "|---|" + "--:|" * 5 + "---|" + "--:|" * 6 + "---|",
    ]
    for r in rows:
        inner, outer = r["areas"]["program"], r["areas"]["surroundings"]
        around = max((n for part, n in r["part_levels"].items() if part != "pipeline"), default=0)
        clock = f"{r['fmax_mhz']:.1f}" if r["fmax_mhz"] else "-"
        limits = dict.fromkeys(
            piece["part"] if piece["stage"] is None else f"stage {piece['stage']}"
            for piece in r["critical_path"]
        )
        name = r["program"].replace("|", "\\|")
        lines.append(
            f"| `{name}` | {r['stages']} | {r['latency_cycles']} | {inner['lut']} | {inner['ff']} |"
            f" {inner['carry']} | {' '.join(map(str, r['stage_levels']))} | {outer['lut']} |"
            f" {outer['ff']} | {outer['carry']} | {outer['bram']} | {around} | {clock} |"
            f" {', '.join(limits) or '-'} |"
        )
    return "\n".join(lines)


def comparison(pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> str:
    """The program pipeline against that of the naive mode, and the medians."""
    lines = [
        "| program | LUT | naive | share | FF | naive | share | latency | naive |",
        "|---|" + "--:|" * 8,
    ]
    shares: dict[str, list[float]] = {"lut": [], "ff": []}
    for now, naive in pairs:
        cells = []
        for name, found in shares.items():
            a, b = now["areas"]["program"][name], naive["areas"]["program"][name]
            cells.append(f"{a} | {b} | {a / b:.0%}" if b else f"{a} | {b} | -")
            if b:
                found.append(a / b)
        name = now["program"].replace("|", "\\|")
        lines.append(
            f"| `{name}` | {' | '.join(cells)} | {now['latency_cycles']} | {naive['latency_cycles']} |"
        )
    middle = {name: statistics.median(found) if found else 1.0 for name, found in shares.items()}
    lines.append(f"| median | | | {middle['lut']:.0%} | | | {middle['ff']:.0%} | | |")
    return "\n".join(lines)


def page(rows: list[dict[str, Any]]) -> str:
    """Sections per device and width; a program that was routed shows that row."""
    best: dict[tuple[Any, ...], dict[str, Any]] = {}
    for r in sorted(rows, key=lambda r: r["seeds"]):
        best[r["target"], r["width"], r["naive"], r["program"]] = r
    parts = [HEAD]
    for target, width in sorted({(t, w) for t, w, _, _ in best}):
        found = {
            naive: [
                best[target, width, naive, name]
                for name in (PASS, *names()) if (target, width, naive, name) in best
            ]
            for naive in (False, True)
        }
        title = f"## {TARGETS[target].device}, {width} bits"
        parts.append(f"{title}\n\n{table(found[False])}\n")
        also = {r["program"]: r for r in found[True]}
        if pairs := [(r, also[r["program"]]) for r in found[False] if r["program"] in also]:
            parts.append(f"{title}, against the naive mode\n\n{comparison(pairs)}\n")
    return "\n".join(parts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--target", choices=list(TARGETS), default=next(iter(TARGETS)))
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--naive", action="store_true")
    parser.add_argument("--only", help="programs, by name, with commas between")
    parser.add_argument("-o", "--output", type=Path, required=True)
    o = parser.parse_args()
    o.output.touch()
    rows = [json.loads(line) for line in o.output.read_text().splitlines()]
    chosen = o.only.split(",") if o.only else [PASS, *names()]
    for name in chosen:
        if (name, o.target, o.width, o.seeds, o.naive) in map(key, rows):
            continue
        rows.append(row(name, o.target, o.width, o.seeds, o.naive))
        with o.output.open("a") as file:
            file.write(json.dumps(rows[-1]) + "\n")
        print(f"{name}: {rows[-1]['lut']} LUT, {rows[-1]['fmax_mhz'] or '-'} MHz", flush=True)
    (ROOT / "docs" / "area.md").write_text(page(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
