"""Random programs: the interpreter and the dataflow graph after every pass say the same."""

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from rxgate.compiler.cfg import build_cfg
from rxgate.compiler.decode import decode
from rxgate.compiler.driver import compile_program
from rxgate.compiler.encode import encode
from rxgate.compiler.errors import RxgateError
from rxgate.compiler.insn import Program
from rxgate.compiler.ir import Function
from rxgate.compiler.ir_check import check
from rxgate.compiler.ir_eval import evaluate
from rxgate.compiler.lift import lift, window_size
from rxgate.compiler.lifting.symbols import Target
from rxgate.compiler.options import Options, Route
from rxgate.compiler.passes import run_passes
from rxgate.compiler.verify import verify
from rxgate.ctx_map.context import CONTEXTS
from rxgate.ctx_map.descriptor import SIGNALS
from rxgate.ctx_map.models import describe
from rxgate.sim.interp import Interpreter
from rxgate.sim.packets import generate
from rxgate.sim.program_generator import random_program

FROM_STREAM = {"len", "csum", "ingress_ifindex", "rx_queue_index"}
EVERYTHING = {s.name for s in SIGNALS}
FRAMES = 16


def frames(seed: int) -> list[bytes]:
    """Generated traffic, and bytes that are no traffic."""
    rng = random.Random(f"frames {seed}")
    found = list(generate(FRAMES * 3 // 4, rng.randrange(1 << 30)))
    while len(found) < FRAMES:
        found.append(rng.randbytes(rng.choice((0, 1, 13, 14, 15, 17, 33, 60, 64, 200))))
    return found


def cases(
    program: Program, window: int, strip: bool, seed: int
) -> Iterator[tuple[dict[tuple[str, int], int], dict[str, int]]]:
    """For each frame what the dataflow graph takes, and what the interpreter makes of it."""
    interpreter = Interpreter(program, seed)
    for n, frame in enumerate(frames(seed)):
        received = describe(
            frame, strip_vlan=strip, ingress_ifindex=n * 77, rx_queue_index=n & 3
        )
        outcome = interpreter.run(received.frame, received.descriptor, ktime=n * 77 << n, number=n)
        inputs = {("window", i): b for i, b in enumerate(received.frame[:window])}
        inputs |= {(s, 0): getattr(received.descriptor, s) for s in EVERYTHING}
        inputs |= {
            ("present", 0): min(len(received.frame), window),
            ("ktime", 0): n * 77 << n,
            ("packet_number", 0): n,
            ("stripped", 0): int(len(received.frame) != len(frame)),
        }
        yield inputs, {"verdict": int(outcome.verdict), "r0": outcome.r0}


def compare(program: Program, seed: int, strip: bool, delivered: set[str], r0: bool) -> None:
    """Check the graph after every stage, with r0 as an output or without."""
    facts = verify(build_cfg(program))
    target = Target(frozenset(delivered), strip_vlan=strip, prandom_seed=seed)
    lifted = lift(facts, target)
    expected = list(cases(program, window_size(facts, target), strip, seed))

    def agree(stage: str, function: Function) -> None:
        check(function, stage)
        for n, (inputs, outputs) in enumerate(expected):
            values = evaluate(function, inputs)
            found = {name: values[node] for name, node in function.outputs.items()}
            wanted = {name: outputs[name] for name in found}
            assert found == wanted, f"seed {seed}, after {stage}, frame {n}"

    agree("lift", lifted)
    agree("plain lift", lift(facts, target, plain=True))
    kept = lifted.outputs if r0 else {"verdict": lifted.outputs["verdict"]}
    run_passes(Function(lifted.nodes, kept, lifted.results), agree)


@pytest.mark.parametrize("seed", range(120))
def test_every_stage_agrees_with_the_interpreter(seed):
    context = CONTEXTS[seed // 4 % len(CONTEXTS)]
    program = random_program(seed, context, size=(2, 6, 6, 12)[seed % 4])
    strip = seed % 3 == 0
    delivered = FROM_STREAM if seed % 2 else EVERYTHING
    if strip:
        delivered = delivered | {"vlan_tci", "vlan_proto"}
    compare(program, seed, strip, delivered, r0=seed % 4 < 2)


@pytest.mark.parametrize("seed", range(100))
def test_encoding_and_decoding_give_the_same_program(seed):
    program = random_program(seed, CONTEXTS[seed % len(CONTEXTS)])
    assert decode(encode(program)) == program


def mutated(seed: int) -> Program:
    """A random program with a few bytes changed, or slots taken out. May raise RxgateError."""
    rng = random.Random(f"mutation {seed}")
    context = rng.choice(CONTEXTS)
    raw = encode(random_program(rng.randrange(1000), context, size=rng.choice((1, 2, 4))))
    code = bytearray(raw.code)
    for _ in range(rng.choice((1, 1, 2, 4))):
        slot = rng.randrange(len(code) // 8) * 8
        match rng.randrange(5):
            case 0:
                code[rng.randrange(len(code))] ^= 1 << rng.randrange(8)
            case 1:
                code[slot + 1] = rng.randrange(11) | rng.randrange(11) << 4
            case 2:
                value = rng.choice((0, 1, -1, 64, -(1 << 31), rng.randrange(-512, 512)))
                code[slot + 4 : slot + 8] = value.to_bytes(4, "little", signed=True)
            case 3:
                value = rng.choice((0, 1, -1, -8, -512, rng.randrange(-600, 600)))
                code[slot + 2 : slot + 4] = value.to_bytes(2, "little", signed=True)
            case 4:
                del code[slot : slot + 8]
        code = code or bytearray(8)
    return decode(replace(raw, code=bytes(code)))


def test_damaged_programs_are_compiled_or_refused():
    outcomes = {"compiled": 0, "refused": 0}
    for seed in range(250):
        route = Route.SHELL if seed % 2 else Route.FRONT_END
        try:
            compile_program(mutated(seed), Options(route=route))
            outcomes["compiled"] += 1
        except RxgateError:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 20, outcomes
