"""A packet that hardware judged wrongly -> the first stage that went wrong, and its source line.

The packet runs again, alone, through the same design with a trace port; registers are compared with
the dataflow graph, and the graph with the interpreter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..compiler.driver import Design, compile_program
from ..compiler.errors import SourceLine
from ..compiler.stage_values import Inputs, Register, registers, steps, verdict
from ..compiler.tunables import retuned
from ..ctx_map.models import vlan_tag
from ..hdl.config import GateConfig
from .captures import Frame as Captured
from .captures import write_capture
from .conditions import Conditions
from .fast import trace_launch
from .golden import Expectation, Frame
from .interp import Interpreter
from .result import Mismatch, SimResult


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Where a wrong verdict comes from.

    `stage` and `line` are None when no stage of the program pipeline is at fault, or when the place
    has no source line; `text` always says what was found.
    """

    text: str
    stage: int | None = None
    line: SourceLine | None = None


def diagnose(design: Design, mismatch: Mismatch, verilog: str | None = None) -> Diagnosis:
    """Find the cause of a mismatch of one admitted packet.

    `verilog` is hardware with a trace port to look into, other than the design's own.
    """
    expectation = mismatch.expected
    if expectation is None or expectation.outcome is None:
        return Diagnosis("no single packet is at fault, so there is nothing to trace")
    if not design.schedule.latency:
        return Diagnosis("the pipeline has no stage")
    inputs = pipeline_inputs(expectation, design.config)
    fault = _graph_fault(design, expectation, inputs)
    if fault is not None:
        return fault
    if verilog is None:
        options = replace(design.options, trace=True)
        verilog = compile_program(retuned(design.program, expectation.image), options).verilog
    result, trace = _run_alone(design, expectation, verilog)
    wanted = registers(design, inputs)
    if wanted[-1].stage + 1 >= len(trace):
        return Diagnosis("the packet was not launched when it ran alone")
    wrong = [r for r in wanted if _shown(r, trace) != r.value]
    if wrong:
        # Of those in the first stage, what an instruction computes says more than what follows.
        register = min(wrong, key=lambda r: (r.stage, r.slot < 0))
        return _register_fault(register, _shown(register, trace))
    if result.agreed:
        return Diagnosis(
            "alone, the packet is judged as it must be: the fault needs the packets before it"
        )
    return Diagnosis(
        "every stage of the program pipeline holds what it must: the fault is around the program, "
        "in the stream, the packet buffer or the counters"
    )


def write_packet(path: Path, mismatch: Mismatch) -> None:
    """A capture that holds only the packet of a mismatch; nothing when there is none."""
    if mismatch.expected is not None:
        data = mismatch.expected.sent.frame.data
        write_capture(path, [Captured(data, len(data))])


def pipeline_inputs(expectation: Expectation, config: GateConfig) -> Inputs:
    """What the program pipeline is given for a packet."""
    received, frame = expectation.sent.received, expectation.sent.frame
    head = received.frame[: config.window]
    descriptor = received.descriptor
    values = {(name, 0): getattr(descriptor, name) for name in descriptor.__slots__}
    values |= {("window", n): byte for n, byte in enumerate(head)}
    values["present", 0] = len(head)
    values["stripped", 0] = int(config.strip_vlan and vlan_tag(frame.data)[1] != 0)
    values["packet_number", 0] = expectation.number
    values["ktime", 0] = expectation.ktime
    values |= {("tunables", n): byte for n, byte in enumerate(expectation.image)}
    return values


def _graph_fault(design: Design, expectation: Expectation, inputs: Inputs) -> Diagnosis | None:
    """The first instruction whose result the dataflow graph has wrong, if its verdict is wrong."""
    outcome = expectation.outcome
    assert outcome is not None
    decided = verdict(design, inputs)
    if decided is outcome.verdict:
        return None
    received = expectation.sent.received
    interpreter = Interpreter(design.program, design.options.prandom_seed)
    interpreter.tune(expectation.image)
    known = steps(design, inputs)
    for record in interpreter.trace(
        received.frame, received.descriptor, ktime=expectation.ktime, number=expectation.number
    ):
        for register, value in record.written:
            step = known.get((record.slot, register))
            if step is not None and step.value != value:
                stage = "" if step.stage is None else f"stage {step.stage}, "
                return Diagnosis(
                    f"{stage}instruction {step.slot}: r{register} is {step.value:#x} in the "
                    f"dataflow graph and {value:#x} in the interpreter{_at(step.line)}",
                    step.stage,
                    step.line,
                )
    return Diagnosis(
        f"the dataflow graph decides {decided.name} with the interpreter's values: its predicates "
        "or a pass are at fault"
    )


def _run_alone(
    design: Design, expectation: Expectation, verilog: str
) -> tuple[SimResult, list[int]]:
    """The packet behind as many empty ones as give it its number, at the time that it had."""
    inputs = {name for name, _ in design.schedule.function.inputs()}
    before = expectation.number if "packet_number" in inputs else 0
    sent: Sequence[Frame] = [Frame(b"")] * before + [expectation.sent.frame]
    return trace_launch(
        verilog,
        design.config,
        inputs,
        sent,
        retuned(design.program, expectation.image),
        before,
        conditions=Conditions(ktime_start=expectation.ktime, ktime_step=0),
        prandom_seed=design.options.prandom_seed,
        hash_key=design.options.hash_key,
    )


def _shown(register: Register, trace: Sequence[int]) -> int:
    return trace[register.stage + 1] >> register.offset & (1 << register.width) - 1


def _register_fault(register: Register, shown: int) -> Diagnosis:
    slot = f", instruction {register.slot}" if register.slot >= 0 else ""
    return Diagnosis(
        f"stage {register.stage}{slot}: {register.operation} is {shown:#x} in hardware and must be "
        f"{register.value:#x}{_at(register.line)}",
        register.stage,
        register.line,
    )


def _at(line: SourceLine | None) -> str:
    return f" ({line})" if line is not None else ""
