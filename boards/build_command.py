"""build: a program and a board -> a bitstream."""

import os
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Group
from rich.progress import Progress, SpinnerColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from ..compiler.options import Options
from ..compiler.output import write_files
from ..compiler.verify import DEFAULT_MAX_WINDOW
from ..sim.arguments import (
    NAME,
    console,
    hash_key_bytes,
    json_option,
    key_option,
    prandom_option,
    print_json,
    program_options,
    take_program,
)
from .build import (
    BITSTREAM,
    MAX_FRAME,
    Built,
    board_design,
    check_timing,
    output_files,
    to_json,
)
from .build import build as build_board
from .kits import KITS
from .load import load as load_bitstream
from .pins import device

_MOST_FRAME = 9216


@click.command()
@program_options
@click.option("--board", required=True, metavar="NAME",
              help=f"The board: {', '.join(KITS)}.")
@click.option("-o", "--output", required=True, type=NAME, metavar="DIR",
              help="Write top.bit, build.json and the design's sources here.")
@click.option("--max-window", type=int, default=DEFAULT_MAX_WINDOW, show_default=True,
              help="Deepest header byte that may be reached.")
@click.option("--max-frame", type=click.IntRange(64, _MOST_FRAME), default=MAX_FRAME,
              show_default=True, help="Longest frame, bytes without FCS.")
@key_option
@prandom_option
@click.option("--mirror", is_flag=True,
              help="On a board with one port: send back all frames, with their verdicts.")
@click.option("--tunable", "tunables", type=NAME, multiple=True, metavar="NAME",
              help="Let the host change a read-only variable; repeatable.")
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True,
              help="Placements to try; the best is kept.")
@click.option("--allow-timing-fail", is_flag=True,
              help="Write the bitstream even if a clock is too slow.")
@click.option("--load", is_flag=True, help="Load the bitstream with openFPGALoader.")
@click.option("--cable", type=NAME, metavar="NAME",
              help="openFPGALoader's name of the adapter that --load goes through.")
@json_option
def build(
    board: str, output: str, mirror: bool, seeds: int, allow_timing_fail: bool, load: bool,
    cable: str | None, as_json: bool, **options: Any,
) -> None:
    """Build PROG into a bitstream: a filter between the Ethernet ports of a board."""
    if board not in KITS:
        raise click.UsageError(f"there is no board {board!r}; there are {', '.join(KITS)}")
    kit = KITS[board]
    if mirror and len(kit.ports) > 1:
        raise click.UsageError(f"--mirror is for boards with one port; {kit.title} has two")
    if cable and not load:
        raise click.UsageError("--cable is for --load")
    if load and kit.adapter is None and not cable:
        raise click.UsageError(f"--load needs --cable NAME: {kit.title} has no adapter of its own")
    program = take_program(options)
    try:
        taken = Options(
            hash_key=hash_key_bytes(options["hash_key"]),
            max_window=options["max_window"],
            max_frame=options["max_frame"],
            mark_drops=mirror,
            prandom_seed=options["prandom_seed"],
            tunables=options["tunables"],
        )
    except ValueError as error:
        raise click.UsageError(f"--{str(error).replace('_', '-', 1)}") from None
    design = board_design(program, taken, device(kit).delays)
    with Progress(
        SpinnerColumn(), *Progress.get_default_columns()[:1], TimeElapsedColumn(),
        console=console(stderr=True), transient=True, disable=not sys.stderr.isatty(),
    ) as progress:
        task = progress.add_task("", total=None)
        built = build_board(
            design, kit, seeds, min(seeds, os.cpu_count() or 1),
            lambda doing: progress.update(task, description=doing),
        )
    if not allow_timing_fail:
        check_timing(built)
    paths = write_files(Path(output), output_files(built, design, kit))
    if as_json:
        print_json(to_json(built, design, kit) | {"files": [str(p) for p in paths]})
    else:
        console().print(_report(built, kit.title), highlight=False)
        for path in paths:
            click.echo(f"wrote {path}")
    if load:
        bitstream = Path(output) / BITSTREAM
        load_bitstream(bitstream, kit, cable)
        click.echo(f"loaded {bitstream}", err=as_json)


def _report(built: Built, title: str) -> Group:
    """Clocks, cells and the slowest path, for people."""
    table = Table(box=None, pad_edge=False)
    for name in ("clock", "MHz", "needed", ""):
        table.add_column(name, justify="left" if name in ("clock", "") else "right")
    for clock in built.best.clocks:
        verdict = "met" if clock.met else "too slow"
        table.add_row(clock.name, f"{clock.fmax_mhz:.1f}", f"{clock.constraint_mhz:g}", verdict)
    cells = ", ".join(
        f"{used:,} of {there:,} {name}" for name, (used, there) in built.best.cells.items()
        if name in ("TRELLIS_COMB", "TRELLIS_FF", "DP16KD", "MULT18X18D")
    )
    lines = [f"{cells}; seed {built.best.seed} of {len(built.timings)}",
             f"{built.best.worst.name} is limited by"]
    lines += [
        f"    {p.ns:6.3f} ns  {p.where}{f'  {p.line}' if p.line else ''}" for p in built.path
    ]
    return Group(Text(f"{title}, {built.device.name}"), table, Text("\n".join(lines)))
