"""Program and options -> a design: the whole compiler as one readable list of calls."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from ..ctx_map.descriptor import BY_NAME, Source
from ..hdl.config import GateConfig, OnDrop
from ..hdl.gate import Gate
from ..hdl.verilog import to_verilog
from .cfg import Graph, build_cfg
from .codegen import ProgramPipeline
from .errors import Unsupported
from .insn import Program
from .ir import Function
from .ir_check import check
from .lift import Target, lift, signals, window_size
from .options import Options, Route
from .passes import run_passes
from .schedule import Schedule, schedule
from .verify import Facts, verify

TOP = "rxgate"
"""Name of the Verilog module."""


@dataclass(frozen=True)
class Design:
    """A compiled program. `fields` are the descriptor fields it reads, in descriptor order."""

    program: Program
    options: Options
    graph: Graph
    facts: Facts
    lifted: Function
    schedule: Schedule
    config: GateConfig
    fields: tuple[str, ...]

    @cached_property
    def pipeline(self) -> ProgramPipeline:
        return ProgramPipeline(self.schedule, self.config.window, self.options.trace)

    @cached_property
    def gate(self) -> Gate:
        return Gate(self.config, self.pipeline)

    @cached_property
    def verilog(self) -> str:
        """The whole design as one self-contained Verilog file."""
        return to_verilog(self.gate, TOP)

    @property
    def inputs(self) -> dict[str, int]:
        """What the program pipeline takes: name -> bits."""
        return self.pipeline.inputs


def _check(name: str, function: Function) -> None:
    check(function, name)


def _target(options: Options, fields: list[str]) -> Target:
    """What comes to the program as an input; the rest is computed from the window."""
    if options.route is Route.SHELL:
        delivered = set(fields)
    else:
        delivered = {f for f in fields if BY_NAME[f].source is not Source.WINDOW}
        if options.strip_vlan:
            delivered |= {f for f in fields if f in ("vlan_tci", "vlan_proto")}
    return Target(
        frozenset(delivered), options.hash_key, options.strip_vlan, options.prandom_seed
    )


def _config(options: Options, fields: list[str], window: int, inputs: set[str]) -> GateConfig:
    shell = options.route is Route.SHELL
    from_stream = [f for f in fields if shell or BY_NAME[f].source is Source.STREAM]
    at_the_end = [f for f in ("len", "csum") if f in inputs and f not in from_stream]
    return GateConfig(
        width=options.width,
        window=window,
        stream_fields=tuple(from_stream),
        store_and_forward=bool(at_the_end),
        strip_vlan=options.strip_vlan,
        max_frame=options.max_frame,
        on_drop=OnDrop.MARK if options.mark_drops else OnDrop.CONSUME,
        backpressure=options.backpressure,
    )


def compile_program(
    program: Program,
    options: Options | None = None,
    callback: Callable[[str, Function], None] = _check,
) -> Design:
    """Compile a decoded program.

    `callback` sees the dataflow graph after lifting and after every pass, by name.

    Raises
    ------
    VerifyError, Unsupported
        As `build_cfg` and `verify` say.
    """
    options = options or Options()
    graph = build_cfg(program)
    facts = verify(graph, options.max_window)
    fields = signals(facts)
    target = _target(options, fields)
    window = window_size(facts, target)
    if window > options.max_window:
        raise Unsupported(
            f"the descriptor needs {window} bytes of header, --max-window allows"
            f" {options.max_window}"
        )
    lifted = lift(graph, facts, target)
    callback("lift", lifted)
    verdict_only = Function(lifted.nodes, {"verdict": lifted.outputs["verdict"]}, lifted.results)
    function = run_passes(verdict_only, callback)
    placed = schedule(function)
    inputs = {name for name, _ in function.inputs()}
    config = _config(options, fields, window if inputs & {"window", "present"} else 0, inputs)
    return Design(program, options, graph, facts, lifted, placed, config, tuple(fields))
