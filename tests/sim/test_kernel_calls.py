"""Helpers as the running kernel has them, and programs with metadata; skipped without bpf(2)."""

import platform
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rxgate.compiler.source import read_program
from rxgate.ctx_map.models import describe
from rxgate.ctx_map.nics import FRONT_END, NICS, UNSTRIPPED
from rxgate.sim.directed import directed
from rxgate.sim.interp import Interpreter
from rxgate.sim.kernel import available, compare
from rxgate.sim.kernel_rewrite import rewrite
from rxgate.sim.packets import generate

SOURCE = Path(__file__).with_name("calls.c")
CHECKSUMS = ("checksum", "header")
KERNEL = tuple(int(n) for n in re.findall(r"\d+", platform.release())[:2])
FOLDS = (6, 13)
"""The first kernel whose bpf_csum_diff returns what the helper does here."""
BOUND = {"stripped": FRONT_END, "unstripped": UNSTRIPPED, "plain": NICS["plain"]}
CASES = [
    *(("metadata", nic) for nic in BOUND), *(("caller", nic) for nic in BOUND),
    ("clocks", "plain"), ("bytes", "plain"), ("checksum", "plain"), ("header", "plain"),
    ("loop", "plain"),
]


def read(section: str, nic: str):
    return replace(read_program(str(SOURCE), f"xdp/{section}"), nic=BOUND[nic])


@pytest.mark.skipif(available() is not None, reason=str(available()))
@pytest.mark.parametrize(("section", "nic"), CASES)
def test_the_kernel_agrees(section, nic):
    if section in CHECKSUMS and KERNEL < FOLDS:
        pytest.skip("bpf_csum_diff does not fold its result before Linux 6.13")
    program = read(section, nic)
    found = [*directed(program, 300, seed=2), *generate(300, 3)]
    found += [f[:14] + fill * 20 + f[34:] for f in found[::10] for fill in (b"\0", b"\xff")]
    report = compare(program, found)
    assert report.refused == ""
    assert [str(d) for d in report.disagreements] == []
    assert report.packets >= 400


OWN = """
#include <linux/bpf.h>
#define __ksym __attribute__((section(".ksyms")))
enum xdp_rss_hash_type { XDP_RSS_TYPE_NONE };
extern int bpf_xdp_metadata_rx_hash(const struct xdp_md *ctx, __u32 *hash,
                                    enum xdp_rss_hash_type *rss_type) __ksym;
extern int bpf_nothing(void) __ksym __attribute__((weak));
extern const int bpf_number __ksym __attribute__((weak));
struct meta { union { __u32 hash; __s32 err; }; enum xdp_rss_hash_type type; };
__attribute__((section("xdp"))) int rx(struct xdp_md *ctx)
{
    struct meta meta = {};
    int err;

    if (bpf_nothing)
        return bpf_nothing();
    err = bpf_xdp_metadata_rx_hash(ctx, &meta.hash, &meta.type);
    if (err < 0)
        meta.err = err;
    return meta.hash % 3 + (err == -61);
}
"""


@pytest.mark.skipif(available() is not None, reason=str(available()))
@pytest.mark.parametrize("mcpu", ["v1", "v4"])
def test_a_program_with_its_own_declarations(tmp_path, mcpu):
    """As those that include the headers of a kernel; one function does not exist."""
    path = tmp_path / "own.c"
    path.write_text(OWN)
    program = read_program(str(path), mcpu=mcpu)
    report = compare(program, directed(program, 200, seed=2))
    assert (report.refused, report.disagreements) == ("", ())
    assert report.packets >= 150


@pytest.mark.parametrize(("section", "nic"), CASES[:7])
def test_the_rewritten_program_does_the_same(section, nic):
    """In the interpreter, with its inputs in memory and nothing in the descriptor."""
    program = read(section, nic)
    rewritten, inputs = rewrite(program)
    interpreter = Interpreter(program)
    for number, frame in enumerate(generate(100, 6)):
        descriptor = describe(frame).descriptor
        content = inputs.pack(descriptor, number * 77, number, 0)
        filled = replace(rewritten, data={**rewritten.data, "rxgate.inputs": content})
        found = Interpreter(filled).run(frame, replace(descriptor, hash=0, hash_type=0, vlan_proto=0))
        assert found == interpreter.run(frame, descriptor, ktime=number * 77, number=number)
