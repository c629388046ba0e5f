"""A rewritten program, its inputs in memory, does in the interpreter what the original does."""

from dataclasses import replace
from pathlib import Path

import pytest
from rxgate.compiler.insn import (
    Alu,
    AluOp,
    Call,
    CallLocal,
    Exit,
    Imm,
    Insn,
    Load,
    LoadData,
    Program,
)
from rxgate.compiler.source import read_expression, read_program
from rxgate.ctx_map.context import XDP_METADATA
from rxgate.ctx_map.descriptor import Descriptor
from rxgate.ctx_map.helpers import Helper
from rxgate.ctx_map.models import describe
from rxgate.sim.interp import Interpreter
from rxgate.sim.kernel_rewrite import INPUTS, Unfit, rewrite
from rxgate.sim.packets import generate

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.c"))
EXIT = (Exit(),)
SEED = 9


def program(*insns: Insn | None, functions: dict[int, str] | None = None) -> Program:
    return Program("p", "phys_dev", XDP_METADATA, insns, functions or {0: "p"})


def by_memory(original: Program, frame: bytes, descriptor: Descriptor, number: int) -> int:
    """What the rewritten program returns when only `len` of the descriptor is there."""
    rewritten, inputs = rewrite(original)
    content = inputs.pack(descriptor, number * 104_729, number, SEED)
    filled = replace(rewritten, data={**rewritten.data, INPUTS: content})
    return Interpreter(filled).run(frame, Descriptor(len=descriptor.len)).r0


@pytest.mark.parametrize(
    "original",
    [
        *(pytest.param(path, id=path.stem) for path in EXAMPLES),
        *("ip or vlan 5", "ifindex 3", "not ifindex 1 and udp", "ether[-4096 + 24:4] = 2"),
    ],
)
def test_examples(original: Path | str) -> None:
    read = read_program(str(original)) if isinstance(original, Path) else read_expression(original)
    interpreter = Interpreter(read, SEED)
    for number, frame in enumerate(generate(60, seed=1)):
        descriptor = describe(frame, ingress_ifindex=number % 5, rx_queue_index=number % 7)
        outcome = interpreter.run(
            frame, descriptor.descriptor, ktime=number * 104_729, number=number
        )
        assert by_memory(read, frame, descriptor.descriptor, number) == outcome.r0


def test_every_field() -> None:
    descriptor = Descriptor(*(0x0102_0304 * n & 0xFFFF_FFFF for n in range(1, 10)))
    for field in XDP_METADATA.fields:
        read = program(Load(4, 0, 1, field.offset), *EXIT)
        assert by_memory(read, b"", descriptor, 0) == field.value(descriptor)


def test_a_random_number_keeps_its_site() -> None:
    """The same slots in the value, though the code has moved."""
    read = program(
        Call(Helper.KTIME_GET_NS),
        Call(Helper.GET_PRANDOM_U32),
        Alu(AluOp.MOV, 64, 6, Imm(0)),
        CallLocal(5),
        *EXIT,
        Call(Helper.GET_PRANDOM_U32),
        *EXIT,
        functions={0: "p", 5: "f"},
    )
    expected = Interpreter(read, SEED).run(b"", Descriptor(), number=3).r0
    assert by_memory(read, b"", Descriptor(), 3) == expected


def test_what_cannot_be_rewritten_is_said() -> None:
    twice = program(
        CallLocal(3), CallLocal(3), *EXIT, Call(Helper.GET_PRANDOM_U32), *EXIT,
        functions={0: "p", 3: "f"},
    )
    with pytest.raises(Unfit, match="the random number at slot 3 depends on which call leads"):
        rewrite(twice)


def test_only_len_stays_in_the_context() -> None:
    read = program(Load(4, 2, 1, 0), Load(4, 0, 1, 4), *EXIT)
    rewritten, _ = rewrite(read)
    assert rewritten.insns == (
        Load(4, 2, 1, 0), LoadData(0, INPUTS, 4), None, Load(4, 0, 0, 0), Exit(),
    )
