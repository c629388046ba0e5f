"""Calls of helpers and kernel functions: what is refused, with the message, and what r0 can be."""

from types import MappingProxyType

import pytest
from rxgate.compiler.cfg import build_cfg
from rxgate.compiler.errors import Unsupported, VerifyError
from rxgate.compiler.facts import Facts
from rxgate.compiler.insn import (
    FP,
    Alu,
    AluOp,
    Call,
    CallExtern,
    Exit,
    Imm,
    Insn,
    Jump,
    JumpOp,
    Load,
    LoadData,
    LoadImm64,
    Program,
    Reg,
    Store,
)
from rxgate.compiler.verify import verify
from rxgate.ctx_map.context import SK_BUFF, TC, XDP_MD, Context
from rxgate.ctx_map.helpers import Helper
from rxgate.ctx_map.nics import FRONT_END, NICS, UNSTRIPPED, Nic

END = (Alu(AluOp.MOV, 64, 0, Imm(0)), Exit())
HASH, VLAN, TIME = (
    CallExtern(f"bpf_xdp_metadata_rx_{name}") for name in ("hash", "vlan_tag", "timestamp")
)
LOAD, SUM, PRINT = Call(Helper.XDP_LOAD_BYTES), Call(Helper.CSUM_DIFF), Call(Helper.TRACE_PRINTK)
U64 = (1 << 64) - 1
CTX = 6
"""The register that holds the context."""


def mov(dst: int, src: int | Reg) -> Alu:
    return Alu(AluOp.MOV, 64, dst, src if isinstance(src, Reg) else Imm(src))


def stack(dst: int, at: int) -> list[Insn]:
    """dst = the address of a place on the stack."""
    return [mov(dst, Reg(FP)), Alu(AluOp.ADD, 64, dst, Imm(at))]


def zero(*places: int) -> list[Insn]:
    """8 bytes of 0 at each place of the stack."""
    return [Store(8, FP, at, Imm(0)) for at in places]


def facts(*insns: Insn | None, context: Context = XDP_MD, nic: Nic = UNSTRIPPED) -> Facts:
    data = MappingProxyType({".rodata": bytes(range(8))})
    code = (mov(CTX, Reg(1)), *insns)
    return verify(build_cfg(Program("p", "s", context, code, data=data, nic=nic)))


REFUSED = {
    "no context": ([mov(1, 0), *stack(2, -8), *stack(3, -16), HASH],
                   "argument 1 of bpf_xdp_metadata_rx_hash() must be the context pointer; r1 holds 0"),
    "a number": ([mov(2, 0), *stack(3, -16), HASH],
                 "argument 2 of bpf_xdp_metadata_rx_hash() must be a pointer to 4 bytes of stack memory"
                 " that the function fills; r2 holds 0"),
    "read-only memory": ([*stack(2, -8), LoadData(3, ".rodata", 0), None, HASH],
                         "argument 3 of bpf_xdp_metadata_rx_hash() must be a pointer to 4 bytes of"
                         " stack memory that the function fills; r3 holds read-only data pointer +0"),
    "behind the stack": ([*stack(2, -4), TIME],
                         "an access to 8 bytes at stack pointer -4 leaves the stack, whose 512 bytes"
                         " lie at offsets -512 to -1"),
    "a spilled address": ([Store(8, FP, -8, Reg(CTX)), *stack(2, -8), *stack(3, -16), HASH],
                          "the call may overwrite the address spilled at stack byte -8"),
    "a missing argument": ([*stack(2, -8), HASH], "r3 is read, but was never written"),
    "NULL with a size": ([mov(1, 0), mov(2, 4), mov(3, 0), mov(4, 0), mov(5, 0), SUM],
                         "argument 1 of bpf_csum_diff() is NULL, but has 4 bytes"),
    "no memory": ([mov(1, 5), mov(2, 4), mov(3, 0), mov(4, 0), mov(5, 0), SUM],
                  "argument 1 of bpf_csum_diff() must be a pointer to memory that the function reads,"
                  " or NULL; r1 holds 5"),
    "the context summed": ([mov(2, 4), mov(3, 0), mov(4, 0), mov(5, 0), SUM],
                           "argument 1 of bpf_csum_diff() must be a pointer to memory that the"
                           " function reads, or NULL; r1 holds context pointer +0"),
    "unwritten": ([*stack(1, -8), mov(2, 4), mov(3, 0), mov(4, 0), mov(5, 0), SUM],
                  "bpf_csum_diff() reads stack byte -8, which was not written on every path"),
    "an address summed": ([Store(8, FP, -8, Reg(CTX)), *stack(1, -8), mov(2, 8), mov(3, 0), mov(4, 0),
                           mov(5, 0), SUM],
                          "bpf_csum_diff() reads the address spilled at stack byte -8"),
    "behind the constants": ([LoadData(1, ".rodata", 4), None, mov(2, 8), mov(3, 0), mov(4, 0),
                              mov(5, 0), SUM],
                             "an access to 8 bytes at read-only data pointer +4 leaves .rodata, which"
                             " has 8 bytes"),
    "an unchecked packet": ([Load(4, 1, CTX, 0), mov(2, 4), mov(3, 0), mov(4, 0), mov(5, 0), SUM],
                            "4 bytes at packet pointer +0 are read, but no check against data_end"
                            " covers them on every path; compare the pointer with data_end first"),
    "a printed packet": ([Load(4, 1, CTX, 0), mov(2, 4), PRINT],
                         "argument 1 of bpf_trace_printk() must be a pointer to memory that the"
                         " function reads; r1 holds packet pointer +0"),
    "an empty text": ([LoadData(1, ".rodata", 0), None, mov(2, 0), PRINT],
                      "argument 2 of bpf_trace_printk() must be a positive constant size in bytes; r2"
                      " holds 0"),
    "no constant size": ([Load(4, 2, CTX, 12), *zero(-8), *stack(1, -8), mov(3, 0), mov(4, 0),
                          mov(5, 0), SUM],
                         "argument 2 of bpf_csum_diff() must be a constant size in bytes; r2 holds"
                         " 0x0..0xffffffff"),
    "a large copy": ([mov(2, 0), *stack(3, -8), mov(4, 16), LOAD],
                     "an access to 16 bytes at stack pointer -8 leaves the stack, whose 512 bytes lie"
                     " at offsets -512 to -1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    insns, message = REFUSED[name]
    with pytest.raises(VerifyError) as caught:
        facts(*insns, *END)
    assert caught.value.message == message


def test_beyond_a_limit():
    somewhere = [Load(4, 2, 1, 12), Alu(AluOp.AND, 64, 2, Imm(8)), *stack(3, -16),
                 Alu(AluOp.ADD, 64, 3, Reg(2)), mov(2, Reg(3)), *stack(3, -32)]
    with pytest.raises(Unsupported, match=r"rx_hash\(\) fills stack pointer \{-16, -8\}; the"):
        facts(*somewhere, HASH, *END)
    far = [Load(4, 2, 1, 12), *stack(3, -8), mov(4, 8), LOAD]
    with pytest.raises(Unsupported, match="can reach bytes 0 to 65542, beyond the header window"):
        facts(*far, *END)


def test_unknown_functions():
    with pytest.raises(Unsupported) as caught:
        facts(CallExtern("bpf_dynptr_from_xdp"), *END)
    assert caught.value.message == (
        "kernel function bpf_dynptr_from_xdp() is not supported; supported are"
        " bpf_xdp_metadata_rx_hash, bpf_xdp_metadata_rx_timestamp, bpf_xdp_metadata_rx_vlan_tag"
    )
    with pytest.raises(Unsupported, match=r"rx_hash\(\) is not available to this kind of program"):
        facts(HASH, *END, context=SK_BUFF)


def test_sums_are_for_programs_that_forward():
    call = [mov(1, 0), mov(2, 0), mov(3, 0), mov(4, 0), mov(5, 0), SUM, *END]
    facts(*call, context=TC)
    with pytest.raises(Unsupported, match=r"bpf_csum_diff\(\) \(28\) does not exist in a __sk_buff"):
        facts(*call, context=SK_BUFF)


METADATA_ARGUMENTS = [*zero(-8, -16), *stack(2, -8), *stack(3, -16)]
RESULTS = [
    ([*METADATA_ARGUMENTS, HASH], FRONT_END, {0, -61 & 0xFFFF_FFFF}),
    ([*METADATA_ARGUMENTS, VLAN], FRONT_END, {0, -61 & 0xFFFF_FFFF}),
    ([*METADATA_ARGUMENTS, VLAN], UNSTRIPPED, {-61 & 0xFFFF_FFFF}),
    ([*METADATA_ARGUMENTS, HASH], NICS["plain"], {-95 & 0xFFFF_FFFF}),
    ([*METADATA_ARGUMENTS, TIME], FRONT_END, {0}),
    ([mov(2, 14), *stack(3, -8), mov(4, 8), LOAD], FRONT_END, {0, -22}),
    ([mov(2, 1 << 16), *stack(3, -8), mov(4, 8), LOAD], FRONT_END, {-14}),
    ([LoadData(1, ".rodata", 0), None, mov(2, 8), PRINT], FRONT_END, {0}),
    ([Call(Helper.GET_NUMA_NODE_ID)], FRONT_END, {0}),
]


def ways(insns: list[Insn | None], nic: Nic, register: int, value: int) -> int:
    """How many ways the comparison of a register with a number can go after `insns`."""
    slot = 1 + len(insns) + 2
    compare = [LoadImm64(8, value), None, Jump(JumpOp.EQ, 64, register, Reg(8), slot + 3)]
    graph = facts(*insns, *compare, mov(0, 1), Exit(), mov(0, 2), Exit(), nic=nic).graph
    [deciding] = [b for b in graph.blocks if slot in b.slots]
    return len(deciding.edges)


@pytest.mark.parametrize(("insns", "nic", "results"), RESULTS)
def test_only_these_results_are_possible(insns, nic, results):
    possible = {value & U64 for value in results}
    for value in {0, 1, -61 & U64, -61 & 0xFFFF_FFFF, -14 & U64, -22 & U64} | possible:
        both = value in possible and len(possible) > 1
        assert ways(insns, nic, 0, value) == (2 if both else 1), hex(value)


def test_memory_that_a_failed_call_left_alone_is_known():
    """It was 5, or it is anything; where no call succeeds it is 5."""
    code = [Store(4, FP, -8, Imm(5)), *stack(2, -8), *stack(3, -16), HASH, Load(4, 7, FP, -8)]
    assert ways(code, NICS["plain"], 7, 5) == 1
    assert ways(code, FRONT_END, 7, 5) == 2


def test_part_of_an_address_is_not_left_behind():
    """On one path there was an address where a call that can fail writes."""
    code = [Load(4, 2, 1, 12), Jump(JumpOp.EQ, 64, 2, Imm(0), 4), Store(8, FP, -8, Reg(CTX)),
            *stack(2, -8), *stack(3, -16), HASH, Load(4, 0, FP, -8), Exit()]
    with pytest.raises(VerifyError, match="may leave part of an address at stack byte -8; write it"):
        facts(*code, nic=FRONT_END)
    time = [*code[:3], *stack(2, -8), TIME, Load(4, 0, FP, -8), Exit()]
    assert not facts(*time, nic=FRONT_END).guarded()


def test_prints_are_listed_once():
    found = facts(LoadData(1, ".rodata", 0), None, mov(2, 8), PRINT, *END)
    assert found.prints() == [4]
    assert facts(*END).prints() == []
