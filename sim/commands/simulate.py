"""sim, testbench, demo: a program's Verilog -> whether it agrees with the golden interpreter."""

import os
import random
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress, TaskID

from ...compiler.driver import Design, compile_program
from ...compiler.errors import InputError
from ...compiler.options import Options
from ...compiler.source import read_program
from ...compiler.summary import summary
from ..arguments import (
    NAME,
    circuit_options,
    console,
    delay_option,
    json_option,
    print_json,
    program_options,
    take_circuit,
    take_program,
    take_traffic,
    traffic_options,
)
from ..conditions import Conditions
from ..fast import simulate_fast
from ..golden import Frame
from ..mismatch import diagnose, write_packet
from ..report import sim_report
from ..result import Engine, SimResult
from ..retune import Retune, draw
from ..testbench import write_testbench
from ..traffic import read_frames

EXAMPLES = Path(__file__).parents[2] / "examples"

def _simulate(
    design: Design,
    engine: str,
    frames: list[bytes],
    conditions: Conditions,
    quiet: bool,
    retunes: Sequence[Retune] = (),
) -> SimResult:
    """Run frames on one engine, with a progress bar on a terminal."""
    if engine == Engine.COCOTB.value:
        from ..cocotb_engine import simulate_cocotb as simulate
    else:
        simulate = simulate_fast
    silent = quiet or not sys.stderr.isatty()
    with Progress(console=console(stderr=True), transient=True, disable=silent) as progress:
        building = progress.add_task("building the simulator", total=None)
        running: list[TaskID] = []

        def show(packets: int) -> None:
            if not running:
                progress.remove_task(building)
                running.append(progress.add_task("simulating", total=len(frames)))
            progress.update(running[0], completed=packets)

        return simulate(
            design.verilog,
            design.config,
            design.inputs,
            map(Frame, frames),
            design.program,
            conditions=conditions,
            prandom_seed=design.options.prandom_seed,
            hash_key=design.options.hash_key,
            retunes=retunes,
            progress=show,
        )


@click.command()
@program_options
@circuit_options
@delay_option
@traffic_options
@click.option("--engine", type=click.Choice([e.value for e in Engine]), default=Engine.FAST.value,
              show_default=True, help="Compiled C++ harness, or cocotb benches.")
@click.option("--idle", type=click.FloatRange(0, 0.95), default=0.0, show_default=True,
              help="Share of cycles in which the source pauses.")
@click.option("--stall", type=click.FloatRange(0, 0.95), default=0.0, show_default=True,
              help="Share of cycles in which the sink is not ready.")
@click.option("--random-start", is_flag=True, help="Registers and memories start random.")
@click.option("--retune", type=click.IntRange(0), default=0, show_default=True, metavar="N",
              help="How often the host changes the tunables meanwhile, drawn from the seed.")
@click.option("--waves", type=NAME, metavar="FILE", help="Write waves in FST format.")
@json_option
def sim(
    engine: str, idle: float, stall: float, random_start: bool, retune: int, waves: str | None,
    as_json: bool, **options: Any,
) -> None:
    """Simulate PROG's Verilog and compare it with the golden interpreter."""
    program = take_program(options)
    design = compile_program(program, take_circuit(options))
    frames = take_traffic(program, options)
    conditions = Conditions(
        seed=options["seed"], idle=idle, stall=stall, random_start=random_start,
        waves=_new_file(waves) if waves else None,
    )
    if retune and not design.program.tunables:
        raise click.UsageError("--retune changes what --tunable names; there is none")
    retunes = draw(design.program, frames, retune, random.Random(f"{conditions.seed} retune"))
    result = _simulate(design, engine, frames, conditions, as_json, retunes)
    found = _explain(design, result)
    if as_json:
        print_json(result.to_json() | found)
    else:
        console().print(sim_report(result, design.options.clock_mhz), highlight=False)
        for name, value in found.items():
            click.echo(f"{name}: {value}")
    if not result.agreed:
        sys.exit(1)


def _new_file(name: str) -> Path:
    """The path of a file that a simulator is to write."""
    path = Path(name).absolute()
    try:
        if path.is_dir():
            raise InputError(f"{name} cannot be written: it is a directory.")
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise InputError(f"{name} cannot be written: {path.parent} is no directory to write in.")
    except (OSError, ValueError) as error:
        raise InputError(f"{name} cannot be written: {error}.") from None
    return path


def _explain(design: Design, result: SimResult) -> dict[str, str]:
    """Where the first mismatch comes from, and a capture that reproduces it; empty without one."""
    first = next((m for m in result.mismatches if m.expected is not None), None)
    if first is None:
        return {}
    path = Path(f"mismatch-{first.index}.pcap")
    write_packet(path, first)
    return {"cause": diagnose(design, first).text, "capture": str(path)}


@click.command()
@program_options
@circuit_options
@delay_option
@click.option("--pcap", type=NAME, metavar="FILE", help="The traffic to put beside the bench.")
@click.option("--seed", type=int, default=1, show_default=True,
              help="Seed of the traffic when there is no capture.")
@click.option("-o", "--output", type=NAME, metavar="DIR", required=True,
              help="Where to write the bench.")
@json_option
def testbench(
    pcap: str | None, seed: int, output: str, as_json: bool, **options: Any
) -> None:
    """Write a stand-alone cocotb bench for PROG, which runs with plain pytest."""
    program = take_program(options)
    design = compile_program(program, take_circuit(options))
    paths = write_testbench(design, Path(output), Path(pcap) if pcap else None, seed)
    if as_json:
        print_json({"files": [str(p) for p in paths]})
        return
    for path in paths:
        click.echo(f"wrote {path}")
    click.echo(f"run it with: cd {shlex.quote(output)} && pytest")


@click.command()
@json_option
def demo(as_json: bool) -> None:
    """Compile an example filter and run it on real traffic, in simulation at 512 bits."""
    source = EXAMPLES / "fragment_filter.c"
    capture = EXAMPLES / "captures" / "fragments.pcap"
    program = read_program(str(source))
    design = compile_program(program, Options(width=512))
    frames, _ = read_frames(str(capture))
    result = _simulate(design, Engine.FAST.value, frames, Conditions(), as_json)
    if as_json:
        print_json(result.to_json())
    else:
        shown = console()
        shown.rule("the filter, as a circuit")
        shown.print(summary(design))
        shown.rule("the circuit, on recorded traffic")
        shown.print(sim_report(result, design.options.clock_mhz), highlight=False)
        shown.print(
            f"\n{source.name} drops IPv4 and IPv6 fragments. Of {result.packets} recorded packets"
            f" the circuit passed {result.counts['pass']} and dropped {result.counts['drop']}, byte"
            " for byte what the program says, and it can take a packet every clock cycle."
            f"\nNext: ./rxgate compile {EXAMPLES.name}/{source.name} -o out, then look at"
            " out/rxgate.v; or a filter of your own: ./rxgate sim --filter 'udp port 53'",
            highlight=False, soft_wrap=True,
        )
    if not result.agreed:
        sys.exit(1)
