"""Command line -> the calls behind it. Exit status: 0 all agreed, 1 a disagreement, 2 bad input."""

import contextlib
import sys
from typing import NoReturn

import click

from . import __version__
from .boards.build_command import build
from .boards.command import synth
from .boards.compile_command import compile_command
from .boards.host.command import host
from .compiler.errors import RxgateError
from .sim.commands.check import check, disasm
from .sim.commands.doctor import doctor
from .sim.commands.fuzz import conformance_plugin, fuzz
from .sim.commands.run import run
from .sim.commands.simulate import demo, sim, testbench


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="rxgate")
def cli() -> None:
    """Compile PHYS_DEV packet filters to hardware pipelines, and prove them in simulation."""


for _command in (
    compile_command, check, disasm, run, sim, testbench, synth, build, host, demo, fuzz,
    conformance_plugin, doctor,
):
    cli.add_command(_command)


def main() -> None:
    """Entry point of the `rxgate` command."""
    try:
        status = cli.main(prog_name="rxgate", standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)
    except click.Abort:
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        _fail(_misuse(error))
    except RxgateError as error:
        notes = getattr(error, "__notes__", [])
        more = f" (and {len(notes)} more: {'; '.join(notes[:3])})" if notes else ""
        _fail(f"rxgate: {error}{more}")
    except OSError as error:
        _drop_broken_output()
        place = f"{error.filename}: " if error.filename else ""
        _fail(f"rxgate: {place}{error.strerror or error}")


def _drop_broken_output() -> None:
    """Close standard output if it takes nothing, so that leaving does not fail again."""
    try:
        sys.stdout.flush()
    except OSError:
        with contextlib.suppress(OSError):
            sys.stdout.close()


def _misuse(error: click.ClickException) -> str:
    """What is wrong with the command line, and where to look."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    name = context.command_path if context else "rxgate"
    message = error.format_message().rstrip(".")
    return f"{name}: {message}. See {name} --help."


def _fail(paragraph: str) -> NoReturn:
    """One paragraph on standard error, and the exit status of bad input."""
    click.echo(paragraph, err=True)
    sys.exit(2)
