"""Command line -> the calls behind it. Exit status: 0 all agreed, 1 a disagreement, 2 bad input."""

import contextlib
import dataclasses
import functools
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, TaskID
from rich.table import Table

from . import __version__
from .compiler.cfg import build_cfg
from .compiler.disasm import listing
from .compiler.driver import TOP, Design, compile_program
from .compiler.errors import RxgateError
from .compiler.insn import Program
from .compiler.load import list_programs
from .compiler.manifest import manifest
from .compiler.options import MAX_WINDOW, WIDTHS, Options, Route
from .compiler.output import write_files
from .compiler.source import read_expression, read_program
from .compiler.summary import summary
from .compiler.verify import verify
from .ctx_map.models import MICROSOFT_KEY
from .sim.captures import Frame as Captured
from .sim.captures import write_capture
from .sim.conformance import conformance
from .sim.fast import Conditions, simulate_fast
from .sim.golden import Frame
from .sim.mismatch import diagnose, write_packet
from .sim.packets import Mix
from .sim.report import sim_report
from .sim.result import Engine, SimResult
from .sim.run import count_verdicts, run_program, trace_program
from .sim.testbench import write_testbench
from .sim.traffic import generate_frames, read_frames

EMIT = ("insns", "cfg", "ir", "schedule", "verilog")
EXAMPLES = Path(__file__).parent / "examples"
FILE_COLUMNS = 120
MAX_ROWS = 40
"""Packets that `run` lists on a terminal."""
Command = Callable[..., Any]


class _Name(click.ParamType):
    """A text that names something: an empty one is a mistake, such as an unset shell variable."""

    name = "text"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        return value or self.fail("it is empty", param, ctx)


NAME = _Name()


def _console(stderr: bool = False) -> Console:
    """A console; what goes to a file is not wrapped to the width of a terminal."""
    stream = sys.stderr if stderr else sys.stdout
    wide = None if stream.isatty() or "COLUMNS" in os.environ else FILE_COLUMNS
    return Console(stderr=stderr, width=wide)


def _apply(options: list[Command]) -> Callable[[Command], Command]:
    return lambda command: functools.reduce(lambda c, option: option(c), reversed(options), command)


prandom_option = click.option("--prandom-seed", type=click.IntRange(0, 0xFFFF_FFFF), default=0,
                              show_default=True, help="Seed of bpf_get_prandom_u32.")

program_options = _apply([
    click.argument("prog", required=False, type=NAME),
    click.option("--filter", "expression", metavar="EXPR", help="A tcpdump expression as program."),
    click.option("--on-match", type=click.Choice(["pass", "drop"]), default="pass",
                 show_default=True, help="What an expression that matches does."),
    click.option("--section", type=NAME, help="The ELF section that holds the program."),
    click.option("--function", type=NAME, help="The function that is the program."),
    click.option("--context", type=NAME,
                 help="The context struct, where the section's name does not tell."),
    click.option("--mcpu", type=click.Choice(["v1", "v2", "v3", "v4"]),
                 help="Instruction set for .c and .s files."),
])

key_option = click.option("--hash-key", metavar="HEX", default=MICROSOFT_KEY.hex(),
                          help="Toeplitz key, 40 bytes.  [default: Microsoft's]")

circuit_options = _apply([
    click.option("--width", type=click.Choice([str(w) for w in WIDTHS]), default="512",
                 show_default=True, help="Stream width, bits."),
    click.option("--descriptor", type=click.Choice([r.value for r in Route]),
                 default=Route.FRONT_END.value, show_default=True,
                 help="Who delivers descriptor fields: the shell in tuser, or our front end."),
    click.option("--strip-vlan", is_flag=True, help="Take the outer VLAN tag out of frames."),
    key_option,
    click.option("--max-window", type=int, default=256, show_default=True,
                 help="Deepest header byte that may be reached."),
    click.option("--max-frame", type=int, default=9216, show_default=True,
                 help="Longest frame, bytes."),
    click.option("--on-drop", type=click.Choice(["consume", "mark"]), default="consume",
                 show_default=True, help="What becomes of dropped frames."),
    click.option("--ingress", type=click.Choice(["backpressure", "no-backpressure"]),
                 default="backpressure", show_default=True,
                 help="Whether the source of frames can be stalled."),
    prandom_option,
    click.option("--clock", type=float, default=250.0, show_default=True, metavar="MHZ",
                 help="Clock that the stated rates are for."),
])

traffic_options = _apply([
    click.option("--pcap", type=NAME, metavar="FILE", help="Traffic from a pcap or pcapng file."),
    click.option("--packets", type=click.IntRange(1), default=1000, show_default=True,
                 help="Packets to generate when there is no capture."),
    click.option("--seed", type=int, default=1, show_default=True, help="Seed of all chance."),
    click.option("--mix", type=click.Choice([m.value for m in Mix]), default=Mix.MIXED.value,
                 show_default=True, help="Kind of generated traffic."),
])

json_option = click.option("--json", "as_json", is_flag=True,
                           help="One JSON object on standard output.")


def _program(options: dict[str, Any]) -> Program:
    """Take the program options out of `options` and read the program."""
    path, expression = options.pop("prog"), options.pop("expression")
    on_match = options.pop("on_match")
    chosen = {k: options.pop(k) for k in ("section", "function", "context", "mcpu")}
    if (path is None) == (expression is None):
        raise click.UsageError("give either a program file (PROG) or --filter EXPR")
    if expression is not None:
        return read_expression(expression, on_match)
    if on_match != "pass":
        raise click.UsageError("--on-match is for --filter; a program file returns its own verdict")
    return read_program(path, **chosen)


def _circuit(options: dict[str, Any], **more: Any) -> Options:
    """Take the circuit options out of `options`."""
    try:
        return Options(
            width=int(options.pop("width")),
            route=Route(options.pop("descriptor")),
            strip_vlan=options.pop("strip_vlan"),
            hash_key=_key(options.pop("hash_key")),
            max_window=options.pop("max_window"),
            max_frame=options.pop("max_frame"),
            mark_drops=options.pop("on_drop") == "mark",
            backpressure=options.pop("ingress") == "backpressure",
            prandom_seed=options.pop("prandom_seed"),
            clock_mhz=options.pop("clock"),
            **more,
        )
    except ValueError as error:
        named = re.sub(r"^\w+", lambda field: _option_of(field[0]), str(error))
        raise click.UsageError(named) from None


def _option_of(field: str) -> str:
    """The command line's name of a field of `Options`."""
    return "--clock" if field == "clock_mhz" else "--" + field.replace("_", "-")


def _key(digits: str) -> bytes:
    if not re.fullmatch(f"[0-9a-fA-F]{{{2 * len(MICROSOFT_KEY)}}}", digits):
        raise click.UsageError(
            f"--hash-key must be {2 * len(MICROSOFT_KEY)} hexadecimal digits, not {digits!r}"
        )
    return bytes.fromhex(digits)


def _traffic(program: Program, options: dict[str, Any]) -> list[bytes]:
    """Take the traffic options, all but the seed, out of `options`."""
    path, count, mix = options.pop("pcap"), options.pop("packets"), options.pop("mix")
    if path is None:
        return generate_frames(program, count, options["seed"], mix)
    frames, cut = read_frames(path)
    if cut:
        note(f"{cut} of {len(frames)} packets of {path} are cut by its snap length; they are"
             " filtered as captured")
    return frames


def note(message: str) -> None:
    """A remark for people, on standard error."""
    _console(stderr=True).print(message, style="dim", highlight=False, markup=False)


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
              help="Write rxgate.v and manifest.json here.")
@click.option("--emit", type=click.Choice(EMIT), help="Print an intermediate form instead.")
@json_option
def compile_command(output: str | None, emit: str | None, as_json: bool, **options: Any) -> None:
    """Compile PROG to Verilog and a manifest."""
    program = _program(options)
    design = compile_program(program, _circuit(options))
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
    described = manifest(design)
    files = {f"{TOP}.v": design.verilog, "manifest.json": json.dumps(described, indent=2) + "\n"}
    paths = write_files(Path(output), files)
    if as_json:
        _print_json(described | {"files": [str(p) for p in paths]})
        return
    _console().print(summary(design))
    for path in paths:
        click.echo(f"wrote {path}")


def _emit(design: Design, form: str) -> str:
    match form:
        case "insns":
            return listing(design.program)
        case "cfg":
            return str(design.graph)
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
    program = _program(options)
    design = compile_program(program, _circuit(options))
    if as_json:
        described = manifest(design)
        _print_json({k: described[k] for k in (
            "program", "width_bits", "header_window", "store_and_forward",
            "store_and_forward_reason", "descriptor_fields", "pipeline_cycles",
            "initiation_interval", "operations", "live_bits", "rates",
        )})
    else:
        _console().print(summary(design))


def _check_all(as_json: bool, options: dict[str, Any]) -> None:
    """One row per program of a file: what it would cost, or why it is refused."""
    path, mcpu = options.pop("prog"), options.pop("mcpu")
    if path is None:
        raise click.UsageError("--all needs a program file (PROG)")
    circuit = _circuit(options)
    rows: list[dict[str, Any]] = []
    for section, function in list_programs(path, mcpu):
        row: dict[str, Any] = {"section": section, "function": function}
        try:
            program = read_program(path, section, function, options["context"], mcpu)
            design = compile_program(program, circuit)
        except RxgateError as error:
            row |= {"compiles": False, "reason": str(error)}
        else:
            row |= {"compiles": True, "stages": design.schedule.latency,
                    "latency_cycles": design.gate.latency, "header_window": design.config.window}
        rows.append(row)
    if as_json:
        _print_json({"programs": rows})
        return
    table = Table(box=None, pad_edge=False)
    for name in ("section", "function", "stages", "latency", "window", "or why not"):
        table.add_column(name, overflow="fold")
    for row in rows:
        figures = [str(row.get(k, "-")) for k in ("stages", "latency_cycles", "header_window")]
        table.add_row(row["section"], row["function"], *figures, row.get("reason", ""))
    Console().print(table, markup=False, highlight=False)


@cli.command()
@program_options
@json_option
def disasm(as_json: bool, **options: Any) -> None:
    """Print the instructions of PROG."""
    text = listing(_program(options))
    if as_json:
        _print_json({"text": text})
    else:
        click.echo(text, nl=False)


@cli.command()
@program_options
@traffic_options
@click.option("--strip-vlan", is_flag=True, help="Take the outer VLAN tag out of frames first.")
@click.option("--out", type=NAME, metavar="FILE",
              help="Write the packets that pass to this pcap file.")
@click.option("--trace", is_flag=True, help="Print every instruction with its register effects.")
@key_option
@prandom_option
@json_option
def run(
    strip_vlan: bool, out: str | None, trace: bool, hash_key: str, prandom_seed: int, as_json: bool,
    **options: Any,
) -> None:
    """Run PROG on packets in the golden interpreter."""
    program = _program(options)
    verify(build_cfg(program), MAX_WINDOW)
    key = _key(hash_key)
    frames = _traffic(program, options)
    results = run_program(program, frames, strip_vlan=strip_vlan, key=key, seed=prandom_seed)
    if out is not None:
        write_capture(out, [Captured(r.frame, len(r.frame)) for r in results if r.passes])
    counts = count_verdicts(results)
    lines = trace_program(program, frames, strip_vlan=strip_vlan, key=key, seed=prandom_seed)
    if as_json:
        packets = [
            {"index": n, "verdict": r.outcome.verdict.name, "r0": r.outcome.r0,
             "length": len(r.frame)} for n, r in enumerate(results)
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
    for n, r in enumerate(results[:MAX_ROWS]):
        table.add_row(str(n), str(len(r.frame)), r.outcome.verdict.name, f"{r.outcome.r0:#x}")
    console = _console()
    console.print(table)
    if len(results) > MAX_ROWS:
        console.print(f"... {len(results) - MAX_ROWS} more; --json lists all of them")
    console.print(
        f"{len(results)} packets: " + ", ".join(f"{c} {v}" for v, c in counts.items() if c),
        highlight=False,
    )


def _simulate(
    design: Design, engine: str, frames: list[bytes], conditions: Conditions, quiet: bool
) -> SimResult:
    """Run frames on one engine, with a progress bar on a terminal."""
    if engine == Engine.COCOTB.value:
        from .sim.cocotb_engine import simulate_cocotb as simulate
    else:
        simulate = simulate_fast
    with Progress(console=_console(stderr=True), transient=True, disable=quiet) as progress:
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
@click.option("--waves", type=NAME, metavar="FILE", help="Write waves in FST format.")
@json_option
def sim(
    engine: str, idle: float, stall: float, random_start: bool, waves: str | None, as_json: bool,
    **options: Any,
) -> None:
    """Simulate PROG's Verilog and compare it with the golden interpreter."""
    program = _program(options)
    design = compile_program(program, _circuit(options))
    frames = _traffic(program, options)
    conditions = Conditions(
        seed=options["seed"], idle=idle, stall=stall, random_start=random_start,
        waves=Path(waves).absolute() if waves else None,
    )
    result = _simulate(design, engine, frames, conditions, as_json)
    found = _explain(design, result)
    if as_json:
        _print_json(result.to_json() | found)
    else:
        _console().print(sim_report(result, design.options.clock_mhz), highlight=False)
        for name, value in found.items():
            click.echo(f"{name}: {value}")
    if not result.agreed:
        sys.exit(1)


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
    program = _program(options)
    design = compile_program(program, _circuit(options))
    paths = write_testbench(design, Path(output), Path(pcap) if pcap else None, seed)
    if as_json:
        _print_json({"files": [str(p) for p in paths]})
        return
    for path in paths:
        click.echo(f"wrote {path}")
    click.echo(f"run it with: cd {output} && pytest")


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
        console = _console()
        console.rule("the filter, as a circuit")
        console.print(summary(design))
        console.rule("the circuit, on recorded traffic")
        console.print(sim_report(result, design.options.clock_mhz), highlight=False)
        console.print(
            f"\n{source.name} drops IPv4 and IPv6 fragments. Of {result.packets} recorded packets"
            f" the circuit passed {result.counts['pass']} and dropped {result.counts['drop']}, byte"
            " for byte what the program says, and it can take a packet every clock cycle."
            f"\nNext: ./rxgate compile {EXAMPLES.name}/{source.name} -o out, then look at"
            " out/rxgate.v; or a filter of your own: ./rxgate sim --filter 'udp port 53'",
            highlight=False, soft_wrap=True,
        )
    if not result.agreed:
        sys.exit(1)


@cli.command("conformance-plugin", context_settings={"ignore_unknown_options": True})
@click.argument("memory", default="")
@click.argument("ignored", nargs=-1, type=click.UNPROCESSED)
def conformance_plugin(memory: str, ignored: tuple[str, ...]) -> None:
    """Run the program on standard input on MEMORY, as the public conformance suite asks.

    Both are hexadecimal; what is printed is r0 in hexadecimal.
    """
    click.echo(f"{conformance(click.get_text_stream('stdin').read(), memory):x}")


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
    _console().print(table)


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
