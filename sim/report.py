"""Simulation result -> what the terminal shows of it."""

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from .result import SimResult

_SHOWN = 5


def sim_report(result: SimResult, clock_mhz: float) -> RenderableType:
    """Figures of the run, the counters, and the first mismatches."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column()
    rate = clock_mhz / result.cycles_per_packet if result.cycles_per_packet else 0.0
    table.add_row("packets", f"{result.packets} on the {result.engine.value} engine")
    table.add_row("cycles", f"{result.cycles}, {result.cycles_per_packet:.2f} per packet"
                            f" ({rate:.1f} Mpps at {clock_mhz:g} MHz)")
    table.add_row("input stalls", f"{result.input_stalls} cycles")
    latency = result.latency_cycles
    table.add_row("latency", "no frame came out" if latency is None else
                  f"{latency} cycles ({latency / clock_mhz * 1000:.0f} ns) from first beat to first"
                  " beat")
    counts = ", ".join(f"{n} {name}" for name, n in result.counts.items() if n)
    table.add_row("counters", counts)
    if result.images:
        table.add_row("tunables", f"packets saw {result.images} of their settings")
    if result.agreed:
        return Group(table, f"[green]{result.packets} packets, 0 mismatches: the Verilog did what"
                            " the golden interpreter says[/green]")
    lines = [f"[red]{result.mismatch_count} mismatches[/red]"]
    lines += [escape(str(m)) for m in result.mismatches[:_SHOWN]]
    return Group(table, *lines)
