"""What the other benchmarks wrote -> docs/results.md.

    python benchmarks/results.py --runs runs.jsonl --figures figures.md --kernel kernel.txt \\
        --compile-time compile_time.md
"""

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from programs import ROOT

HEAD = """\
# Results

What the last runs of `benchmarks/` gave. Counts are exact; packets per second are of one shared
two-core machine and only good for comparing rows.

## Verilog against the golden interpreter

Examples and expressions, with traffic that is aimed at its branches. A circuit is a program at a
width and a descriptor route; routes that give the same Verilog count once. `random start` means that
registers and memories begin with random contents. Stalls are cycles in which the sink was always
ready and the source was not.

"""


def conditions(row: dict[str, Any]) -> str:
    """How the frames went in and out."""
    parts = [f"sink stalls {row['stall']:.0%}"] if row["stall"] else []
    parts += [f"source pauses {row['idle']:.0%}"] if row["idle"] else []
    parts += ["random start"] if row["random_start"] else []
    return ", ".join(parts) or "back to back"


def acceptance(rows: list[dict[str, Any]]) -> str:
    """A line per engine, width, conditions and packets."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row["engine"], row["width"], conditions(row), row["asked"]].append(row)
    lines = [
        "| engine | width | conditions | programs | circuits | packets each | packets | mismatches |"
        " input stalls |",
        "|---|--:|---|--:|--:|--:|--:|--:|--:|",
    ]
    for (engine, width, how, asked), found in sorted(groups.items(), key=lambda g: str(g[0])):
        programs = len({r["program"] for r in found})
        stalls = str(sum(r["input_stalls"] for r in found)) if how == "back to back" else "-"
        lines.append(
            f"| {engine} | {width} | {how} | {programs} | {len(found)} | {asked:,} |"
            f" {sum(r['packets'] for r in found):,} | {sum(r['mismatches'] for r in found)} |"
            f" {stalls} |"
        )
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, nargs="+", required=True)
    parser.add_argument("--figures", type=Path, required=True)
    parser.add_argument("--kernel", type=Path, required=True)
    parser.add_argument("--compile-time", type=Path, required=True)
    o = parser.parse_args()
    rows = [json.loads(line) for p in o.runs for line in p.read_text().splitlines()]
    kernel = o.kernel.read_text().strip().splitlines()[-1]
    text = (
        HEAD + acceptance(rows) + "\n\n## The running kernel against the golden interpreter\n\n"
        + kernel + ".\n\n" + o.figures.read_text().strip() + "\n\n"
        + o.compile_time.read_text()
    )
    (ROOT / "docs" / "results.md").write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
