"""Operators and programs, routed -> the figures of compiler/delay_tables.py and docs/delay.md.

    python benchmarks/delay.py --operators -o delay.jsonl
    python benchmarks/delay.py --programs hash_sampler,xdp_p4_parser -o delay.jsonl
    python benchmarks/delay_page.py delay.jsonl

Every operator, and every program's pipeline, is a module between registers; many share a design, and
are mapped each for itself. What arrives last at the registers of a stage is its length. Every row goes
to the file at once. delay_page.py fits the figures to the operators of the file.
"""

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from programs import names, program
from rxgate.boards.netlist import Netlist
from rxgate.boards.targets import TARGETS
from rxgate.compiler.builder import Builder
from rxgate.compiler.codegen import ProgramPipeline
from rxgate.compiler.delay import Model
from rxgate.compiler.delay_tables import DELAYS
from rxgate.compiler.driver import compile_program
from rxgate.compiler.ir import Function
from rxgate.compiler.options import Options
from rxgate.compiler.schedule import Schedule, schedule
from rxgate.hdl.verilog import to_verilog
from rxgate.sim.tools import nextpnr, yosys

DEVICE = TARGETS["ecp5-45f-8"]
SPEEDS = {"ecp5-8": "8", "ecp5-6": "6"}
PROGRAM_MHZ = {"ecp5-8": 156.25, "ecp5-6": 125.0}
"""What programs are compiled for: 10 Gb/s at 64 bits, and 8 Gb/s."""
SLOW = 1.0
"""MHz at which every operator fits a stage."""


@dataclass(frozen=True)
class Circuit:
    """A pipeline to be measured; `kind` is operator or program."""

    name: str
    kind: str
    schedule: Schedule
    pipeline: ProgramPipeline
    expected: tuple[float, ...]


def operators() -> dict[str, Function]:
    """Graphs of one operation each, by name and width."""
    found: dict[str, Function] = {}

    def add(name: str, b: Builder, result: int) -> None:
        found[name] = b.function({"verdict": result})

    for width in (8, 16, 32, 64):
        for op in ("add", "sub", "eq", "ult", "slt", "mux", "shl", "lshr", "parity"):
            b = Builder()
            x = b.input("x", width)
            match op:
                case "mux":
                    made = b.mux(b.input("c", 1), x, b.input("y", width))
                case "shl" | "lshr":
                    made = b.shift(op, x, b.input("y", width.bit_length() - 1))
                case "parity":
                    made = b.parity(x)
                case _:
                    made = getattr(b, op)(x, b.input("y", width))
            add(f"{op} {width}", b, made)
        b = Builder()
        same = b.const(0x5A3C_96E1_0FB4_D287 >> 64 - width, width)
        add(f"eq constant {width}", b, b.eq(b.input("x", width), same))
    for count in (2, 4, 8, 16):
        for width in (1, 16):
            b = Builder()
            p, v = b.input("p", count), b.input("v", count * width)
            pairs = [(b.slice(p, n, 1), b.slice(v, n * width, width)) for n in range(count)]
            add(f"onehot of {count} {width}", b, b.onehot(pairs))
    for bits in (4, 6, 8):
        b = Builder()
        table = {k: b.const(k * 0x9E37 >> 3, 8) for k in range(1 << bits)}
        add(f"table of {1 << bits} 8", b, b.case(b.input("x", bits), table))
    for width in (9, 16):
        b = Builder()
        add(f"mul {width}", b, b.mul(b.input("x", width), b.input("y", width)))
    return found


def of_operator(name: str, function: Function) -> Circuit:
    """An operator in a stage, all its results in registers that the trace port keeps."""
    placed = schedule(function, Model(DELAYS["generic"], SLOW))
    pipeline = ProgramPipeline(placed, 0, trace=True)
    return Circuit(name, "operator", placed, pipeline, placed.stage_ns)


def of_program(name: str, target: str) -> Circuit:
    """A program's pipeline as `synth` has it."""
    options = Options(width=64, target=target, clock_mhz=PROGRAM_MHZ[target])
    design = compile_program(program(name), options)
    return Circuit(name, "program", design.schedule, design.pipeline, design.stage_ns)


def wrapped(circuits: list[Circuit]) -> str:
    """A design around them: registers before every input, in a chain from a pin for each circuit, and
    registers that fold all outputs into a pin."""
    lines: list[str] = []
    folded = 0
    for k, circuit in enumerate(circuits):
        ports = [".clk(clk)", ".rst(rst)"]
        driven = 0
        for name, member in circuit.pipeline.signature.members.items():
            if member.flow.name == "In":
                ports.append(f".{name}(drive[{driven} +: {member.shape}])")
                driven += member.shape
            else:
                ports.append(f".{name}(given[{folded} +: {member.shape}])")
                folded += member.shape
        lines += [
            f"generate if (1) begin : g{k}",
            f"reg [{driven - 1}:0] drive; always @(posedge clk) drive <= {{drive, i[{k}]}};",
            f"p{k} pipeline({', '.join(ports)}); end endgenerate",
        ]
    lines.insert(0, f"wire [{folded - 1}:0] given; reg [{folded - 1}:0] row_{folded};")
    lines.append(f"always @(posedge clk) row_{folded} <= given;")
    while folded > 1:
        less = -(-folded // 4)
        lines.append(f"reg [{less - 1}:0] row_{less}; always @(posedge clk) begin")
        lines += [
            f"row_{less}[{n}] <= ^row_{folded}[{min(folded, 4 * n + 4) - 1}:{4 * n}];"
            for n in range(less)
        ]
        lines.append("end")
        folded = less
    inside = "\n".join(lines)
    return (
        f"module top(input clk, input r, input [{len(circuits) - 1}:0] i, output o);\n"
        f"reg rst; always @(posedge clk) rst <= r;\n{inside}\nassign o = row_1;\nendmodule\n"
    )


def arrivals(circuits: list[Circuit], target: str, seed: int) -> list[dict[int, float]]:
    """Of each circuit, in ns, when the last signal is at the registers of each stage."""
    with tempfile.TemporaryDirectory(prefix="rxgate-delay-") as name:
        directory = Path(name)
        for k, circuit in enumerate(circuits):
            (directory / f"p{k}.v").write_text(to_verilog(circuit.pipeline, f"p{k}"))
        (directory / "top.v").write_text(wrapped(circuits))
        kept = [f"p{k}" for k in range(len(circuits))]
        script = [
            f"read_verilog top.v {' '.join(f'{m}.v' for m in kept)}",
            *(f"setattr -mod -set keep_hierarchy 1 {m}" for m in kept),
            f"{DEVICE.synthesis} -top top",
            *(f"setattr -mod -unset keep_hierarchy {m}" for m in kept),
            "flatten", "clean", "write_json flat.json",
        ]
        (directory / "script.ys").write_text("\n".join(script) + "\n")
        yosys().run("-q", "script.ys", cwd=directory)
        router = [*DEVICE.router[:-1], SPEEDS[target]]
        nextpnr().run(
            *router, "--json", "flat.json", "--report", "report.json", "--detailed-timing-report",
            "--freq", f"{DELAYS[target].clock_mhz:g}", "--seed", str(seed), "--timing-allow-fail",
            "--lpf-allow-unconstrained", "--quiet", cwd=directory,
        )
        report = json.loads((directory / "report.json").read_text())
        module = json.loads((directory / "flat.json").read_text())["modules"]["top"]
    netlist = Netlist(module, DEVICE.cells)
    found: list[dict[int, float]] = [defaultdict(float) for _ in circuits]
    for net in report["detailed_net_timings"]:
        for end in net["endpoints"]:
            place = netlist.place(end["cell"])
            if place.stage >= 0:
                stages = found[int(place.part.removeprefix("g"))]
                stages[place.stage] = max(stages[place.stage], end["delay"][1])
    return found


def rows(circuits: list[Circuit], target: str, seed: int) -> Iterable[dict[str, Any]]:
    """A line of the file per circuit."""
    for circuit, found in zip(circuits, arrivals(circuits, target, seed), strict=True):
        stages = [round(found.get(k, 0.0), 3) for k in range(circuit.schedule.latency)]
        yield {
            "kind": circuit.kind, "name": circuit.name, "target": target, "seed": seed,
            "routed": stages, "model": [round(ns, 3) for ns in circuit.expected],
            "scheduler": [round(ns, 3) for ns in circuit.schedule.stage_ns],
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--operators", action="store_true")
    parser.add_argument("--programs", help="programs, by name, with commas between; or all")
    parser.add_argument("--batch", type=int, default=6, help="programs in a design")
    parser.add_argument("--targets", default=",".join(SPEEDS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, required=True)
    o = parser.parse_args()
    for target in o.targets.split(","):
        batches = []
        if o.operators:
            batches.append([of_operator(name, f) for name, f in operators().items()])
        if o.programs:
            chosen = names() if o.programs == "all" else o.programs.split(",")
            made = [of_program(name, target) for name in chosen]
            batches += [made[n : n + o.batch] for n in range(0, len(made), o.batch)]
        for batch in batches:
            with o.output.open("a") as file:
                for row in rows(batch, target, o.seed):
                    file.write(json.dumps(row) + "\n")
            print(f"{target}: {', '.join(c.name for c in batch)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
