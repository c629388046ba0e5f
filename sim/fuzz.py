"""Seeds -> random programs, run by every executor; the first disagreement of each.

For each program: the golden interpreter, the evaluator on the dataflow graph after every pass, the
running kernel where it may be asked, and for a share of the programs the Verilog.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from ..compiler.driver import Design, compile_program
from ..compiler.encode import encode
from ..compiler.errors import RxgateError
from ..compiler.insn import Program
from ..compiler.ir import Function
from ..compiler.ir_check import check
from ..compiler.ir_eval import evaluate
from ..compiler.options import Options, Route
from ..compiler.output import write_files
from . import kernel
from .fast import Conditions, simulate_fast
from .golden import Expectation, Frame, Golden
from .mismatch import pipeline_inputs
from .packets import generate
from .program_generator import random_program

_ODD_LENGTHS = (0, 1, 13, 14, 15, 17, 33, 60, 64, 200)
_WIDTHS = (8, 64, 512)


class Executor(Enum):
    """Who disagreed with the interpreter."""

    GRAPH = "dataflow graph"
    KERNEL = "kernel"
    VERILOG = "Verilog"


@dataclass(frozen=True, slots=True)
class Failure:
    """A program on which two executors disagree; `frame` is None when no single one is at fault."""

    seed: int
    program: Program
    executor: Executor
    text: str
    frame: bytes | None

    def __str__(self) -> str:
        return f"program {self.seed}: {self.executor.value}: {self.text}"


@dataclass(frozen=True, slots=True)
class Tried:
    """One program: whether it was refused, how many packets each executor ran, what was found."""

    seed: int
    refused: str
    packets: int
    in_kernel: int
    in_verilog: int
    failure: Failure | None


class _Disagreement(Exception):
    def __init__(self, text: str, frame: bytes | None) -> None:
        super().__init__(text)
        self.frame = frame


def frames_for(seed: int, count: int) -> list[bytes]:
    """Generated traffic, with every fourth frame random bytes of an odd length."""
    rng = random.Random(f"frames {seed}")
    made = generate(count, rng.randrange(1 << 30))
    return [
        rng.randbytes(rng.choice(_ODD_LENGTHS)) if n % 4 == 3 else frame
        for n, frame in enumerate(made)
    ]


def _options(seed: int) -> Options:
    """A circuit that depends on the seed: width, route, stripping."""
    rng = random.Random(f"options {seed}")
    route = rng.choice(list(Route))
    strip = route is Route.FRONT_END and rng.random() < 0.3
    return Options(
        width=rng.choice(_WIDTHS), route=route, strip_vlan=strip, prandom_seed=seed & 0xFFFF_FFFF
    )


class _GraphCheck:
    """Compares the graph after every pass with the interpreter.

    What a frame gives the pipeline depends on the design, which the first pass comes before: graphs
    are kept until then.
    """

    def __init__(self) -> None:
        self.graphs: list[tuple[str, Function]] = []

    def keep(self, name: str, function: Function) -> None:
        check(function, name)
        self.graphs.append((name, function))

    def compare(self, design: Design, expected: Sequence[Expectation]) -> None:
        # A gate without a window gives none to graphs that still read it, which only r0 can show.
        blind = design.config.window == 0
        for n, expectation in enumerate(expected):
            outcome = expectation.outcome
            assert outcome is not None
            inputs = pipeline_inputs(expectation, design.config)
            wanted = {"verdict": int(outcome.verdict), "r0": outcome.r0}
            for name, function in self.graphs:
                values = evaluate(function, inputs)
                for output, node in function.outputs.items():
                    if blind and output == "r0":
                        continue
                    if values[node] != wanted[output]:
                        raise _Disagreement(
                            f"frame {n}, after {name}: {output} is {values[node]:#x}, the"
                            f" interpreter says {wanted[output]:#x}",
                            expectation.sent.frame.data,
                        )


def _check_verilog(design: Design, frames: Sequence[Frame], seed: int) -> None:
    conditions = Conditions(seed=seed, idle=0.1, stall=0.2, random_start=True)
    result = simulate_fast(
        design.verilog, design.config, design.inputs, frames, design.program,
        conditions=conditions, prandom_seed=design.options.prandom_seed,
    )
    if result.mismatches:
        first = result.mismatches[0]
        data = first.expected.sent.frame.data if first.expected else None
        raise _Disagreement(str(first), data)


def _check_kernel(program: Program, frames: Sequence[bytes], seed: int) -> int:
    report = kernel.compare(program, frames, seed & 0xFFFF_FFFF)
    if report.disagreements:
        first = report.disagreements[0]
        raise _Disagreement(str(first), first.frame)
    return report.packets


def try_program(seed: int, packets: int, *, in_kernel: bool, in_verilog: bool) -> Tried:
    """Run the program of one seed on `packets` frames."""
    program = random_program(seed)
    options, data = _options(seed), frames_for(seed, packets)
    graphs = _GraphCheck()
    try:
        design = compile_program(program, options, graphs.keep)
    except RxgateError as error:
        return Tried(seed, str(error), 0, 0, 0, None)
    frames = [Frame(d, ingress_ifindex=n % 5, rx_queue_index=n % 7) for n, d in enumerate(data)]
    golden = Golden(program, design.config, prandom_seed=options.prandom_seed)
    expected = [golden.judge(golden.send(f), ktime=n * 104_729) for n, f in enumerate(frames)]
    asked, executor, simulated = 0, Executor.GRAPH, 0
    try:
        graphs.compare(design, expected)
        if in_kernel:
            executor = Executor.KERNEL
            asked = _check_kernel(program, data, seed)
        if in_verilog:
            executor = Executor.VERILOG
            simulated = packets
            _check_verilog(design, frames, seed)
    except _Disagreement as found:
        failure = Failure(seed, program, executor, str(found), found.frame)
        return Tried(seed, "", packets, asked, simulated, failure)
    return Tried(seed, "", packets, asked, simulated, None)


def campaign(
    first: int, programs: int, packets: int, verilog_every: int
) -> Iterator[Tried]:
    """Try `programs` seeds from `first`; every `verilog_every`-th in Verilog too (0: none)."""
    in_kernel = kernel.available() is None
    for seed in range(first, first + programs):
        in_verilog = bool(verilog_every) and seed % verilog_every == 0
        yield try_program(seed, packets, in_kernel=in_kernel, in_verilog=in_verilog)


def write_failure(directory: Path, failure: Failure) -> list[Path]:
    """The program in hexadecimal and what went wrong, as files named after the seed."""
    raw = encode(failure.program)
    record = {
        "seed": failure.seed,
        "executor": failure.executor.value,
        "what": failure.text,
        "frame": None if failure.frame is None else failure.frame.hex(),
        "data": {name: content.hex() for name, content in raw.data.items()},
    }
    return write_files(directory, {
        f"program-{failure.seed}.hex": raw.code.hex(" ", 8) + "\n",
        f"program-{failure.seed}.json": json.dumps(record, indent=2) + "\n",
    })
