"""check, disasm: a program -> figures, listings."""

import sys
from typing import Any

import click
from rich.table import Table

from ...compiler.disasm import listing
from ...compiler.driver import compile_program
from ...compiler.manifest import manifest
from ...compiler.summary import summary
from ...compiler.survey import Compiled, Refused, row_json, survey
from ..arguments import (
    circuit_options,
    console,
    delay_option,
    json_option,
    print_json,
    program_options,
    take_circuit,
    take_program,
    take_settings,
)


@click.command()
@program_options
@circuit_options
@delay_option
@click.option("--all", "every", is_flag=True, help="A row for each program of the object.")
@json_option
def check(every: bool, as_json: bool, **options: Any) -> None:
    """Verify PROG and print what it would cost; needs no hardware tool."""
    if every:
        _check_all(as_json, options)
        return
    program = take_program(options)
    design = compile_program(program, take_circuit(options))
    if as_json:
        described = manifest(design)
        print_json({k: described[k] for k in (
            "program", "width_bits", "header_window", "store_and_forward",
            "store_and_forward_reason", "descriptor_fields", "pipeline_cycles",
            "initiation_interval", "operations", "live_bits", "rates",
        )})
    else:
        console().print(summary(design))


def _check_all(as_json: bool, options: dict[str, Any]) -> None:
    """One row per program of a file: what it would cost, or why it is refused."""
    path, settings = options.pop("prog"), take_settings(options)
    if path is None:
        raise click.UsageError("--all needs a program file (PROG)")
    for word, name in (("section", "section"), ("function", "function"), ("filter", "expression")):
        if options[name] is not None:
            raise click.UsageError(f"--all and --{word} contradict each other")
    context, mcpu = options.pop("context"), options.pop("mcpu")
    rows = list(survey(path, take_circuit(options), context, mcpu, settings))
    if as_json:
        print_json({"programs": [row_json(row) for row in rows]})
    else:
        _print_rows(rows)
    if any(isinstance(row, Refused) and row.is_defect for row in rows):
        sys.exit(1)


def _print_rows(rows: list[Compiled | Refused]) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("section", "function", "stages", "latency", "window", "or why not"):
        table.add_column(name, overflow="fold")
    for row in rows:
        if isinstance(row, Compiled):
            figures = (row.stages, row.latency_cycles, row.header_window)
            table.add_row(row.section, row.function, *map(str, figures), "")
        else:
            place = f"{row.place}: " if row.place else ""
            table.add_row(row.section, row.function, "-", "-", "-", f"{place}{row.reason}")
    console().print(table, markup=False, highlight=False)


@click.command()
@program_options
@json_option
def disasm(as_json: bool, **options: Any) -> None:
    """Print the instructions of PROG."""
    text = listing(take_program(options))
    if as_json:
        print_json({"text": text})
    else:
        click.echo(text, nl=False)
