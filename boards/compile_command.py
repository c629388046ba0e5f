"""compile: a program -> Verilog and what describes it, for a shell."""

from pathlib import Path
from typing import Any

import click

from ..compiler.disasm import listing
from ..compiler.driver import Design, compile_program
from ..compiler.manifest import manifest
from ..compiler.output import write_files
from ..compiler.report import REPORT, render
from ..compiler.summary import summary
from ..sim.arguments import (
    NAME,
    circuit_options,
    console,
    delay_option,
    json_option,
    print_json,
    program_options,
    take_circuit,
    take_program,
)
from .shells import SHELLS

EMIT = ("insns", "cfg", "ir", "schedule", "verilog")


@click.command("compile")
@program_options
@circuit_options
@delay_option
@click.option("--shell", metavar="NAME", default=next(iter(SHELLS)), show_default=True,
              help=f"What the gate goes into: {', '.join(SHELLS)}.")
@click.option("-o", "--output", type=NAME, metavar="DIR",
              help="Write rxgate.v, manifest.json, report.html and what else there is here.")
@click.option("--emit", type=click.Choice(EMIT), help="Print an intermediate form instead.")
@json_option
def compile_command(
    shell: str, output: str | None, emit: str | None, as_json: bool, **options: Any
) -> None:
    """Compile PROG to Verilog, a manifest and a report."""
    if shell not in SHELLS:
        raise click.UsageError(f"there is no shell {shell!r}, only {', '.join(SHELLS)}")
    program = take_program(options)
    design = compile_program(program, take_circuit(options))
    if emit and output:
        raise click.UsageError("--emit prints and writes no file: give it or -o DIR")
    if emit:
        form = _emit(design, emit)
        if as_json:
            print_json({"emit": emit, "text": form})
        else:
            click.echo(form, nl=False)
        return
    if output is None:
        raise click.UsageError("say where to write with -o DIR, or what to print with --emit")
    paths = write_files(Path(output), {**SHELLS[shell].files(design), REPORT: render(design)})
    if as_json:
        print_json(manifest(design) | {"files": [str(p) for p in paths]})
        return
    console().print(summary(design))
    for path in paths:
        click.echo(f"wrote {path}")


def _emit(design: Design, form: str) -> str:
    match form:
        case "insns":
            return listing(design.program)
        case "cfg":
            return str(design.facts.graph)
        case "ir":
            return str(design.schedule.function)
        case "schedule":
            return str(design.schedule)
    return design.verilog
