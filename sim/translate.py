"""Decoded program -> the C++ function that does what sim/semantics.py says, instruction by instruction.

Every slot becomes a statement, jumps become jumps. Registers are local variables of 64 bits, and
memory is reached through what sim/native.h defines, which has the interpreter's addresses. Nothing is
left undefined: arithmetic is unsigned, and where C++ gives no result the table below has a case.
"""

from collections.abc import Iterator, Mapping
from typing import assert_never

from ..compiler.insn import (
    FP,
    Alu,
    AluOp,
    Atomic,
    AtomicOp,
    Call,
    CallExtern,
    CallLocal,
    Exit,
    Goto,
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
    Operand,
    Program,
    Reg,
    Store,
    Swap,
    SwapKind,
)
from ..ctx_map.helpers import CLOCKS, PRINTS, Helper
from ..ctx_map.kfuncs import ENODATA, METADATA, TIME, Metadata
from ..ctx_map.nics import Nic
from .semantics import CLOBBERED, MASK

ALU = {
    AluOp.ADD: "a + b",
    AluOp.SUB: "a - b",
    AluOp.MUL: "a * b",
    AluOp.DIV: "b ? a / b : 0",
    AluOp.SDIV: "!b ? 0 : b == U(-1) ? 0 - a : U(S(a) / S(b))",
    AluOp.MOD: "b ? a % b : a",
    AluOp.SMOD: "!b ? a : b == U(-1) ? 0 : U(S(a) % S(b))",
    AluOp.OR: "a | b",
    AluOp.AND: "a & b",
    AluOp.XOR: "a ^ b",
    AluOp.MOV: "b",
    AluOp.LSH: "a << (b & N - 1)",
    AluOp.RSH: "a >> (b & N - 1)",
    AluOp.ARSH: "U(S(a) >> (b & N - 1))",
}
"""In C++20: U and S are the unsigned and the signed type of N bits, a and b operands of type U."""

JUMP = {
    JumpOp.EQ: "a == b",
    JumpOp.NE: "a != b",
    JumpOp.GT: "a > b",
    JumpOp.GE: "a >= b",
    JumpOp.LT: "a < b",
    JumpOp.LE: "a <= b",
    JumpOp.SET: "(a & b) != 0",
    JumpOp.SGT: "S(a) > S(b)",
    JumpOp.SGE: "S(a) >= S(b)",
    JumpOp.SLT: "S(a) < S(b)",
    JumpOp.SLE: "S(a) <= S(b)",
}
"""Conditions, as `ALU`."""

ATOMIC = {
    AtomicOp.ADD: "a + b",
    AtomicOp.OR: "a | b",
    AtomicOp.AND: "a & b",
    AtomicOp.XOR: "a ^ b",
    AtomicOp.XCHG: "b",
    AtomicOp.CMPXCHG: "a == c ? b : a",
}
"""What an atomic update of the value a by b, with c in r0, stores; as `ALU`."""

SWAP = {
    SwapKind.LE: "a",
    SwapKind.BE: "swapped(a)",
    SwapKind.BSWAP: "swapped(a)",
}
"""As `ALU`."""

NEG = "0 - a"
"""As `ALU`."""




def operators() -> str:
    """A C++ function for every operator and width, from 64 bits to 64 bits."""
    wide = (32, 64)
    found = [
        *(_function(f"{op.name.lower()}{n}", ALU[op], n) for op in AluOp for n in wide),
        *(_function(f"{op.name.lower()}{n}", JUMP[op], n) for op in JumpOp for n in wide),
        *(_function(f"atomic_{op.value}{n}", ATOMIC[op], n) for op in AtomicOp for n in wide),
        *(_function(f"swap_{kind.value}{n}", SWAP[kind], n) for kind in SwapKind for n in (16, *wide)),
        *(_function(f"neg{n}", NEG, n) for n in wide),
        *(
            _function(f"extend{n}from{low}", f"U(int{low}_t(a))", n)
            for n in wide for low in (8, 16, 32)
        ),
    ]
    return "\n".join(found)


def _function(name: str, expression: str, bits: int) -> str:
    return (
        f"inline uint64_t {name}(uint64_t x, uint64_t y = 0, uint64_t z = 0) {{"
        f" using U = uint{bits}_t; using S = int{bits}_t; constexpr U N = {bits};"
        f" const U a = U(x), b = U(y), c = U(z); return U({expression}); }}"
    )


def function(program: Program, sections: Mapping[str, int]) -> str:
    """The function `execute` of sim/native.h; `sections` says where each begins in the data.

    `program` is expanded.
    """
    calls = [slot for slot, insn in enumerate(program.insns) if isinstance(insn, CallLocal)]
    registers = ", ".join(f"r{n} = {CLOBBERED}u" for n in range(2, FP))
    return "\n".join([
        "End execute(Machine& m, uint64_t& r0) {",
        f"uint64_t r1 = Machine::CONTEXT, {registers}, r10 = Machine::STACK + STACK_SIZE;",
        f"r0 = {CLOBBERED}u;",
        *_statements(program, sections),
        "return FAULT;",
        "leave:",
        "if (!m.depth) return RETURNED;",
        "const auto& call = m.calls[--m.depth];",
        "r6 = call.saved[0], r7 = call.saved[1], r8 = call.saved[2], r9 = call.saved[3];",
        f"r10 = call.saved[4]; {_CLOBBER}",
        "switch (call.slot) {",
        *(f"case {slot}: goto slot_{slot + 1};" for slot in calls),
        "}",
        "return FAULT;",
        "}",
    ])


_CLOBBER = f"r1 = r2 = r3 = r4 = r5 = {CLOBBERED}u;"


def _statements(program: Program, sections: Mapping[str, int]) -> Iterator[str]:
    for slot, insn in enumerate(program.insns):
        if insn is None:
            yield f"goto slot_{slot + 1}; slot_{slot}: return FAULT;"
        else:
            yield f"slot_{slot}: {_statement(insn, slot, program.nic, sections)}"
    yield f"slot_{len(program.insns)}:"


def _value(operand: Operand) -> str:
    return f"r{operand.n}" if isinstance(operand, Reg) else f"{operand.value & MASK[64]}u"


def _at(base: int, off: int) -> str:
    return f"r{base} + {off & MASK[64]}u"


def _statement(i: Insn, slot: int, nic: Nic, sections: Mapping[str, int]) -> str:
    match i:
        case Alu(op, bits, dst, src):
            return f"r{dst} = {op.name.lower()}{bits}(r{dst}, {_value(src)});"
        case MovSx(bits, dst, src, low):
            return f"r{dst} = extend{bits}from{low}(r{src});"
        case Neg(bits, dst):
            return f"r{dst} = neg{bits}(r{dst});"
        case Swap(kind, bits, dst):
            return f"r{dst} = swap_{kind.value}{bits}(r{dst});"
        case LoadImm64(dst, value):
            return f"r{dst} = {value}u;"
        case LoadData(dst, section, offset):
            return f"r{dst} = Machine::DATA_START + {sections[section] + offset}u;"
        case LoadFunction():
            raise ValueError(f"no helper calls back, asked {i!r}")
        case Load(size, dst, base, off, signed):
            load = f"if (!m.load<uint{8 * size}_t>({_at(base, off)}, r{dst})) return m.end;"
            return load + (f" r{dst} = int{8 * size}_t(r{dst});" if signed else "")
        case Store(size, base, off, src):
            where, value = _at(base, off), _value(src)
            return f"if (!m.store<uint{8 * size}_t>({where}, {value})) return FAULT;"
        case Atomic():
            return _atomic(i)
        case LoadPacket(size, index, off):
            where = f"uint32_t({off & MASK[32]}u{'' if index is None else f' + r{index}'})"
            load = f"if (!m.load_packet<uint{8 * size}_t>({where}, r0)) {{ r0 = 0; goto leave; }}"
            return f"{load} {_CLOBBER}"
        case Jump(op, bits, dst, src, target):
            return f"if ({op.name.lower()}{bits}(r{dst}, {_value(src)})) goto slot_{target};"
        case Goto(target):
            return f"goto slot_{target};"
        case Call(helper):
            return f"{_helper(helper, slot)} {_CLOBBER}"
        case CallLocal(target):
            enter = f"if (!m.enter({slot}, r6, r7, r8, r9, r10)) return FAULT;"
            return f"{enter} r10 += STACK_SIZE; goto slot_{target};"
        case CallExtern(name):
            known = METADATA.get(name)
            return "return FAULT;" if known is None else f"{_metadata(known, nic)} {_CLOBBER}"
        case Exit():
            return "goto leave;"
    assert_never(i)


def _atomic(i: Atomic) -> str:
    bits = 8 * i.size
    name = f"atomic_{i.op.value}{bits}"
    result = "r0 = old;" if i.op is AtomicOp.CMPXCHG else f"r{i.src} = old;" if i.fetch else ""
    return (
        f"{{ const uint64_t at = {_at(i.base, i.off)}; uint64_t old;"
        f" if (!m.load<uint{bits}_t>(at, old)) return m.end;"
        f" if (!m.store<uint{bits}_t>(at, {name}(old, r{i.src}, r0))) return FAULT; {result} }}"
    )


def _helper(number: int, slot: int) -> str:
    if number in CLOCKS:
        return "r0 = m.ktime;"
    if number in PRINTS:
        return "r0 = 0;"
    match number:
        case Helper.GET_PRANDOM_U32:
            return f"r0 = m.prandom({slot});"
        case Helper.GET_SMP_PROCESSOR_ID | Helper.GET_NUMA_NODE_ID:
            return "r0 = 0;"
        case Helper.XDP_GET_BUFF_LEN:
            return "r0 = m.p.size;"
        case Helper.SKB_LOAD_BYTES:
            return "if (!m.skb_load_bytes(r0, uint32_t(r2), r3, uint32_t(r4))) return m.end;"
        case Helper.XDP_LOAD_BYTES:
            return "if (!m.xdp_load_bytes(r0, uint32_t(r2), r3, uint32_t(r4))) return m.end;"
        case Helper.CSUM_DIFF:
            return "if (!m.csum_diff(r0, r1, r2, r3, r4, uint32_t(r5))) return m.end;"
    return "return FAULT;"


def _metadata(function: Metadata, nic: Nic) -> str:
    """The call of a metadata function: what it writes, and its result."""
    answer, *_ = function.results(nic)
    result = f"r0 = {answer & MASK[32]}u;"
    if answer:
        return result
    for n, output in enumerate(function.outputs):
        value = "m.ktime" if output.signal == TIME else f"Descriptor{{m.p}}.{output.signal}()"
        if output.network_order:
            value = f"swap_be{8 * output.size}({value})"
        result += f" if (!m.store<uint{8 * output.size}_t>(r{2 + n}, {value})) return FAULT;"
    if function.present:
        absent = f"r0 = {-ENODATA & MASK[32]}u;"
        return f"if (!Descriptor{{m.p}}.{function.present}()) {absent} else {{ {result} }}"
    return result
