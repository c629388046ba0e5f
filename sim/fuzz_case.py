"""A program with options and frames -> what every executor says; the first disagreement.

The golden interpreter is what the others are compared with: the evaluator on the dataflow graph
after every pass, the running kernel, and the Verilog of the program's pipeline.
"""

import json
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from ..compiler.decode import decode
from ..compiler.disasm import listing
from ..compiler.driver import Design, compile_program
from ..compiler.encode import encode
from ..compiler.errors import InputError, RxgateError
from ..compiler.insn import Program
from ..compiler.ir import Function
from ..compiler.ir_check import check
from ..compiler.ir_eval import evaluate_all
from ..compiler.load.raw import RawProgram
from ..compiler.options import Options, Route
from ..compiler.source import context_named
from ..ctx_map.nics import NICS
from .golden import Expectation, Frame, Golden
from .kernel import (
    KernelProgram,
    Refused,
    Unfit,
    breaks_verifiers,
    program_type,
    runnable,
)
from .mismatch import pipeline_inputs
from .pipelines import Inputs, Wrong, pipeline_verdicts

KTIME_STEP = 104_729
"""ns between packets: a prime, so that any slice of a period is hit."""


class Executor(Enum):
    """Who disagreed with the interpreter, or failed."""

    COMPILER = "compiler"
    INTERPRETER = "interpreter"
    GRAPH = "dataflow graph"
    KERNEL = "kernel"
    VERILOG = "Verilog"


@dataclass(frozen=True, slots=True)
class Case:
    """A program and what it is tried on."""

    program: Program
    options: Options
    frames: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """`frame` is the index of the frame at fault; None when it is none alone."""

    executor: Executor
    text: str
    frame: int | None = None

    def __str__(self) -> str:
        return f"{self.executor.value}: {self.text}"


@dataclass(frozen=True, slots=True)
class Trial:
    """A case that interpreter and evaluator have run: without a design it was refused.

    `expected` and `inputs` have for each frame what the interpreter says and what the pipeline gets.
    """

    case: Case
    refused: str
    design: Design | None
    expected: Sequence[Expectation]
    inputs: Sequence[Inputs]
    found: Disagreement | None


def try_case(case: Case) -> Trial:
    """Run interpreter and evaluator. Whatever either raises is a disagreement too."""
    graphs: list[tuple[str, Function]] = []

    def keep(name: str, function: Function) -> None:
        check(function, name)
        graphs.append((name, function))

    executor = Executor.COMPILER
    try:
        try:
            design = compile_program(case.program, case.options, keep)
        except RxgateError as error:
            return Trial(case, str(error), None, (), (), None)
        executor = Executor.INTERPRETER
        expected = _interpret(case, design)
        inputs = [pipeline_inputs(e, design.config) for e in expected]
        executor = Executor.GRAPH
        found = _compare_graphs(graphs, design, expected, inputs)
    except Exception as error:
        *_, last = traceback.extract_tb(error.__traceback__)
        place = f"{Path(last.filename).name}:{last.lineno}: {last.line}"
        crash = Disagreement(executor, f"{type(error).__name__}: {error} ({place})")
        return Trial(case, "", None, (), (), crash)
    return Trial(case, "", design, expected, inputs, found)


def _interpret(case: Case, design: Design) -> list[Expectation]:
    golden = Golden(design.program, design.config, prandom_seed=case.options.prandom_seed)
    frames = (
        Frame(d, ingress_ifindex=n % 5, rx_queue_index=n % 7) for n, d in enumerate(case.frames)
    )
    return [golden.judge(golden.send(f), ktime=n * KTIME_STEP) for n, f in enumerate(frames)]


def _compare_graphs(
    graphs: Sequence[tuple[str, Function]], design: Design, expected: Sequence[Expectation],
    inputs: Sequence[Inputs],
) -> Disagreement | None:
    # A gate without a window gives none to graphs that still read it, which only r0 can show.
    blind = design.config.window == 0
    outcomes = [e.outcome for e in expected if e.outcome is not None]
    wanted = {"verdict": [int(o.verdict) for o in outcomes], "r0": [o.r0 for o in outcomes]}
    for name, function in graphs:
        values = evaluate_all(function, inputs)
        for output, node in function.outputs.items():
            if values[node] == wanted[output] or (blind and output == "r0"):
                continue
            pairs = zip(values[node], wanted[output], strict=True)
            n, (made, right) = next((n, p) for n, p in enumerate(pairs) if p[0] != p[1])
            return Disagreement(
                Executor.GRAPH,
                f"frame {n}, after {name}: {output} is {made:#x}, the interpreter says {right:#x}",
                n,
            )
    return None


@dataclass(frozen=True, slots=True)
class KernelTrial:
    """What the kernel made of a case: packets that it ran, why it refused it, or why not asked."""

    packets: int = 0
    refused: str = ""
    not_asked: str = ""
    found: Disagreement | None = None


def try_kernel(trial: Trial) -> KernelTrial:
    """Run the frames that the kernel's test run takes, and compare return value and frame."""
    assert trial.design is not None
    program, packets = trial.design.program, 0
    if breaks_verifiers(program):
        return KernelTrial(not_asked="a packet load in a function that is called")
    try:
        kernel = KernelProgram(program, trial.case.options.prandom_seed)
    except Unfit as error:
        return KernelTrial(not_asked=str(error))
    except Refused as error:
        return KernelTrial(refused=str(error))
    with kernel:
        for n, e in enumerate(trial.expected):
            frame, outcome = e.sent.received.frame, e.outcome
            if not runnable(frame, program_type(program)) or outcome is None:
                continue
            packets += 1
            r0, after = kernel.run(
                frame, e.sent.received.descriptor, ktime=e.ktime, number=e.number
            )
            if after != frame:
                text = f"frame {n}: the kernel changed it into {after.hex()}"
                return KernelTrial(packets, found=Disagreement(Executor.KERNEL, text, n))
            mine = outcome.r0 & 0xFFFF_FFFF
            if r0 != mine:
                text = f"frame {n}: r0 is {r0:#x}, the interpreter says {mine:#x}"
                return KernelTrial(packets, found=Disagreement(Executor.KERNEL, text, n))
    return KernelTrial(packets)


def try_verilog(trials: Sequence[Trial], seed: int) -> list[Disagreement | None]:
    """Run the pipelines of accepted programs side by side, and compare verdicts."""
    designs = [t.design for t in trials if t.design is not None]
    try:
        verdicts = pipeline_verdicts(designs, [t.inputs for t in trials], seed)
    except Wrong as error:
        late = Disagreement(Executor.VERILOG, str(error))
        return [late if n == error.design else None for n in range(len(trials))]
    found: list[Disagreement | None] = []
    for trial, shown in zip(trials, verdicts, strict=True):
        outcomes = [e.outcome for e in trial.expected if e.outcome is not None]
        pairs = zip(shown, (int(o.verdict) for o in outcomes), strict=True)
        bad = next(((n, p) for n, p in enumerate(pairs) if p[0] != p[1]), None)
        found.append(None if bad is None else Disagreement(
            Executor.VERILOG,
            f"frame {bad[0]}: verdict {bad[1][0]}, the interpreter says {bad[1][1]}", bad[0],
        ))
    return found


# Cases as files.


def to_json(case: Case, seed: int, found: Disagreement) -> dict[str, Any]:
    """A case that `from_json` makes again, with what was found and a listing for people."""
    raw, options = encode(case.program), case.options
    return {
        "seed": seed,
        "executor": found.executor.value,
        "what": found.text,
        "context": case.program.context.name,
        "section": raw.section,
        "code": raw.code.hex(),
        "functions": {str(slot): name for slot, name in raw.functions.items()},
        "data": {name: content.hex() for name, content in raw.data.items()},
        "data_refs": {str(slot): list(ref) for slot, ref in raw.data_refs.items()},
        "externs": {str(slot): name for slot, name in raw.externs.items()},
        "route": options.route.value,
        "nic": next(name for name, nic in NICS.items() if nic == options.nic),
        "strip_vlan": options.strip_vlan,
        "prandom_seed": options.prandom_seed,
        "frames": [f.hex() for f in case.frames],
        "listing": listing(case.program).splitlines(),
    }


def from_json(content: Mapping[str, Any]) -> Case:
    """The case in a file that `to_json` described."""
    raw = RawProgram(
        name="main",
        section=content["section"],
        context=context_named(content["context"]),
        code=bytes.fromhex(content["code"]),
        functions={int(slot): name for slot, name in content["functions"].items()},
        data={name: bytes.fromhex(d) for name, d in content["data"].items()},
        data_refs={int(s): (name, at) for s, (name, at) in content["data_refs"].items()},
        externs={int(slot): name for slot, name in content["externs"].items()},
        maps={},
        lines={},
    )
    options = Options(
        route=Route(content["route"]), nic=NICS[content["nic"]], strip_vlan=content["strip_vlan"],
        prandom_seed=content["prandom_seed"],
    )
    return Case(decode(raw), options, tuple(bytes.fromhex(f) for f in content["frames"]))


def read_case(path: Path) -> Case:
    """The case in a file. Raises InputError when there is none."""
    try:
        return from_json(json.loads(path.read_text()))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is no case that `rxgate fuzz` wrote: {error}.") from None
