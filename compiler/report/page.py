"""Design -> HTML text: the model, figures and drawing in the page's template."""

from functools import cache
from posixpath import basename
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from ... import __version__
from ...ctx_map.verdicts import Verdict
from ..driver import Design
from ..manifest_latency import latency_budget
from ..wires import reads
from .cost import readers
from .figures import LARGEST, SMALLEST, rates
from .held import inputs, reading_stages
from .model import Line, Model, Operation, Stage, model
from .names import Names
from .parts import summed
from .reasons import reasons
from .svg import drawing

MOST_LINES = 4_000
"""Rows of the source listing, and of the instructions."""
MOST_OPERATIONS = 1_500
"""Operations that are listed one by one, over all stages."""
MOST_HELD = 8
"""Values of a cut that are listed."""


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__name__.rpartition(".")[0], "templates"), autoescape=True,
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )
    environment.filters |= {"figure": _figure, "join_numbers": _ranges}
    return environment


def render(design: Design) -> str:
    """The page; the same design gives the same text."""
    found = model(design)
    schedule = design.schedule
    read = reads(schedule.function)
    names = Names(schedule.function)
    before = inputs(names, read, reading_stages(schedule, readers(schedule)))
    clock = design.options.clock_mhz
    budgets = [
        {"bytes": size, "parts": (parts := latency_budget(design, size)),
         "cycles": sum(p.cycles for p in parts)}
        for size in ((SMALLEST, LARGEST) if design.config.store_and_forward else (LARGEST,))
    ]
    return _environment().get_template("report.html").render(
        version=__version__, design=design, config=design.config, options=design.options,
        program=design.program, model=found, clock=clock, ns=1000 / clock,
        file=_file(found), store_and_forward=design.config.store_and_forward,
        operations=len(found.operations), luts=sum(op.luts for op in found.operations.values()),
        live=[s.live_bits for s in found.stages],
        most_live=max([1, *(s.live_bits for s in found.stages)]),
        most_operations=max([1, *(len(s.operations) for s in found.stages)]),
        slowest=max(s.chain.ns for s in found.stages),
        instructions=found.instructions[:MOST_LINES], groups=_groups(found.lines[:MOST_LINES]),
        left_out={
            "lines": max(0, len(found.lines) - MOST_LINES),
            "instructions": max(0, len(found.instructions) - MOST_LINES),
        },
        peak=_peaks(found), stages=_stages(found), drawing=drawing(schedule, found, before, read),
        bytes_read=sum(b.readers > 0 for b in found.window),
        most_readers=max((b.readers for b in found.window), default=0),
        budgets=budgets, rates=rates(clock), reasons=reasons(design, found),
        numbers={line.key: line.number for line in found.lines},
        verdicts=", ".join(v.name for v in Verdict),
    )  # fmt: skip


def _file(found: Model) -> str:
    """The source file, without a path; expressions have none."""
    name = basename(found.lines[0].file) if found.lines else ""
    return name if "." in name else ""


def _groups(lines: tuple[Line, ...]) -> list[dict[str, Any]]:
    """Lines by file; `gap` says that lines before one are not known."""
    found: list[dict[str, Any]] = []
    for line in lines:
        if not found or found[-1]["path"] != line.file:
            found.append({"path": line.file, "name": basename(line.file), "lines": []})
        rows = found[-1]["lines"]
        gap = bool(rows) and rows[-1]["line"].number + 1 != line.number
        rows.append({"line": line, "gap": gap})
    return found


def _peaks(found: Model) -> dict[str, dict[str, float]]:
    """The highest cost of a line and of an instruction, at least 1."""
    return {
        what: {
            "operations": max([1, *(x.cost.operations for x in items)]),
            "luts": max([1.0, *(x.cost.luts for x in items)]),
            "bits": max([1, *(x.cost.bits for x in items)]),
        }
        for what, items in (("lines", found.lines), ("instructions", found.instructions))
    }


def _stages(found: Model) -> list[dict[str, Any]]:
    """What the table of stages shows; the most expensive operations when there are too many."""
    left = MOST_OPERATIONS
    rows = []
    for stage in found.stages:
        ops = [found.operations[n] for n in stage.operations]
        if len(ops) > left:
            ops = sorted(sorted(ops, key=lambda op: (-op.luts, op.n))[:left], key=lambda op: op.n)
        left -= len(ops)
        parts = summed(found, stage.held)
        rows.append({
            "stage": stage, "kinds": _kinds(found, stage), "operations": ops,
            "left_out": len(stage.operations) - len(ops),
            "luts": sum(found.operations[n].luts for n in stage.operations),
            "chain": [found.operations[n] for n in stage.chain.operations],
            "chain_keys": found.keys({found.operations[n].slot for n in stage.chain.operations}),
            "held": parts[:MOST_HELD], "held_left_out": max(0, len(parts) - MOST_HELD),
        })
    return rows


def _kinds(found: Model, stage: Stage) -> str:
    """How many operations of each kind."""
    count: dict[str, int] = {}
    for n in stage.operations:
        op: Operation = found.operations[n]
        count[op.kind] = count.get(op.kind, 0) + 1
    return ", ".join(f"{n} {kind}" for kind, n in sorted(count.items(), key=lambda c: (-c[1], c[0])))


def _figure(value: float, digits: int = 0) -> str:
    """A number for people."""
    return f"{value:,.{digits}f}"


def _ranges(numbers: tuple[int, ...]) -> str:
    """Sorted numbers with runs as first–last."""
    runs: list[list[int]] = []
    for n in numbers:
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in runs)
