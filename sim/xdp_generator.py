"""A seed -> random XDP programs that parse packets, valid by construction, for comparing executors.

r6 is the context, r7 a number that all reads go into, r8 data_end and r9 a cursor; from the cursor
on `slack` bytes were checked. Loops count in r5; a failed check leaves the function, or the loop.
"""

import random
from dataclasses import replace
from types import MappingProxyType

from ..compiler.expand import BPF_LOOP
from ..compiler.insn import (
    FP,
    Alu,
    AluOp,
    Call,
    CallExtern,
    CallLocal,
    Exit,
    Goto,
    Imm,
    Insn,
    Jump,
    JumpOp,
    Load,
    LoadFunction,
    LoadImm64,
    MovSx,
    Program,
    Reg,
    Store,
    Swap,
    SwapKind,
)
from ..ctx_map.context import XDP_MD
from ..ctx_map.helpers import Helper
from ..ctx_map.kfuncs import METADATA

_DATA, _END, _IFINDEX, _QUEUE = 0, 4, 12, 16
_CONTEXT, _HASH, _LIMIT, _CURSOR = 6, 7, 8, 9
_DEEPEST = 180
"""Bytes from the packet's start that the cursor may be away, so that windows of 256 do."""


def _move(dst: int, src: int | Reg) -> Alu:
    return Alu(AluOp.MOV, 64, dst, src if isinstance(src, Reg) else Imm(src))


def _add(dst: int, src: int | Reg) -> Alu:
    return Alu(AluOp.ADD, 64, dst, src if isinstance(src, Reg) else Imm(src))


class XdpMaker:
    """Draws programs of about `size` steps. Targets below 0 are labels until it is done.

    One of twenty is `daring`: it checks one place and reads at another, which the kernel refuses.
    """

    def __init__(self, rng: random.Random, size: int = 10) -> None:
        self.rng, self.size = rng, size
        self.code: list[Insn | None] = []
        self.places: dict[int, int] = {}
        self.labels = 0
        self.fail = 0
        self.slack = self.depth = 0
        self.deepest = _DEEPEST
        self.looping = False
        self.daring = rng.random() < 0.05
        self.called: list[int] = []
        self.callbacks: list[int] = []

    def program(self) -> Program:
        """A whole program: the entry function, and those it calls."""
        self.code += [
            _move(_CONTEXT, Reg(1)), Load(4, _HASH, 1, self.rng.choice((_IFINDEX, _QUEUE))),
            Load(4, _LIMIT, 1, _END), Load(4, _CURSOR, 1, _DATA),
        ]
        self.body(self.size, nested=False)
        starts = {0: "main"}
        for label in self.called:
            starts[len(self.code)] = f"f{-label}"
            self.place(label)
            self.code += [_move(_HASH, 1), _move(_CURSOR, Reg(1)), _move(_LIMIT, Reg(2))]
            self.body(3, nested=True)
        for label in self.callbacks:
            starts[len(self.code)] = f"f{-label}"
            self.place(label)
            self.callback()
        placed = tuple(
            replace(i, target=self.places[i.target])
            if isinstance(i, Jump | Goto | CallLocal | LoadFunction) and i.target < 0 else i
            for i in self.code
        )
        return Program("random", "random", XDP_MD, placed, functions=MappingProxyType(starts))

    def label(self) -> int:
        self.labels += 1
        return -self.labels

    def place(self, label: int) -> None:
        self.places[label] = len(self.code)

    def body(self, size: int, nested: bool) -> None:
        """The steps of a function, its result, and where failed checks go."""
        self.fail, self.nested = self.label(), nested
        self.slack, self.depth = 0, _DEEPEST // 2 if nested else 0
        self.check()
        for _ in range(self.rng.randint(1, size)):
            self.step(2)
        self.code += [_move(0, Reg(_HASH)), *self.narrowed(), Exit()]
        self.place(self.fail)
        constant = self.rng.choice((0, 1, 2, 9)) if self.rng.random() < 0.7 else None
        self.code += [_move(0, Reg(_HASH) if constant is None else constant), Exit()]

    def narrowed(self) -> list[Insn | None]:
        """Mostly make the result one of few."""
        mask = self.rng.choice((1, 3, 7, 7, -1))
        return [] if mask < 0 else [Alu(AluOp.AND, 64, 0, Imm(mask))]

    def step(self, levels: int) -> None:
        steps = [
            self.check, self.check, self.read, self.read, self.read, self.advance,
            self.advance_by_byte, self.spill, self.length, self.maybe, self.mix, self.reread,
            self.mix_wide, self.assemble,
        ]
        if levels:
            steps += [lambda: self.fork(levels), lambda: self.fork(levels)]
            steps.append(lambda: self.switch(levels))
        if self.daring:
            steps += [self.dare] * 3
        if not self.looping:
            steps += [self.loop, self.loop]
            if not self.nested:
                steps += [self.call, self.helper]
        self.rng.choice(steps)()

    def check(self) -> None:
        """Compare the cursor, moved, with the end, in one of the forms that prove something."""
        rng, size = self.rng, self.rng.choice((1, 2, 4, 8, 14, 20, 33))
        at = rng.choice((1, 2, 3))
        self.code += [_move(at, Reg(_CURSOR)), _add(at, size)]
        inside, extra = self.label(), 0
        match rng.randrange(6):
            case 0:
                self.code.append(Jump(JumpOp.GT, 64, at, Reg(_LIMIT), self.fail))
            case 1:
                self.code.append(Jump(JumpOp.LT, 64, _LIMIT, Reg(at), self.fail))
            case 2:
                self.code += [Jump(JumpOp.LE, 64, at, Reg(_LIMIT), inside), Goto(self.fail)]
            case 3:
                self.code += [Jump(JumpOp.GE, 64, _LIMIT, Reg(at), inside), Goto(self.fail)]
            case 4:
                self.code.append(Jump(JumpOp.GE, 64, at, Reg(_LIMIT), self.fail))
                extra = 1
            case 5:
                self.code += [Jump(JumpOp.LT, 64, at, Reg(_LIMIT), inside), Goto(self.fail)]
                extra = 1
        self.place(inside)
        self.slack = max(self.slack, size + extra)

    def mix(self) -> None:
        """Change the hash."""
        rng = self.rng
        op = rng.choice((AluOp.ADD, AluOp.XOR, AluOp.MUL, AluOp.RSH, AluOp.ARSH, AluOp.SUB))
        shift = op in (AluOp.RSH, AluOp.ARSH)
        value = rng.choice((1, 3, 7, 8, 31)) if shift else rng.randint(-99, 9999)
        self.code.append(Alu(op, rng.choice((32, 64)), _HASH, Imm(value)))

    def dare(self) -> None:
        """Read where the packet says, behind a check of where else it says."""
        rng, size = self.rng, self.rng.choice((1, 2, 4))
        if not self.slack:
            return
        for register in (3, 4):
            self.code += [
                Load(1, 2, _CURSOR, rng.randrange(self.slack)), Alu(AluOp.AND, 64, 2, Imm(31)),
                _move(register, Reg(_CURSOR)), _add(register, Reg(2)),
            ]
        self.code += [_add(4, size), Jump(JumpOp.GT, 64, 4, Reg(_LIMIT), self.fail)]
        self.code.append(Load(size, 2, 3, 0))
        self.absorb(2)

    def mix_wide(self) -> None:
        """The same with a constant of 64 bits, or with the hash itself."""
        rng = self.rng
        value = rng.choice((rng.getrandbits(64), (1 << 64) - 1, 1 << 63, 0x0101_0101_0101_0101))
        self.code += rng.choice((
            [LoadImm64(1, value), None], [_move(1, Reg(_HASH)), Alu(AluOp.RSH, 64, 1, Imm(29))],
        ))
        ops = (AluOp.MUL, AluOp.MUL, AluOp.XOR, AluOp.ADD, AluOp.DIV, AluOp.MOD)
        op = rng.choice(ops[: 4 if self.looping else 6])  # a divider has a stage for every bit
        self.code.append(Alu(op, rng.choice((32, 64, 64)), _HASH, Reg(1)))

    def assemble(self) -> None:
        """A field that is put together from its bytes."""
        size = self.rng.choice((2, 4))
        if self.slack < size:
            return
        at = self.rng.randint(0, self.slack - size)
        self.code.append(Load(1, 2, _CURSOR, at))
        for n in range(1, size):
            self.code += [
                Alu(AluOp.LSH, 64, 2, Imm(8)), Load(1, 1, _CURSOR, at + n),
                Alu(AluOp.OR, 64, 2, Reg(1)),
            ]
        self.absorb(2)

    def absorb(self, register: int) -> None:
        op = self.rng.choice((AluOp.ADD, AluOp.XOR, AluOp.XOR, AluOp.SUB, AluOp.MUL, AluOp.OR))
        self.code.append(Alu(op, self.rng.choice((32, 64)), _HASH, Reg(register)))

    def read(self) -> None:
        """Read checked bytes into the hash."""
        rng = self.rng
        sizes = [s for s in (1, 2, 4, 8) if s <= self.slack]
        if not sizes:
            return
        size = rng.choice(sizes)
        signed = size < 8 and rng.random() < 0.2
        self.code.append(Load(size, 2, _CURSOR, rng.randint(0, self.slack - size), signed))
        match rng.randrange(4):
            case 0:
                kind = rng.choice((SwapKind.BE, SwapKind.BSWAP))
                self.code.append(Swap(kind, rng.choice((16, 32, 64)), 2))
            case 1:
                self.code.append(MovSx(64, 2, 2, rng.choice((8, 16, 32))))
        self.absorb(2)

    def reread(self) -> None:
        """The same through a copy of the cursor that went another way."""
        if self.slack < 4:
            return
        ahead = self.rng.randint(0, self.slack - 1)
        back = self.rng.randint(0, ahead)
        self.code += [_move(3, Reg(_CURSOR)), _add(3, ahead), _move(4, Reg(3)), _add(4, -back)]
        self.code.append(Load(1, 2, self.rng.choice((3, 4)), 0))
        self.absorb(2)

    def advance(self) -> None:
        """Over bytes that were checked, or not."""
        size = self.rng.randint(0, 20)
        if self.depth + size <= self.deepest:
            self.code.append(_add(_CURSOR, size))
            self.slack, self.depth = max(0, self.slack - size), self.depth + size

    def advance_by_byte(self) -> None:
        """The packet says where it goes on."""
        rng = self.rng
        mask, shift = rng.choice(((15, 0), (15, 2), (7, 3), (3, 1), (31, 0)))
        if not self.slack or self.depth + (mask << shift) > self.deepest:
            return
        self.code += [
            Load(1, 2, _CURSOR, rng.randrange(self.slack)), Alu(AluOp.AND, 64, 2, Imm(mask)),
            Alu(AluOp.LSH, 64, 2, Imm(shift)), _add(_CURSOR, Reg(2)),
        ]
        self.slack, self.depth = 0, self.depth + (mask << shift)

    def spill(self) -> None:
        """An address to the stack and back."""
        register = self.rng.choice((_LIMIT, _CURSOR))
        self.code += [Store(8, FP, -8, Reg(register)), _move(register, 5)]
        self.absorb(register)
        self.code.append(Load(8, register, FP, -8))

    def length(self) -> None:
        """The bytes from here to the end, of which the window alone does not tell."""
        if self.rng.random() < 0.5:
            return
        bits = self.rng.choice((32, 64))
        self.code += [
            Alu(AluOp.MOV, bits, 2, Reg(_LIMIT)), Alu(AluOp.SUB, bits, 2, Reg(_CURSOR)),
            Alu(AluOp.XOR, 64, _HASH, Reg(2)),
        ]

    def maybe(self) -> None:
        """An address or 0, which only a comparison tells apart."""
        if not self.slack:
            return
        skip, none = self.label(), self.label()
        stacked = self.rng.random() < 0.5
        self.code += [_move(1, 0), Jump(JumpOp.SET, 64, _HASH, Imm(2), skip)]
        self.code.append(_move(1, Reg(_CURSOR)))
        self.place(skip)
        if stacked:
            self.code += [Store(8, FP, -16, Reg(1)), _move(1, 3), Load(8, 1, FP, -16)]
        self.code += [Jump(JumpOp.EQ, 64, 1, Imm(0), none), Load(1, 2, 1, 0)]
        self.absorb(2)
        self.place(none)

    def fork(self, levels: int) -> None:
        """Two paths that leave the cursor at two places, and may have checked differently."""
        rng, other, join = self.rng, self.label(), self.label()
        op, value = rng.choice((JumpOp.SET, JumpOp.EQ, JumpOp.GT, JumpOp.SLT)), rng.choice((1, 4, 6, 99))
        self.code.append(Jump(op, rng.choice((32, 64)), _HASH, Imm(value), other))
        before = self.slack, self.depth
        for _ in range(rng.randint(0, 2)):
            self.step(levels - 1)
        self.code.append(Goto(join))
        first = self.slack, self.depth
        self.slack, self.depth = before
        self.place(other)
        self.mix()
        for _ in range(rng.randint(0, 2)):
            self.step(levels - 1)
        self.place(join)
        self.slack, self.depth = min(first[0], self.slack), max(first[1], self.depth)

    def switch(self, levels: int) -> None:
        """A path for each of some values of a byte."""
        rng = self.rng
        if not self.slack:
            return
        self.code.append(Load(1, 2, _CURSOR, rng.randrange(self.slack)))
        values = rng.sample((0, 1, 2, 4, 6, 8, 17, 58, 69, 0x81, 0xFF), rng.randint(2, 5))
        cases = [self.label() for _ in values]
        for value, case in zip(values, cases, strict=True):
            self.code.append(Jump(JumpOp.EQ, rng.choice((32, 64)), 2, Imm(value), case))
        join, before, ends = self.label(), (self.slack, self.depth), list[tuple[int, int]]()
        for case in [self.label(), *cases]:
            self.place(case)
            self.slack, self.depth = before
            for _ in range(rng.randint(0, 1)):
                self.step(levels - 1)
            self.mix()
            self.code.append(Goto(join))
            ends.append((self.slack, self.depth))
        self.place(join)
        self.slack, self.depth = min(s for s, _ in ends), max(d for _, d in ends)

    def loop(self) -> None:
        """Go round a constant number of times, or until the packet ends or says so."""
        rng, rounds = self.rng, self.rng.choice((1, 2, 3, 4, 6, 8, 20))
        top, out, fail, deepest = self.label(), self.label(), self.fail, self.deepest
        before = self.depth
        self.deepest = before + (deepest - before) // rounds
        counter = rng.choice((5, None))
        down = counter is not None and rng.random() < 0.3
        self.code.append(
            _move(5, rounds if down else 0) if counter else Store(8, FP, -24, Imm(0))
        )
        if rng.random() < 0.5:
            self.fail = out
        self.looping, self.slack = True, 0
        self.place(top)
        self.check()
        for _ in range(rng.randint(1, 4)):
            self.step(0)
        if rng.random() < 0.4:
            self.code.append(Jump(JumpOp.SET, 64, _HASH, Imm(1 << rng.randrange(9)), out))
        if counter is None:
            self.code.append(Load(8, 5, FP, -24))
        if rng.random() < 0.5:
            self.absorb(5)
        self.code.append(_add(5, -1 if down else 1))
        if counter is None:
            self.code.append(Store(8, FP, -24, Reg(5)))
        if down:
            self.code.append(Jump(JumpOp.NE, 64, 5, Imm(0), top))
        else:
            op = rng.choice((JumpOp.LT, JumpOp.NE, JumpOp.SLT))
            self.code.append(Jump(op, rng.choice((32, 64)), 5, Imm(rounds), top))
        self.place(out)
        self.looping, self.fail, self.deepest = False, fail, deepest
        self.slack, self.depth = 0, before + rounds * (self.depth - before)

    def helper(self) -> None:
        """A function of the kernel."""
        rng = self.rng
        match rng.randrange(6):
            case 0:
                self.code += [_move(1, Reg(_CONTEXT)), Call(Helper.XDP_GET_BUFF_LEN)]
            case 1:
                self.code.append(Call(rng.choice((
                    Helper.KTIME_GET_NS, Helper.GET_PRANDOM_U32, Helper.GET_SMP_PROCESSOR_ID,
                ))))
            case 2:
                self.load_bytes()
            case 3:
                self.checksum()
            case 4:
                self.metadata()
            case 5:
                self.call_back()
        self.absorb(0)

    def load_bytes(self) -> None:
        """A copy of bytes of the packet, which may not be there."""
        rng, size = self.rng, self.rng.choice((1, 2, 6, 8, 13, 16))
        self.code += [Store(8, FP, -48, Reg(_HASH)), Store(8, FP, -40, Imm(0))]
        if rng.random() < 0.5:
            self.code.append(_move(2, rng.choice((0, 12, 14, 23, 60, 100))))
        else:
            self.code += [_move(2, Reg(_HASH)), Alu(AluOp.AND, 64, 2, Imm(rng.choice((7, 0x3C))))]
        self.code += [
            _move(1, Reg(_CONTEXT)), _move(3, Reg(FP)), _add(3, -48), _move(4, size),
            Call(Helper.XDP_LOAD_BYTES),
        ]
        self.code.append(Load(8, 2, FP, rng.choice((-48, -40))))
        self.absorb(2)

    def metadata(self) -> None:
        """What the receiver knows of the packet, or why not."""
        function = self.rng.choice(list(METADATA.values()))
        places = range(-48, -48 + 8 * len(function.outputs), 8)
        for register, place in enumerate(places, 2):
            self.code += [
                Store(8, FP, place, Imm(register)), _move(register, Reg(FP)), _add(register, place),
            ]
        self.code += [_move(1, Reg(_CONTEXT)), CallExtern(function.prototype.name)]
        self.code.append(Alu(AluOp.MOV, 32, 0, Reg(0)))
        for place in places:
            self.code.append(Load(8, 2, FP, place))
            self.absorb(2)

    def call_back(self) -> None:
        """bpf_loop with a function that changes a copy of the hash."""
        rng, callback = self.rng, self.label()
        self.callbacks.append(callback)
        self.code += [Store(8, FP, -56, Reg(_HASH)), _move(1, rng.choice((0, 1, 3, 6, 9)))]
        if rng.random() < 0.5:
            self.code += [_move(1, Reg(_HASH)), Alu(AluOp.AND, 64, 1, Imm(rng.choice((1, 3, 7))))]
        self.code += [
            LoadFunction(2, callback), None, _move(3, Reg(FP)), _add(3, -56), _move(4, 0),
            Call(BPF_LOOP), Load(8, 2, FP, -56),
        ]
        self.absorb(2)

    def callback(self) -> None:
        """The number of the round is in r1, the address of the copy in r2."""
        rng, on = self.rng, self.label()
        self.code.append(Load(8, 3, 2, 0))
        for _ in range(rng.randint(1, 3)):
            op = rng.choice((AluOp.ADD, AluOp.XOR, AluOp.MUL, AluOp.SUB))
            src = rng.choice((Reg(1), Imm(rng.choice((3, 7, 0x101, -1)))))
            self.code.append(Alu(op, rng.choice((32, 64)), 3, src))
        self.code += [Store(rng.choice((4, 8)), 2, 0, Reg(3)), _move(0, 0)]
        if rng.random() < 0.5:
            op = rng.choice((JumpOp.NE, JumpOp.LT, JumpOp.SLT))
            self.code += [Jump(op, 64, rng.choice((1, 3)), Imm(rng.choice((2, 5))), on), _move(0, 1)]
        self.place(on)
        self.code.append(Exit())

    def checksum(self) -> None:
        """The checksum of checked bytes, or of a change to the stack."""
        sizes = [s for s in (4, 8, 20) if s <= self.slack]
        if not sizes or self.rng.random() < 0.5:
            self.code += [
                Store(8, FP, -48, Reg(_HASH)), Store(8, FP, -40, Imm(0x1234)), _move(1, Reg(FP)),
                _add(1, -48), _move(2, 8), _move(3, Reg(FP)), _add(3, -40),
                _move(4, self.rng.choice((4, 8))),
            ]
        else:
            self.code += [
                _move(1, 0), _move(2, 0), _move(3, Reg(_CURSOR)), _move(4, self.rng.choice(sizes)),
            ]
        self.code += [_move(5, self.rng.choice((0, 0xFFFF, 0x1_0001))), Call(Helper.CSUM_DIFF)]

    def call(self) -> None:
        """A function that gets both ends, and returns a number."""
        if self.depth > _DEEPEST // 2:
            return
        if not self.called or self.rng.random() < 0.4:
            self.called.append(self.label())
        self.code += [
            _move(1, Reg(_CURSOR)), _move(2, Reg(_LIMIT)), CallLocal(self.rng.choice(self.called)),
        ]
        self.absorb(0)


def random_xdp_program(seed: int | str, size: int = 10) -> Program:
    """The program that belongs to a seed."""
    program = XdpMaker(random.Random(f"xdp {seed}"), size).program()
    called = {i.target for i in program.insns if isinstance(i, CallLocal | LoadFunction)}
    complete = called == set(program.functions) - {0}
    return program if complete else random_xdp_program(f"{seed}+", size)
