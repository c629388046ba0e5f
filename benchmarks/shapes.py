"""Names and sizes -> programs of that many instructions, each stressing a different part of compiling.

What a size counts is instructions after inlining and unrolling; a shape comes within a few of it.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

from rxgate.compiler.insn import (
    FP,
    Alu,
    AluOp,
    CallLocal,
    Exit,
    Goto,
    Imm,
    Insn,
    Jump,
    JumpOp,
    Load,
    LoadPacket,
    Program,
    Reg,
    Store,
    Swap,
    SwapKind,
)
from rxgate.ctx_map.context import XDP_MD, XDP_METADATA, Context

_PASS, _DROP = 2, 1
_DEEPEST = 250
"""Bytes of header that the shapes read, inside the default window."""


class _Code:
    """Instructions with labels: targets below 0 until `program`."""

    def __init__(self, seed: int = 1) -> None:
        self.rng = random.Random(seed)
        self.insns: list[Insn] = []
        self.places: dict[int, int] = {}
        self.functions = {0: "main"}

    def add(self, *insns: Insn) -> None:
        self.insns += insns

    def label(self) -> int:
        label = -1 - len(self.places)
        self.places[label] = -1
        return label

    def place(self, label: int) -> None:
        self.places[label] = len(self.insns)

    def when(self, op: JumpOp, dst: int, src: Reg | Imm, target: int) -> None:
        self.add(Jump(op, 64, dst, src, target))

    def alu(self, op: AluOp, dst: int, src: int | Reg) -> None:
        self.add(Alu(op, 64, dst, src if isinstance(src, Reg) else Imm(src)))

    def move(self, dst: int, src: int | Reg) -> None:
        self.alu(AluOp.MOV, dst, src)

    def exit(self, verdict: int) -> None:
        self.move(0, verdict)
        self.add(Exit())

    def program(self, name: str, context: Context = XDP_MD) -> Program:
        placed = tuple(
            replace(i, target=self.places[i.target])
            if isinstance(i, Jump | Goto | CallLocal) and i.target < 0 else i
            for i in self.insns
        )
        section = context.sections[0]
        return Program(name, section, context, placed, MappingProxyType(self.functions))


def _packet(code: _Code, size: int) -> None:
    """r2 = data, r3 = data_end, with `size` bytes there; else PASS."""
    checked = code.label()
    code.add(Load(4, 2, 1, 0), Load(4, 3, 1, 4))
    code.move(0, _PASS)
    code.move(4, Reg(2))
    code.alu(AluOp.ADD, 4, size)
    code.when(JumpOp.LE, 4, Reg(3), checked)
    code.exit(_PASS)
    code.place(checked)


def rules(size: int) -> Program:
    """A list of rules: source under a mask and destination port; the first match decides."""
    code = _Code()
    _packet(code, 38)
    code.add(Load(4, 6, 2, 26), Load(2, 7, 2, 36), Swap(SwapKind.BE, 32, 6))
    end = code.label()
    while len(code.insns) < size - 2:
        following = code.label()
        bits = code.rng.randrange(8, 25)
        code.move(5, Reg(6))
        code.alu(AluOp.RSH, 5, 32 - bits)
        code.when(JumpOp.NE, 5, Imm(code.rng.getrandbits(bits)), following)
        code.move(0, code.rng.choice((_DROP, _PASS)))
        code.when(JumpOp.EQ, 7, Imm(code.rng.getrandbits(16)), end)
        code.place(following)
    code.move(0, _PASS)
    code.place(end)
    code.add(Exit())
    return code.program("rules")


def switch(size: int) -> Program:
    """A binary decision tree over a 32-bit field, as compilers make of a switch; leaves meet."""
    code = _Code()
    _packet(code, 34)
    code.add(Load(4, 6, 2, 26))
    end = code.label()

    def tree(low: int, high: int, leaves: int) -> None:
        if leaves == 1:
            code.move(0, code.rng.randrange(5))
            code.add(Goto(end))
            return
        middle = (low + high) // 2
        above = code.label()
        code.when(JumpOp.GT, 6, Imm(middle), above)
        tree(low, middle, leaves - leaves // 2)
        code.place(above)
        tree(middle + 1, high, leaves // 2)

    tree(0, (1 << 31) - 1, max(1, (size - len(code.insns)) // 3))
    code.place(end)
    code.add(Exit())
    return code.program("switch")


def arithmetic(size: int) -> Program:
    """A chain of operations on four registers, each result used again."""
    code = _Code()
    _packet(code, 34)
    code.add(*(Load(4, 6 + n, 2, 14 + 4 * n) for n in range(4)))
    while len(code.insns) < size - 5:
        op = code.rng.choice((AluOp.ADD, AluOp.SUB, AluOp.XOR))
        dst, src = code.rng.sample(range(6, 10), 2)
        operand = code.rng.choice((Reg(src), Imm(code.rng.getrandbits(31))))
        code.add(Alu(op, code.rng.choice((32, 64)), dst, operand))
    drop = code.label()
    code.alu(AluOp.XOR, 6, Reg(7))
    code.when(JumpOp.SET, 6, Imm(0x8000), drop)
    code.exit(_PASS)
    code.place(drop)
    code.exit(_DROP)
    return code.program("arithmetic")


def diamonds(size: int) -> Program:
    """Decisions one after the other, each changing one of four registers; the paths meet at once."""
    code = _Code()
    _packet(code, _DEEPEST)
    for n in range(4):
        code.move(6 + n, n)
    while len(code.insns) < size - 4:
        after = code.label()
        code.add(Load(1, 5, 2, code.rng.randrange(_DEEPEST)))
        code.when(code.rng.choice((JumpOp.EQ, JumpOp.GT)), 5, Imm(code.rng.randrange(256)), after)
        code.alu(AluOp.ADD, code.rng.randrange(6, 10), code.rng.randrange(1, 100))
        code.place(after)
    drop = code.label()
    code.when(JumpOp.GT, 6, Reg(7), drop)
    code.exit(_PASS)
    code.place(drop)
    code.exit(_DROP)
    return code.program("diamonds")


def checks(size: int) -> Program:
    """Bounds check, load, comparison, again and again; each failing one leaves the program."""
    code = _Code()
    code.add(Load(4, 2, 1, 0), Load(4, 3, 1, 4))
    out = code.label()
    while len(code.insns) < size - 4:
        at = code.rng.randrange(_DEEPEST)
        code.move(4, Reg(2))
        code.alu(AluOp.ADD, 4, at + 1)
        code.when(JumpOp.GT, 4, Reg(3), out)
        code.add(Load(1, 5, 2, at))
        code.when(JumpOp.EQ, 5, Imm(code.rng.randrange(256)), out)
    code.exit(_DROP)
    code.place(out)
    code.exit(_PASS)
    return code.program("checks")


def packet_loads(size: int) -> Program:
    """PHYS_DEV: LD_ABS and a comparison, again and again; those that hold meet at the end."""
    code = _Code()
    code.move(6, Reg(1))
    out = code.label()
    while len(code.insns) < size - 4:
        code.add(LoadPacket(4, None, code.rng.randrange(_DEEPEST - 3)))
        code.when(JumpOp.EQ, 0, Imm(code.rng.getrandbits(31)), out)
    code.exit(1)
    code.place(out)
    code.exit(0)
    return code.program("packet_loads", XDP_METADATA)


def calls(size: int) -> Program:
    """One function, inlined as often as the size asks for."""
    code = _Code()
    _packet(code, _DEEPEST)
    code.move(6, Reg(2))
    code.move(7, 0)
    function = code.label()
    for n in range(max(1, (size - 20) // 13)):
        code.move(1, Reg(6))
        code.alu(AluOp.ADD, 1, n % (_DEEPEST - 4))
        code.move(2, n)
        code.add(CallLocal(function))
        code.alu(AluOp.ADD, 7, Reg(0))
    drop = code.label()
    code.when(JumpOp.SET, 7, Imm(1), drop)
    code.exit(_PASS)
    code.place(drop)
    code.exit(_DROP)
    code.functions[len(code.insns)] = "match"
    code.place(function)
    same = code.label()
    code.add(Load(4, 3, 1, 0))
    code.add(Store(8, FP, -8, Reg(3)))
    code.move(0, 0)
    code.when(JumpOp.EQ, 3, Reg(2), same)
    code.move(0, 1)
    code.add(Load(2, 4, FP, -8))
    code.alu(AluOp.AND, 4, 3)
    code.place(same)
    code.add(Exit())
    return code.program("calls")


def stack(size: int) -> Program:
    """A table on the stack, filled, then changed on some paths, and read again."""
    code = _Code()
    _packet(code, _DEEPEST)
    filled = min(64, size // 4)
    code.add(*(Store(8, FP, -8 * (n + 1), Imm(n)) for n in range(filled)))
    code.move(7, 0)
    while len(code.insns) < size - 5:
        after = code.label()
        code.add(Load(2, 5, 2, code.rng.randrange(_DEEPEST - 1)))
        code.when(JumpOp.GT, 5, Imm(code.rng.getrandbits(16)), after)
        code.add(Store(4, FP, -8 * (1 + code.rng.randrange(filled)), Reg(5)))
        code.place(after)
        code.add(Load(4, 5, FP, -8 * (1 + code.rng.randrange(filled))))
        code.alu(AluOp.XOR, 7, Reg(5))
    drop = code.label()
    code.when(JumpOp.SET, 7, Imm(1), drop)
    code.exit(_PASS)
    code.place(drop)
    code.exit(_DROP)
    return code.program("stack")


def loops(size: int) -> Program:
    """Two loops, one in the other: the inner one reads the packet byte by byte up to its end."""
    code = _Code()
    inner = min(_DEEPEST, size // 7)
    _packet(code, 34)
    code.move(6, Reg(2))
    code.move(7, 0)
    code.move(8, 0)
    outer, again, done = code.label(), code.label(), code.label()
    code.place(outer)
    code.move(2, Reg(6))
    code.move(9, 0)
    code.place(again)
    code.move(4, Reg(2))
    code.alu(AluOp.ADD, 4, 1)
    code.when(JumpOp.GT, 4, Reg(3), done)
    code.add(Load(1, 5, 2, 0))
    code.alu(AluOp.XOR, 7, Reg(5))
    code.alu(AluOp.ADD, 2, 1)
    code.alu(AluOp.ADD, 9, 1)
    code.when(JumpOp.LT, 9, Imm(inner), again)
    code.alu(AluOp.ADD, 8, 1)
    code.when(JumpOp.LT, 8, Imm(max(1, size // (8 * inner))), outer)
    code.place(done)
    drop = code.label()
    code.when(JumpOp.SET, 7, Imm(1), drop)
    code.exit(_PASS)
    code.place(drop)
    code.exit(_DROP)
    return code.program("loops")


def nothing(_: int) -> Program:
    """Two instructions: what is left is the gate around a program."""
    code = _Code()
    code.exit(_PASS)
    return code.program("nothing")


SHAPES: dict[str, Callable[[int], Program]] = {
    shape.__name__: shape
    for shape in (rules, switch, arithmetic, diamonds, checks, packet_loads, calls, loops, stack)
}
