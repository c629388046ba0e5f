"""Ten thousand frames without a pause at both ports of a board -> docs/wire.md.

    python benchmarks/wire.py

Needs Verilator and a C++ compiler, and a quarter of an hour. Exit status 1 when a frame is lost that
should not be, is counted wrongly, or leaves otherwise than the interpreter says.
"""

import argparse
import random
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from programs import ROOT, program
from rxgate.boards import build
from rxgate.boards.kits import KITS
from rxgate.boards.wire import GAP, SYSTEM, Burst, Item, Sent, build_wires, simulate, up
from rxgate.compiler.options import Options
from rxgate.sim.golden import Frame, Golden

BOARD, PROGRAM = "versa-ecp5", "vlan_allow"
PREAMBLE = bytes([*7 * [0x55], 0xD5])
FCS = 4
TOLERANCE = 200
"""Parts per million by which two clocks may differ that each may be off by 100."""
HEAD = """\
# Frames on both wires

What the last run of `benchmarks/wire.py` gave: {count:,} frames into each port of the `{board}` at
the same time, with gaps of {gap} bytes, through `{program}`, which passes them all. Lengths are with
FCS; clocks are those of the PHYs at A and B, in parts per million faster than the board's. *Lost* are
frames that the interpreter lets through and that did not leave; the board counted exactly these as
`overflow`. What left was right byte for byte, in order, with preamble and FCS. The smallest and the
largest gap are in byte times of the board; frames leave when all of them is there, so that there is a
pause between a short one and a long one.

{table}

Up to {tolerance} ppm, which two clocks of ±100 may differ by, nothing may be lost. Beyond, buffers fill
and whole frames are dropped. Links of different speeds, errors of all kinds, carriers that drop and
links that change are in `tests/boards/test_rough_wire.py`.

## Who is at the other end

| PHY and Ethernet at the pins | what runs with it |
|---|---|
| `boards/wire.cpp`, ours: {rate:,.0f} cycles per second | this table, random errors and changes of\
 links, all captures with five programs |
| cocotbext-eth's `RgmiiSource`, under cocotb | short runs of everything else, one-port boards, captures\
 one by one, 10,000 frames of 64 bytes |
| both | the same frames, errors and gaps, compared at every edge of RXC and in all that is sent:\
 `tests/boards/test_phy.py` |

cocotbext-eth steps in Python at every edge, and would take hours for this table. Its `RgmiiSink` takes
the first byte for idle when TXC and TX_CTL rise together, so what is sent is taken at the pins by a few
lines of ours in both.
"""


@dataclass(frozen=True)
class Run:
    """How long frames are, with FCS, and how much too fast the clocks at A and B."""

    name: str
    sizes: tuple[int, ...]
    ppm: tuple[float, float]


MIX = (64, 65, 128, 594, 1518)
RUNS = (
    *(Run(name, sizes, ppm)
      for name, sizes in (("64", (64,)), ("65", (65,)), ("1518", (1518,)), ("mix", MIX))
      for ppm in ((100, 100), (-100, -100), (TOLERANCE, -TOLERANCE))),
    Run("1518", (1518,), (1000, 1000)),
)  # fmt: skip


def on_wire(data: bytes) -> bytes:
    return PREAMBLE + data + zlib.crc32(data).to_bytes(FCS, "little")


def frames(run: Run, count: int, rng: random.Random) -> Iterator[bytes]:
    """Without FCS."""
    for _ in range(count):
        head = rng.randbytes(12) + b"\x81\x00\x00\x2a\x08\x00"  # VLAN 42
        yield head + rng.randbytes(rng.choice(run.sizes) - FCS - len(head))


def lost(sent: Sequence[Sent], expected: Sequence[bytes]) -> int:
    """How many did not leave; ValueError if something else did."""
    rest = iter(expected)
    for one in sent:
        data = one.data[len(PREAMBLE) : -FCS]
        if one.bad or one.data != on_wire(data) or data not in rest:
            raise ValueError(f"a frame that was not expected: {one}")
    return len(expected) - len(sent)


def gaps(sent: Sequence[Sent]) -> str:
    found = [round((b.start - a.end) / SYSTEM) for a, b in pairwise(sent)]
    return f"{min(found)}–{max(found)}"


def row(simulator: Path, golden: Golden, run: Run, count: int, seed: int) -> tuple[str, bool, int]:
    """A line of the table, whether all is as it has to be, and the cycles that were simulated."""
    rng = random.Random(seed)
    a, b = list(frames(run, count, rng)), list(frames(run, count, rng))
    through = [out.data for f in a
               if (out := golden.judge(golden.send(Frame(f, ingress_ifindex=1))).out) is not None]
    scripts: list[list[Item]] = [
        [*up(ppm=ppm), *(Burst(on_wire(f)) for f in some)]
        for some, ppm in zip((a, b), run.ppm, strict=True)
    ]
    seen = simulate(simulator, *scripts, seed=seed)
    told = seen.counters
    lost_b, lost_a = lost(seen.b, through), lost(seen.a, b)
    right = (
        (told["overflow"], told["returned_overflow"], told["bad"], told["returned_bad"])
        == (lost_b, lost_a, 0, 0)
        and told["received"] == count == told["pass"] + lost_b
        and told["pass"] == len(seen.b) and told["returned"] == len(seen.a)
        and (lost_a == lost_b == 0 or max(run.ppm) > TOLERANCE)
    )
    clocks = ", ".join(f"{ppm:+g}" for ppm in run.ppm)
    return (
        f"| {run.name} | {clocks} | {len(seen.b):,} | {lost_b} | {gaps(seen.b)} |"
        f" {len(seen.a):,} | {lost_a} | {gaps(seen.a)} | {seen.cycles:,} |"
    ), right, seen.cycles


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    o = parser.parse_args()
    design = build.board_design(program(PROGRAM), Options(max_frame=build.MAX_FRAME))
    simulator, golden = build_wires(design, KITS[BOARD]), Golden(design.program, design.config)
    lines = [
        "| bytes | clocks | A to B | lost | gaps | B to A | lost | gaps | cycles |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    wrong, cycles, start = 0, 0, time.perf_counter()
    for n, run in enumerate(RUNS):
        line, right, took = row(simulator, golden, run, o.frames, o.seed + n)
        print(line if right else f"{line} WRONG", flush=True)
        lines.append(line)
        wrong += not right
        cycles += took
    rate = cycles / (time.perf_counter() - start)
    text = HEAD.format(
        count=o.frames, board=BOARD, gap=GAP, program=PROGRAM, table="\n".join(lines),
        tolerance=TOLERANCE, rate=round(rate, -4),
    )
    (ROOT / "docs" / "wire.md").write_text(text)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
