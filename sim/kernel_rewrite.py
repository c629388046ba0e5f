"""Program -> the same program for a running kernel, with descriptor, time and chance in memory.

A classifier of the kernel has `len`, the packet and its stack; all else that a program reads (the
other descriptor fields, the time, random numbers, metadata with their return values) becomes
loads from one block of memory that is written before each packet. What is printed is dropped.
Packet loads of one and two bytes are followed by a mask of as many, since the kernel's verifier
takes their result for any 32-bit number. Instructions are inserted, so jumps, calls and lines are
moved with them.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from ..compiler.cfg import build_cfg
from ..compiler.expand import ITERATORS
from ..compiler.facts import ContextAccess
from ..compiler.insn import (
    Alu,
    AluOp,
    Call,
    CallExtern,
    CallLocal,
    Goto,
    Imm,
    Insn,
    Jump,
    Load,
    LoadData,
    LoadFunction,
    LoadImm64,
    LoadPacket,
    Program,
    Reg,
    Store,
)
from ..compiler.verify import verify
from ..ctx_map.context import Context, Field
from ..ctx_map.descriptor import Descriptor
from ..ctx_map.helpers import CLOCKS, PRINTS, Helper
from ..ctx_map.kfuncs import METADATA, Metadata
from ..ctx_map.nics import Nic
from ..ctx_map.prandom import prandom, site

INPUTS = "rxgate.inputs"
"""The section that stands for the block of memory."""
_ZERO = (Helper.GET_SMP_PROCESSOR_ID, Helper.GET_NUMA_NODE_ID)
_WITH_TARGET = Jump | Goto | CallLocal | LoadFunction
_U32, _U64 = 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF


class Unfit(Exception):
    """The program cannot be put to the kernel; why."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The block of memory: a u32 for each field of the context, then u64s.

    These are the time, a random number for every call site in `sites`, which maps the slot of a
    call to its number, and for each function in `metadata` its result, followed by two numbers for
    each output: the bits that stay as they were, and the others.
    """

    context: Context
    sites: Mapping[int, int]
    metadata: tuple[Metadata, ...]
    nic: Nic

    @property
    def size(self) -> int:
        """Bytes, a multiple of 8."""
        return self._wide(1 + len(self.sites) + sum(map(_numbers, self.metadata)))

    def _wide(self, index: int) -> int:
        return (len(self.context.fields) * Field.SIZE + 7) // 8 * 8 + index * 8

    def field(self, field: Field) -> int:
        """The offset of a context field."""
        return self.context.fields.index(field) * Field.SIZE

    @property
    def ktime(self) -> int:
        """The offset of the time."""
        return self._wide(0)

    def random(self, slot: int) -> int:
        """The offset of the random number of the call at `slot`."""
        return self._wide(1 + list(self.sites).index(slot))

    def answer(self, function: Metadata) -> int:
        """The offset of the result of a metadata function."""
        before = self.metadata[: self.metadata.index(function)]
        return self._wide(1 + len(self.sites) + sum(map(_numbers, before)))

    def _metadata(self, descriptor: Descriptor, ktime: int) -> Iterator[int]:
        for function in self.metadata:
            result, written = function.call(self.nic, descriptor, ktime)
            yield result & _U32
            for n in range(len(function.outputs)):
                done = n < len(written)
                yield 0 if done else _U64
                yield int.from_bytes(written[n], "little") if done else 0

    def pack(self, descriptor: Descriptor, ktime: int, number: int, seed: int) -> bytes:
        """The content for packet `number`."""
        fields = b"".join(
            (0 if f.points_to else f.value(descriptor)).to_bytes(Field.SIZE, "little")
            for f in self.context.fields
        )
        wide = (
            ktime, *(prandom(seed, number, s) for s in self.sites.values()),
            *self._metadata(descriptor, ktime),
        )
        return fields.ljust(self._wide(0), b"\0") + struct.pack(f"<{len(wide)}Q", *wide)


def rewrite(program: Program) -> tuple[Program, Inputs]:
    """The program with its inputs in section `INPUTS`, and how that is laid out.

    `program` is one that passes verification. Raises Unfit.
    """
    called = {i.name for i in program.insns if isinstance(i, CallExtern)}
    metadata = tuple(f for name, f in METADATA.items() if name in called)
    inputs = Inputs(program.context, _random_sites(program), metadata, program.nic)
    fields = _context_loads(program)
    code: list[Insn | None] = []
    starts: dict[int, int] = {}
    for slot, insn in enumerate(program.insns):
        if insn is None:
            continue
        starts[slot] = len(code)
        for part in _replacement(insn, slot, fields.get(slot), inputs):
            code.append(part)
            if isinstance(part, LoadData | LoadFunction | LoadImm64):
                code.append(None)
    moved = tuple(
        replace(i, target=starts[i.target]) if isinstance(i, _WITH_TARGET) else i
        for i in code
    )
    rewritten = replace(
        program,
        insns=moved,
        functions={starts[slot]: name for slot, name in program.functions.items()},
        data={**program.data, INPUTS: bytes(inputs.size)},
        lines={starts[slot]: line for slot, line in program.lines.items()},
    )
    return rewritten, inputs


def _replacement(
    insn: Insn, slot: int, access: ContextAccess | None, inputs: Inputs
) -> Iterator[Insn]:
    match insn:
        case Load() if access is not None and access.field.signal != "len":
            yield LoadData(insn.dst, INPUTS, inputs.field(access.field))
            yield replace(insn, base=insn.dst, off=access.lane)
        case LoadPacket(size) if size < 4:
            yield insn
            yield Alu(AluOp.AND, 64, 0, Imm((1 << size * 8) - 1))
        case Call(helper) if helper in CLOCKS:
            yield from _result(inputs.ktime)
        case Call(Helper.GET_PRANDOM_U32):
            yield from _result(inputs.random(slot))
        case Call(helper) if helper in PRINTS or helper in _ZERO:
            yield Alu(AluOp.MOV, 64, 0, Imm(0))
        case CallExtern(name) if name in METADATA:
            yield from _metadata_call(METADATA[name], inputs)
        case CallExtern(name) if name not in ITERATORS:
            # Nothing reaches it in a verified program: it is behind a test of a weak symbol.
            yield Alu(AluOp.MOV, 64, 0, Imm(0))
        case _:
            yield insn


def _result(offset: int) -> Iterator[Insn]:
    """r0 = the u64 at an offset."""
    yield LoadData(0, INPUTS, offset)
    yield Load(8, 0, 0, 0)


def _metadata_call(function: Metadata, inputs: Inputs) -> Iterator[Insn]:
    """What the function does, from memory; the outputs' addresses are in r2 and following."""
    results = function.results(inputs.nic)
    yield LoadData(0, INPUTS, inputs.answer(function))
    for n, output in enumerate(function.outputs if 0 in results else ()):
        size, address, at = output.size, 2 + n, 8 + 16 * n
        yield Load(size, 1, 0, at + 8)
        if len(results) > 1:
            yield Load(size, 4, address, 0)
            yield Load(size, 5, 0, at)
            yield Alu(AluOp.AND, 64, 4, Reg(5))
            yield Alu(AluOp.OR, 64, 1, Reg(4))
        yield Store(size, address, 0, Reg(1))
    yield Load(8, 0, 0, 0)


def _numbers(function: Metadata) -> int:
    """How many numbers a metadata function takes in the block."""
    return 1 + 2 * len(function.outputs)


def _context_loads(program: Program) -> dict[int, ContextAccess]:
    """Slot -> the context field that the load there reads, the same in every call."""
    loads: dict[int, ContextAccess] = {}
    for (_, slot), access in verify(build_cfg(program)).accesses.items():
        if isinstance(access, ContextAccess):
            if loads.setdefault(slot, access) != access:
                raise Unfit(f"the load at slot {slot} reads different fields in different calls")
    return loads


def _random_sites(program: Program) -> dict[int, int]:
    """Slot of a call of bpf_get_prandom_u32 -> the number of its call site."""
    sites: dict[int, int] = {}
    for chain in _chains(program, 0, ()):
        if sites.setdefault(chain[-1], site(chain)) != site(chain):
            raise Unfit(
                f"the random number at slot {chain[-1]} depends on which call leads there, which a "
                "single place in memory cannot say"
            )
    return sites


def _chains(program: Program, start: int, calls: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Slots of the calls that lead to each random number, its own slot last."""
    end = min((s for s in program.functions if s > start), default=len(program.insns))
    for slot in range(start, end):
        match program.insns[slot]:
            case Call(Helper.GET_PRANDOM_U32):
                yield (*calls, slot)
            case LoadFunction(_, target) if any(_chains(program, target, ())):
                raise Unfit("a random number in a callback differs from round to round")
            case CallLocal(target):
                yield from _chains(program, target, (*calls, slot))
