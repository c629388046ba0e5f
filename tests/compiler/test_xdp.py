"""XDP: the rules for packet pointers with their messages, and every executor on the examples."""

from pathlib import Path

import pytest
from rxgate.compiler.cfg import build_cfg
from rxgate.compiler.decode import decode
from rxgate.compiler.driver import compile_program
from rxgate.compiler.errors import RxgateError, Unsupported, VerifyError
from rxgate.compiler.insn import Program
from rxgate.compiler.ir import Function
from rxgate.compiler.ir_check import check
from rxgate.compiler.ir_eval import evaluate
from rxgate.compiler.lift import window_size
from rxgate.compiler.lifting.symbols import Target
from rxgate.compiler.load import load_program
from rxgate.compiler.options import Options
from rxgate.compiler.verify import verify
from rxgate.ctx_map.context import XDP_MD
from rxgate.ctx_map.descriptor import SIGNALS, Source
from rxgate.ctx_map.models import describe
from rxgate.sim.directed import directed
from rxgate.sim.fast import simulate_fast
from rxgate.sim.golden import Frame
from rxgate.sim.interp import Interpreter
from rxgate.sim.xdp_generator import random_xdp_program

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("xdp_*.c"))
FRAMES = 300
HEAD = """
#include <linux/bpf.h>
#include <rxgate/xdp.h>
#define FORGET(x) asm volatile("" : "+r"(x))
#define FUNCTION static __noinline
#define PROGRAM(...) SEC("xdp") int f(struct xdp_md *ctx) { \\
    void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end; \\
    __u8 *b = data; __VA_ARGS__ }
"""


def built(tmp_path: Path, text: str, mcpu: str = "v4") -> Program:
    source = tmp_path / "p.c"
    source.write_text(HEAD + text)
    return decode(load_program(source, mcpu=mcpu))


COVER = (
    "are read, but {} against data_end covers them on every path; compare the pointer with data_end"
    " first"
)
REFUSED = {
    "return b[0];":
        "1 bytes at packet pointer +0 " + COVER.format("no check"),
    "if (data + 14 > end) return 0; return *(__u16 *)(data + 13);":
        "2 bytes at packet pointer +13 " + COVER.format("a check of 1 bytes"),
    "if (data + 14 < end) return 0; return b[13];":
        "1 bytes at packet pointer +13 " + COVER.format("no check"),
    "if (data + 14 > end && ctx->rx_queue_index) return 0; return b[13];":
        "1 bytes at packet pointer +13 " + COVER.format("no check"),
    "if (end - data < 14) return 0; return b[13];":
        "1 bytes at packet pointer +13 " + COVER.format("no check"),
    "if (data + 14 > end) return 0; b += b[0] & 31; FORGET(b); return b[0];":
        "1 bytes at packet pointer +0..+31 " + COVER.format("no check"),
    "if (data + 4 > end) return 0; b += *(__u32 *)data; if ((void *)b > end) return 1; return 2;":
        "a packet pointer +0 moves by 0x0..0xffffffff; it must stay between the packet's first byte"
        " and byte 65535: bound the number first",
    "if (data + 4 > end) return 0; b += *(__u16 *)data; if ((void *)(b + 4) > end) return 1; return *b;":
        "a packet pointer +0..+65535 moves by 4; it must stay between the packet's first byte and"
        " byte 65535: bound the number first",
    "return (long)data & 1;":
        "`&` on a packet pointer +0 and 1: an address can only be copied, and a number added to it or"
        " subtracted from it, at 64 bits",
    "FORGET(end); return *(__u8 *)end;":
        "r1 holds data_end; nothing lies behind it",
    "if (data + 14 > end) return 0; void *p = 0; if (b[0] & 1) p = b + 4; FORGET(p);"
    " return *(__u8 *)p;":
        "a packet pointer +4 or 0 is used as an address; compare it with 0 first",
}
REFUSED["return ctx->egress_ifindex;"] = (
    "field egress_ifindex of struct xdp_md exists only in programs of a devmap (section xdp/devmap or"
    " xdp.frags/devmap or xdp_devmap), as in the kernel"
)
LIMITS = {
    "if (data + 1 > end) return 0; *b = 1; return 3;":
        "a store to the packet; packets cannot be changed yet",
    "if (data + 300 > end) return 0; return b[299];":
        "the packet load can reach byte 299, beyond the header window of 256 bytes; bound the offset"
        " in the program, or raise --max-window",
    "if (data + 14 > end) return 0; void *p = 0; if (b[0] & 1) p = b + 4; FORGET(p); p += 4;"
    " FORGET(p); return p == 0;":
        "a packet pointer +4 or 0 is moved; compare it with 0 first",
}


@pytest.mark.parametrize("body", [*REFUSED, *LIMITS])
def test_refused(tmp_path, body):
    kind = Unsupported if body in LIMITS else VerifyError
    with pytest.raises(RxgateError) as caught:
        verify(build_cfg(built(tmp_path, f"PROGRAM({body})", "v3")))
    assert type(caught.value) is kind
    assert caught.value.message == (REFUSED | LIMITS)[body]
    assert "p.c:" in str(caught.value)


@pytest.mark.parametrize("section", ["xdp/devmap", "xdp.frags/devmap"])
def test_a_devmap_runs_behind_the_gate(tmp_path, section):
    text = f'SEC("{section}") int f(struct xdp_md *ctx) {{ return ctx->egress_ifindex; }}'
    with pytest.raises(Unsupported, match=r"egress_ifindex .* a devmap runs its program when"):
        verify(build_cfg(built(tmp_path, text)))


def test_packet_loads_of_2016_do_not_exist(tmp_path):
    text = """__u64 load_byte(void *ctx, __u64 at) asm("llvm.bpf.load.byte");
    SEC("xdp") int f(struct xdp_md *ctx) { return load_byte(ctx, 12); }"""
    with pytest.raises(VerifyError) as caught:
        verify(build_cfg(built(tmp_path, text)))
    assert caught.value.message == (
        "LD_ABS and LD_IND do not exist in a xdp_md program; read through data and data_end"
    )


# Programs that hold together for a reason which the verifier must see.

ACCEPTED = {
    "spilled": "PROGRAM(void *volatile a = data; void *volatile e = end; void *p = a;"
        " if (p + 40 > e) return 0; __u8 *q = a; return q[30] & 7;)",
    "joined, then checked": "PROGRAM(if (data + 20 > end) return 1; void *q;"
        " if (b[0] & 1) q = data + 4 + (b[1] & 31); else q = data + 8; FORGET(q);"
        " if (q + 16 > end) return 2; return (*(__u64 *)q ^ *(__u64 *)(q + 8)) % 5;)",
    "checked, then joined": "PROGRAM(if (data + 20 > end) return 0; void *p;"
        " if (b[12] == 8) { p = data + 14; if (p + 20 > end) return 1; }"
        " else { p = data + 18 + (b[13] & 15); if (p + 20 > end) return 2; }"
        " FORGET(p); return *(__u32 *)(p + 16) & 3;)",
    "a copy of what was checked": "PROGRAM(if (data + 1 > end) return 1; __u8 *q = b + (*b & 63);"
        " __u8 *r = q; FORGET(r); if ((void *)(q + 8) > end) return 2; return q[7] & r[6] & 3;)",
    "end on the left": "PROGRAM(if (end < data + 20) return 2; return *(__u32 *)(data + 15) & 3;)",
    "strictly below": "PROGRAM(if (data + 20 >= end) return 2; return b[20] & 3;)",
    "checked inside": "PROGRAM(if (end > data + 20) return b[20] & 3; return 2;)",
    "equal to the end": "PROGRAM(return data + 60 == end ? 2 : 3;)",
    "the difference, long": "PROGRAM(__u64 n = end - data; return n > 100 ? 1 : n < 60 ? 2 : 3;)",
    "the difference, int": "PROGRAM(__u32 n = end - data; return n > 100 ? 1 : n < 60 ? 2 : 3;)",
    "a place as a number": "PROGRAM(if (data + 60 > end) return 1; void *p = data + (b[0] & 31);"
        " FORGET(p); __u32 d = p - data; void *q = data + (d & 31); FORGET(q);"
        " if (q + 2 > end) return 2; return (*(__u8 *)q ^ d) & 3;)",
    "places compared": "PROGRAM(if (data + 60 > end) return 1; void *p = data + (b[0] & 31);"
        " FORGET(p); return p > data + 10 ? 2 : 3;)",
    "two variable parts": "PROGRAM(if (data + 4 > end) return 1; void *p = data + (b[0] & 31);"
        " p += b[1] & 15; if (p + 4 > end) return 3; return *(__u32 *)p & 3;)",
    "bounded by a comparison": "PROGRAM(if (data + 2 > end) return 1; __u32 n = *(__u16 *)data;"
        " if (n > 200) return 2; b += n; if ((void *)(b + 2) > end) return 3; return b[1] & 3;)",
    "type, length, value": """PROGRAM(b += 14; _Pragma("unroll") for (int i = 0; i < 4; i++) {
        if ((void *)(b + 2) > end) return 1; if (!b[0]) return 2; if (b[1] > 30) return 3;
        b += b[1] + 2; } return 4;)""",
    "no metadata": "PROGRAM(void *m = (void *)(long)ctx->data_meta; return m + 4 > data ? 2 : 1;)",
    "unaligned and signed": "PROGRAM(if (data + 23 > end) return 1;"
        " return *(signed char *)(data + 15) < -3 ? 1 : *(short *)(data + 3) > 5 ? 2"
        " : *(int *)(data + 7) < 0 ? 3 : *(__u64 *)(data + 9) % 5;)",
    "copied to the stack": "PROGRAM(__u8 s[64] = {}; if (data + 60 > end) return 0;"
        " __builtin_memcpy(s, data, 60); __u8 *volatile q = s; return q[q[1] & 31] & 3;)",
    "a function with the context": "FUNCTION int g(struct xdp_md *ctx, __u32 at) {"
        " void *p = (void *)(long)ctx->data + (at & 63), *end = (void *)(long)ctx->data_end;"
        " return p + 4 > end ? 1 : *(__u32 *)p & 3; }"
        " PROGRAM(return g(ctx, 14) + g(ctx, ctx->rx_queue_index);)",
    "a function that may find nothing": "FUNCTION void *g(void *p, void *end) {"
        " if (p + 34 > end) return 0; return p + 14 + (*(__u8 *)(p + 14) & 15) * 4; }"
        " PROGRAM(b = g(data, end); if (!b) return 2; if ((void *)(b + 8) > end) return 1;"
        " return b[3] & 3;)",
    "an address or 0 on the stack": "PROGRAM(if (data + 60 > end) return 0; void *volatile s;"
        " s = 0; if (b[0] & 1) s = data + 14; b = s; if (!b) return 4; return *b & 3;)",
    "0 is a number again": "PROGRAM(if (data + 60 > end) return 0; void *p = 0;"
        " if (b[0] & 1) p = data + 14; FORGET(p); if (p) return 1; return (long)p + 2;)",
    "options up to an address": """PROGRAM(if (data + 14 > end) return 1; b += 14;
        __u8 *stop = b + (*(__u8 *)data & 31); int n = 0;
        for (int i = 0; i < 6; i++) { if (b >= stop || (void *)(b + 2) > end) break;
        if (b[0] == 1) { b++; continue; } if (b[1] < 2) return 4; n += b[0]; b += b[1]; }
        return n & 3;)""",
    "an offset in bits": "PROGRAM(if (data + 14 > end) return 1; __u32 o = 112 + (b[0] & 1) * 32;"
        " FORGET(o); __u32 t = o + 64; FORGET(t); if (data + (o >> 3) > end) return 1;"
        " if (data + (t >> 3) > end) return 2; b += o >> 3; return (b[0] ^ b[7]) & 3;)",
    "a result beyond 32 bits": "PROGRAM(if (data + 60 > end) return 0; return *(int *)(data + 3);)",
    "checked through another pointer": """PROGRAM(if (data + 14 > end) return XDP_DROP;
        __u8 *p = b + (b[0] & 31), *q = b + (b[1] & 31);
        if ((void *)(p + 4) > end) return XDP_TX; if (b[2] & 1) return 7; return *q & 1 ? *q : 2;)""",
    "a loop with a constant bound": """PROGRAM(__u32 sum = 0; _Pragma("clang loop unroll(disable)")
        for (int i = 0; i < 6; i++) { if (b + 2 > (__u8 *)end) break; sum += b[0] * 3 + b[1]; b += 2; }
        return sum & 1 ? XDP_PASS : XDP_DROP;)""",
    "a loop to a number from the packet": """PROGRAM(if (data + 32 > end) return XDP_ABORTED;
        __u32 sum = 0; _Pragma("clang loop unroll(disable)")
        for (__u32 i = 0; i < (b[0] & 15); i++) { FORGET(sum); sum = sum * 5 + b[i + 1]; }
        return sum & 4 ? XDP_PASS : XDP_DROP;)""",
    "a loop to the packet's end": """PROGRAM(__u32 sum = 0; _Pragma("clang loop unroll(disable)")
        for (__u8 *p = data, *last = data + 40; p + 4 <= (__u8 *)end && p < last; p += 4)
            sum ^= *(__u32 *)p;
        return sum & 8 ? XDP_PASS : XDP_DROP;)""",
    "type, length, value in a loop": """PROGRAM(__u32 at = 14; _Pragma("clang loop unroll(disable)")
        for (int i = 0; i < 4; i++) {
            __u8 *p = data + (at & 63); if (p + 2 > (__u8 *)end) return XDP_ABORTED;
            if (p[0] == 0) return XDP_PASS; at += 2 + (p[1] & 7); }
        return at & 1 ? XDP_TX : XDP_DROP;)""",
    "a loop inside a loop": """PROGRAM(if (data + 16 > end) return XDP_ABORTED; __u32 x = b[0];
        _Pragma("clang loop unroll(disable)") for (int i = 0; i < 3; i++) {
            _Pragma("clang loop unroll(disable)") for (int j = 0; j <= i; j++) {
                FORGET(x); x = x * 3 + b[4 * i + j]; }
            x >>= 1; }
        return x & 1 ? XDP_PASS : XDP_DROP;)""",
    "bpf_loop": """struct sums { __u8 *p, *end; __u32 sum; };
        static long each(__u32 i, void *ctx) { struct sums *s = ctx;
            if (s->p + i + 1 > s->end) return 1;
            s->sum += s->p[i] ^ i; return 0; }
        PROGRAM(struct sums s = {data, end, 0}; long n = bpf_loop(30, each, &s, 0);
        return (s.sum + n) & 3;)""",
    "bpf_loop as often as the packet says": """static long each(__u32 i, void *ctx)
        { __u32 *x = ctx; *x = *x * 7 + i; return *x % 11 == 3; }
        PROGRAM(if (data + 1 > end) return XDP_ABORTED; __u32 x = *b;
        long n = bpf_loop(*b & 7, each, &x, 0); return (x + n) & 3;)""",
    "bpf_for": """PROGRAM(if (data + 15 > end) return XDP_ABORTED; __u32 sum = 0; int i;
        bpf_for (i, 2, b[14] & 15) { if (b + i + 1 > (__u8 *)end) break; sum += b[i]; }
        return sum % 5;)""",
    "bpf_for inside bpf_repeat": """PROGRAM(if (data + 16 > end) return XDP_ABORTED;
        __u32 sum = b[15]; int i; bpf_repeat (3) { sum >>= 1; bpf_for (i, 0, 4) sum += b[i] << i; }
        return sum % 5;)""",
}


class Agreement:
    """A callback of the compiler: the graph gives what the interpreter gives."""

    def __init__(self, program: Program, sent: list[bytes]) -> None:
        self.stages: list[str] = []
        self.cases = []
        interpreter = Interpreter(program)
        for n, frame in enumerate(sent):
            descriptor = describe(frame, ingress_ifindex=n % 5, rx_queue_index=n % 7).descriptor
            outcome = interpreter.run(frame, descriptor)
            inputs = {("window", i): byte for i, byte in enumerate(frame[:256])}
            inputs |= {(name, 0): getattr(descriptor, name) for name in descriptor.__slots__}
            self.cases.append((frame, inputs, {"verdict": int(outcome.verdict), "r0": outcome.r0}))

    def __call__(self, stage: str, function: Function) -> None:
        check(function, stage)
        self.stages.append(stage)
        window = max((i for name, i in function.inputs() if name == "window"), default=-1) + 1
        assert window <= self.window
        for frame, inputs, wanted in self.cases:
            values = evaluate(function, inputs | {("present", 0): min(len(frame), self.window)})
            found = {name: values[node] for name, node in function.outputs.items()}
            assert found == {name: wanted[name] for name in found}, (stage, frame.hex())

    def run(self, program: Program) -> None:
        delivered = frozenset(s.name for s in SIGNALS if s.source is not Source.WINDOW)
        self.window = window_size(verify(build_cfg(program)), Target(delivered))
        compile_program(program, callback=self)
        assert self.stages[0] == "lift"
        assert len(self.stages) > 2


@pytest.mark.parametrize("name", ACCEPTED)
@pytest.mark.parametrize("mcpu", ["v1", "v3", "v4"])
def test_accepted(tmp_path, name, mcpu):
    if mcpu == "v1" and name in ("an address or 0 on the stack", "0 is a number again"):
        pytest.skip("clang makes bit operations on addresses of it, which the kernel refuses too")
    program = built(tmp_path, ACCEPTED[name], mcpu)
    Agreement(program, directed(program, 60, seed=5, effort=100)).run(program)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
@pytest.mark.parametrize("mcpu", ["v1", "v3", "v4"])
def test_every_stage_of_an_example_agrees_with_the_interpreter(path, mcpu):
    program = decode(load_program(path, mcpu=mcpu))
    assert program.context is XDP_MD
    Agreement(program, directed(program, FRAMES, seed=5, effort=100)).run(program)


@pytest.mark.rtl
@pytest.mark.parametrize("width", [64, 512])
@pytest.mark.parametrize("name", ["xdp_quic_guard", "xdp_packet_length"])
def test_the_verilog_of_an_example(name, width):
    [path] = [p for p in EXAMPLES if p.stem == name]
    program = decode(load_program(path))
    design = compile_program(program, Options(width=width, max_frame=2048))
    assert design.config.store_and_forward == (name == "xdp_packet_length")
    sent = [Frame(f) for f in directed(program, 2000, seed=3, effort=500)]
    result = simulate_fast(design.verilog, design.config, design.inputs, sent, program)
    assert [str(m) for m in result.mismatches] == []
    assert result.agreed
    assert result.counts["pass"]
    assert result.counts["drop"]


@pytest.mark.parametrize("seed", range(48))
def test_every_stage_of_a_random_parser_agrees_with_the_interpreter(seed):
    program = random_xdp_program(seed, size=(3, 8, 14, 20)[seed % 4])
    Agreement(program, directed(program, 30, seed, effort=60)).run(program)


def test_a_check_at_run_time(tmp_path):
    """Outside the packet the program is aborted, whatever it would have returned."""
    program = built(tmp_path, ACCEPTED["checked through another pointer"])
    facts = verify(build_cfg(program))
    [slot] = facts.guarded()
    assert program.line(slot)
    frame = bytes([0, 20, 0, *bytes(11)])
    short, exact = (Interpreter(program).run(f, describe(f).descriptor)
                    for f in (frame.ljust(20, b"\7"), frame.ljust(21, b"\7")))
    assert (short.verdict.name, short.r0) == ("ABORTED", 0)
    assert exact.r0 == 7
    [*_, last] = Interpreter(program).trace(frame, describe(frame).descriptor)
    assert last.slot == slot


def test_another_address_bounds_one(tmp_path):
    """Options of up to 255 bytes each, but they begin before byte 14 + 31; two bytes are read."""
    facts = verify(build_cfg(built(tmp_path, ACCEPTED["options up to an address"])))
    assert facts.window == 14 + 31 + 2


def test_each_load_beyond_the_last_is_checked(tmp_path):
    facts = verify(build_cfg(built(tmp_path, ACCEPTED["an offset in bits"])))
    assert len(facts.guarded()) == 2


def test_an_example_needs_no_check_at_run_time():
    for path in EXAMPLES:
        assert not verify(build_cfg(decode(load_program(path)))).guarded(), path.stem
