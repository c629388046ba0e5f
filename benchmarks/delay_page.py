"""Rows of delay.py -> fitted figures on standard output, docs/delay.md and its plots.

    python benchmarks/delay_page.py delay.jsonl

The figures are what makes the scheduler's model come closest to the routed operators.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from delay import operators
from matplotlib.figure import Figure
from programs import ROOT, names
from rxgate.compiler.delay import MARGIN, Model
from rxgate.compiler.delay_tables import DELAYS, Delays
from rxgate.compiler.ir import Function
from rxgate.compiler.placement import Clocked

Row = dict[str, Any]
PINNED = ("inputs", "fixed", "clock_mhz")
NEAR = 0.15
MEASURED = {"ecp5-8": "ECP5, speed 8", "ecp5-6": "ECP5, speed 6"}


def length(function: Function, delays: Delays) -> float:
    """What the model says of a circuit of one operation."""
    clocked = Clocked(function, Model(delays, 1.0))
    for n in clocked.read:
        clocked.place(n, 0)
    return delays.fixed + max(a.out for a in clocked.arrival.values())


def fitted(rows: Iterable[Row], start: Delays) -> Delays:
    """Figures by least squares of relative errors; the model is linear in them, nearly."""
    graphs = operators()
    found = [(graphs[r["name"]], max(r["routed"])) for r in rows]
    free = [f.name for f in fields(Delays) if f.name not in PINNED]
    now = start
    for _ in range(4):
        said = np.array([length(g, now) for g, _ in found])
        routed = np.array([ns for _, ns in found])
        step = 1e-3
        slopes = np.array(
            [
                [(length(g, replace(now, **{k: getattr(now, k) + step})) - s) / step for k in free]
                for (g, _), s in zip(found, said, strict=True)
            ]
        )
        change = np.linalg.lstsq(slopes / routed[:, None], (routed - said) / routed, rcond=None)[0]
        now = replace(
            now, **{k: max(0.001, getattr(now, k) + d) for k, d in zip(free, change, strict=True)}
        )
    return now


def latest(rows: Iterable[Row], kind: str) -> dict[tuple[str, str], Row]:
    """The last row of each circuit, by device and name."""
    return {(r["target"], r["name"]): r for r in rows if r["kind"] == kind}


def off(said: float, routed: float) -> str:
    return f"{said / routed - 1:+.0%}"


def figures_table() -> str:
    shown = [f.name for f in fields(Delays)]
    lines = ["| | " + " | ".join(DELAYS) + " |", "|---|" + "--:|" * len(DELAYS)]
    for name in shown:
        cells = (getattr(d, name) for d in DELAYS.values())
        lines.append(f"| `{name}` | " + " | ".join(f"{v:.3g}" for v in cells) + " |")
    return "\n".join(lines)


def operators_table(rows: Mapping[tuple[str, str], Row]) -> str:
    graphs = operators()
    devices = [d for d in MEASURED if any(t == d for t, _ in rows)]
    heads = " | ".join(f"{MEASURED[d]}: routed | model | off" for d in devices)
    lines = [f"| operator and bits | {heads} |", "|---|" + "--:|" * 3 * len(devices)]
    for name, graph in graphs.items():
        cells = []
        for d in devices:
            row = rows.get((d, name))
            if row is None:
                cells.append("- | - | -")
                continue
            routed, said = max(row["routed"]), length(graph, DELAYS[d])
            cells.append(f"{routed:.2f} | {said:.2f} | {off(said, routed)}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def programs_table(rows: Mapping[tuple[str, str], Row], device: str) -> str:
    lines = [
        "| program | stages: routed, ns | model, ns | scheduler, ns | slowest: routed | model | off |",
        "|---|---|---|---|--:|--:|--:|",
    ]
    for name in names():
        row = rows.get((device, name))
        if row:
            kinds = ("routed", "model", "scheduler")
            stages = " | ".join(" ".join(f"{ns:.1f}" for ns in row[k]) for k in kinds)
            worst = [max(row[k]) for k in ("routed", "model")]
            lines.append(
                f"| `{name.replace('|', chr(92) + '|')}` | {stages} | {worst[0]:.2f} |"
                f" {worst[1]:.2f} | {off(worst[1], worst[0])} |"
            )
    return "\n".join(lines)


def share(rows: Iterable[Row]) -> str:
    """How many programs are near: with what mapping makes of stages, and without."""
    rows = list(rows)
    told = [_spread(rows, kind) for kind in ("model", "scheduler")]
    return (
        f"Within {NEAR:.0%} of what is routed are {told[0]}. Of the scheduler's own figures that are"
        f" {told[1]}."
    )


def _spread(rows: Sequence[Row], kind: str) -> str:
    errors = [max(r[kind]) / max(r["routed"]) - 1 for r in rows]
    near = sum(abs(e) <= NEAR for e in errors)
    return (
        f"{near} of {len(errors)} programs (middle {statistics.median(errors):+.0%}, from"
        f" {min(errors):+.0%} to {max(errors):+.0%})"
    )


def plot(path: Path, programs: Iterable[Row], operators_: Iterable[Row]) -> None:
    """Model against routed: slowest stages of programs, and operators."""
    mpl.rcParams["svg.hashsalt"] = "rxgate"
    graphs = operators()
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, title in ((left, "slowest stage of a program"), (right, "operator")):
        axes.set(title=title, xlabel="routed, ns", ylabel="model, ns")
        axes.plot([0, 14], [0, 14], color="0.4", linewidth=0.8)
        edges = [[0, 14 * (1 + s * NEAR)] for s in (-1, 1)]
        axes.fill_between([0, 14], *edges, color="0.9")
    for device, color in zip(MEASURED, ("tab:blue", "tab:orange"), strict=True):
        rows = [r for r in programs if r["target"] == device]
        single = [r for r in operators_ if r["target"] == device]
        left.scatter(
            [max(r["routed"]) for r in rows], [max(r["model"]) for r in rows], s=14, color=color,
            label=MEASURED[device],
        )
        right.scatter(
            [max(r["routed"]) for r in single],
            [length(graphs[r["name"]], DELAYS[device]) for r in single], s=14, color=color,
            label=MEASURED[device],
        )
    for axes, most in ((left, 12), (right, 12)):
        axes.set(xlim=(0, most), ylim=(0, most))
        axes.legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})


HEAD = """\
# Delays: the model, and what is routed

The scheduler fills a stage with what fits a cycle of `--clock` on `--target`. What an operation takes
there says `compiler/delay_tables.py`, a table of few figures per device; how they make the delay of an
operation says `compiler/delay.py`. In short: logic becomes look-up tables; a table takes in small ones
before it while its inputs last; chains of and, of or, become trees; sums and comparisons are carry
chains. What alone is longer than a cycle is split (`compiler/passes/split.py`): sums and
comparisons into parts with carry select, choices and shifts into steps. A product or quotient has
registers of its own. The last {margin:.0%} of a cycle are left to the luck of placing, and more
where a clock up to 12% faster takes no more stages.

The scheduler takes operations for what they are alone. What they come to in a stage says
`compiler/mapping.py`: there a bit of a register is a table of the few bits that decide it, whatever
operations lie between; conditions that several terms share are taken out, and wires take longer the more
tables read them. That is `ns` of a stage in the manifest, and what is compared below; programs of more
than 4,000 nodes keep the figures of the scheduler.

{figures}

All in ns but `inputs` (of a look-up table, those that mapping comes to fill) and `clock_mhz`, the
default of `--clock`. `fixed` is a register's clock to output and setup, `level` a look-up table and the
routing to it, `fan_out` what every doubling of the bits adds that a signal selects. `carry`, `carry_bit`
and `compare` make sums and comparisons, `select` is a further bit of a table's key, `shift` a bit of a
shift's amount, `product` a multiplier block.

- **ecp5-8, ecp5-6**: what `benchmarks/delay_page.py` fits to the routed operators below, `level`
  and `fan_out` 2% to 17% shorter for programs, whose logic mapping restructures as a whole.
- **xcup**: there is no open router for UltraScale+, and nothing here has been compared with its vendor's
  tools. `inputs`, and what carries count, follow the levels that `synth_xilinx -family xcup` makes; a
  level is taken for 0.62 ns, a look-up table of 0.1 ns and a net of 0.5 ns as is typical of designs at
  300 MHz, meant to give a stage no more than five at the default clock, that of a 100 GbE MAC.
- **generic**: ECP5 of speed 8, with 250 MHz for its 156.25 MHz. What is compiled without `--target`
  has the stages of `ecp5-8` at 156.25 MHz.

![model against routed](delay.svg)

## Programs

Compiled for 156.25 MHz (speed 6: 125), each program's pipeline at 64 bits stands between registers,
most of them several in a design, each mapped for itself; nextpnr's detailed timing report says when the
last signal is at the registers of a stage. Within a whole gate other parts compete for places, and Yosys
saves area up to the levels of the slowest part.

Three factors of `compiler/bits.py` are fitted to programs: what a level, a wider table and a wire's
readers take there, of what operators alone take. They were chosen with the programs of speed 6 and 28
of those of speed 8, PHYS_DEV and XDP examples; the expressions and some more were routed afterwards.
Since then stages leave headroom: 24 programs of speed 8 and 6 of speed 6 were routed again, with
nothing fitted anew (before, 46 of 50 and 8 of 8 were within 15%).
Three seeds of `stack_parse`, `hash_sampler` and `xdp_dns_guard`, each alone in a design, differ by 7%,
1% and 3%.

"""
OPERATORS = """\
## Operators

Each stands alone between registers, its operands come from registers.

"""


def page(rows: list[Row]) -> str:
    programs, single = latest(rows, "program"), latest(rows, "operator")
    parts = [HEAD.format(figures=figures_table(), margin=MARGIN)]
    for device, title in MEASURED.items():
        mine = [r for (t, _), r in programs.items() if t == device]
        if mine:
            parts.append(f"### {title}\n\n{share(mine)}\n\n{programs_table(programs, device)}\n\n")
    parts.append(OPERATORS + operators_table(single) + "\n")
    return "".join(parts)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("rows", type=Path)
    o = parser.parse_args()
    rows = [json.loads(line) for line in o.rows.read_text().splitlines()]
    single = latest(rows, "operator")
    for device in MEASURED:
        if mine := [r for (t, _), r in single.items() if t == device]:
            found = fitted(mine, DELAYS[device])
            print(device, ", ".join(f"{f.name}={getattr(found, f.name):.3f}" for f in fields(found)))
    (ROOT / "docs" / "delay.md").write_text(page(rows))
    programs = latest(rows, "program")
    plot(ROOT / "docs" / "delay.svg", list(programs.values()), list(single.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
