"""A seed -> random programs that are valid by construction, for comparing executors.

Between two statements every program is in the same state: r0 to r5 and r7 to r9 hold numbers, r6 the
context, and the last `STACK` bytes of the stack are written. So statements can be put together in
any control flow: blocks form an acyclic graph and are laid out in any order.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

from ..compiler.insn import (
    FP,
    Alu,
    AluOp,
    Atomic,
    AtomicOp,
    Call,
    CallLocal,
    Exit,
    Goto,
    Imm,
    Insn,
    Jump,
    JumpOp,
    Load,
    LoadData,
    LoadImm64,
    LoadPacket,
    MovSx,
    Neg,
    Operand,
    Program,
    Reg,
    Store,
    Swap,
    SwapKind,
)
from ..ctx_map.context import XDP_METADATA, Context, Field
from ..ctx_map.helpers import Helper

STACK = 64
"""Bytes below the stack's top that hold numbers in every function."""
SPILL = -STACK - 8
"""Where statements spill an address."""
SECTION = ".rodata"
NUMBERS = (0, 1, 2, 3, 4, 5, 7, 8, 9)
"""Registers that hold numbers between statements."""
SCRATCH = (1, 2, 3, 4, 5)
"""Registers that a call destroys."""
EDGES = (0, 1, 2, 3, 7, 8, 14, 31, 32, 63, 64, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF)
"""Immediates that find mistakes, tried with both signs."""

_CONTEXT = 6
_SIZES = (1, 2, 4, 8)
_SHIFTS = (AluOp.LSH, AluOp.RSH, AluOp.ARSH)
_DIVISIONS = (AluOp.DIV, AluOp.MOD, AluOp.SDIV, AluOp.SMOD)


class ProgramMaker:
    """Draws programs. `size` is the number of blocks of the main function.

    Nine of ten are `strict`: they keep to what the kernel asks of stack accesses beyond us, and
    load from the packet in the main function alone (see kernel.breaks_verifiers).
    """

    def __init__(self, rng: random.Random, context: Context = XDP_METADATA, size: int = 6) -> None:
        self.rng = rng
        self.context = context
        self.size = size
        self.strict = rng.random() < 0.9
        self.data = rng.randbytes(rng.choice((4, 16, 33)))
        self._statements = (
            (8, self._alu), (2, self._unary), (2, self._wide), (2, self._stack_constant),
            (2, self._stack_variable), (2, self._atomic),
            (0 if self.strict else 1, self._atomic_variable), (1, self._load_field),
            (1, self._helper), (1, self._read_only), (1, self._spill), (1, self._chosen_pointer),
            (1, self._bounded), (1, self._compare_value),
        )
        if context.packet_loads:
            self._statements += (
                (2, self._packet), (2, self._packet_header_length), (1, self._load_bytes),
            )
        else:
            self._statements += ((5, self._direct),)
        self._callees: Sequence[int] = ()
        self._inner = False

    def program(self) -> Program:
        """A whole program: the entry function and up to three others, called without recursion."""
        count = self.rng.choice((1, 1, 2, 3, 4))
        bodies = []
        for n in range(count):
            self._callees = range(n + 1, count)
            self._inner = n > 0
            bodies.append(self._function(n, self.size if n == 0 else 2))
        starts, at = [], 0
        for body in bodies:
            starts.append(at)
            at += len(body)
        insns = [
            _placed(i, start, starts) for start, body in zip(starts, bodies, strict=True) for i in body
        ]
        called = {i.target for i in insns if isinstance(i, CallLocal)}
        if called != set(starts[1:]):
            return self.program()
        return Program(
            "random", "random", self.context, tuple(insns),
            functions=MappingProxyType({s: f"f{n}" for n, s in enumerate(starts)}),
            data=MappingProxyType({SECTION: self.data}),
        )

    # Control flow.

    def _function(self, number: int, size: int) -> list[Insn | None]:
        rng = self.rng
        count = rng.randint(1, size)
        jumps: dict[int, int] = {}
        final: set[int] = {count - 1}
        for n in range(count - 1):
            if rng.random() < 0.8:
                jumps[n] = rng.randint(n + 1, count - 1)
                if rng.random() < 0.15:
                    final.add(n)
        reached = {0}
        for n in range(count):
            if n in reached:
                reached |= {jumps[n]} if n in jumps else set()
                reached |= set() if n in final else {n + 1}
        order = sorted(reached - {0})
        if rng.random() < 0.5:
            rng.shuffle(order)
        order = [0, *order]
        blocks: list[list[Insn | None]] = []
        for position, n in enumerate(order):
            body = self._prologue(number) if n == 0 else []
            for _ in range(rng.randint(0, 4)):
                body += self._statement()
            if n in jumps:
                body.append(self._jump(jumps[n]))
            if n in final:
                body += [*self._result(), Exit()]
            elif n + 1 != (order[position + 1] if position + 1 < len(order) else None):
                body.append(Goto(n + 1))
            blocks.append(body)
        starts, at = {}, 0
        for n, body in zip(order, blocks, strict=True):
            starts[n] = at
            at += len(body)
        placed: list[Insn | None] = []
        for body in blocks:
            for insn in body:
                if isinstance(insn, Jump | Goto) and insn.target >= 0:
                    placed.append(replace(insn, target=starts[insn.target]))
                elif isinstance(insn, Jump):
                    placed.append(replace(insn, target=len(placed) - insn.target))
                else:
                    placed.append(insn)
        return placed

    def _jump(self, target: int) -> Jump:
        """A condition; a negative target -n skips to n slots after the jump."""
        rng = self.rng
        src: Operand = self._number() if rng.random() < 0.4 else Imm(self._immediate())
        return Jump(
            rng.choice(list(JumpOp)), rng.choice((32, 64)), rng.choice(NUMBERS), src, target
        )

    def _prologue(self, number: int) -> list[Insn | None]:
        """The context to r6, and numbers everywhere else; other functions get a pointer in r5."""
        body: list[Insn | None] = [Alu(AluOp.MOV, 64, _CONTEXT, Reg(1))]
        if number:
            body.append(Store(8, 5, -8 * self.rng.randint(1, 8), Reg(2)))
            body += self._fill((0, 1, 5, 7, 8, 9))
        else:
            body += [Load(4, 9, 1, self._field().offset), *self._beginning()]
            body += self._fill((0, 1, 2, 3, 4, 5))
        for at in range(-STACK, 0, 8):
            src: Operand = self._number() if self.rng.random() < 0.8 else Imm(self._immediate())
            body.append(Store(8, FP, at, src))
        return body

    def _beginning(self) -> list[Insn | None]:
        """The first bytes of the packet in r7 and r8, where there are 14."""
        rng = self.rng
        if self.context.packet_loads:
            body: list[Insn | None] = []
            for register in (7, 8):
                size = rng.choice((1, 2, 4, 4))
                load = LoadPacket(size, None, rng.randint(0, 14 - size))
                body += [load, Alu(AluOp.MOV, 64, register, Reg(0))]
            return body
        start, end = self._ends()
        return [
            Load(4, 2, _CONTEXT, start), Load(4, 3, _CONTEXT, end),
            Alu(AluOp.MOV, 64, 7, Imm(self._immediate())), Alu(AluOp.MOV, 64, 8, Imm(7)),
            Alu(AluOp.MOV, 64, 4, Reg(2)), Alu(AluOp.ADD, 64, 4, Imm(14)),
            Jump(JumpOp.GT, 64, 4, Reg(3), -3),
            Load(rng.choice(_SIZES), 7, 2, rng.randint(0, 6)),
            Load(4, 8, 2, rng.randint(0, 10)),
        ]

    def _ends(self) -> tuple[int, int]:
        """Where the context has the packet's two ends."""
        start, end, *_ = (f.offset for f in self.context.fields if f.points_to is not None)
        return start, end

    def _result(self) -> list[Insn | None]:
        """Mostly a return value that depends on several registers and the stack."""
        rng = self.rng
        body: list[Insn | None] = []
        if rng.random() < 0.8:
            for op in rng.choices((AluOp.XOR, AluOp.ADD, AluOp.SUB), k=4):
                body.append(Alu(op, 64, 0, self._number()))
            body += [Load(8, 1, FP, -8 * rng.randint(1, STACK // 8)), Alu(AluOp.XOR, 64, 0, Reg(1))]
            for shift in rng.choice(((32, 8), (32, 16, 4), ())):
                body += [
                    Alu(AluOp.MOV, 64, 1, Reg(0)), Alu(AluOp.RSH, 64, 1, Imm(shift)),
                    Alu(AluOp.XOR, 64, 0, Reg(1)),
                ]
        if rng.random() < 0.7:
            body.append(Alu(AluOp.AND, 64, 0, Imm(rng.choice((1, 3, 7, 0x101)))))
        return body

    def _statement(self) -> list[Insn | None]:
        if self._callees and self.rng.random() < 0.15:
            return self._call_local()
        weights = [w for w, _ in self._statements]
        [(_, make)] = self.rng.choices(self._statements, weights)
        return make()

    # Values.

    def _number(self) -> Reg:
        return Reg(self.rng.choice(NUMBERS))

    def _immediate(self) -> int:
        rng = self.rng
        if rng.random() < 0.7:
            return rng.choice(EDGES) * rng.choice((1, -1))
        return rng.randint(-(1 << 31), (1 << 31) - 1)

    def _fill(self, registers: Sequence[int]) -> list[Insn | None]:
        """Numbers into registers whose content is gone."""
        body: list[Insn | None] = []
        good = [r for r in NUMBERS if r not in registers] or [registers[0]]
        if good == [registers[0]]:
            body.append(Alu(AluOp.MOV, 64, registers[0], Imm(self._immediate())))
        for r in registers:
            if r in good:
                continue
            src = Reg(self.rng.choice(good)) if self.rng.random() < 0.7 else Imm(self._immediate())
            body.append(Alu(AluOp.MOV, self.rng.choice((32, 64)), r, src))
            good.append(r)
        return body

    # Statements.

    def _alu(self) -> list[Insn | None]:
        rng = self.rng
        op, bits = rng.choice(list(AluOp)), rng.choice((32, 64))
        if rng.random() < 0.5:
            return [Alu(op, bits, rng.choice(NUMBERS), self._number())]
        value = self._immediate()
        if op in _SHIFTS:
            value = rng.randrange(bits)
        elif op in _DIVISIONS:
            value = value or 10
        return [Alu(op, bits, rng.choice(NUMBERS), Imm(value))]

    def _unary(self) -> list[Insn | None]:
        rng, dst = self.rng, self.rng.choice(NUMBERS)
        match rng.randrange(3):
            case 0:
                bits = rng.choice((32, 64))
                widths = (8, 16, 32) if bits == 64 else (8, 16)
                return [MovSx(bits, dst, rng.choice(NUMBERS), rng.choice(widths))]
            case 1:
                return [Swap(rng.choice(list(SwapKind)), rng.choice((16, 32, 64)), dst)]
        return [Neg(rng.choice((32, 64)), dst)]

    def _wide(self) -> list[Insn | None]:
        value = self.rng.choice((self.rng.getrandbits(64), 1 << 63, (1 << 64) - 1, 1 << 32))
        return [LoadImm64(self.rng.choice(NUMBERS), value), None]

    def _place(self, size: int) -> int:
        step = size if self.strict else 1
        return self.rng.randrange(-STACK, -size + 1, step)

    def _load(self, base: int, off: int, size: int) -> Load:
        signed = size < 8 and self.rng.random() < 0.3
        return Load(size, self.rng.choice(NUMBERS), base, off, signed)

    def _stack_constant(self) -> list[Insn | None]:
        rng, size = self.rng, self.rng.choice(_SIZES)
        store = Store(
            size, FP, self._place(size),
            self._number() if rng.random() < 0.7 else Imm(self._immediate()),
        )
        size = rng.choice(_SIZES)
        return [store, self._load(FP, self._place(size), size)]

    def _stack_pointer(self, size: int) -> tuple[list[Insn | None], int]:
        """A pointer to a place on the stack that data decide, in r1, and an offset to add."""
        rng = self.rng
        span = rng.choice((1, 3, 7, 8, 0x18, 0x1C, 31)) & (-size if self.strict else -1)
        code: list[Insn | None] = [
            Alu(AluOp.MOV, 64, 1, self._number()), Alu(AluOp.AND, 64, 1, Imm(span)),
            Alu(AluOp.ADD, 64, 1, Reg(FP)),
        ]
        return code, rng.randrange(-STACK, -size - span + 1, size if self.strict else 1)

    def _stack_variable(self) -> list[Insn | None]:
        rng, size = self.rng, self.rng.choice(_SIZES)
        code, off = self._stack_pointer(size)
        src: Operand = Reg(rng.choice([r for r in NUMBERS if r != 1]))
        if rng.random() < 0.6:
            code.append(Store(size, 1, off, src if rng.random() < 0.8 else Imm(self._immediate())))
        code.append(replace(self._load(1, off, size), dst=rng.choice([0, 2, 3, 7])))
        return [*code, *self._fill((1,))]

    def _atomic_op(self, size: int, base: int, off: int) -> Atomic:
        rng, op = self.rng, self.rng.choice(list(AtomicOp))
        fetch = op in (AtomicOp.XCHG, AtomicOp.CMPXCHG) or rng.random() < 0.5
        return Atomic(op, size, base, off, rng.choice([r for r in NUMBERS if r != 1]), fetch)

    def _atomic(self) -> list[Insn | None]:
        size = self.rng.choice((4, 8))
        return [self._atomic_op(size, FP, -size * self.rng.randint(1, STACK // size))]

    def _atomic_variable(self) -> list[Insn | None]:
        code, size = self._stack_pointer(8)[0], self.rng.choice((4, 8))
        code[1] = Alu(AluOp.AND, 64, 1, Imm(self.rng.choice((8, 0x18))))
        return [*code, self._atomic_op(size, 1, -STACK), *self._fill((1,))]

    def _packet(self) -> list[Insn | None]:
        if self.strict and self._inner:
            return self._load_bytes()
        rng, size = self.rng, self.rng.choice((1, 2, 4))
        off = rng.choice((0, 12, 14, 20, 23, 26, 34, 36, 54, 100, -1, -4, rng.randrange(150)))
        if rng.random() < 0.5:
            return [LoadPacket(size, None, off), *self._fill(SCRATCH)]
        index = rng.choice(NUMBERS)
        return [
            Alu(AluOp.AND, rng.choice((32, 64)), index, Imm(rng.choice((1, 3, 4, 0x3C, 0x1F)))),
            LoadPacket(size, index, off), *self._fill(SCRATCH),
        ]

    def _packet_header_length(self) -> list[Insn | None]:
        """The IPv4 way: a length in the packet moves the next load."""
        if self.strict and self._inner:
            return self._alu()
        size = self.rng.choice((1, 2, 4))
        return [
            LoadPacket(1, None, 14), Alu(AluOp.AND, 64, 0, Imm(15)), Alu(AluOp.LSH, 64, 0, Imm(2)),
            Alu(AluOp.MOV, 64, 7, Reg(0)), LoadPacket(size, 7, 14 + self.rng.randrange(4)),
            *self._fill(SCRATCH),
        ]

    def _load_bytes(self) -> list[Insn | None]:
        rng, size = self.rng, self.rng.choice((1, 2, 3, 8, 14, 32))
        code: list[Insn | None] = [Alu(AluOp.MOV, 64, 1, Reg(_CONTEXT))]
        if rng.random() < 0.5:
            code.append(Alu(AluOp.MOV, rng.choice((32, 64)), 2, Imm(rng.choice((0, 6, 14, 60, -1)))))
        else:
            code.append(Alu(AluOp.AND, 64, 2, Imm(rng.choice((3, 0x30)))))
        code += [
            Alu(AluOp.MOV, 64, 3, Reg(FP)), Alu(AluOp.ADD, 64, 3, Imm(self._place(size))),
            Alu(AluOp.MOV, 64, 4, Imm(size)), Call(Helper.SKB_LOAD_BYTES),
        ]
        return [*code, *self._fill(SCRATCH)]

    def _load_field(self) -> list[Insn | None]:
        return [Load(4, self.rng.choice(NUMBERS), _CONTEXT, self._field().offset)]

    def _field(self) -> Field:
        """A field that is a number."""
        return self.rng.choice([f for f in self.context.fields if f.points_to is None])

    def _direct(self) -> list[Insn | None]:
        """Direct packet access behind a comparison with data_end: r1 is data, r2 data_end."""
        rng, size = self.rng, self.rng.choice(_SIZES)
        start, end = self._ends()
        code: list[Insn | None] = [
            Load(4, 1, _CONTEXT, start), Load(4, 2, _CONTEXT, end), Alu(AluOp.MOV, 64, 3, Reg(1)),
        ]
        if rng.random() < 0.5:
            code += [
                Alu(AluOp.MOV, 64, 4, Reg(rng.choice((0, 7, 8, 9)))),
                Alu(AluOp.AND, 64, 4, Imm(rng.choice((1, 0x3C, 0x1F)))),
                Alu(AluOp.ADD, 64, 3, Reg(4)),
            ]
        reach = rng.choice((14, 18, 34, 40, 60))
        body: list[Insn | None] = [
            Alu(AluOp.MOV, 64, 4, Reg(3)), Alu(AluOp.ADD, 64, 4, Imm(reach)),
        ]
        load = Load(
            size, rng.choice((0, 7, 8)), 3, rng.randint(0, reach - size),
            size < 8 and rng.random() < 0.3,
        )
        beyond = rng.choice((
            Jump(JumpOp.GT, 64, 4, Reg(2), -2), Jump(JumpOp.GE, 64, 4, Reg(2), -2),
            Jump(JumpOp.LT, 64, 2, Reg(4), -2), Jump(JumpOp.LE, 64, 2, Reg(4), -2),
        ))
        if rng.random() < 0.2:
            body += [Alu(AluOp.SUB, 64, 2, Reg(3)), Alu(AluOp.MOV, 64, 0, Reg(2))]
        else:
            body += [beyond, load]
        return [*code, *body, *self._fill(SCRATCH)]

    def _helper(self) -> list[Insn | None]:
        helper = self.rng.choice(
            (Helper.KTIME_GET_NS, Helper.GET_PRANDOM_U32, Helper.GET_SMP_PROCESSOR_ID)
        )
        return [Call(helper), *self._fill(SCRATCH)]

    def _read_only(self) -> list[Insn | None]:
        rng, size = self.rng, self.rng.choice((1, 2, 4))
        span = 0 if len(self.data) < 16 else rng.choice((1, 3, 6, 8))
        off = rng.randint(0, len(self.data) - size - span)
        return [
            LoadData(1, SECTION, off), None, Alu(AluOp.AND, 64, 2, Imm(span)),
            Alu(AluOp.ADD, 64, 1, Reg(2)), replace(self._load(1, 0, size), dst=3), *self._fill((1,)),
        ]

    def _spill(self) -> list[Insn | None]:
        """An address to the stack and back, then used."""
        return [
            Store(8, FP, SPILL, Reg(self.rng.choice((FP, _CONTEXT)))), Store(8, FP, SPILL, Reg(FP)),
            Load(8, 1, FP, SPILL), self._load(1, self._place(8), 8), *self._fill((1,)),
        ]

    def _chosen_pointer(self) -> list[Insn | None]:
        """A pointer that one of two paths moves."""
        rng = self.rng
        return [
            Alu(AluOp.MOV, 64, 1, Reg(FP)), Alu(AluOp.ADD, 64, 1, Imm(-8 * rng.randint(2, 4))),
            replace(self._jump(-2), dst=rng.choice((0, 2, 7)), src=Imm(self._immediate())),
            Alu(AluOp.ADD if self.strict else AluOp.SUB, 64, 1, Imm(8)),
            replace(self._load(1, 0, rng.choice(_SIZES)), dst=2), *self._fill((1,)),
        ]

    def _bounded(self) -> list[Insn | None]:
        """A load that only a comparison makes safe."""
        rng, limit = self.rng, self.rng.randint(1, 40)
        size = 1 if self.strict else rng.choice(_SIZES)
        bits = rng.choice((32, 64))
        code: list[Insn | None] = [Alu(AluOp.AND, bits, 7, Imm(0xFF))] if rng.random() < 0.5 else []
        if not code and bits == 32:
            code = [Alu(AluOp.MOV, 32, 7, Reg(7))]
        jump = rng.choice((
            Jump(JumpOp.GT, bits, 7, Imm(limit), -4), Jump(JumpOp.GE, bits, 7, Imm(limit), -4),
        ))
        return [
            *code, jump, Alu(AluOp.MOV, 64, 1, Reg(FP)), Alu(AluOp.ADD, 64, 1, Reg(7)),
            replace(self._load(1, -STACK + rng.randint(0, STACK - size - limit), size), dst=3),
            *self._fill((1,)),
        ]

    def _compare_value(self) -> list[Insn | None]:
        """A condition as a number, as compilers make them."""
        dst = self.rng.choice(NUMBERS)
        jump = self._jump(-2)
        return [Alu(AluOp.MOV, 64, dst, Imm(1)), jump, Alu(AluOp.MOV, 64, dst, Imm(0))]

    def _call_local(self) -> list[Insn | None]:
        return [
            Alu(AluOp.MOV, 64, 1, Reg(_CONTEXT)), Alu(AluOp.MOV, 64, 5, Reg(FP)),
            CallLocal(self.rng.choice(self._callees)), *self._fill(SCRATCH),
        ]


def _placed(insn: Insn | None, start: int, starts: list[int]) -> Insn | None:
    """An instruction of the function at `start`, with slots of the whole program."""
    match insn:
        case Jump() | Goto():
            return replace(insn, target=start + insn.target)
        case CallLocal(number):
            return CallLocal(starts[number])
    return insn


def random_program(seed: int | str, context: Context = XDP_METADATA, size: int = 6) -> Program:
    """The program that belongs to a seed."""
    return ProgramMaker(random.Random(f"program {seed}"), context, size).program()
