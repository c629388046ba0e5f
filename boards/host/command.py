"""host: a serial port -> what the board behind it does."""

import time
from pathlib import Path

import click
from rich.live import Live

from ...sim.arguments import NAME, console, json_option, print_json
from .client import Client
from .line import SerialLine
from .status import Identity, Status, dashboard, to_json
from .tunables import read_layout, write


@click.command()
@click.option("--port", required=True, type=NAME, metavar="DEVICE",
              help="The serial port, as /dev/ttyUSB0.")
@click.option("--build", "directory", type=NAME, metavar="DIR",
              help="Where the board's build was written: its tunables.")
@click.option("--set", "settings", type=NAME, multiple=True, metavar="NAME=VALUE",
              help="Change a tunable; several are changed at once, between two frames.")
@click.option("--clear", is_flag=True, help="Let the filter's counters start from 0.")
@click.option("--watch", type=click.FloatRange(0.2), metavar="SECONDS",
              help="Show the counters again and again, until interrupted.")
@json_option
def host(
    port: str, directory: str | None, settings: tuple[str, ...], clear: bool, watch: float | None,
    as_json: bool,
) -> None:
    """Show what a board does, and change its tunables, over its serial line."""
    if settings and directory is None:
        raise click.UsageError("--set needs the tunables of the build: --build DIR")
    if watch and as_json:
        raise click.UsageError("--watch and --json contradict each other")
    layout = read_layout(Path(directory)) if directory is not None else {}
    line = SerialLine(port)
    try:
        client = Client(line)
        identity = Identity.read(client)
        if settings:
            write(client, layout, settings)
        if clear:
            client.command("snapshot", "clear")
        status = Status.read(client)
        if as_json:
            print_json(to_json(identity, status))
        elif watch is None:
            console().print(dashboard(identity, status, None, 0.0), highlight=False)
        else:
            _watch(client, identity, status, watch)
    finally:
        line.close()


def _watch(client: Client, identity: Identity, status: Status, seconds: float) -> None:
    """Until interrupted."""
    read_at = time.monotonic()
    with Live(dashboard(identity, status, None, 0.0), console=console()) as live:
        while True:
            time.sleep(seconds)
            before, before_at = status, read_at
            status, read_at = Status.read(client), time.monotonic()
            live.update(dashboard(identity, status, before, read_at - before_at))
