"""The digest tells programs apart; what the compiler writes of a control port is complete."""

import hashlib
import json
from dataclasses import replace

import pytest
from rxgate import __version__
from rxgate.compiler.decode import decode
from rxgate.compiler.driver import compile_program
from rxgate.compiler.identity import digest, program_id
from rxgate.compiler.insn import Exit, LoadData, LoadImm64
from rxgate.compiler.load.text import load_text
from rxgate.compiler.manifest import manifest, output_files
from rxgate.compiler.options import Options
from rxgate.ctx_map.register_views import c_header
from rxgate.ctx_map.registers import REGISTERS
from rxgate.hdl.axil import CHANNELS

PASS = "b7 00 0000 01000000  # r0 = 1\n95 00 0000 00000000  # exit\n"


@pytest.fixture
def program():
    return decode(load_text(PASS, "pass"))


def test_the_digest_is_that_of_the_instructions(program):
    code = bytes.fromhex("b700000001000000 9500000000000000")
    assert digest(program) == hashlib.sha256(code).digest()[:8]
    assert digest(replace(program, name="other", lines={})) == digest(program)


def test_what_the_instructions_refer_to_counts(program):
    def with_data(section, offset, content):
        insns = (LoadData(1, section, offset), None, LoadImm64(0, 1), None, Exit())
        return digest(replace(program, insns=insns, data={section: content, "unused": b"x"}))

    digests = {
        with_data(".rodata", 0, b"abcd"), with_data(".rodata", 0, b"abce"),
        with_data(".rodata", 1, b"abcd"), with_data(".rodata.a", 0, b"abcd"), digest(program),
    }  # fmt: skip
    assert len(digests) == 5
    assert with_data(".rodata", 0, b"abcd") in digests


def test_the_port_is_there_when_it_is_asked_for(program):
    plain = compile_program(program, Options(width=64))
    assert set(output_files(plain)) == {"rxgate.v", "manifest.json"}
    assert "control_port" not in manifest(plain)
    assert "s_axil" not in plain.verilog

    design = compile_program(program, Options(width=64, control_port=True))
    files = output_files(design)
    assert set(files) == {"rxgate.v", "manifest.json", "rxgate_regs.h", "registers.json"}
    assert files["rxgate_regs.h"] == c_header()
    described = json.loads(files["manifest.json"])
    assert described["control_port"] == json.loads(files["registers.json"])
    ports = {port["name"]: port["width"] for port in described["ports"]}
    for name, member in CHANNELS.items():
        assert ports[f"s_axil_{name}"] == member.shape
        assert f"s_axil_{name};" in design.verilog

    registers = {r["name"]: r for r in described["control_port"]["registers"]}
    assert list(registers) == [r.name for r in REGISTERS]
    values = {name: int(r["value"], 16) for name, r in registers.items() if "value" in r}
    assert values["digest"].to_bytes(8, "little") == digest(program)
    assert values["latency"] == described["latency_cycles"]
    assert values["width"] == 64
    name = program_id(program).name.encode()
    assert values["program"].to_bytes(32, "little").rstrip(b"\0") == name
    major, minor, patch = (int(part) for part in __version__.split("."))
    assert values["rxgate_version"] == major << 16 | minor << 8 | patch
    bits = {bit["name"]: bit["position"] for bit in registers["command"]["bits"]}
    assert bits == {"snapshot": 0, "clear": 1, "commit": 2}
