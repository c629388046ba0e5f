"""Seeds -> random programs, run by every executor; counts, and every disagreement made small.

A campaign can be stopped at any time and taken up again: it keeps its state in a file.
"""

import json
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from zlib import crc32

from ..compiler.errors import InputError
from ..compiler.insn import Program
from ..compiler.options import Options, Route
from ..compiler.output import write_files
from ..ctx_map.context import SK_BUFF, XDP_MD, XDP_METADATA
from ..ctx_map.nics import NICS
from . import kernel
from .directed import directed
from .fuzz_case import (
    Case,
    Disagreement,
    Executor,
    KernelTrial,
    Trial,
    to_json,
    try_case,
    try_kernel,
    try_verilog,
)
from .fuzz_shrink import shrink
from .program_generator import random_program
from .xdp_generator import random_xdp_program

SIDE_BY_SIDE = 40
"""Programs in one Verilog model."""
_WITHOUT_VERILOG = 100
_ODD_LENGTHS = (14, 15, 17, 33, 34, 54, 60, 64, 200, 0, 1, 13)
_EFFORT = 10
_MOST_SHRUNK = 20
"""Disagreements that are made small; a broken executor would have one in every program."""
STATE = "state.json"
_NUMBER = re.compile(r"0x[0-9a-f]+|-?\d+")

KINDS: dict[str, Callable[[int], Program]] = {
    "xdp parser": random_xdp_program,
    "xdp instructions": lambda seed: random_program(seed, XDP_MD),
    "phys_dev instructions": lambda seed: random_program(seed, XDP_METADATA),
    "sk_buff instructions": lambda seed: random_program(seed, SK_BUFF),
}
"""What a seed makes, in turn."""
_TURNS = ("xdp parser", "xdp instructions", "xdp parser", "phys_dev instructions",
          "xdp parser", "xdp instructions", "xdp parser", "sk_buff instructions")


@dataclass(frozen=True, slots=True)
class Plan:
    """What a campaign is to do; one program of `verilog_every` goes through Verilog, of 0 none."""

    seed: int = 0
    programs: int = 100
    packets: int = 100
    verilog_every: int = 0
    in_kernel: bool = True


@dataclass(slots=True)
class Counts:
    """What was done so far. A program accepted by one verifier alone is no disagreement."""

    programs: int = 0
    refused: int = 0
    refused_by_rxgate_alone: int = 0
    refused_by_kernel_alone: int = 0
    not_for_the_kernel: int = 0
    packets: int = 0
    programs_in_kernel: int = 0
    packets_in_kernel: int = 0
    programs_in_verilog: int = 0
    packets_in_verilog: int = 0
    disagreements: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Campaign:
    """A campaign and its state. `refusals` counts what the two verifiers said, without numbers."""

    plan: Plan
    counts: Counts = field(default_factory=Counts)
    refusals: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    @property
    def left(self) -> int:
        return self.plan.programs - self.counts.programs


def draw(seed: int, packets: int) -> Case:
    """The program of a seed, with frames: most aimed at its branches, some random.

    All but a few are such as the kernel's test run takes.
    """
    rng = random.Random(f"case {seed}")
    program = KINDS[_TURNS[seed % len(_TURNS)]](seed)
    kind = kernel.program_type(program)
    found = directed(program, packets + packets // 4, seed, effort=_EFFORT)
    aimed = [frame[: kernel.LONGEST] for frame in found]
    aimed.sort(key=lambda frame: not kernel.runnable(frame, kind))
    frames = [
        rng.randbytes(rng.choice(_ODD_LENGTHS)) if n % 10 == 9 else frame
        for n, frame in enumerate(aimed[:packets])
    ]
    frames[-1:] = aimed[-1:]
    route = rng.choice(list(Route))
    strip = route is Route.FRONT_END and rng.random() < 0.3
    options = Options(
        route=route, strip_vlan=strip, prandom_seed=seed & 0xFFFF_FFFF,
        nic=rng.choice(list(NICS.values())),
    )
    return Case(program, options, tuple(frames))


def take_up(directory: Path, plan: Plan) -> Campaign:
    """The campaign whose state is in `directory`, or a new one.

    It may be taken up with more programs than before. Raises InputError when it is another one.
    """
    path = directory / STATE
    if not path.exists():
        return Campaign(plan)
    try:
        state = json.loads(path.read_text())
        known = Campaign(
            Plan(**state["plan"]), Counts(**state["counts"]), state["refusals"], state["failures"]
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not the state of a campaign: {error}.") from None
    same = (known.plan.seed, known.plan.packets, known.plan.verilog_every)
    if same != (plan.seed, plan.packets, plan.verilog_every):
        raise InputError(
            f"{path} belongs to a campaign with other options: seed {same[0]}, {same[1]} packets,"
            f" Verilog of every {same[2]}th program. Use another directory."
        )
    known.plan = plan
    return known


def run(campaign: Campaign, directory: Path) -> Iterator[int]:
    """Go on until all programs are done; yields how many are.

    State and cases of disagreements are written to `directory` after every batch.
    """
    plan, counts = campaign.plan, campaign.counts
    batch = SIDE_BY_SIDE * plan.verilog_every or _WITHOUT_VERILOG
    while campaign.left > 0:
        start = time.monotonic()
        first = plan.seed + counts.programs
        seeds = range(first, first + min(batch, campaign.left))
        done, cases = counts.programs, {}
        for seed in _batch(campaign, seeds, cases):
            yield done + seed - first + 1
        counts.seconds += time.monotonic() - start
        state = {"plan": asdict(plan), "counts": asdict(counts),
                 "refusals": campaign.refusals, "failures": campaign.failures}
        write_files(directory, cases | {STATE: json.dumps(state, indent=1) + "\n"})


def _batch(campaign: Campaign, seeds: range, files: dict[str, str]) -> Iterator[int]:
    """Try the programs of some seeds; adds the files of what is found. Yields seeds done."""
    every = campaign.plan.verilog_every
    ask = campaign.plan.in_kernel and kernel.available() is None
    simulated: list[tuple[int, Trial]] = []
    for seed in seeds:
        trial = try_case(draw(seed, campaign.plan.packets))
        asked = try_kernel(trial) if ask and trial.design is not None else None
        _count(campaign, trial, asked, ask)
        found = trial.found or (asked.found if asked else None)
        if found is not None:
            _report(campaign, seed, trial.case, found, files)
        elif every and crc32(b"%d" % seed) % every == 0 and trial.design is not None:
            simulated.append((seed, trial))
        yield seed
    if simulated:
        answers = try_verilog([trial for _, trial in simulated], seeds.start)
        for (seed, trial), found in zip(simulated, answers, strict=True):
            campaign.counts.programs_in_verilog += 1
            campaign.counts.packets_in_verilog += len(trial.case.frames)
            if found is not None:
                _report(campaign, seed, trial.case, found, files)


def _count(campaign: Campaign, trial: Trial, asked: KernelTrial | None, ask: bool) -> None:
    counts = campaign.counts
    counts.programs += 1
    counts.packets += len(trial.expected)
    reason = ""
    if trial.refused:
        counts.refused += 1
        program = trial.case.program
        if ask and program.context is XDP_MD and kernel.accepted(program):
            counts.refused_by_rxgate_alone += 1
        reason = f"rxgate: {trial.refused}"
    elif asked is not None and asked.not_asked:
        counts.not_for_the_kernel += 1
        reason = f"not asked: {asked.not_asked}"
    elif asked is not None and asked.refused:
        counts.refused_by_kernel_alone += 1
        reason = f"kernel: {asked.refused.splitlines()[-1]}"
    elif asked is not None:
        counts.programs_in_kernel += 1
        counts.packets_in_kernel += asked.packets
    if reason:
        reason = _NUMBER.sub("N", reason)[:160]
        campaign.refusals[reason] = campaign.refusals.get(reason, 0) + 1


def _report(
    campaign: Campaign, seed: int, case: Case, found: Disagreement, files: dict[str, str]
) -> None:
    """Make a disagreement small and write it down."""
    campaign.counts.disagreements += 1
    if campaign.counts.disagreements <= _MOST_SHRUNK:
        # The kernel is asked again only about what it disagreed on.
        first, ask = found, found.executor is Executor.KERNEL

        def fails(candidate: Case) -> bool:
            again = find_disagreement(candidate, first.executor, in_kernel=ask)
            return _same(again, first)

        case = shrink(case, fails, first.frame)
        found = find_disagreement(case, first.executor, in_kernel=ask) or first
    campaign.failures.append(f"program {seed}: {found}")
    files[f"case-{seed}.json"] = json.dumps(to_json(case, seed, found), indent=1) + "\n"


def find_disagreement(
    case: Case, last: Executor = Executor.VERILOG, *, in_kernel: bool = True
) -> Disagreement | None:
    """The first disagreement on a case; executors behind `last` are not asked."""
    try:
        trial = try_case(case)
        if trial.found is not None or trial.design is None:
            return trial.found
        ask = in_kernel and last in (Executor.KERNEL, Executor.VERILOG)
        if ask and kernel.available() is None:
            found = try_kernel(trial).found
            if found is not None:
                return found
        return try_verilog([trial], 0)[0] if last is Executor.VERILOG else None
    except ValueError:
        return None


def _same(one: Disagreement | None, other: Disagreement) -> bool:
    """Whether the same executor fails, in the same way if it broke down."""
    if one is None or one.executor is not other.executor:
        return False
    crashes = (Executor.COMPILER, Executor.INTERPRETER)
    kind = other.text.split(":")[0]
    return other.executor not in crashes or one.text.split(":")[0] == kind
