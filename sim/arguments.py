"""Words of the command line -> program, circuit options and traffic: what the commands share.

Each group of options is a decorator; the function of the same matter takes its options out of a
command's keyword arguments.
"""

import functools
import json
import os
import re
import sys
from collections.abc import Callable
from itertools import cycle, islice
from typing import Any

import click
from rich.console import Console

from ..compiler.delay_tables import DELAYS
from ..compiler.insn import Program
from ..compiler.options import WIDTHS, Objective, Options, Route, Scheduler
from ..compiler.source import read_expression, read_program
from ..compiler.tunables import with_values
from ..compiler.unfold import DEFAULT_MAX_UNROLL
from ..ctx_map.models import MICROSOFT_KEY
from ..ctx_map.nics import FRONT_END, NICS
from .packets import Mix
from .traffic import generate_frames, read_frames

GENERATED = 1000
"""Packets when nobody says how many."""
FILE_COLUMNS = 120
"""Columns of output that goes to no terminal."""
Command = Callable[..., Any]


class _Name(click.ParamType):
    """A text that names something: an empty one is a mistake, such as an unset shell variable."""

    name = "text"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        return value or self.fail("it is empty", param, ctx)


NAME = _Name()


def console(stderr: bool = False) -> Console:
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
    click.option("--set", "settings", type=NAME, multiple=True, metavar="NAME=VALUE",
                 help="Another value for a read-only variable, as if compiled so; repeatable."),
])

key_option = click.option("--hash-key", metavar="HEX", default=MICROSOFT_KEY.hex(),
                          help="Toeplitz key, 40 bytes.  [default: Microsoft's]")

nic_option = click.option("--nic", type=click.Choice(list(NICS)), default=FRONT_END.name,
                          show_default=True, help="What offers metadata to XDP programs.")

circuit_options = _apply([
    click.option("--width", type=click.Choice([str(w) for w in WIDTHS]), default="512",
                 show_default=True, help="Stream width, bits."),
    click.option("--descriptor", type=click.Choice([r.value for r in Route]),
                 default=Route.FRONT_END.value, show_default=True,
                 help="Who delivers descriptor fields: the shell in tuser, or our front end."),
    nic_option,
    click.option("--strip-vlan", is_flag=True, help="Take the outer VLAN tag out of frames."),
    key_option,
    click.option("--max-window", type=int, default=256, show_default=True,
                 help="Deepest header byte that may be reached."),
    click.option("--max-unroll", type=int, default=DEFAULT_MAX_UNROLL, show_default=True,
                 help="Iterations of one loop that may be unrolled."),
    click.option("--max-frame", type=int, default=9216, show_default=True,
                 help="Longest frame, bytes."),
    click.option("--on-drop", type=click.Choice(["consume", "mark"]), default="consume",
                 show_default=True, help="What becomes of dropped frames."),
    click.option("--ingress", type=click.Choice(["backpressure", "no-backpressure"]),
                 default="backpressure", show_default=True,
                 help="Whether the source of frames can be stalled."),
    click.option("--no-narrow", is_flag=True,
                 help="Leave out the passes that narrow values, for comparison."),
    click.option("--schedule", type=click.Choice([s.value for s in Scheduler]),
                 default=Scheduler.FEWEST_BITS.value, show_default=True,
                 help="Carry as few bits as possible, or place operations as soon as possible."),
    click.option("--control-port", is_flag=True,
                 help="Add an AXI4-Lite port: identification, counters."),
    click.option("--tunable", "tunables", type=NAME, multiple=True, metavar="NAME",
                 help="Let the host change a read-only variable through that port; repeatable."),
    prandom_option,
    click.option("--clock", type=float, metavar="MHZ",
                 help="Clock that stages are made and rates are stated for.  [default: "
                 + ", ".join(f"{d.clock_mhz:g} on {name}" for name, d in DELAYS.items()) + "]"),
    click.option("--objective", type=click.Choice([o.value for o in Objective]),
                 default=Objective.LATENCY.value, show_default=True,
                 help="latency: as few stages as the clock allows, then as few register bits;"
                 " area: more stages where that saves logic or register bits."),
])

delay_option = click.option("--target", type=click.Choice(list(DELAYS)), default=next(iter(DELAYS)),
                            show_default=True, help="The device whose delays fill the stages.")

traffic_options = _apply([
    click.option("--pcap", type=NAME, metavar="FILE", help="Traffic from a pcap or pcapng file."),
    click.option("--packets", type=click.IntRange(1), metavar="N",
                 help="So many packets, of a capture the first, again and again if there are fewer."
                 "  [default: a whole capture, or 1000]"),
    click.option("--seed", type=int, default=1, show_default=True, help="Seed of all chance."),
    click.option("--mix", type=click.Choice([m.value for m in Mix]), default=Mix.MIXED.value,
                 show_default=True, help="Kind of generated traffic."),
])

json_option = click.option("--json", "as_json", is_flag=True,
                           help="One JSON object on standard output.")


def take_program(options: dict[str, Any]) -> Program:
    """Take the program options out of `options` and read the program."""
    path, expression = options.pop("prog"), options.pop("expression")
    on_match = options.pop("on_match")
    chosen = {k: options.pop(k) for k in ("section", "function", "context", "mcpu")}
    settings = take_settings(options)
    if (path is None) == (expression is None):
        raise click.UsageError("give either a program file (PROG) or --filter EXPR")
    if expression is not None:
        return with_values(read_expression(expression, on_match), settings)
    if on_match != "pass":
        raise click.UsageError("--on-match is for --filter; a program file returns its own verdict")
    return with_values(read_program(path, **chosen), settings)


def take_settings(options: dict[str, Any]) -> dict[str, str]:
    """Take the values that variables are to have out of `options`."""
    found: dict[str, str] = {}
    for word in options.pop("settings"):
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise click.UsageError(f"--set takes NAME=VALUE, not {word!r}")
        found[name] = value
    return found


def take_circuit(options: dict[str, Any], **more: Any) -> Options:
    """Take the circuit options out of `options`, and `target` if it is there."""
    target = options.pop("target", next(iter(DELAYS)))
    clock = options.pop("clock")
    try:
        return Options(
            width=int(options.pop("width")),
            route=Route(options.pop("descriptor")),
            nic=NICS[options.pop("nic")],
            strip_vlan=options.pop("strip_vlan"),
            hash_key=hash_key_bytes(options.pop("hash_key")),
            max_window=options.pop("max_window"),
            max_frame=options.pop("max_frame"),
            max_unroll=options.pop("max_unroll"),
            mark_drops=options.pop("on_drop") == "mark",
            narrow=not options.pop("no_narrow"),
            scheduler=Scheduler(options.pop("schedule")),
            backpressure=options.pop("ingress") == "backpressure",
            control_port=options.pop("control_port"),
            tunables=options.pop("tunables"),
            prandom_seed=options.pop("prandom_seed"),
            target=target,
            clock_mhz=DELAYS[target].clock_mhz if clock is None else clock,
            objective=Objective(options.pop("objective")),
            **more,
        )
    except ValueError as error:
        named = re.sub(r"^\w+", lambda field: _option_of(field[0]), str(error))
        raise click.UsageError(named) from None


def _option_of(field: str) -> str:
    """The command line's name of a field of `Options`."""
    return "--clock" if field == "clock_mhz" else "--" + field.replace("_", "-")


def hash_key_bytes(digits: str) -> bytes:
    if not re.fullmatch(f"[0-9a-fA-F]{{{2 * len(MICROSOFT_KEY)}}}", digits):
        raise click.UsageError(
            f"--hash-key must be {2 * len(MICROSOFT_KEY)} hexadecimal digits, not {digits!r}"
        )
    return bytes.fromhex(digits)


def take_traffic(program: Program, options: dict[str, Any]) -> list[bytes]:
    """Take the traffic options, all but the seed, out of `options`."""
    path, count, mix = options.pop("pcap"), options.pop("packets"), options.pop("mix")
    if path is None:
        return generate_frames(program, count or GENERATED, options["seed"], mix)
    frames, cut = read_frames(path)
    if cut:
        note(f"{cut} of {len(frames)} packets of {path} are cut by its snap length; they are"
             " filtered as captured")
    return frames if count is None else list(islice(cycle(frames), count))


def print_json(result: Any) -> None:
    """Print one JSON object on standard output."""
    click.echo(json.dumps(result))


def note(message: str) -> None:
    """A remark for people, on standard error."""
    console(stderr=True).print(message, style="dim", highlight=False, markup=False)
