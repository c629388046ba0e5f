"""Rows of area.py, of now and of an older checkout -> docs/area.md and its plots.

    python benchmarks/area_page.py now.jsonl --before before.jsonl
"""

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from area import PASS
from matplotlib.figure import Figure
from programs import ROOT, names

Row = dict[str, Any]
GOAL_MHZ = 156.25
SMALL, WIDE = ("ecp5-45f-8", 64), ("xcup", 512)
HEAD = """\
# Area and clock

What the last run of `benchmarks/area.py` gave; [synthesis.md](synthesis.md) says how it is measured and
what the figures mean. Areas are those of the program's pipeline, without its surroundings; those of
`constant_pass` are the least that any program has, its clock is the limit of device and tools. `a > b`:
{before} first, then now.

"""


@dataclass(frozen=True)
class Rows:
    """What was measured: by target, width and program. A routed row goes before one that is not."""

    now: dict[tuple[Any, ...], Row]
    naive: dict[tuple[Any, ...], Row]
    before: dict[tuple[Any, ...], Row]

    @classmethod
    def read(cls, now: Path, before: Path | None) -> "Rows":
        def by_key(rows: Iterable[Row], naive: bool) -> dict[tuple[Any, ...], Row]:
            ordered = sorted((r for r in rows if r["naive"] is naive), key=lambda r: r["seeds"])
            return {(r["target"], r["width"], r["program"]): r for r in ordered}

        mine = [json.loads(line) for line in now.read_text().splitlines()]
        old = [json.loads(line) for line in before.read_text().splitlines()] if before else []
        return cls(by_key(mine, False), by_key(mine, True), by_key(old, False))


Figure_ = Callable[[Row], Any]


def inner(kind: str) -> Figure_:
    return lambda row: row["areas"]["program"][kind]


def clock(row: Row) -> str:
    return f"{row['fmax_mhz']:.1f}" if row["fmax_mhz"] else "-"


def limit(row: Row) -> str:
    pieces = row["critical_path"]
    found = [p["part"] if p["stage"] is None else f"stage {p['stage']}" for p in pieces]
    lines = ", ".join(map(str, row["critical_lines"])) if row.get("critical_lines") else ""
    return (", ".join(dict.fromkeys(found)) or "-") + (f" ({lines})" if lines else "")


def table(
    rows: Rows, device: tuple[str, int], changing: dict[str, Figure_], fixed: dict[str, Figure_]
) -> str:
    """A line per program: figures that are compared with those of before, and others."""
    lines = [
        "| program | " + " | ".join([*changing, *fixed]) + " |",
        "|---|" + "--:|" * len(changing) + "---|" * len(fixed),
    ]
    for name in (PASS, *names()):
        row, old = rows.now.get((*device, name)), rows.before.get((*device, name))
        if row is None:
            continue
        cells = [f"`{name.replace('|', '&#124;')}`"]
        for figure in changing.values():
            was, value = figure(old) if old else None, figure(row)
            cells.append(f"{value}" if was in (None, "-", value) else f"{was} > {value}")
        cells += [str(figure(row)) for figure in fixed.values()]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def shares(rows: Rows, others: dict[tuple[Any, ...], Row], kind: str) -> list[float]:
    """Of each program, its area now for one of `others`."""
    found = []
    for name in names():
        row, other = rows.now.get((*SMALL, name)), others.get((*SMALL, name))
        if row and other and inner(kind)(other):
            found.append(inner(kind)(row) / inner(kind)(other))
    return found


def summary(rows: Rows) -> str:
    """The goals, and how far they are met."""
    routed = [r for (t, w, n), r in rows.now.items() if (t, w) == SMALL and r["fmax_mhz"] and n != PASS]
    floor = rows.now.get((*SMALL, PASS))
    lines = []
    if routed:
        clocks = [r["fmax_mhz"] for r in routed]
        met = sum(mhz >= GOAL_MHZ for mhz in clocks)
        lines.append(
            f"- {met} of {len(routed)} programs route at {GOAL_MHZ} MHz or more at 64 bits on the ECP5"
            f" (least {min(clocks):.1f}, median {statistics.median(clocks):.1f} MHz)."
        )
        if floor and floor["fmax_mhz"]:
            near = sum(mhz >= 0.9 * floor["fmax_mhz"] for mhz in clocks)
            lines.append(
                f"- {near} of {len(routed)} reach 90 % of the clock of `{PASS}`, which is"
                f" {floor['fmax_mhz']:.1f} MHz."
            )
    deep = [r for (t, w, _), r in rows.now.items() if (t, w) == WIDE]
    if deep:
        good = sum(max(r["stage_levels"], default=0) <= 5 for r in deep)
        lines.append(f"- {good} of {len(deep)} have at most 5 LUT6 levels in every stage at 512 bits.")
    for what, others in (("the naive mode", rows.naive), ("before", rows.before)):
        lut, ff = shares(rows, others, "lut"), shares(rows, others, "ff")
        if lut and ff:
            lines.append(
                f"- Against {what}, the median of {len(lut)} programs: {statistics.median(lut):.0%} of"
                f" the LUTs, {statistics.median(ff):.0%} of the flip-flops of the pipeline."
            )
    return "\n".join(lines)


def naive_table(rows: Rows) -> str:
    lines = ["| program | LUT, naive > now | FF | latency |", "|---|--:|--:|--:|"]
    for name in names():
        row, old = rows.now.get((*SMALL, name)), rows.naive.get((*SMALL, name))
        if not (row and old):
            continue
        cells = [f"{inner(k)(old)} > {inner(k)(row)}" for k in ("lut", "ff")]
        cells.append(f"{old['latency_cycles']} > {row['latency_cycles']}")
        lines.append(f"| `{name.replace('|', '&#124;')}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def plots(rows: Rows, folder: Path) -> None:
    """Clocks against the goal, and areas against those of before and of the naive mode."""
    mpl.rcParams["svg.hashsalt"] = "rxgate"
    found = [(n, rows.now[*SMALL, n]) for n in (PASS, *names()) if (*SMALL, n) in rows.now]
    labels = [n if len(n) <= 28 else f"{n[:27]}..." for n, _ in found]
    figure = Figure(figsize=(8, 0.22 * len(found) + 1.2), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    at = range(len(found))
    axes[0].axvline(GOAL_MHZ, color="0.6", linestyle="--", linewidth=1)
    for k, (_, row) in enumerate(found):
        if row["fmax_mhz"]:
            axes[0].plot(row["fmax_by_seed"], [k] * len(row["fmax_by_seed"]), "o", ms=3, color="0.7")
            axes[0].plot(row["fmax_mhz"], k, "o", ms=5, color="C0")
    axes[0].set(xlabel="routed clock, MHz (grey: each seed)", yticks=at, yticklabels=labels)
    axes[0].tick_params(axis="y", labelsize=7)
    series = (("naive mode", rows.naive, "C1"), ("before", rows.before, "C2"), ("now", rows.now, "C0"))
    for title, other, colour in series:
        points = [
            (inner("ff")(other[*SMALL, n]), k) for k, (n, _) in enumerate(found)
            if (*SMALL, n) in other
        ]
        if points:
            axes[1].plot(*zip(*points, strict=True), "o", ms=4, color=colour, label=title)
    axes[1].set(xlabel="flip-flops of the pipeline", xscale="symlog")
    axes[1].legend(fontsize=7)
    axes[0].invert_yaxis()
    figure.savefig(folder / "area.svg", metadata={"Date": None})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("rows", type=Path)
    parser.add_argument("--before", type=Path)
    parser.add_argument("--before-name", default="before the passes and the scheduler")
    o = parser.parse_args()
    rows = Rows.read(o.rows, o.before)
    common = {
        "stages": lambda r: r["stages"],
        "latency": lambda r: r["latency_cycles"],
        "live bits": lambda r: r.get("live_bits", "-"),
    }
    small = {**common, "LUT4": inner("lut"), "FF": inner("ff"), "carry": inner("carry"), "MHz": clock}
    wide = {**common, "LUT6": inner("lut"), "FF": inner("ff")}
    levels = {"levels by stage": lambda r: " ".join(map(str, r["stage_levels"]))}
    outer = {
        f"around: {title}": lambda r, kind=kind: r["areas"]["surroundings"][kind]
        for title, kind in (("LUT", "lut"), ("FF", "ff"), ("BRAM", "bram"))
    }
    parts = [
        HEAD.format(before=o.before_name) + summary(rows),
        "![Routed clocks and flip-flops](area.svg)",
        "## Lattice LFE5UM-45F-8, 64 bits",
        table(rows, SMALL, small, {"BRAM": inner("bram"), "DSP": inner("dsp"), **outer,
                                   "limited by": limit}),
        "## AMD UltraScale+, 512 bits",
        table(rows, WIDE, wide, levels),
    ]
    if rows.naive:
        parts += ["## Against the naive mode, ECP5", naive_table(rows)]
    docs = ROOT / "docs"
    plots(rows, docs)
    (docs / "area.md").write_text("\n\n".join(parts) + "\n")
    print(summary(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
