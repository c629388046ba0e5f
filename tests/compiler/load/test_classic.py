"""Classic BPF is translated faithfully: against libpcap's interpreter, and rule by rule."""

import random
from pathlib import Path

import pytest
from rxgate.compiler.errors import DecodeError, InputError, RxgateError, Unsupported, VerifyError
from rxgate.compiler.insn import Exit, LoadPacket
from rxgate.compiler.load import classic_insn as c
from rxgate.compiler.load.classic import translate
from rxgate.compiler.load.classic_insn import ClassicInsn, text
from rxgate.compiler.load.libpcap import run_filter
from rxgate.compiler.load.pcap_filter import compile_expression
from rxgate.ctx_map.descriptor import Descriptor
from rxgate.ctx_map.verdicts import Verdict
from rxgate.sim.captures import match, read_capture
from rxgate.sim.interp import Interpreter
from rxgate.sim.packets import generate

ROOT = Path(__file__).parents[3]
REFUSALS = {
    "@InputError": InputError, "@VerifyError": VerifyError, "@Unsupported": Unsupported,
}
SEED = 20160402
FRAMES = [
    *generate(350, SEED), *generate(30, SEED, "runts"), *generate(5, SEED, "jumbo"), b"",
]
TCP = bytes.fromhex(
    "020000000001020000000002080046000038000140004006000a0a0000010a000002010101000050c0010000000100"
    "0000025012ffff00000000474554202f"
)
FRAMES += [TCP[:n] for n in range(len(TCP) + 1)]


def expressions() -> list[tuple[str, str]]:
    """(mark, expression) for each line of the shared list."""
    pairs = []
    for line in (ROOT / "tests/sim/expressions.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            mark, _, rest = line.partition(" ") if line.startswith("@") else ("", "", line)
            pairs.append((mark, rest))
    return pairs


COMPARED = [e for mark, e in expressions() if mark in ("", "@window")]
REFUSED = [(e, REFUSALS[mark]) for mark, e in expressions() if mark in REFUSALS]


def results(insns: tuple[ClassicInsn, ...], frames: list[bytes]) -> list[int]:
    """The low 32 bits of r0 for each frame."""
    interpreter = Interpreter(translate(insns, "filter"))
    return [interpreter.run(f, Descriptor(len=len(f))).r0 & 0xFFFF_FFFF for f in frames]


def differences(insns: tuple[ClassicInsn, ...], frames: list[bytes]) -> list[str]:
    """The frames on which libpcap and the golden interpreter differ."""
    pairs = zip(frames, run_filter(insns, frames), results(insns, frames), strict=True)
    return [f"{f.hex()}: libpcap {want}, rxgate {got}" for f, want, got in pairs if want != got]


def test_the_list_is_long() -> None:
    assert len(COMPARED) >= 110


@pytest.mark.parametrize("expression", COMPARED)
def test_expression_gives_libpcaps_verdict(expression: str) -> None:
    assert differences(compile_expression(expression), FRAMES) == []


def test_frames_match_and_miss_most_expressions() -> None:
    one_sided = [e for e in COMPARED if len({bool(m) for m in match(e, FRAMES)}) < 2]
    assert len(one_sided) < len(COMPARED) // 4, one_sided


@pytest.mark.parametrize("capture", sorted((ROOT / "examples/captures").glob("*.pcap*")), ids=str)
def test_expressions_on_real_traffic(capture: Path) -> None:
    frames = [f.data for f in read_capture(capture)][:1000]
    for expression in COMPARED:
        assert differences(compile_expression(expression), frames) == [], expression


@pytest.mark.parametrize(("expression", "error"), REFUSED)
def test_expression_is_refused(expression: str, error: type[RxgateError]) -> None:
    with pytest.raises(error) as caught:
        translate(compile_expression(expression), "filter")
    assert caught.type is error
    assert "\n" not in str(caught.value)


def random_filter(rng: random.Random) -> tuple[ClassicInsn, ...]:
    """A valid filter over every opcode, with forward jumps; offsets near the frame's ends."""
    written = rng.sample(range(16), 3)
    groups = [
        [(c.LD | c.W | c.IMM, 0, 0, constant(rng)), (c.ST, 0, 0, word)] for word in written
    ]
    count = rng.randrange(6, 28)
    while len(groups) < count:
        code, k = rng.choice(OPCODES), constant(rng)
        kind, mode, op = code & 7, code & 0xE0, code & 0xF0
        before = []
        if kind in (c.LD, c.LDX) and mode in (c.ABS, c.IND, c.MSH):
            k = rng.randrange(70)
            if mode == c.IND:  # libpcap takes a sum that wraps for one outside the frame
                before = [(c.MISC | c.TXA, 0, 0, 0), (c.ALU | c.AND, 0, 0, 63), (c.MISC, 0, 0, 0)]
        elif (kind in (c.LD, c.LDX) and mode == c.MEM) or kind in (c.ST, c.STX):
            k = rng.choice(written)
        elif kind == c.ALU and not code & c.X:
            k = k % 32 if op in (c.LSH, c.RSH) else max(k, 1) if op in (c.DIV, c.MOD) else k
        groups.append([*before, (code, 0, 0, k)])
    groups.append([(c.RET | rng.choice((c.A, c.A, c.K)), 0, 0, 7)])
    starts = [sum(map(len, groups[:g])) for g in range(len(groups))]
    for g, group in enumerate(groups):
        code, _, _, k = group[-1]
        if code & 7 == c.JMP:
            here = starts[g] + len(group)
            jt, jf = (rng.choice(starts[g + 1 :]) - here for _ in range(2))
            group[-1] = (code, 0, 0, jt) if code & 0xF0 == c.JA else (code, jt, jf, k)
    return tuple(ClassicInsn(*i) for group in groups for i in group)


def constant(rng: random.Random) -> int:
    edges = (0, 1, 31, 32, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x8000)
    return rng.choice((rng.choice(edges), rng.getrandbits(32), rng.getrandbits(8)))


OPCODES = [
    *(c.LD | size | mode for size in (c.W, c.H, c.B) for mode in (c.ABS, c.IND)),
    *(kind | mode for kind in (c.LD, c.LDX) for mode in (c.IMM, c.MEM, c.LEN)),
    c.LDX | c.B | c.MSH, c.ST, c.STX, c.MISC | c.TAX, c.MISC | c.TXA, c.ALU | c.NEG, c.JMP | c.JA,
    *(c.ALU | op | x for op in range(0, 0xB0, 0x10) if op != c.NEG for x in (c.K, c.X)),
    *(c.JMP | op | x for op in (c.JEQ, c.JGT, c.JGE, c.JSET) for x in (c.K, c.X)),
]


def test_random_filters_give_libpcaps_result() -> None:
    rng = random.Random(SEED)
    for _ in range(1500):
        insns = random_filter(rng)
        frames = [rng.randbytes(rng.randrange(90)) for _ in range(8)]
        assert differences(insns, frames) == [], "\n".join(map(text, insns))


def test_index_wraps_as_in_the_kernel() -> None:
    insns = [
        (c.LDX | c.IMM, 0, 0, 0xFFFF_FFFC), (c.LD | c.B | c.IND, 0, 0, 16), (c.RET | c.A, 0, 0, 0),
    ]
    assert Interpreter(translate(insns, "filter")).run(bytes(range(64)), Descriptor()).r0 == 12


def test_on_match_drop_turns_verdicts_round() -> None:
    insns = compile_expression("tcp port 80")
    for on_match, miss, hit in (
        ("pass", Verdict.DROP, Verdict.PASS), ("drop", Verdict.PASS, Verdict.DROP),
    ):
        interpreter = Interpreter(translate(insns, "filter", on_match))
        verdicts = [interpreter.run(f, Descriptor(len=len(f))).verdict for f in (b"", TCP)]
        assert verdicts == [miss, hit]


def test_on_match_is_checked() -> None:
    with pytest.raises(ValueError, match="'pass' or 'drop', not 'mark'"):
        translate([(c.RET, 0, 0, 0)], "filter", "mark")


@pytest.mark.parametrize(
    ("offset", "value"),
    [(0, 0x86DD), (8, 7), (24, 3), (32, 0x89ABCDEF), (36, 0), (44, 0x6005), (48, 1), (60, 0x88A8)],
)
def test_ancillary_load(offset: int, value: int) -> None:
    descriptor = Descriptor(
        protocol=0x86DD, ingress_ifindex=7, rx_queue_index=3, hash=0x89ABCDEF, vlan_tci=0x6005,
        vlan_proto=0x88A8,
    )
    insns = [(c.LD | c.W | c.ABS, 0, 0, c.AD_OFF + offset), (c.RET | c.A, 0, 0, 0)]
    assert Interpreter(translate(insns, "filter")).run(b"", descriptor).r0 == value


def test_ancillary_xor() -> None:
    insns = [
        (c.LDX | c.IMM, 0, 0, 5), (c.LD | c.IMM, 0, 0, 6),
        (c.LD | c.W | c.ABS, 0, 0, c.AD_OFF + 40), (c.RET | c.A, 0, 0, 0),
    ]
    assert Interpreter(translate(insns, "filter")).run(b"", Descriptor()).r0 == 3


def test_ancillary_random_is_the_helper() -> None:
    insns = [(c.LD | c.W | c.ABS, 0, 0, c.AD_OFF + 56), (c.RET | c.A, 0, 0, 0)]
    interpreter = Interpreter(translate(insns, "filter"), seed=1)
    first, second = (interpreter.run(b"", Descriptor(), number=n).r0 for n in (0, 1))
    assert first != second


RET = (c.RET, 0, 0, 1)


@pytest.mark.parametrize(
    ("insns", "error", "message"),
    [
        ([], DecodeError, "a classic filter has 1 to 4096 instructions, this one 0."),
        ([RET] * 4097, DecodeError, "a classic filter has 1 to 4096 instructions, this one 4097."),
        ([(0x0E, 0, 0, 0)], DecodeError, "0x000e is no instruction of classic BPF."),
        ([(c.LD | c.IMM, 0, 0, 0)], VerifyError, "the filter does not end with a return."),
        ([(c.LD | c.MEM, 0, 0, 3), RET], VerifyError, "M[3] is read before it is written."),
        ([(c.ST, 0, 0, 16), RET], VerifyError, "scratch memory has 16 words, there is no M[16]."),
        ([(c.ALU | c.MOD, 0, 0, 0), RET], VerifyError, "the filter divides by zero."),
        ([(c.ALU | c.RSH, 0, 0, 32), RET], VerifyError, "the filter shifts a 32-bit value by 32."),
        (
            [(c.JMP | c.JA, 0, 0, 1), RET], VerifyError,
            "the filter jumps past its last instruction.",
        ),
        (
            [(c.JMP | c.JEQ, 0, 1, 1), (c.ST, 0, 0, 2), (c.LDX | c.MEM, 0, 0, 2), RET],
            VerifyError, "M[2] is read before it is written.",
        ),
        (
            [(c.LDX | c.B | c.MSH, 0, 0, c.AD_OFF), RET], Unsupported,
            "offset -4096 counts from the network or link-layer header, whose place a receive "
            "descriptor does not give. Use an offset from the first byte of the frame.",
        ),
    ],
)
def test_bad_filter(
    insns: list[tuple[int, int, int, int]], error: type[RxgateError], message: str
) -> None:
    with pytest.raises(error) as caught:
        translate(insns, "filter")
    assert caught.value.message == message


def test_unreachable_instructions_are_left_out() -> None:
    insns = [(c.JMP | c.JA, 0, 0, 1), (c.LD | c.H | c.ABS, 0, 0, 12), RET]
    code = translate(insns, "filter").insns
    assert not any(isinstance(i, LoadPacket) for i in code)
    assert isinstance(code[-1], Exit)


def test_lines_name_the_classic_instructions() -> None:
    program = translate(compile_expression("arp"), "filter")
    assert [str(line) for line in program.lines.values()] == [
        "filter:0: ldh [12]", "filter:1: jeq #0x806, +0, +1", "filter:2: ret #262144",
        "filter:3: ret #0",
    ]
