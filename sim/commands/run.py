"""run: packets -> verdicts, by the golden interpreter or the kernel."""

import dataclasses
from typing import Any

import click
from rich.table import Table

from ...compiler.cfg import build_cfg
from ...compiler.options import MAX_WINDOW
from ...compiler.verify import verify
from ...ctx_map.nics import NICS
from ..arguments import (
    NAME,
    console,
    hash_key_bytes,
    json_option,
    key_option,
    nic_option,
    note,
    prandom_option,
    print_json,
    program_options,
    take_program,
    take_traffic,
    traffic_options,
)
from ..captures import Frame as Captured
from ..captures import write_capture
from ..kernel import NOT_RUN, run_in_kernel
from ..run import count_verdicts, run_program, trace_program

MAX_ROWS = 40
"""Packets that are listed on a terminal."""

@click.command()
@program_options
@traffic_options
@nic_option
@click.option("--strip-vlan", is_flag=True, help="Take the outer VLAN tag out of frames first.")
@click.option("--out", type=NAME, metavar="FILE",
              help="Write the packets that pass to this pcap file.")
@click.option("--trace", is_flag=True, help="Print every instruction with its register effects.")
@click.option("--engine", type=click.Choice(["interpreter", "kernel"]), default="interpreter",
              show_default=True, help="The golden interpreter, or the Linux that runs here.")
@key_option
@prandom_option
@json_option
def run(
    nic: str, strip_vlan: bool, out: str | None, trace: bool, engine: str, hash_key: str,
    prandom_seed: int, as_json: bool, **options: Any,
) -> None:
    """Run PROG on packets in the golden interpreter, or in the kernel of this machine."""
    if trace and engine == "kernel":
        raise click.UsageError("--trace is for the interpreter; the kernel shows no instructions")
    program = dataclasses.replace(take_program(options), nic=NICS[nic].bound(strip_vlan))
    verify(build_cfg(program), MAX_WINDOW)
    key = hash_key_bytes(hash_key)
    frames = take_traffic(program, options)
    execute = run_in_kernel if engine == "kernel" else run_program
    answers = list(execute(program, frames, strip_vlan=strip_vlan, key=key, seed=prandom_seed))
    numbered = [(n, r) for n, r in enumerate(answers) if r is not None]
    results = [r for _, r in numbered]
    if out is not None:
        write_capture(out, [Captured(r.frame, len(r.frame)) for r in results if r.passes])
    counts = count_verdicts(results)
    if len(results) < len(frames):
        note(f"{len(frames) - len(results)} of {len(frames)} packets are not run: {NOT_RUN}")
    lines = trace_program(program, frames, strip_vlan=strip_vlan, key=key, seed=prandom_seed)
    if as_json:
        packets = [
            {"index": n, "verdict": r.outcome.verdict.name, "r0": r.outcome.r0,
             "length": len(r.frame)} for n, r in numbered
        ]
        traced = {"trace": list(lines)} if trace else {}
        print_json({"packets": packets, "counts": counts} | traced)
        return
    if trace:
        for line in lines:
            click.echo(line)
    table = Table(box=None, pad_edge=False)
    table.add_column("packet", justify="right")
    table.add_column("bytes", justify="right")
    table.add_column("verdict")
    table.add_column("r0", justify="right")
    for n, r in numbered[:MAX_ROWS]:
        table.add_row(str(n), str(len(r.frame)), r.outcome.verdict.name, f"{r.outcome.r0:#x}")
    shown = console()
    shown.print(table)
    if len(results) > MAX_ROWS:
        shown.print(f"... {len(results) - MAX_ROWS} more; --json lists all of them")
    shown.print(
        f"{len(results)} packets: " + ", ".join(f"{c} {v}" for v, c in counts.items() if c),
        highlight=False,
    )
