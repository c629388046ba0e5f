"""Every rule of the verifier, with the whole message; and programs that only a good one accepts."""

from types import MappingProxyType

import pytest
from rxgate.compiler.cfg import build_cfg
from rxgate.compiler.errors import Unsupported, VerifyError
from rxgate.compiler.facts import Facts
from rxgate.compiler.insn import (
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
    Imm,
    Insn,
    Jump,
    JumpOp,
    Load,
    LoadData,
    LoadPacket,
    MovSx,
    Neg,
    Program,
    Reg,
    Store,
    Swap,
    SwapKind,
)
from rxgate.compiler.unfold import EdgeKind
from rxgate.compiler.verify import verify
from rxgate.ctx_map.context import SK_BUFF, XDP_MD, XDP_METADATA, Context
from rxgate.ctx_map.helpers import Helper

END = [Alu(AluOp.MOV, 64, 0, Imm(0)), Exit()]
LOAD_BYTES = Call(Helper.SKB_LOAD_BYTES)


def mov(dst: int, src: int | Reg) -> Alu:
    return Alu(AluOp.MOV, 64, dst, src if isinstance(src, Reg) else Imm(src))


def add(dst: int, src: int | Reg) -> Alu:
    return Alu(AluOp.ADD, 64, dst, src if isinstance(src, Reg) else Imm(src))


def facts(*insns: Insn | None, context: Context = XDP_METADATA, max_window: int = 256) -> Facts:
    data = MappingProxyType({".rodata": bytes(range(8))})
    program = Program("p", "s", context, insns, data=data)
    return verify(build_cfg(program), max_window)


STACK = (
    "an access to {} at stack pointer {} leaves the stack, whose 512 bytes lie at offsets -512 to -1"
)
FIELDS = (
    "len, hash, hash_type, vlan_tci, vlan_proto, csum, ingress_ifindex, rx_queue_index"
)
POINTER_MATH = (
    "`{}` on a {} and {}: an address can only be copied, and a number added to it or subtracted"
    " from it, at 64 bits"
)
WINDOW = (
    "the packet load can reach {}, beyond the header window of 256 bytes; bound the offset in the"
    " program, or raise --max-window"
)
RULES = [
    # Registers.
    ([mov(0, Reg(3))], "r3 is read, but was never written"),
    ([Exit()], "r0 is read, but was never written"),
    ([add(5, 1)], "r5 is read, but was never written"),
    ([Jump(JumpOp.EQ, 64, 4, Imm(0), 1)], "r4 is read, but was never written"),
    ([Store(8, FP, -8, Reg(2))], "r2 is read, but was never written"),
    ([Call(5), mov(0, Reg(1))], "r1 is read, but was destroyed by a call or a packet load"),
    ([Load(4, 2, 1, 0), Jump(JumpOp.EQ, 64, 2, Imm(0), 3), mov(3, 1), mov(0, Reg(3))],
     "r3 is read, but was never written on some paths"),
    ([Load(4, 2, 1, 0), mov(3, 1), Jump(JumpOp.EQ, 64, 2, Imm(0), 4), mov(3, Reg(FP)), Neg(64, 3)],
     "r3 is read, but holds a number on some paths and a stack pointer on others"),
    ([mov(FP, 0)], "the frame pointer r10 is read-only"),
    ([add(FP, 8)], "the frame pointer r10 is read-only"),
    ([Load(4, FP, 1, 0)], "the frame pointer r10 is read-only"),
    # Addresses are no numbers.
    ([mov(0, Reg(1)), Exit()], "r0 is returned, but holds a context pointer +0; return a number"),
    ([Alu(AluOp.MOV, 32, 0, Reg(1))],
     POINTER_MATH.format("mov32", "context pointer +0", "context pointer +0")),
    ([Alu(AluOp.MUL, 64, 1, Imm(2))], POINTER_MATH.format("*", "context pointer +0", "2")),
    ([Alu(AluOp.ADD, 32, 1, Imm(2))], POINTER_MATH.format("+", "context pointer +0", "2")),
    ([mov(2, Reg(FP)), Alu(AluOp.SUB, 64, 2, Reg(FP))],
     POINTER_MATH.format("-", "stack pointer +0", "stack pointer +0")),
    ([mov(2, 4), Alu(AluOp.SUB, 64, 2, Reg(FP))],
     POINTER_MATH.format("-", "stack pointer +0", "4")),
    ([Neg(64, 1)], "r1 holds a context pointer +0, which cannot be negated"),
    ([MovSx(64, 2, 1, 32)], "r1 holds a context pointer +0, which cannot be sign-extended"),
    ([Swap(SwapKind.BE, 64, 1)], "r1 holds a context pointer +0, which cannot be byte-swapped"),
    ([Jump(JumpOp.GT, 64, 1, Imm(0), 1)],
     "comparison of context pointer +0 with 0: addresses can only be compared with 0, for equality"),
    ([Jump(JumpOp.EQ, 32, 1, Imm(0), 1)],
     "comparison of context pointer +0 with 0: addresses can only be compared with 0, for equality"),
    ([Jump(JumpOp.EQ, 64, 1, Reg(FP), 1)],
     "comparison of context pointer +0 with stack pointer +0: addresses can only be compared with 0,"
     " for equality"),
    ([mov(2, 7), Load(4, 0, 2, 0)], "r2 is used as an address, but holds the number 7"),
    # Constants that never make sense.
    ([mov(0, 1), Alu(AluOp.DIV, 64, 0, Imm(0))], "division by the constant 0"),
    ([mov(0, 1), Alu(AluOp.SMOD, 32, 0, Imm(0))], "division by the constant 0"),
    ([mov(0, 1), Alu(AluOp.LSH, 32, 0, Imm(32))], "shift of a 32-bit value by the constant 32"),
    ([mov(0, 1), Alu(AluOp.ARSH, 64, 0, Imm(-1))], "shift of a 64-bit value by the constant -1"),
    # The context.
    ([Load(4, 0, 1, 32)], "byte 32 is outside struct xdp_metadata, which has 32 bytes"),
    ([Load(4, 0, 1, -4)], "byte -4 is outside struct xdp_metadata, which has 32 bytes"),
    ([Load(1, 0, 1, 0)],
     "field len is read with 1 byte at offset 0; a field of struct xdp_metadata is read whole, with"
     " 4 aligned bytes"),
    ([Load(8, 0, 1, 0)],
     "field len is read with 8 bytes at offset 0; a field of struct xdp_metadata is read whole, with"
     " 4 aligned bytes"),
    ([Load(4, 0, 1, 2)],
     "field len is read with 4 bytes at offset 2; a field of struct xdp_metadata is read whole, with"
     " 4 aligned bytes"),
    ([Load(4, 0, 1, 0, signed=True)],
     "field len is read with sign extension; load it plainly, and extend the register"),
    ([Store(4, 1, 0, Imm(1))], "a store to the context, which is read-only"),
    ([mov(2, 1), Atomic(AtomicOp.ADD, 4, 1, 0, 2, False)],
     "an atomic operation on the context, which is read-only"),
    ([Load(4, 2, 1, 0), add(1, Reg(2))],
     "the context pointer moves by 0x0..0xffffffff; it must be a constant"),
    ([Load(4, 2, 1, 0), Jump(JumpOp.EQ, 64, 2, Imm(0), 3), add(1, 4), Load(4, 0, 1, 0)],
     "a load through a context pointer {+0, +4}; which field it reads must be certain"),
    # The stack.
    ([CallExtern("__bpf_trap")],
     "this can be reached, but clang excludes it and put __bpf_trap() there; look for a variable without"
     " a value, a missing return, or __builtin_unreachable()"),
    ([Load(8, 0, FP, -8)],
     "stack byte -8 is read, but was not written on every path; give the variable a value first"),
    ([Store(4, FP, -8, Imm(1)), Load(8, 0, FP, -8)],
     "stack byte -4 is read, but was not written on every path; give the variable a value first"),
    ([Store(8, FP, 0, Imm(1))], STACK.format("8 bytes", "+0")),
    ([Store(8, FP, -4, Imm(1))], STACK.format("8 bytes", "-4")),
    ([Store(1, FP, -513, Imm(1))], STACK.format("1 byte", "-513")),
    ([Load(4, 2, 1, 0), mov(3, Reg(FP)), add(3, Reg(2)), Store(1, 3, -8, Imm(0))],
     STACK.format("1 byte", "+anything")),
    ([Store(8, FP, -8, Reg(FP)), Load(4, 0, FP, -8)],
     "part of an address spilled at stack byte -8 is read"),
    ([Store(4, FP, -8, Reg(FP))],
     "an address can only be stored whole, in 8 bytes at a constant place"),
    ([Store(8, FP, -12, Reg(FP))], "an address is stored at stack byte -12, not 8-aligned"),
    ([Store(8, FP, -8, Reg(FP)), mov(2, 1), Atomic(AtomicOp.ADD, 8, FP, -8, 2, False)],
     "an atomic operation on a spilled address"),
    ([Store(8, FP, -8, Imm(0)), Atomic(AtomicOp.ADD, 8, FP, -8, 1, False)],
     "r1 holds a context pointer +0, which cannot be used in an atomic operation"),
    ([Store(8, FP, -8, Imm(0)), Store(8, FP, -16, Imm(0)), mov(2, 1),
      Atomic(AtomicOp.ADD, 8, FP, -12, 2, False)],
     "an atomic operation at stack pointer -12 is not aligned to 8 bytes"),
    # Read-only data.
    ([LoadData(2, ".rodata", 0), None, Load(8, 0, 2, 1)],
     "an access to 8 bytes at read-only data pointer +1 leaves .rodata, which has 8 bytes"),
    ([LoadData(2, ".rodata", 0), None, Load(1, 0, 2, -1)],
     "an access to 1 byte at read-only data pointer -1 leaves .rodata, which has 8 bytes"),
    ([LoadData(2, ".rodata", 0), None, Store(1, 2, 0, Imm(1))],
     "a store to the read-only data, which is read-only"),
    # The packet.
    ([mov(6, 1), LoadPacket(1, None, 0)], "a packet load needs the context in r6, which holds 1"),
    ([mov(6, Reg(1)), add(6, 4), LoadPacket(1, None, 0)],
     "a packet load needs the context in r6, which holds context pointer +4"),
    ([mov(6, Reg(1)), LoadPacket(1, 6, 0)],
     "r6 holds a context pointer +0, which cannot be used as a packet offset"),
    ([Load(4, 2, 1, 0), mov(6, Reg(1)), Jump(JumpOp.EQ, 64, 2, Imm(0), 4), add(6, 4),
      LoadPacket(1, None, 0)],
     "a packet load needs the context in r6, which holds context pointer {+0, +4}"),
    # Helpers.
    ([mov(2, 0), mov(3, Reg(FP)), add(3, -8), mov(4, 0), LOAD_BYTES],
     "argument 4 of bpf_skb_load_bytes() must be a positive constant size in bytes; r4 holds 0"),
    ([Load(4, 4, 1, 0), mov(2, 0), mov(3, Reg(FP)), add(3, -8), LOAD_BYTES],
     "argument 4 of bpf_skb_load_bytes() must be a positive constant size in bytes; r4 holds"
     " 0x0..0xffffffff"),
    ([mov(2, Reg(FP)), mov(3, Reg(FP)), mov(4, 8), LOAD_BYTES],
     "argument 2 of bpf_skb_load_bytes() must be a number; r2 holds stack pointer +0"),
    ([mov(2, 0), mov(3, 0), mov(4, 8), LOAD_BYTES],
     "argument 3 of bpf_skb_load_bytes() must be a pointer to stack memory that the function fills;"
     " r3 holds 0"),
    ([mov(2, 0), mov(3, Reg(FP)), mov(4, 8), LOAD_BYTES], STACK.format("8 bytes", "+0")),
    ([mov(1, 0), mov(2, 0), mov(3, Reg(FP)), mov(4, 8), LOAD_BYTES],
     "argument 1 of bpf_skb_load_bytes() must be the context pointer; r1 holds 0"),
    # Functions.
    ([CallLocal(3), *END, mov(0, Reg(6)), Exit()], "r6 is read, but was never written"),
    ([mov(1, Reg(FP)), CallLocal(4), *END, Store(8, 1, -8, Reg(FP)), *END],
     "an address of this function's stack is stored in its caller's, where it outlives it"),
    ([CallLocal(3), *END, mov(0, Reg(FP)), Exit()],
     "r0 is returned, but holds a stack pointer +0; return a number"),
    ([CallLocal(3), mov(2, Reg(0)), Exit(), Exit()], "r0 is read, but was never written"),
    ([Load(4, 2, 1, 0), Alu(AluOp.AND, 64, 2, Imm(8)), Store(8, FP, -8, Reg(FP)),
      Store(8, FP, -16, Imm(0)), mov(3, Reg(FP)), add(3, Reg(2)), Store(8, 3, -16, Imm(0))],
     "the store may overwrite the address spilled at stack byte -8"),
    ([Load(4, 2, 1, 0), Alu(AluOp.AND, 64, 2, Imm(8)), Store(8, FP, -8, Reg(FP)),
      Store(8, FP, -16, Imm(0)), mov(3, Reg(FP)), add(3, Reg(2)), Load(8, 0, 3, -16)],
     "the 8 bytes at stack pointer {-16, -8} may hold a spilled"
     " address"),
]


def first(insns: list[Insn | None]) -> list[Insn | None]:
    """The instructions with an end, unless control already ends."""
    return insns if isinstance(insns[-1], Exit) else [*insns, *END]


@pytest.mark.parametrize(("insns", "message"), RULES, ids=[m[:70] for _, m in RULES])
def test_unsafe(insns, message):
    with pytest.raises(VerifyError) as caught:
        facts(*first(insns))
    assert caught.value.message == message
    assert str(caught.value).startswith("section s, instruction ")


ABSENT = (
    "field {} of struct __sk_buff does not exist in a receive descriptor; what exists is len,"
    " queue_mapping, protocol, vlan_present, vlan_tci, vlan_proto, ingress_ifindex, ifindex, hash"
)
LIMITS = [
    ([Call(1)],
     "helper bpf_map_lookup_elem() (1) is not supported: it needs maps, which are not supported yet",
     XDP_METADATA),
    ([Call(44)],
     "helper bpf_xdp_adjust_head() (44) is not supported: it changes the packet, which is not supported"
     " yet", XDP_METADATA),
    ([Call(69)],
     "helper bpf_fib_lookup() (69) is not supported: it needs the host's kernel for each packet",
     XDP_METADATA),
    ([Call(188)],
     "helper bpf_xdp_get_buff_len() (188) does not exist in a xdp_metadata program", XDP_METADATA),
    ([CallExtern("bpf_thing")],
     "kernel function bpf_thing() is not available to this kind of program", XDP_METADATA),
    ([Load(4, 0, 1, 8)], ABSENT.format("mark"), SK_BUFF),
    ([Load(4, 0, 1, 60)], ABSENT.format("cb"), SK_BUFF),
    ([mov(6, Reg(1)), LoadPacket(4, None, 253)], WINDOW.format("byte 256"), XDP_METADATA),
    ([mov(6, Reg(1)), Load(4, 7, 1, 0), LoadPacket(1, 7, 0)],
     WINDOW.format("bytes 0 to 4294967295"), XDP_METADATA),
    ([mov(2, 250), mov(3, Reg(FP)), add(3, -8), mov(4, 8), LOAD_BYTES],
     WINDOW.format("byte 257"), XDP_METADATA),
    ([mov(6, Reg(1)), LoadPacket(1, None, -0x100000)],
     "packet offset -1048576 addresses relative to a network or link header, which a PHYS_DEV"
     " program does not have; count from byte 0 of the frame", XDP_METADATA),
    ([Load(4, 2, 1, 0), Alu(AluOp.AND, 64, 2, Imm(8)), mov(3, Reg(FP)), add(3, Reg(2)), add(3, -16),
      mov(2, 0), mov(4, 8), LOAD_BYTES],
     "bpf_skb_load_bytes() fills stack pointer {-16, -8}; the"
     " place must be a constant", XDP_METADATA),
]


@pytest.mark.parametrize(("insns", "message", "context"), LIMITS, ids=[m[:60] for _, m, _ in LIMITS])
def test_beyond_a_limit(insns, message, context):
    with pytest.raises(Unsupported) as caught:
        facts(*first(insns), context=context)
    assert caught.value.message == message


def test_first_problem_is_raised_with_the_others_as_notes():
    with pytest.raises(VerifyError) as caught:
        facts(mov(0, Reg(3)), mov(0, Reg(4)), Exit())
    assert str(caught.value) == "section s, instruction 0: r3 is read, but was never written"
    assert caught.value.__notes__ == ["section s, instruction 1: r4 is read, but was never written"]


def test_the_first_problem_is_the_one_that_control_meets_first():
    with pytest.raises(VerifyError) as caught:
        facts(Goto(3), mov(0, Reg(9)), Exit(), mov(0, Reg(8)), Goto(1))
    assert caught.value.message == "r8 is read, but was never written"
    assert len(caught.value.__notes__) == 1


def test_a_refused_load_gives_a_number_of_its_size():
    with pytest.raises(VerifyError) as caught:
        facts(Load(1, 3, FP, -8), mov(2, Reg(FP)), add(2, Reg(3)), Store(1, 2, 0, Imm(0)), *END)
    [note] = caught.value.__notes__
    assert "stack pointer +0..+255 leaves the stack" in note


@pytest.mark.parametrize(
    ("insns", "shown"),
    [
        ([mov(2, 5), Alu(AluOp.MUL, 64, FP, Reg(2))], "r10 = stack pointer +0, r2 = 5"),
        ([Load(4, 2, 1, 0), Load(1, 2, 2, 0)], ""),
        ([Load(4, 2, 1, 0), add(2, Reg(FP)), Store(1, 2, 0, Imm(0))],
         "r2 = stack pointer +0..+4294967295"),
        ([Load(4, 2, 1, 0), mov(1, 3), mov(3, Reg(FP)), mov(4, 4), Call(26)],
         "r2 = 0x0..0xffffffff, r3 = stack pointer +0, r4 = 4"),
    ],
)  # fmt: skip
def test_registers_that_matter_are_shown(insns, shown):
    with pytest.raises(VerifyError) as caught:
        facts(*insns, mov(0, 0), Exit())
    assert caught.value.state == shown
    assert str(caught.value).endswith(f" [{shown}]" if shown else caught.value.message)


# Programs that are safe for a reason the verifier must see.

def test_a_branch_bounds_every_copy_of_a_register():
    facts(
        Load(4, 7, 1, 0), mov(8, Reg(7)), Jump(JumpOp.GT, 64, 7, Imm(8), 6), mov(2, Reg(FP)),
        add(2, Reg(8)), Store(1, 2, -9, Imm(0)), *END,
    )


def test_a_branch_bounds_what_was_spilled():
    facts(
        Load(4, 7, 1, 0), Store(8, FP, -8, Reg(7)), Jump(JumpOp.GE, 32, 7, Imm(4), 7),
        Load(8, 8, FP, -8), mov(2, Reg(FP)), add(2, Reg(8)), Store(1, 2, -16, Imm(0)), *END,
    )


def test_a_branch_that_cannot_be_taken_is_not_followed():
    found = facts(mov(2, 1), Jump(JumpOp.EQ, 64, 2, Imm(0), 3), Goto(4), mov(0, Reg(9)), *END)
    assert [e.kind for e in found.graph.blocks[0].edges] == [EdgeKind.NOT_TAKEN]


def test_a_pointer_is_never_null():
    facts(Jump(JumpOp.NE, 64, 1, Imm(0), 2), mov(0, Reg(9)), *END)


def test_a_function_without_result():
    facts(mov(7, 1), CallLocal(4), mov(0, Reg(7)), Exit(), Exit())


def test_a_callee_reaches_its_callers_stack():
    facts(
        mov(1, Reg(FP)), CallLocal(4), Load(8, 0, FP, -8), Exit(), Store(8, 1, -8, Imm(3)), *END
    )


def test_two_possible_places_on_the_stack():
    facts(
        Load(4, 7, 1, 0), Store(8, FP, -8, Imm(1)), Store(8, FP, -16, Imm(1)),
        Alu(AluOp.AND, 64, 7, Imm(8)), mov(2, Reg(FP)), add(2, Reg(7)), Load(8, 0, 2, -16), Exit(),
    )


def test_window_is_the_deepest_byte_reached():
    code = [mov(6, Reg(1)), LoadPacket(1, None, 14), Alu(AluOp.AND, 64, 0, Imm(15)),
            Alu(AluOp.LSH, 64, 0, Imm(2)), mov(7, Reg(0)), LoadPacket(2, 7, 16), *END]
    assert facts(*code).window == 16 + 60 + 2
    with pytest.raises(Unsupported, match="can reach byte 77, beyond the header window of 64 bytes"):
        facts(*code, max_window=64)


def test_a_load_that_is_always_out_of_range_reaches_nothing():
    assert facts(mov(6, Reg(1)), LoadPacket(1, None, -1), *END).window == 0
    offset = [mov(2, -(1 << 20)), mov(3, Reg(FP)), add(3, -8), mov(4, 8), LOAD_BYTES]
    assert facts(*offset, *END).window == 0


def test_sk_buff_fields_may_be_read_in_part():
    facts(Load(1, 0, 1, 69), Exit(), context=SK_BUFF)
    facts(Load(2, 0, 1, 18), Exit(), context=SK_BUFF)


# Direct packet access: r2 is data, r3 data_end.

PACKET = [Load(4, 2, 1, 0), Load(4, 3, 1, 4)]


def checked(length: int, skip: int) -> list[Insn]:
    """Goes on where the packet has `length` bytes; slots count from a program that PACKET begins."""
    return [mov(4, Reg(2)), add(4, length), Jump(JumpOp.GT, 64, 4, Reg(3), skip)]


def test_a_check_covers_what_lies_before_it():
    facts(*PACKET, *checked(14, 6), Load(2, 0, 2, 12), *END, context=XDP_MD)
    with pytest.raises(VerifyError, match=r"4 bytes at packet pointer .12 are read, but a check of 2"):
        facts(*PACKET, *checked(14, 6), Load(4, 0, 2, 12), *END, context=XDP_MD)


@pytest.mark.parametrize("step", [10, 14])
def test_pointers_that_meet_keep_what_was_proven(step):
    """Both paths make the same pointer; the check of 34 bytes still holds for the packet's start."""
    facts(
        *PACKET, mov(0, 0), *checked(34, 15), Load(4, 7, 1, 12),
        Jump(JumpOp.EQ, 64, 7, Imm(0), 11), mov(5, Reg(2)), add(5, 14), Goto(13),
        mov(5, Reg(2)), add(5, step), Load(2, 0, 5, 18), Load(1, 0, 2, 33), Exit(), context=XDP_MD,
    )


def test_pointers_that_meet_below_their_anchor_prove_no_more():
    """x - 4 was checked for 4 bytes on both paths: nothing behind x is known."""
    down = [mov(5, Reg(2)), add(5, Reg(7)), add(5, -4)]
    code = [*PACKET, mov(0, 0), Load(4, 7, 1, 12), Alu(AluOp.AND, 64, 7, Imm(31)),
            Alu(AluOp.OR, 64, 7, Imm(4)), mov(8, Reg(2)), add(8, Reg(7)),
            Jump(JumpOp.GT, 64, 8, Reg(3), 20),
            Load(4, 9, 1, 16), Jump(JumpOp.EQ, 64, 9, Imm(0), 15), *down, Goto(18), *down]
    assert len(code) == 18
    facts(*code, Load(4, 0, 5, 0), Exit(), Exit(), context=XDP_MD)
    with pytest.raises(VerifyError, match="covers them"):
        facts(*code, Load(4, 0, 5, 4), Exit(), Exit(), context=XDP_MD)


@pytest.mark.parametrize("op", [JumpOp.SGT, JumpOp.SLE, JumpOp.SET])
def test_packet_pointers_are_not_compared_as_signed_numbers(op):
    with pytest.raises(VerifyError, match="addresses can only be compared with 0"):
        facts(*PACKET, Jump(op, 64, 2, Reg(3), 4), mov(0, 1), *END, context=XDP_MD)


def test_stores_to_the_packet():
    with pytest.raises(Unsupported, match="a store to the packet; packets cannot be changed yet"):
        facts(*PACKET, *checked(14, 6), Store(1, 2, 0, Imm(1)), *END, context=XDP_MD)
