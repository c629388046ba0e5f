"""Read-only variables that stay registers: which can, and what the compiler makes of them."""

import random
from dataclasses import replace
from pathlib import Path

import pytest
from rxgate.compiler.decode import decode
from rxgate.compiler.driver import compile_program
from rxgate.compiler.errors import InputError, RxgateError
from rxgate.compiler.identity import digest
from rxgate.compiler.insn import Program, Variable
from rxgate.compiler.ir import Function
from rxgate.compiler.ir_check import check
from rxgate.compiler.ir_eval import evaluate
from rxgate.compiler.load import load_program
from rxgate.compiler.manifest import registers
from rxgate.compiler.options import Options, Route
from rxgate.compiler.source import read_program
from rxgate.compiler.tunables import registers_of, tuned, value_bytes, with_values
from rxgate.ctx_map.context import CONTEXTS
from rxgate.ctx_map.models import describe
from rxgate.sim.directed import directed
from rxgate.sim.interp import Interpreter
from rxgate.sim.packets import generate
from rxgate.sim.program_generator import random_program

EXAMPLES = Path(__file__).parents[2] / "examples"
HEAD = """
#include <linux/bpf.h>
#include <rxgate/xdp.h>
const volatile struct {
    __u16 low, high; __u32 flags; __u8 tail[5];
} __attribute__((packed)) range = {10, 20, 5};
const volatile __u64 wide = 0x1122334455667788;
static const volatile __u8 table[16] = {1, 2, 3};
const volatile int unused = 4;
const __u32 folded = 6;
const volatile __u8 huge[5000] = {1};
#define PROGRAM(...) SEC("xdp") int f(struct xdp_md *ctx) { \\
    void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end; \\
    __u8 *b = data; if (data + 64 > end) return 9; __VA_ARGS__ }
"""
PROGRAMS = {
    "a number": ("range", "return b[0] < range.low ? 1 : b[0] > range.high ? 2 : 3;"),
    "a sign": ("wide", "return (__s64)wide < b[0] ? 1 : (__s32)wide < b[1] ? 2 : 3;"),
    "a loop-invariant divisor": ("wide", "return *(__u64 *)(b + 8) % wide % 5;"),
    "a table": ("table", "return table[b[0] & 15];"),
    "a table within bounds": ("table", "return b[0] < 16 ? table[b[0]] + table[15 - b[0]] : 0;"),
    "two": ("table wide", "return table[b[0] & 7] + (wide >> (b[1] & 63));"),
    "copied to the stack": (
        "range", "__u8 s[8]; for (int i = 0; i < 8; i++) s[i] = ((const volatile __u8 *)&range)[i];"
        " __u8 *volatile q = s; return q[b[2] & 7];"
    ),
    "summed by a helper": (
        "wide", "return (__u16)bpf_csum_diff(0, 0, (__be32 *)&wide, 8, b[3]) % 5;"
    ),
    "how often a loop goes round": (
        "range", "int n = 0; for (int i = 0; i < range.low && i < 7; i++) n += b[i]; return n % 5;"
    ),
    "where in the packet": (
        "range", "__u32 at = range.low; if (at > 100 || data + at + 1 > end) return 9;"
        " return b[at] % 5;"
    ),
    "joined": ("range", "const volatile void *p = b[0] & 1 ? (void *)&range.flags : (void *)&wide;"
               " asm volatile(\"\" : \"+r\"(p)); return *(__u32 *)p + b[1];"),
    "beside what is constant": (
        "range", "return *(const volatile __u64 *)((void *)&range + 8 + (b[0] & 7)) % 5;"
    ),
}  # fmt: skip


def built(tmp_path: Path, text: str, mcpu: str = "v4") -> Program:
    source = tmp_path / "p.c"
    source.write_text(f"{HEAD}PROGRAM({text})")
    return decode(load_program(source, mcpu=mcpu))


class Agreement:
    """A callback of the compiler: the graph gives what the interpreter gives, for any tunables."""

    def __init__(
        self, program: Program, options: Options, rng: random.Random, frames: list[bytes]
    ) -> None:
        self.cases, self.stages = [], 0
        chosen = tuned(program, options.tunables)
        window = compile_program(program, options).facts.window
        interpreter = Interpreter(chosen, 7)
        first = chosen.tunable_image()
        for n, frame in enumerate(frames):
            image = rng.choice((
                first, rng.randbytes(len(first)), bytes(len(first)),
                bytes(b ^ (rng.random() < 0.1) for b in first),
            ))  # fmt: skip
            interpreter.tune(image)
            descriptor = describe(frame, ingress_ifindex=n, rx_queue_index=n & 3).descriptor
            outcome = interpreter.run(frame, descriptor, ktime=n, number=n)
            inputs = {("window", i): byte for i, byte in enumerate(frame)}
            inputs |= {("tunables", i): byte for i, byte in enumerate(image)}
            inputs |= {(name, 0): getattr(descriptor, name) for name in descriptor.__slots__}
            inputs |= {("ktime", 0): n, ("packet_number", 0): n}
            inputs["present", 0] = min(len(frame), window)
            self.cases.append((inputs, {"verdict": int(outcome.verdict), "r0": outcome.r0}))

    def __call__(self, stage: str, function: Function) -> None:
        check(function, stage)
        self.stages += 1
        for inputs, wanted in self.cases:
            values = evaluate(function, inputs)
            found = {name: values[node] for name, node in function.outputs.items()}
            assert found == {name: wanted[name] for name in found}, stage


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("mcpu", ["v1", "v4"])
def test_every_stage_agrees_with_the_interpreter(tmp_path, name, mcpu):
    names, text = PROGRAMS[name]
    program = built(tmp_path, text, mcpu)
    rng = random.Random(name)
    frames = [rng.randbytes(256) for _ in range(60)]
    for frame in range(0, 60, 2):
        frames[frame] = bytes(b & 31 for b in frames[frame])
    options = Options(tunables=tuple(names.split()))
    agreement = Agreement(program, options, rng, frames)
    design = compile_program(program, options, agreement)
    assert agreement.stages > 2
    assert design.inputs["tunables"] == 8 * sum(program.variables[n].size for n in names.split())
    assert "tunables" not in compile_program(program).inputs


@pytest.mark.parametrize(
    ("name", "variable"), [("bogon", "bogons"), ("xdp_five_tuple", "rules"), ("xdp_block_list", "ports")]
)
def test_tables_of_examples(name, variable):
    """Rules that a deployment changes are tunable as they are."""
    program = read_program(str(EXAMPLES / f"{name}.c"))
    options = Options(tunables=(variable,))
    frames = [f for f in directed(program, 60, seed=2, effort=60) if len(f) >= 14]
    compile_program(program, options, Agreement(program, options, random.Random(name), frames))


def test_random_programs_with_any_bytes_as_tunables():
    """Of tables that random programs read, any bytes may change: the graph says the same then."""
    compiled, refusals = 0, []
    for seed in range(80):
        rng = random.Random(f"tunables {seed}")
        program = random_program(seed, CONTEXTS[seed % len(CONTEXTS)], size=8)
        for section, content in program.data.items():
            size = rng.randint(1, len(content))
            at = rng.randrange(len(content) - size + 1)
            program = replace(program, variables={"t": Variable(section, at, size)})
        if not program.variables:
            continue
        frames = list(generate(12, seed))
        options = Options(tunables=("t",), prandom_seed=7, route=Route.SHELL)
        try:
            compile_program(program, options, Agreement(program, options, rng, frames))
            compiled += 1
        except RxgateError as error:
            refusals.append(str(error))
    assert compiled > 5
    assert [r for r in refusals if "never reads" not in r and "leaves" not in r] == []


def test_registers_carry_live_bits_only(tmp_path):
    """Of a variable of 13 bytes two bits are read, and a third that does not matter."""
    text = "return (range.flags & 0x100 ? 2 : range.tail[1] & 4 ? 1 : 3) + 0 * range.tail[3];"
    program = built(tmp_path, text)
    design = compile_program(program, Options(tunables=("range",)))
    assert design.inputs["tunables"] == 13 * 8
    cuts = design.schedule.cuts
    nodes = design.schedule.function.nodes
    carried = sum(
        mask.bit_count() for cut in cuts for n, mask in cut.items() if nodes[n].op == "input"
        and nodes[n].source[0] == "tunables"
    )
    assert carried <= 2 * len(cuts)


def test_names_that_cannot_be_tunable(tmp_path):
    program = built(tmp_path, "return range.low + huge[b[0]] + folded;")

    def refusal(*names, of=program):
        with pytest.raises(InputError) as caught:
            compile_program(of, Options(tunables=names))
        return str(caught.value)

    assert refusal("rnage") == (
        "there is no read-only variable 'rnage'; there are range, wide, unused, folded, huge"
    )
    never = "the program never reads {} on a path that can be taken"
    assert refusal("unused").startswith(never.format("unused"))
    assert refusal("folded").startswith(never.format("folded"))
    assert refusal("range", "huge") == (
        "tunables can have 4096 bytes together, each rounded up to a multiple of 8; these have more:"
        " range 13, huge 5000"
    )
    aliased = replace(program, variables={**program.variables, "low": Variable(".rodata", 1, 1)})
    at = program.variables["range"]
    assert (at.section, at.offset, at.size) == (".rodata", 0, 13)
    assert refusal("range", "low", of=aliased) == (
        "low and range share bytes; only one of them can be tunable"
    )
    nothing = decode(load_program("95 00 00 00 00 00 00 00"))
    assert refusal("x", of=nothing) == (
        "there is no read-only variable 'x'; the program refers to none"
    )
    with pytest.raises(ValueError, match="tunable must name each variable once"):
        Options(tunables=("range", "range"))


def test_a_branch_that_a_constant_decides_is_there_for_a_tunable(tmp_path):
    program = built(tmp_path, "return wide == 1 ? b[63] : 2;")
    assert compile_program(program).config.window == 0 or "window" not in (
        compile_program(program).inputs
    )
    assert "window" in compile_program(program, Options(tunables=("wide",))).inputs


def test_where_the_registers_are(tmp_path):
    program = built(tmp_path, "return range.low + wide + table[b[0] & 15];")
    chosen = tuned(program, ["wide", "range"])
    assert chosen.tunable_image() == (
        bytes.fromhex("8877665544332211") + bytes.fromhex("0a00140005000000") + bytes(5)
    )
    assert [(t.name, t.offset, t.size) for t in registers_of(chosen)] == [
        ("wide", 0x1000, 8), ("range", 0x1008, 13),
    ]
    design = compile_program(program, Options(tunables=("wide", "range")))
    assert design.config.control_port
    told = registers(design)
    assert [t["name"] for t in told["tunables"]] == ["wide", "range"]
    flags = next(r for r in told["registers"] if r["name"] == "flags")
    assert int(flags["value"], 0) & 1 << 5
    assert len({digest(p) for p in (program, chosen, tuned(program, ["range", "wide"]))}) == 3


def test_other_values(tmp_path):
    program = built(tmp_path, "return range.low + wide;")
    changed = with_values(program, {"wide": "-2", "range": "hex:" + "01" * 13})
    assert tuned(changed, ["wide", "range"]).tunable_image() == b"\xfe" + b"\xff" * 7 + b"\x01" * 13
    assert program.data != changed.data
    assert with_values(program, {}) is program
    assert value_bytes("x", "0x102", 4) == b"\x02\x01\0\0"
    assert value_bytes("x", "255", 1) == b"\xff"
    for text, size, why in (
        ("256", 1, "x has 8 bits; 256 does not fit"),
        ("-129", 1, "x has 8 bits; -129 does not fit"),
        ("ten", 1, "x takes a number, or hex: and its bytes, not 'ten'"),
        ("hex:1", 1, "x has 1 bytes: 2 digits, not '1'"),
    ):
        with pytest.raises(InputError) as caught:
            value_bytes("x", text, size)
        assert str(caught.value) == why
    with pytest.raises(InputError, match="there is no read-only variable 'y'"):
        with_values(program, {"y": "1"})
