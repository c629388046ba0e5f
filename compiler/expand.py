"""Program with bpf_loop and number iterators -> the same program with calls of BPF functions for them.

What these do is defined by the kernel (kernel/bpf/bpf_iter.c: bpf_loop, bpf_iter_num_*), and short
enough to be written as instructions. The functions are appended, so that all slots stay as they are;
what is left is loops and calls, which everything else knows.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from .errors import Unsupported
from .insn import (
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
    LoadData,
    LoadFunction,
    LoadImm64,
    LoadPacket,
    MovSx,
    Neg,
    Program,
    Reg,
    Store,
    Swap,
)

BPF_LOOP = 181
"""Helper number of bpf_loop (enum bpf_func_id)."""
MAX_LOOPS = 1 << 23
"""Iterations that bpf_loop and the iterators take (kernel: BPF_MAX_LOOPS)."""
_EINVAL, _E2BIG = 22, 7


def _mov(dst: int, src: int | Reg, bits: int = 64) -> Alu:
    return Alu(AluOp.MOV, bits, dst, src if isinstance(src, Reg) else Imm(src))


def _loop(base: int, callback: int) -> list[Insn]:
    """r0 = bpf_loop(u32 nr_loops, callback, void *ctx, u64 flags) at slot `base`."""
    again, done, out = base + 7, base + 13, base + 14
    return [
        _mov(6, Reg(1), 32),
        _mov(7, Reg(3)),
        _mov(8, 0),
        _mov(0, -_EINVAL),
        Jump(JumpOp.NE, 64, 4, Imm(0), out),
        _mov(0, -_E2BIG),
        Jump(JumpOp.GT, 64, 6, Imm(MAX_LOOPS), out),
        Jump(JumpOp.GE, 64, 8, Reg(6), done),
        _mov(1, Reg(8)),
        _mov(2, Reg(7)),
        CallLocal(callback),
        Alu(AluOp.ADD, 64, 8, Imm(1)),
        Jump(JumpOp.EQ, 64, 0, Imm(0), again),
        _mov(0, Reg(8)),
        Exit(),
    ]


# struct bpf_iter_num holds two s32: the number that was given last, and the end.


def _iter_new(base: int) -> list[Insn]:
    """r0 = bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) at slot `base`."""
    out = base + 12
    return [
        MovSx(64, 4, 2, 32),
        MovSx(64, 5, 3, 32),
        Store(8, 1, 0, Imm(0)),
        _mov(0, -_EINVAL),
        Jump(JumpOp.SGT, 64, 4, Reg(5), out),
        _mov(0, -_E2BIG),
        Alu(AluOp.SUB, 64, 5, Reg(4)),
        Jump(JumpOp.GT, 64, 5, Imm(MAX_LOOPS), out),
        Alu(AluOp.SUB, 64, 4, Imm(1)),
        Store(4, 1, 0, Reg(4)),
        Store(4, 1, 4, Reg(3)),
        _mov(0, 0),
        Exit(),
    ]


def _iter_next(base: int) -> list[Insn]:
    """r0 = bpf_iter_num_next(struct bpf_iter_num *it), the address of the number or NULL.

    The number is counted up before it is compared, also at the end, so that it is the same on both
    paths and a loop is seen to advance.
    """
    return [
        Load(4, 2, 1, 0, signed=True),
        Load(4, 3, 1, 4, signed=True),
        Alu(AluOp.ADD, 64, 2, Imm(1)),
        Store(4, 1, 0, Reg(2)),
        _mov(0, Reg(1)),
        Jump(JumpOp.SLT, 64, 2, Reg(3), base + 7),
        _mov(0, 0),
        Exit(),
    ]


def _iter_destroy(_: int) -> list[Insn]:
    """bpf_iter_num_destroy(struct bpf_iter_num *it)."""
    return [Store(8, 1, 0, Imm(0)), Exit()]


ITERATORS: dict[str, Callable[[int], list[Insn]]] = {
    "bpf_iter_num_new": _iter_new,
    "bpf_iter_num_next": _iter_next,
    "bpf_iter_num_destroy": _iter_destroy,
}
"""Kernel functions -> what they do, as the function that begins at a slot."""


class _Expansion:
    """Appends a function for every kernel function and every callback in use, once."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.insns = list(program.insns)
        self.functions = dict(program.functions)
        self.called_back: set[int] = set()

    def append(self, name: str, body: list[Insn]) -> int:
        base = len(self.insns)
        self.insns += body
        self.functions[base] = name
        return base

    def run(self) -> Program:
        placed: dict[str, int] = {}
        for slot, insn in enumerate(self.program.insns):
            match insn:
                case Call(number) if number == BPF_LOOP:
                    callback = self.callback(slot)
                    name = f"bpf_loop({self.program.functions.get(callback, callback)})"
                    if name not in placed:
                        placed[name] = self.append(name, _loop(len(self.insns), callback))
                    self.insns[slot] = CallLocal(placed[name])
                case CallExtern(name) if name in ITERATORS:
                    if name not in placed:
                        placed[name] = self.append(name, ITERATORS[name](len(self.insns)))
                    self.insns[slot] = CallLocal(placed[name])
                case LoadFunction(dst):
                    self.insns[slot] = LoadImm64(dst, 0)
        self.check_addresses()
        if self.insns == list(self.program.insns):
            return self.program
        return replace(self.program, insns=tuple(self.insns), functions=self.functions)

    def check_addresses(self) -> None:
        for slot, insn in enumerate(self.program.insns):
            if isinstance(insn, LoadFunction) and insn.target not in self.called_back:
                name = self.program.functions.get(insn.target, f"at slot {insn.target}")
                raise Unsupported(
                    f"the address of function {name} is taken, and no bpf_loop() calls it; call"
                    " functions by name",
                    self.program.where(slot),
                )

    def callback(self, slot: int) -> int:
        """The function in r2 at the call at `slot`: what the nearest instruction before it put there.

        A register that the whole function writes once may be written anywhere.
        """
        call, register, seen = slot, 2, set[int]()
        while slot not in seen:
            seen.add(slot)
            writers = list(self.writers(slot, register))
            near = [s for s in writers if s < slot and self.straight(s, slot)]
            if len(writers) != 1 and not near:
                break
            slot = near[-1] if near else writers[0]
            match self.program.insns[slot]:
                case LoadFunction(_, target):
                    self.called_back.add(target)
                    return target
                case Alu(AluOp.MOV, 64, _, Reg(source)):
                    register = source
                case _:
                    break
        raise Unsupported(
            "which function bpf_loop() calls back is not known here; pass its name in the call",
            self.program.where(call),
        )

    def writers(self, slot: int, register: int) -> Iterator[int]:
        """The slots in the function around `slot` that write the register."""
        starts = {0, *self.program.functions}
        start = max(s for s in starts if s <= slot)
        end = min((s for s in starts if s > slot), default=len(self.program.insns))
        for s in range(start, end):
            match self.program.insns[s]:
                case Call() | CallExtern() | CallLocal() | LoadPacket() if register <= 5:
                    yield s
                case (
                    Alu(dst=dst) | MovSx(dst=dst) | Neg(dst=dst) | Swap(dst=dst) | Load(dst=dst)
                    | LoadImm64(dst=dst) | LoadData(dst=dst) | LoadFunction(dst=dst)
                ) if dst == register:
                    yield s

    def straight(self, first: int, last: int) -> bool:
        """Whether control that is at slot `last` was at `first`, with no jump in or out between."""
        targets = {i.target for i in self.program.insns if isinstance(i, Jump | Goto)}
        inside = self.program.insns[first:last]
        return not targets & set(range(first + 1, last + 1)) and not any(
            isinstance(i, Jump | Goto | Exit) for i in inside
        )


def expand(program: Program) -> Program:
    """Replace bpf_loop and bpf_iter_num_*; a program without them comes back as it is.

    Raises
    ------
    Unsupported
        The callback of a bpf_loop is not known, or something else takes a function's address.
    """
    kinds = (Call, CallExtern, LoadFunction)
    return _Expansion(program).run() if any(isinstance(i, kinds) for i in program.insns) else program
