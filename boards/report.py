"""Measurement -> a table for people."""

from rich.console import Group
from rich.table import Table
from rich.text import Text

from ..compiler.driver import Design
from .measure import Measurement
from .netlist import Area
from .targets import Target


def area_report(found: Measurement, design: Design, target: Target) -> Group:
    """Area by part, levels by stage, clock and slowest path."""
    table = Table(box=None, pad_edge=False)
    names = list(Area().to_json())
    table.add_column(f"{target.device}, {design.options.width} bits")
    for name in names:
        table.add_column(name, justify="right")
    rows = {"program": found.program, "surroundings": found.surroundings, "together": found.gate}
    for name, area in rows.items():
        counts = area.to_json()
        table.add_row(name, *(f"{counts[n]:,}" for n in names))
    stages = found.stage_levels(design.schedule.latency)
    around = max((n for place, n in found.levels.items() if place.stage < 0), default=0)
    lines = [
        f"look-up tables between registers: {' '.join(map(str, stages))} by stage,"
        f" {around} in the surroundings",
        f"{design.schedule.latency} stages, latency {design.gate.latency} cycles",
    ]
    if found.fmax_mhz:
        each = ", ".join(f"{mhz:.1f}" for mhz in found.fmax_mhz)
        lines.append(f"clock: {found.median_mhz:.1f} MHz, the median of {each}")
        lines.append(f"limited by {found.ends[0]} to {found.ends[1]}")
    for piece in found.path:
        where = piece.place.part if piece.place.stage < 0 else f"stage {piece.place.stage}"
        lines.append(f"    {piece.ns:6.3f} ns  {where}{f'  {piece.line}' if piece.line else ''}")
    if found.lines:
        lines.append(f"which computes {', '.join(found.lines)}")
    return Group(table, Text("\n".join(lines)))
