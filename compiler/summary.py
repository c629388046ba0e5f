"""Design -> what the terminal shows of it."""

from rich.console import Group, RenderableType
from rich.table import Table

from .driver import Design
from .ir import WIRING
from .manifest import rates, store_and_forward_reason


def _count(n: int, thing: str) -> str:
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"


def _facts(design: Design) -> Table:
    config, placed = design.config, design.schedule
    operations = sum(n.op not in WIRING for n in placed.function.nodes)
    live = [placed.live_bits(k) for k in range(placed.latency)]
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    count = sum(i is not None for i in design.program.insns)
    graph = design.facts.graph
    inlined = "" if graph.size == count else f" -> {graph.size} inlined and unrolled"
    table.add_row(
        "program",
        f"{design.program.name}: {count} instructions{inlined} -> {operations} operations",
    )
    for slot, iterations in graph.loops().items():
        line = design.program.line(slot)
        where = f"line {line.line}" if line else f"instruction {slot}"
        table.add_row("loop", f"{where}: at most {_count(iterations, 'iteration')}, unrolled")
    checks = design.facts.guarded()
    if checks:
        where = _ranges(sorted({line.line for s in checks if (line := design.program.line(s))}))
        table.add_row(
            "checked",
            f"{_count(len(checks), 'packet load')} at run time, since no check is proven to cover"
            f" {'it' if len(checks) == 1 else 'them'} (lines {where}); outside the packet: ABORTED",
        )
    for slot in design.facts.prints():
        line = design.program.line(slot)
        where = f"line {line.line}" if line else f"instruction {slot}"
        table.add_row("dropped", f"{where}: nothing can be printed, and the call gives 0")
    for name, answer in design.facts.metadata().items():
        table.add_row("metadata", f"{name}() gives {answer.value} (NIC {design.program.nic.name})")
    table.add_row("stream", f"{config.width} bits, {_count(config.beat_bytes, 'byte')} per beat")
    table.add_row(
        "pipeline",
        f"{_count(placed.latency, 'stage')}, a packet per clock, {sum(live)} register bits carried"
        f" (at most {max(live)} across a cut)",
    )
    table.add_row("window", f"{config.window} bytes of header")
    table.add_row("descriptor", ", ".join(design.fields) or "no field is read")
    if config.tunables:
        places = (f"{t.name} ({_count(t.size, 'byte')} at {t.offset:#x})" for t in config.tunables)
        table.add_row("tunables", ", ".join(places))
    mode, _, why = store_and_forward_reason(design).partition(": ")
    table.add_row("mode", f"{mode} ({why})")
    return table


def _stages(design: Design) -> Table:
    placed = design.schedule
    table = Table(title="stages", title_justify="left", box=None, pad_edge=False)
    table.add_column("stage", justify="right")
    table.add_column("operations")
    table.add_column("source lines")
    table.add_column("bits out", justify="right")
    for k in range(placed.latency):
        kinds: dict[str, int] = {}
        lines: dict[int, None] = {}
        for n in placed.operations(k):
            node = placed.function.nodes[n]
            kinds[node.op] = kinds.get(node.op, 0) + 1
            line = design.program.line(node.origin) if node.origin >= 0 else None
            if line:
                lines[line.line] = None
        table.add_row(
            str(k),
            ", ".join(f"{c} {op}" for op, c in sorted(kinds.items())) or "-",
            _ranges(sorted(lines)),
            str(placed.live_bits(k)),
        )
    return table


def _ranges(numbers: list[int]) -> str:
    """Sorted numbers with runs as first-last."""
    runs: list[list[int]] = []
    for n in numbers:
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs) or "-"


def _rates(design: Design) -> Table:
    table = Table(
        title=f"rates at {design.options.clock_mhz:g} MHz (Mpps)", title_justify="left", box=None,
        pad_edge=False,
    )
    for name in ("frame bytes", "gate", "wire needs", ""):
        table.add_column(name, justify="right")
    for row in rates(design):
        table.add_row(
            str(row["frame_bytes"]), f"{row['gate_mpps']:.2f}",
            f"{row['wire_mpps']:.2f} at {row['wire_gbps']} Gb/s",
            "ok" if row["carries_the_wire"] else "below the wire",
        )
    return table


def summary(design: Design) -> RenderableType:
    """Facts, stages and rates as tables."""
    return Group(_facts(design), "", _stages(design), "", _rates(design))
