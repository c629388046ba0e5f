"""doctor: the tools of this machine -> a table."""

import dataclasses

import click
from rich.markup import escape
from rich.table import Table

from ..arguments import console, json_option, print_json
from ..doctor import report


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Say which tools were found, which versions, and what is missing for what."""
    tools = report()
    if as_json:
        print_json({"tools": [dataclasses.asdict(t) for t in tools]})
        return
    table = Table(box=None, pad_edge=False)
    for column in ("tool", "for", "version", "where, or what to do"):
        table.add_column(column)
    for t in tools:
        mark = "green" if t.found else "red"
        table.add_row(
            f"[{mark}]{t.name}[/{mark}]", t.purpose, escape(t.version) or "-",
            escape(t.path if t.found else t.hint),
        )
    console().print(table)
