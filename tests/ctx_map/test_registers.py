"""The registers of the control port are apart from each other, and every view of them is the same."""

import json
import re
from itertools import pairwise

import pytest
from rxgate.compiler.load import load_program
from rxgate.ctx_map.register_views import PAGE, c_header, markdown_page, to_json
from rxgate.ctx_map.registers import (
    ADDRESS_BITS,
    BY_NAME,
    COUNTERS,
    MAGIC,
    REGIONS,
    REGISTERS,
    Access,
    ProgramId,
    identification,
    place_tunables,
)


def apart(ranges):
    ordered = sorted(ranges, key=lambda r: r.offset)
    return all(a.end <= b.offset for a, b in pairwise(ordered))


def test_nothing_overlaps():
    assert apart(REGISTERS)
    assert apart(REGIONS)
    assert len(BY_NAME) == len(REGISTERS)
    assert max(r.end for r in REGIONS) == 1 << ADDRESS_BITS


@pytest.mark.parametrize("register", REGISTERS, ids=lambda r: r.name)
def test_a_register_is_whole_words_in_one_region(register):
    assert register.width > 0
    assert register.width % 32 == register.offset % 4 == 0
    assert register.offset % 8 == 0 or register.width == 32
    assert any(r.offset <= register.offset and register.end <= r.end for r in REGIONS)
    positions = [bit.position for bit in register.bits]
    assert len(set(positions)) == len(positions)
    assert all(position < register.width for position in positions)


def test_places_that_hosts_rely_on():
    """What has been given out once stays where it is."""
    offsets = {
        "magic": 0, "map_version": 4, "rxgate_version": 8, "flags": 0xC, "width": 0x10,
        "window": 0x14, "max_frame": 0x18, "latency": 0x1C, "digest": 0x20, "program": 0x40,
        "scratch": 0x100, "command": 0x104, "commits": 0x108, "received": 0x200, "pass": 0x208,
        "drop": 0x210, "aborted": 0x218, "tx": 0x220, "redirect": 0x228, "overflow": 0x230,
        "bad": 0x238,
    }
    assert {r.name: r.offset for r in REGISTERS} == offsets
    assert set(COUNTERS) <= set(offsets)
    assert MAGIC == 0x54475852
    assert [b.position for b in BY_NAME["command"].bits] == [0, 1, 2]
    placed = place_tunables([("a", b"12345"), ("b.c", bytes(8)), ("d", b"x")])
    assert [t.offset for t in placed] == [0x1000, 0x1008, 0x1010]
    assert [t.words for t in placed] == [2, 2, 1]


def test_identification():
    program = ProgramId("drop_ä\n" + "x" * 40, bytes(range(8)), "1.2.3rc1")
    values = identification(
        program, width=64, window=34, max_frame=9216, latency=13, flags=["mark_drops"]
    )
    assert values["digest"] == 0x0706050403020100
    assert values["program"].to_bytes(32, "little") == b"drop_??" + b"x" * 25
    assert values["rxgate_version"] == 0x00010203
    assert values["flags"] == 4
    assert set(values) | {"scratch", "command", "commits", *COUNTERS} == set(BY_NAME)
    short = ProgramId("xdp", version="2.1")
    assert (short.name_bytes, short.version_word) == (b"xdp" + bytes(29), 0x00020100)
    with pytest.raises(ValueError, match="A digest has 8 bytes, not 2"):
        ProgramId("xdp", b"ab")


def test_the_page_is_the_generated_one():
    assert PAGE.read_text() == markdown_page()


def test_json_says_it_all():
    text = json.dumps(to_json({"magic": MAGIC, "digest": 1}))
    described = json.loads(text)["registers"]
    assert [(d["name"], d["offset"], d["width_bits"]) for d in described] == [
        (r.name, r.offset, r.width) for r in REGISTERS
    ]
    assert [Access[d["access"].upper()] for d in described] == [r.access for r in REGISTERS]
    values = {d["name"]: d["value"] for d in described if "value" in d}
    assert values == {"magic": "0x54475852", "digest": "0x0000000000000001"}
    tunables = place_tunables([("limit", b"\x01\xff"), ("b", b"z")])
    assert json.loads(json.dumps(to_json({}, tunables)))["tunables"] == [
        {"name": "limit", "offset": 0x1000, "size": 2, "initial": "01ff"},
        {"name": "b", "offset": 0x1008, "size": 1, "initial": "7a"},
    ]


def test_a_compiler_sees_the_same_offsets(tmp_path):
    asserts = [
        f'_Static_assert(RXGATE_REG_{r.name.upper()} == {r.offset}, "{r.name}");'
        for r in REGISTERS
    ]
    asserts += [
        f"_Static_assert(RXGATE_{r.name.upper()}_{b.name.upper()} == 1u << {b.position},"
        f' "{b.name}");'
        for r in REGISTERS for b in r.bits
    ]  # fmt: skip
    asserts.append(f'_Static_assert(RXGATE_MAGIC == {MAGIC}, "magic");')
    # Names that C cannot tell apart get their places.
    tunables = place_tunables([("limit", bytes(4)), ("f.x", bytes(3)), ("f_x", bytes(1))])
    asserts += [
        f'_Static_assert(RXGATE_TUNABLE_{name} == {value}, "{name}");'
        for name, value in {
            "LIMIT": 0x1000, "LIMIT_BYTES": 4, "F_X": 0x1008, "F_X_BYTES": 3,
            "F_X_1010": 0x1010, "F_X_1010_BYTES": 1,
        }.items()
    ]  # fmt: skip
    (tmp_path / "rxgate_regs.h").write_text(c_header(tunables))
    source = tmp_path / "all.c"
    source.write_text(
        f'#include "{tmp_path / "rxgate_regs.h"}"\n#include <rxgate/phys_dev.h>\n'
        + "\n".join(asserts)
        + '\nSEC("phys_dev") int all(struct xdp_metadata *ctx) { return RXGATE_REG_MAGIC; }\n'
    )
    assert load_program(source).code
    names = re.findall(r"#define (\w+)", c_header(tunables))
    assert len(set(names)) == len(names)
