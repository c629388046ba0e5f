"""States of campaigns of `rxgate fuzz` -> docs/fuzz.md.

    python benchmarks/fuzz.py "parsers with loops=fuzz/state.json" --note "what became of them"

Each argument is what the campaign drew, and its state; the note stands below the disagreements.
"""

import argparse
import json
import sys
from pathlib import Path

from programs import ROOT

HEAD = """\
# Random programs

`rxgate fuzz` draws a program from each seed, has every executor run it on frames aimed at its
branches, and compares: the golden interpreter, the dataflow graph after lifting and after every pass,
the kernel that runs here (`BPF_PROG_TEST_RUN`, return value and frame), and for one program in N the
Verilog of its pipeline, 40 programs in one Verilator model.

```sh
rxgate fuzz --programs 1000 --packets 100 --verilog-every 8 -o campaign
rxgate fuzz --replay campaign/case-17.json
```

A campaign keeps its state in DIR/state.json: the same command goes on where it was stopped, more
`--programs` extend it. A disagreement is made small, program first, then the frame, and written as
DIR/case-SEED.json, with a listing; `--replay` asks every executor about it again. A program that one
verifier alone refuses is counted, with what it said, and is no disagreement.

Half of the programs are XDP parsers: data-dependent offsets, checks in all forms, spills, addresses
that may be 0, loops, switches, subprograms, helpers, callbacks, metadata functions. The others are
random instructions in random control flow, for the contexts of XDP, PHYS_DEV and `__sk_buff`. Some
do on purpose what only the kernel refuses.

Random programs also try the kernel's verifier. That of Linux 6.18 loses count of stack frames where a
packet load (`LD_ABS`) leaves a function that was called ("verifier bug: subprog exit from frame 0"),
and then wrote outside its memory: a process died of it. Such programs are not put to the kernel any
more.

## Campaigns

Counts are exact. Programs per second are of one process of several on a busy two-core machine; alone, a
core takes 0.6 s for a program with 100 packets through everything, and 0.1 s without Verilog.

"""
COLUMNS = ("programs drawn", "seeds", "programs", "in the kernel", "packets: graph",
           "packets: kernel", "in Verilog", "packets: Verilog", "disagreements", "programs/s")


def row(name: str, state: dict) -> tuple[str, list[int]]:
    """A line of the table, and its sums."""
    counts, first = state["counts"], state["plan"]["seed"]
    figures = [counts[key] for key in (
        "programs", "programs_in_kernel", "packets", "packets_in_kernel", "programs_in_verilog",
        "packets_in_verilog", "disagreements",
    )]
    shown = " | ".join(f"{n:,}" for n in figures)
    rate = counts["programs"] / max(counts["seconds"], 1e-9)
    seeds = f"{first} to {first + counts['programs'] - 1}"
    return f"| {name} | {seeds} | {shown} | {rate:.1f} |\n", figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("campaigns", nargs="+", metavar="WHAT=STATE")
    parser.add_argument("--note", default="")
    o = parser.parse_args()
    total, refusals = [0] * 7, dict[str, int]()
    failures: list[str] = []
    text = HEAD + "| " + " | ".join(COLUMNS) + " |\n|---|---|" + "--:|" * (len(COLUMNS) - 2) + "\n"
    for argument in o.campaigns:
        name, _, path = argument.rpartition("=")
        state = json.loads(Path(path).read_text())
        line, figures = row(name, state)
        text += line
        failures += state["failures"]
        total = [a + b for a, b in zip(total, figures, strict=True)]
        for reason, count in state["refusals"].items():
            refusals[reason] = refusals.get(reason, 0) + count
    text += "| **all** | | " + " | ".join(f"{n:,}" for n in total) + " | |\n"
    if failures:
        text += "\nDisagreements when they were found:\n\n"
        text += "".join(f"- {failure.strip()}\n" for failure in failures) + "\n" + o.note + "\n"
    text += "\nPrograms that one verifier alone refused, by what it said:\n\n"
    text += "| count | who: what |\n|--:|---|\n"
    for reason, count in sorted(refusals.items(), key=lambda r: -r[1]):
        text += f"| {count} | {reason.replace('|', '/')} |\n"
    (ROOT / "docs" / "fuzz.md").write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
