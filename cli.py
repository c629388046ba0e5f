"""Command line -> the calls behind it. Exit status: 0 all agreed, 1 a disagreement, 2 bad input."""

import contextlib
import dataclasses
import json
import os
import random
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TimeElapsedColumn
from rich.table import Table

from . import __version__
from .boards.measure import measure
from .boards.measure import to_json as measured
from .boards.report import area_report
from .boards.targets import TARGETS
from .compiler.cfg import build_cfg
from .compiler.disasm import listing
from .compiler.driver import Design, compile_program
from .compiler.errors import InputError, RxgateError
from .compiler.manifest import manifest, output_files
from .compiler.options import MAX_WINDOW, Options
from .compiler.output import write_files
from .compiler.source import read_program
from .compiler.summary import summary
from .compiler.survey import Compiled, Refused, row_json, survey
from .compiler.verify import verify
from .ctx_map.nics import NICS
from .sim.arguments import (
    NAME,
    circuit_options,
    console,
    hash_key_bytes,
    json_option,
    key_option,
    nic_option,
    note,
    prandom_option,
    program_options,
    take_circuit,
    take_program,
    take_settings,
    take_traffic,
    traffic_options,
)
from .sim.captures import Frame as Captured
from .sim.captures import write_capture
from .sim.conformance import conformance
from .sim.fast import Conditions, simulate_fast
from .sim.fuzz import Plan, find_disagreement, take_up
from .sim.fuzz import run as run_campaign
from .sim.fuzz_case import read_case
from .sim.golden import Frame
from .sim.kernel import NOT_RUN, run_in_kernel
from .sim.mismatch import diagnose, write_packet
from .sim.report import sim_report
from .sim.result import Engine, SimResult
from .sim.retune import Retune, draw
from .sim.run import count_verdicts, run_program, trace_program
from .sim.testbench import write_testbench
from .sim.traffic import read_frames

EMIT = ("insns", "cfg", "ir", "schedule", "verilog")
EXAMPLES = Path(__file__).parent / "examples"
MAX_ROWS = 40
"""Packets that `run` lists on a terminal."""


def _print_json(result: Any) -> None:
    click.echo(json.dumps(result))


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="rxgate")
def cli() -> None:
    """Compile PHYS_DEV packet filters to hardware pipelines, and prove them in simulation."""


@cli.command("compile")
@program_options
@circuit_options
@click.option("-o", "--output", type=NAME, metavar="DIR",
              help="Write rxgate.v, manifest.json and what else there is here.")
@click.option("--emit", type=click.Choice(EMIT), help="Print an intermediate form instead.")
@json_option
def compile_command(output: str | None, emit: str | None, as_json: bool, **options: Any) -> None:
    """Compile PROG to Verilog and a manifest."""
    program = take_program(options)
    design = compile_program(program, take_circuit(options))
    if emit and output:
        raise click.UsageError("--emit prints and writes no file: give it or -o DIR")
    if emit:
        form = _emit(design, emit)
        if as_json:
            _print_json({"emit": emit, "text": form})
        else:
            click.echo(form, nl=False)
        return
    if output is None:
        raise click.UsageError("say where to write with -o DIR, or what to print with --emit")
    paths = write_files(Path(output), output_files(design))
    if as_json:
        _print_json(manifest(design) | {"files": [str(p) for p in paths]})
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


@cli.command()
@program_options
@circuit_options
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
        _print_json({k: described[k] for k in (
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
    for name in ("section", "function"):
        if options[name] is not None:
            raise click.UsageError(f"--all and --{name} contradict each other")
    context, mcpu = options.pop("context"), options.pop("mcpu")
    rows = list(survey(path, take_circuit(options), context, mcpu, settings))
    if as_json:
        _print_json({"programs": [row_json(row) for row in rows]})
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


@cli.command()
@program_options
@json_option
def disasm(as_json: bool, **options: Any) -> None:
    """Print the instructions of PROG."""
    text = listing(take_program(options))
    if as_json:
        _print_json({"text": text})
    else:
        click.echo(text, nl=False)


@cli.command()
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
        _print_json({"packets": packets, "counts": counts} | traced)
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
        from .sim.cocotb_engine import simulate_cocotb as simulate
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
            [Frame(data) for data in frames],
            design.program,
            conditions=conditions,
            prandom_seed=design.options.prandom_seed,
            hash_key=design.options.hash_key,
            retunes=retunes,
            progress=show,
        )


@cli.command()
@program_options
@circuit_options
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
        _print_json(result.to_json() | found)
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


@cli.command()
@program_options
@circuit_options
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
        _print_json({"files": [str(p) for p in paths]})
        return
    for path in paths:
        click.echo(f"wrote {path}")
    click.echo(f"run it with: cd {shlex.quote(output)} && pytest")


@cli.command()
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
    device = TARGETS[target]
    design = compile_program(take_program(options), take_circuit(options))
    if pnr and not device.router:
        note(f"there is no router for {target}: the clock stays unknown")
    with Progress(
        SpinnerColumn(), *Progress.get_default_columns()[:1], TimeElapsedColumn(),
        console=console(stderr=True), transient=True,
    ) as progress:
        task = progress.add_task("", total=None)
        found = measure(
            design, device, seeds if pnr and device.router else 0,
            lambda doing: progress.update(task, description=doing),
        )
    if as_json:
        _print_json(measured(found, design, device))
    else:
        console().print(area_report(found, design, device), highlight=False)


@cli.command()
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
        _print_json(result.to_json())
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


@cli.command()
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
        _print_json(summed | {"seed": seed, "refusals": campaign.refusals,
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
        _print_json({"disagreement": None if found is None else str(found)})
    else:
        click.echo("all executors agree" if found is None else str(found))
    if found is not None:
        sys.exit(1)


@cli.command("conformance-plugin", context_settings={"ignore_unknown_options": True})
@click.argument("memory", default="")
@click.argument("ignored", nargs=-1, type=click.UNPROCESSED)
def conformance_plugin(memory: str, ignored: tuple[str, ...]) -> None:
    """Run the program on standard input on MEMORY, as the public conformance suite asks.

    Both are hexadecimal; what is printed is r0 in hexadecimal.
    """
    click.echo(f"{conformance(sys.stdin.read(), memory):x}")


@cli.command()
@json_option
def doctor(as_json: bool) -> None:
    """Say which tools were found, which versions, and what is missing for what."""
    from .sim.doctor import report

    tools = report()
    if as_json:
        _print_json({"tools": [dataclasses.asdict(t) for t in tools]})
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
