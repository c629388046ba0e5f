"""Many designs, what each pipeline is given for its packets -> their verdicts, from one Verilog model.

Most of the time of a simulation of a small program goes into compiling it; side by side in one
module, without gates around them, dozens of programs take the time of one.
"""

import random
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..compiler.driver import Design
from ..compiler.errors import ToolError
from ..ctx_map.verdicts import VERDICT_BITS
from ..hdl.verilog import to_verilog
from .model import HARNESS, TOP, compile_model

Inputs = Mapping[tuple[str, int], int]
"""What a pipeline is given: (name, index) -> value; bytes of the window count from 0."""
_WORD = 4
"""Verilator keeps wide ports in words of so many bytes."""
_IDLE = 0.2
"""Share of cycles in which a pipeline gets nothing."""


class Pipelines(wiring.Component):
    """Program pipelines side by side; their inputs are pieces of `i`, each at a whole byte.

    `places` has for each design the byte of its valid bit and of every input by name. Output n is
    byte n of `o`: valid in bit 3, the verdict below, a cycle later than the pipeline gives them.
    """

    i: Signal
    o: Signal

    def __init__(self, designs: Sequence[Design]) -> None:
        self.designs = designs
        self.places: list[dict[str, int]] = []
        size = 0
        for design in designs:
            place = {"valid": size}
            size += 1
            for name, width in design.inputs.items():
                place[name] = size
                size += -(-width // 8)
            self.places.append(place)
        self.size = _words(size)
        super().__init__({"i": In(8 * self.size), "o": Out(8 * self.out_size)})

    @property
    def out_size(self) -> int:
        """Bytes of `o`."""
        return _words(len(self.designs))

    def elaborate(self, platform) -> Module:
        m = Module()
        for n, (design, place) in enumerate(zip(self.designs, self.places, strict=True)):
            m.submodules[f"p{n}"] = pipeline = design.pipeline
            m.d.comb += pipeline.i_valid.eq(self.i[8 * place["valid"]])
            for name, width in design.inputs.items():
                at = 8 * place[name]
                m.d.comb += getattr(pipeline, f"i_{name}").eq(self.i[at : at + width])
            out = Cat(pipeline.o_verdict, pipeline.o_valid)
            m.d.sync += self.o[8 * n : 8 * n + 8].eq(out)
        return m


def _words(size: int) -> int:
    """At least three words, so that ports are arrays whatever the number of designs."""
    return max(3, -(-size // _WORD)) * _WORD


class Wrong(Exception):
    """A pipeline broke its contract of timing: which design, and what it did."""

    def __init__(self, design: int, text: str) -> None:
        super().__init__(text)
        self.design = design


def pipeline_verdicts(
    designs: Sequence[Design], packets: Sequence[Sequence[Inputs]], seed: int
) -> list[list[int]]:
    """For each design, the verdict (3 bits) that its Verilog gives to each of its packets.

    Packets come nearly back to back, with pauses that `seed` decides; registers start random.

    Raises
    ------
    Wrong
        A pipeline said anything in another cycle than the one that its packet must come out in.
    """
    block = Pipelines(designs)
    rng = random.Random(seed)
    cycles = _cycles(rng, designs, packets)
    content, due = bytearray(), dict[tuple[int, int], None]()
    for cycle, launched in enumerate(cycles):
        piece = bytearray(rng.randbytes(block.size))
        for n, (place, index) in enumerate(zip(block.places, launched, strict=True)):
            piece[place["valid"]] = index is not None
            if index is not None:
                _fill(piece, place, designs[n], packets[n][index])
                due[cycle + designs[n].schedule.latency + 1, n] = None
        content += piece
    shown = _simulate(block, bytes(content), seed)
    verdicts: list[list[int]] = [[] for _ in designs]
    for cycle in range(len(cycles)):
        for n in range(len(designs)):
            out = shown[cycle * block.out_size + n]
            if cycle and bool(out >> VERDICT_BITS) is not ((cycle, n) in due):
                raise Wrong(n, f"valid is {out >> VERDICT_BITS} in cycle {cycle}")
            if cycle and out >> VERDICT_BITS:
                verdicts[n].append(out & (1 << VERDICT_BITS) - 1)
    return verdicts


def _cycles(
    rng: random.Random, designs: Sequence[Design], packets: Sequence[Sequence[Inputs]]
) -> list[list[int | None]]:
    """Which packet each design gets in every cycle, until all have come out."""
    columns: list[list[int | None]] = []
    for design, own in zip(designs, packets, strict=True):
        column: list[int | None] = []
        for index in range(len(own)):
            while rng.random() < _IDLE:
                column.append(None)
            column.append(index)
        columns.append(column + [None] * (design.schedule.latency + 2))
    longest = max(map(len, columns))
    return [[c[k] if k < len(c) else None for c in columns] for k in range(longest)]


def _fill(piece: bytearray, place: Mapping[str, int], design: Design, inputs: Inputs) -> None:
    for name, width in design.inputs.items():
        at, size = place[name], -(-width // 8)
        if name == "window":
            value = bytes(inputs.get(("window", n), 0) for n in range(size))
        else:
            value = (inputs.get((name, 0), 0) & (1 << width) - 1).to_bytes(size, "little")
        piece[at : at + size] = value


def _simulate(block: Pipelines, content: bytes, seed: int) -> bytes:
    with tempfile.TemporaryDirectory(prefix="rxgate-") as folder:
        harness = HARNESS / "pipelines.cpp"
        model = compile_model(Path(folder), to_verilog(block, TOP), harness, hasty=True)
        done = subprocess.run(
            [model, str(seed % 1_000_000)], input=content, capture_output=True, check=False
        )
    if done.returncode or len(done.stdout) * block.size != len(content) * block.out_size:
        raise ToolError(f"The simulator of pipelines failed with status {done.returncode}.")
    return done.stdout
