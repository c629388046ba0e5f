"""Benches that are written for users: whole, reproducible, and able to fail."""

import subprocess
import sys

import pytest
from rxgate.compiler.decode import decode
from rxgate.compiler.driver import compile_program
from rxgate.compiler.errors import InputError
from rxgate.compiler.insn import FP, Alu, AluOp, CallExtern, Exit, Imm, Program, Reg
from rxgate.compiler.load.text import load_text
from rxgate.compiler.options import Options, Route
from rxgate.compiler.source import read_expression
from rxgate.ctx_map.context import XDP_MD
from rxgate.ctx_map.nics import NICS
from rxgate.hdl.config import OnDrop
from rxgate.sim.captures import Frame, write_capture
from rxgate.sim.directed import directed
from rxgate.sim.golden import Frame as Sent
from rxgate.sim.saved import Saved, dump, load
from rxgate.sim.testbench import saved, write_testbench

SAMPLE = """
bf 16 0000 00000000  # r6 = r1
85 00 0000 05000000  # r0 = ktime_get_ns()
bf 07 0000 00000000  # r7 = r0
77 07 0000 02000000  # r7 >>= 2
85 00 0000 07000000  # r0 = get_prandom_u32()
0f 07 0000 00000000  # r7 += r0
61 60 0400 00000000  # r0 = hash
0f 70 0000 00000000  # r0 += r7
57 00 0000 03000000  # r0 &= 3
95 00 0000 00000000  # exit
"""
FILES = {
    "rxgate.v", "manifest.json", "design.json", "traffic.pcap", "test_main.py", "README.md",
}


def sample(**options):
    return compile_program(decode(load_text(SAMPLE, "sample")), Options(**options))


def run_pytest(folder, *more):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *more],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


EXPRESSIONS = (
    "udp port 53 and not vlan",
    "tcp[13] & 3 == 3",
    "len > 100 and ip6",
    "ip[2:2] - ((ip[0] & 15) << 2) > 20",
)


@pytest.mark.parametrize("nic", NICS)
@pytest.mark.parametrize("strip", [False, True])
def test_a_saved_program_keeps_its_nic(nic, strip):
    place = [Alu(AluOp.MOV, 64, 2, Reg(FP)), Alu(AluOp.ADD, 64, 2, Imm(-8))]
    code = (*place, CallExtern("bpf_xdp_metadata_rx_timestamp"), Exit())
    design = compile_program(
        Program("p", "xdp", XDP_MD, code), Options(nic=NICS[nic], strip_vlan=strip)
    )
    kept = load(dump(saved(design)))
    assert kept.program == design.program
    assert kept.program.nic == NICS[nic].bound(strip)


@pytest.mark.parametrize("expression", EXPRESSIONS)
@pytest.mark.parametrize("on_match", ["pass", "drop"])
def test_a_saved_program_is_the_same(expression, on_match):
    program = read_expression(expression, on_match)
    design = compile_program(program, Options(route=Route.SHELL, mark_drops=True))
    before = Saved(program, design.config, ("window", "ktime"), 7, bytes(40))
    after = load(dump(before))
    assert dump(after) == dump(before)
    assert after.program.insns == before.program.insns
    assert after.program.context == before.program.context
    assert after.config == before.config
    assert after.config.on_drop is OnDrop.MARK
    assert (after.prandom_seed, after.hash_key) == (7, bytes(40))
    assert after.inputs == ("window", "ktime")
    assert after.reads_time
    models = before.golden(), after.golden()
    for data in directed(program, 50, 1):
        one, other = (m.judge(m.send(Sent(data))) for m in models)
        assert one == other


def test_a_text_that_is_no_saved_program_is_refused():
    for text in ("", "[]", "{}", '{"gate": {}}'):
        with pytest.raises(InputError, match="this is no program saved by rxgate"):
            load(text)


def test_the_same_design_gives_the_same_files(tmp_path):
    design = sample(width=64)
    for folder in ("one", "two"):
        paths = write_testbench(design, tmp_path / folder)
        assert {p.name for p in paths} == FILES
    for name in FILES:
        one, two = (tmp_path / folder / name for folder in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
    assert "from ." not in (tmp_path / "one" / "test_main.py").read_text()


def test_a_bad_capture_leaves_nothing(tmp_path):
    bad = tmp_path / "bad.pcap"
    bad.write_bytes(b"no capture")
    with pytest.raises(InputError, match="cannot be used"):
        write_testbench(sample(width=64), tmp_path / "bench", bad)
    assert not (tmp_path / "bench").exists()


@pytest.mark.rtl
def test_a_bench_passes_and_finds_a_changed_program(tmp_path):
    design = sample(width=128)
    capture = tmp_path / "given.pcap"
    frames = directed(design.program, 40, 3)
    write_capture(capture, [Frame(f, len(f)) for f in frames])
    folder = tmp_path / "bench"
    write_testbench(design, folder, capture)
    good = run_pytest(folder)
    assert good.returncode == 0, good.stdout
    assert "5 passed" in good.stdout
    described = folder / "design.json"
    text = described.read_text()
    changed = text.replace('"op": "AND", "bits": 64, "dst": 0, "src": {"imm": 3}',
                           '"op": "AND", "bits": 64, "dst": 0, "src": {"imm": 1}')  # fmt: skip
    assert changed != text
    described.write_text(changed)
    bad = run_pytest(folder, "-k", "back_to_back")
    assert bad.returncode == 1
    assert "did not leave, and must (PASS, r0 = 0x1)" in bad.stdout
