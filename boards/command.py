"""synth: a program -> area and clock on a device."""

import sys
from typing import Any

import click
from rich.progress import Progress, SpinnerColumn, TimeElapsedColumn

from ..compiler.driver import compile_program
from ..sim.arguments import (
    circuit_options,
    console,
    json_option,
    note,
    print_json,
    program_options,
    take_circuit,
    take_program,
)
from .measure import measure
from .measure import to_json as measured
from .report import area_report
from .targets import TARGETS


@click.command()
@program_options
@circuit_options
@click.option("--target", type=click.Choice(list(TARGETS)), default=next(iter(TARGETS)),
              show_default=True, help="The device.")
@click.option("--pnr", is_flag=True, help="Place and route too, where there is a router.")
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True,
              help="Placements to try; the median counts.")
@json_option
def synth(target: str, pnr: bool, seeds: int, as_json: bool, **options: Any) -> None:
    """Measure what PROG takes of a device: area, logic levels, and with --pnr the clock."""
    if seeds > 1 and not pnr:
        raise click.UsageError("--seeds counts placements: it needs --pnr")
    device = TARGETS[target]
    options["target"] = device.delays
    design = compile_program(take_program(options), take_circuit(options))
    if pnr and not device.router:
        note(f"there is no router for {target}: the clock stays unknown")
    with Progress(
        SpinnerColumn(), *Progress.get_default_columns()[:1], TimeElapsedColumn(),
        console=console(stderr=True), transient=True,
        disable=not sys.stderr.isatty(),
    ) as progress:
        task = progress.add_task("", total=None)
        found = measure(
            design, device, seeds if pnr and device.router else 0,
            lambda doing: progress.update(task, description=doing),
        )
    if as_json:
        print_json(measured(found, design, device))
    else:
        console().print(area_report(found, design, device), highlight=False)
