"""Bitstreams of all boards -> the figures on their pages in docs/.

    python benchmarks/boards.py -o built
    python benchmarks/boards.py -o built --only versa-ecp5 --seeds 4

What `built` has already is not built again; a build takes minutes. Pages say what is there.
"""

import argparse
import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from programs import ROOT
from rxgate.boards.kits import KITS

DOCS = ROOT / "docs"
HEAD = "## Figures"
LENGTH_AND_VLAN = "vlan 42 and less 1518"
THREE = (LENGTH_AND_VLAN, "dns_guard.c", "xdp_vlan_parse.c")
PROGRAMS = {"versa-ecp5": THREE}
"""By board; the others get the last."""
PAGES = {
    "versa-ecp5": "board-versa-ecp5.md",
    "versa-ecp5-5g": "board-versa-ecp5.md",
    "colorlight-5a-75b": "board-colorlight-5a-75b.md",
    "ecpix5-45f": "board-ecpix5.md",
    "ecpix5-85f": "board-ecpix5.md",
    "butterstick": "board-butterstick.md",
}
CLOCKS = {"system": "system", "eth_a_rx_clk": "port A, receive", "eth_b_rx_clk": "port B, receive"}
CELLS = ("lut", "ff", "bram")


def build(board: str, program: str, folder: Path, seeds: int) -> None:
    """Into `folder`, unless it is there; what fails is told, and left out."""
    if (folder / "build.json").exists():
        return
    example = ROOT / "examples" / program
    words = [str(example)] if program.endswith(".c") else ["--filter", program]
    print(f"{board}: {program}", file=sys.stderr)
    subprocess.run(
        [sys.executable, "-c", "from rxgate.cli import main; main()", "build", *words,
         "--board", board, "--seeds", str(seeds), "--allow-timing-fail", "-o", str(folder)],
        check=False, stdout=subprocess.DEVNULL,
    )


def row(board: str, program: str, told: dict[str, Any]) -> str:
    """A line of a page's table."""
    clocks = [
        f"{told['clocks'][name]['fmax_mhz']:.1f} MHz" for name in CLOCKS if name in told["clocks"]
    ]
    cells = [
        f"{told['utilisation'][kind]['used']:,} of {told['utilisation'][kind]['available']:,}"
        for kind in CELLS
    ]
    met = "met" if told["met"] else "not met"
    return f"| `{board}` | `{program}` | {' | '.join((*clocks, met, *cells))} |"


def figures(found: list[tuple[str, str, dict[str, Any]]]) -> str:
    """The last part of a page."""
    first = found[0][2]
    clocks = [CLOCKS[name] for name in CLOCKS if name in first["clocks"]]
    columns = ["board", "program", *clocks, "timing", *CELLS]
    tools = " and ".join(f"{name} {version}" for name, version in first["tools"].items())
    needed = {c["constraint_mhz"] for _, _, told in found for c in told["clocks"].values()}
    tried = {len(told["seeds"]) for _, _, told in found}
    seeds = f"best of {max(tried)} seeds" if max(tried) > 1 else "seed 1"
    return "\n".join([
        HEAD,
        "",
        f"What `benchmarks/boards.py` gave last, {seeds}; clocks have to have {max(needed):g} MHz.",
        f"{tools}.",
        "",
        "| " + " | ".join(columns) + " |",
        "|---|---|" + (len(clocks) * "---:|") + "---|" + (len(CELLS) * "---:|"),
        *(row(*each) for each in found),
    ]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--only", choices=list(KITS), action="append")
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    pages = defaultdict(list)
    for board in KITS:
        for program in PROGRAMS.get(board, THREE[-1:]):
            folder = options.output / board / program.removesuffix(".c").replace(" ", "_")
            if options.only is None or board in options.only:
                build(board, program, folder, options.seeds)
            report = folder / "build.json"
            if report.exists():
                pages[PAGES[board]].append((board, program, json.loads(report.read_text())))
    for page, found in pages.items():
        text = (DOCS / page).read_text()
        (DOCS / page).write_text(text.split(HEAD)[0].rstrip() + "\n\n" + figures(found))


if __name__ == "__main__":
    main()
