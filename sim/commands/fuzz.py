"""fuzz, conformance-plugin: programs that nobody wrote -> whether all executors agree."""

import dataclasses
import sys
from pathlib import Path

import click
from rich.progress import Progress

from ..arguments import NAME, console, json_option, print_json
from ..conformance import conformance
from ..fuzz import Plan, find_disagreement, take_up
from ..fuzz import run as run_campaign
from ..fuzz_case import read_case


@click.command()
@click.option("--programs", type=click.IntRange(1), default=100, show_default=True,
              help="Programs to try.")
@click.option("--packets", type=click.IntRange(1), default=100, show_default=True,
              help="Frames for each.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True,
              help="Seed of the first program; the others follow.")
@click.option("--verilog-every", type=click.IntRange(0), default=0, metavar="N",
              help="Simulate the Verilog of every Nth program too.  [default: none]")
@click.option("-o", "--output", type=NAME, default="fuzz", show_default=True, metavar="DIR",
              help="Where to keep the state, and cases on which executors disagree.")
@click.option("--replay", type=NAME, metavar="FILE", help="Try a case that was written, again.")
@json_option
def fuzz(
    programs: int, packets: int, seed: int, verilog_every: int, output: str, replay: str | None,
    as_json: bool,
) -> None:
    """Run random programs in every executor and report where they disagree.

    What was begun in DIR goes on there, until as many programs as asked for are done.
    """
    if replay is not None:
        _replay(replay, as_json)
        return
    campaign = take_up(Path(output), Plan(seed, programs, packets, verilog_every))
    silent = as_json or not sys.stderr.isatty()
    with Progress(console=console(stderr=True), transient=True, disable=silent) as progress:
        task = progress.add_task("random programs", total=programs)
        for done in run_campaign(campaign, Path(output)):
            progress.update(task, completed=done)
    summed = dataclasses.asdict(campaign.counts)
    seconds = summed.pop("seconds")
    summed["programs_per_second"] = round(summed["programs"] / max(seconds, 1e-9), 2)
    if as_json:
        print_json(summed | {"seed": seed, "refusals": campaign.refusals,
                              "failures": campaign.failures})
    else:
        for failure in campaign.failures:
            click.echo(failure)
        click.echo(", ".join(f"{value} {name.replace('_', ' ')}" for name, value in summed.items()))
    if campaign.failures:
        sys.exit(1)


def _replay(path: str, as_json: bool) -> None:
    """Ask every executor about one case."""
    found = find_disagreement(read_case(Path(path)))
    if as_json:
        print_json({"disagreement": None if found is None else str(found)})
    else:
        click.echo("all executors agree" if found is None else str(found))
    if found is not None:
        sys.exit(1)


@click.command("conformance-plugin", context_settings={"ignore_unknown_options": True})
@click.argument("memory", default="")
@click.argument("ignored", nargs=-1, type=click.UNPROCESSED)
def conformance_plugin(memory: str, ignored: tuple[str, ...]) -> None:
    """Run the program on standard input on MEMORY, as the public conformance suite asks.

    Both are hexadecimal; what is printed is r0 in hexadecimal.
    """
    click.echo(f"{conformance(sys.stdin.read(), memory):x}")
