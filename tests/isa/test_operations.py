"""Every operation of RFC 9669, by the table beside: interpreter, dataflow graph and hardware."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from amaranth.sim import Simulator
from rxgate.compiler.driver import compile_program
from rxgate.compiler.insn import (
    FP,
    Alu,
    AluOp,
    Atomic,
    AtomicOp,
    Call,
    Exit,
    Goto,
    Imm,
    Insn,
    Jump,
    JumpOp,
    Load,
    MovSx,
    Neg,
    Program,
    Reg,
    Store,
    Swap,
    SwapKind,
)
from rxgate.compiler.ir_eval import evaluate
from rxgate.ctx_map.context import XDP_METADATA
from rxgate.ctx_map.descriptor import Descriptor
from rxgate.ctx_map.helpers import Helper
from rxgate.ctx_map.verdicts import Verdict
from rxgate.sim.golden import Frame
from rxgate.sim.interp import Interpreter

A, B = 7, 8
"""Registers with the operands; the result goes to r0."""
WINDOW = 25
"""Packet: a, b and the expected result, 8 bytes each, little-endian; then the operation's number."""


@dataclass(frozen=True, slots=True)
class Vector:
    name: str
    a: int
    b: int
    result: int

    def packet(self, number: int = 0) -> bytes:
        words = (self.a, self.b, self.result)
        return b"".join(w.to_bytes(8, "little") for w in words) + bytes([number])

    def __str__(self) -> str:
        return f"{self.name} {self.a:#x} {self.b:#x}"


def vectors() -> list[Vector]:
    found = []
    for line in Path(__file__).with_name("operations.vec").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            left, result = line.split("=")
            name, a, b = left.split()
            found.append(Vector(name, int(a, 0), int(b, 0), int(result, 0)))
    return found


VECTORS = vectors()
NAMES = list(dict.fromkeys(v.name for v in VECTORS))


def operation(name: str) -> list[Insn]:
    """Instructions that put the result of `name` on r7 and r8 into r0; -8(r10) holds r7."""
    kind, bits = re.fullmatch(r"(.*?)(\d+)", name).groups()
    bits = int(bits)
    if kind.startswith("movsx"):
        return [MovSx(bits, 0, B, int(kind[5:-2]))]
    if kind in ("le", "be", "bswap"):
        return [Alu(AluOp.MOV, 64, 0, Reg(A)), Swap(SwapKind(kind), bits, 0)]
    if kind == "neg":
        return [Alu(AluOp.MOV, 64, 0, Reg(A)), Neg(bits, 0)]
    if kind in ("load", "loadsx"):
        return [Store(8, FP, -8, Reg(B)), Load(bits // 8, 0, FP, -8, kind == "loadsx")]
    if kind == "store":
        return [Store(bits // 8, FP, -8, Reg(B)), Load(8, 0, FP, -8)]
    if "_" in kind:
        what, op = kind.split("_")
        fetch = what == "fetch" or op in ("xchg", "cmpxchg")
        code: list[Insn] = [
            Alu(AluOp.MOV, 64, 0, Imm(5)),
            Atomic(AtomicOp(op), bits // 8, FP, -8, B, fetch),
        ]
        if what == "memory":
            return [*code, Load(8, 0, FP, -8)]
        return code if op == "cmpxchg" else [*code, Alu(AluOp.MOV, 64, 0, Reg(B))]
    if kind[0] == "j":
        return [
            Alu(AluOp.MOV, 64, 0, Imm(1)),
            Jump(JumpOp[kind[1:].upper()], bits, A, Reg(B), 2),
            Alu(AluOp.MOV, 64, 0, Imm(0)),
        ]
    return [Alu(AluOp.MOV, 64, 0, Reg(A)), Alu(AluOp[kind.upper()], bits, 0, Reg(B))]


def program(insns: list[Insn]) -> Program:
    """Jump targets count from the jump."""
    placed = [
        Jump(i.op, i.bits, i.dst, i.src, n + i.target) if isinstance(i, Jump)
        else Goto(n + i.target) if isinstance(i, Goto) else i
        for n, i in enumerate(insns)
    ]
    return Program("isa", "isa", XDP_METADATA, tuple(placed))


PROLOGUE: list[Insn] = [
    Alu(AluOp.MOV, 64, 2, Imm(0)),
    Alu(AluOp.MOV, 64, 3, Reg(FP)), Alu(AluOp.ADD, 64, 3, Imm(-64)),
    Alu(AluOp.MOV, 64, 4, Imm(WINDOW)),
    Call(Helper.SKB_LOAD_BYTES),
    Load(8, A, FP, -64), Load(8, B, FP, -56),
    Store(8, FP, -8, Reg(A)),
]


@pytest.fixture(scope="module")
def single():
    """Name -> (program, its design) for one operation, its result in r0."""
    made = {}
    for name in NAMES:
        p = program([*PROLOGUE, *operation(name), Exit()])
        made[name] = p, compile_program(p)
    return made


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_software(vector, single):
    p, design = single[vector.name]
    packet = vector.packet()
    found = Interpreter(p).run(packet, Descriptor(len=len(packet))).r0
    assert hex(found) == hex(vector.result), "interpreter"
    inputs = {("window", n): byte for n, byte in enumerate(packet)} | {("present", 0): WINDOW}
    lifted = design.lifted
    assert hex(evaluate(lifted, inputs)[lifted.outputs["r0"]]) == hex(vector.result), "dataflow"


def choosing(names: list[str]) -> Program:
    """Byte 24 chooses the operation; 1 when its result is the expected one."""
    code: list[Insn] = []
    for number, name in enumerate(names):
        body = operation(name)
        code += [
            Jump(JumpOp.NE, 64, 9, Imm(number), len(body) + 3),
            *body, Alu(AluOp.MOV, 64, 6, Reg(0)),
            Alu(AluOp.MOV, 64, 9, Imm(1000)),
        ]
    return program([
        *PROLOGUE, Load(1, 9, FP, -40), Alu(AluOp.MOV, 64, 6, Imm(0)), *code,
        Load(8, 1, FP, -48), Alu(AluOp.MOV, 64, 0, Imm(1)),
        Jump(JumpOp.EQ, 64, 6, Reg(1), 2), Alu(AluOp.MOV, 64, 0, Imm(0)), Exit(),
    ])


@pytest.mark.rtl
def test_native(native_model):
    """All vectors through the native golden model, and with a wrong result."""
    model = native_model(choosing(NAMES))
    for vector in VECTORS:
        packet = vector.packet(NAMES.index(vector.name))
        wrong = packet[:16] + bytes([packet[16] ^ 1]) + packet[17:]
        answers = [model.judge(model.send(Frame(p))[0])[0] for p in (packet, wrong)]
        assert answers == [1, 0], vector


UNITS = re.compile(r"s?(div|mod|mul)(64|32)")
GROUPS = {
    "division": [n for n in NAMES if UNITS.fullmatch(n) and "mul" not in n],
    "multiplication": ["mul64", "mul32"],
    "others": [n for n in NAMES if not UNITS.fullmatch(n)],
}


@pytest.mark.parametrize("group", GROUPS)
def test_hardware(group):
    """All vectors through one pipeline, one every clock, and some again with a wrong result."""
    pipeline = compile_program(choosing(GROUPS[group])).pipeline
    chosen = [v for v in VECTORS if v.name in GROUPS[group]]
    packets = [v.packet(GROUPS[group].index(v.name)) for v in chosen]
    wrong = [p[:16] + bytes([p[16] ^ 1]) + p[17:] for p in packets[::8]]
    sent = packets + wrong
    verdicts: list[int] = []

    async def bench(ctx):
        ctx.set(pipeline.i_present, WINDOW)
        ctx.set(pipeline.i_valid, 1)
        for number in range(len(sent) + pipeline.latency):
            if number < len(sent):
                ctx.set(pipeline.i_window, int.from_bytes(sent[number], "little"))
            if ctx.get(pipeline.o_valid):
                verdicts.append(ctx.get(pipeline.o_verdict))
            await ctx.tick()

    simulator = Simulator(pipeline)
    simulator.add_clock(1e-9)
    simulator.add_testbench(bench)
    simulator.run()
    names = [str(v) for v in chosen]
    good, bad = verdicts[: len(names)], verdicts[len(names) :]
    assert bad == [Verdict.DROP] * len(wrong)
    assert [n for n, v in zip(names, good, strict=True) if v != Verdict.PASS] == []
