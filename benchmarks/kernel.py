"""Every example and expression, loaded into the running kernel, against the golden interpreter.

    python benchmarks/kernel.py --packets 10000

Needs bpf(2). Frames that the kernel's test run does not take (runts, cut IP headers) are skipped and
counted. Exit status 1 when any verdict differs, 0 also where the kernel cannot be asked.
"""

import argparse
import sys
import time

from programs import ROOT, names, program
from rxgate.compiler.cfg import build_cfg
from rxgate.compiler.errors import RxgateError
from rxgate.compiler.verify import verify
from rxgate.sim.kernel import available, compare
from rxgate.sim.traffic import generate_frames

CORPUS = ROOT / "tests" / "sim" / "expressions.txt"


def corpus() -> list[str]:
    """The expressions of the tests, without those that are marked as refused."""
    lines = CORPUS.read_text().splitlines()
    return [line for line in lines if line.strip() and line[0] not in "#@"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", action="store_true", help="the tests' expressions too")
    o = parser.parse_args()
    reason = available()
    if reason is not None:
        print(f"skipped: {reason}")
        return 0
    packets = disagreements = refused = skipped = count = 0
    seconds = 0.0
    for name in names() + (corpus() if o.corpus else []):
        try:
            tested = program(name)
            verify(build_cfg(tested))
        except RxgateError as error:
            print(f"{name}: refused by rxgate: {error}")
            continue
        frames = generate_frames(tested, o.packets, o.seed, "mixed")
        start = time.perf_counter()
        report = compare(tested, frames)
        seconds += time.perf_counter() - start
        count += 1
        packets += report.packets
        disagreements += len(report.disagreements)
        skipped += report.skipped_frames
        refused += bool(report.refused)
        if report.refused or report.disagreements:
            print(f"{name}: {report.refused or report.disagreements[0]}")
    print(
        f"{count} programs, {packets} packets in the kernel, {disagreements} disagreements,"
        f" {skipped} frames the kernel does not take, {refused} programs it refused;"
        f" {packets / max(seconds, 1e-9):,.0f} packets/s in both"
    )
    return 1 if disagreements else 0


if __name__ == "__main__":
    sys.exit(main())
