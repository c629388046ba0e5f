"""A damaged object compiles, or is refused with a diagnostic; nothing else happens."""

import random
import re

import pytest
from rxgate.compiler.cfg import build_cfg
from rxgate.compiler.driver import compile_program
from rxgate.compiler.errors import RxgateError
from rxgate.compiler.load.clang import compile_source
from rxgate.compiler.source import read_program
from rxgate.compiler.verify import verify

PROGRAM = """\
#include <rxgate/phys_dev.h>
const volatile __u32 table[4] = {1, 22, 333, 4444};
static __noinline int part(struct xdp_metadata *c) { return load_byte(c, 23); }
SEC("phys_dev") int f(struct xdp_metadata *c) { return part(c) + table[c->len & 3]; }
"""


@pytest.fixture(scope="module")
def blob(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("object") / "prog.c"
    path.write_text(PROGRAM)
    return compile_source(path)


@pytest.fixture
def outcome(tmp_path):
    """Verifies an object, compiles it when it is asked for, and names the diagnostic."""
    path = tmp_path / "x.o"

    def run(blob: bytes, *, whole: bool = False) -> str:
        path.write_bytes(blob)
        try:
            program = read_program(str(path))
            verify(build_cfg(program))
            if whole:
                compile_program(program)
        except RxgateError as error:
            return type(error).__name__ if re.fullmatch(r".+", str(error)) else "no diagnostic"
        return "program"

    return run


def header_region(blob: bytes) -> list[int]:
    """Bytes of the ELF header, and of the section headers."""
    table = int.from_bytes(blob[40:48], "little")
    count = int.from_bytes(blob[60:62], "little")
    return [*range(64), *range(table, table + 64 * count)]


def test_every_byte_of_the_headers(outcome, blob):
    seen = set()
    for n, at in enumerate(header_region(blob)):
        damaged = bytearray(blob)
        damaged[at] ^= (0xFF, 0x01, 0x80)[n % 3]
        seen.add(outcome(bytes(damaged), whole=n % 60 == 0))
    assert {"program", "ElfError"} <= seen
    assert "no diagnostic" not in seen


def test_every_byte_of_the_rest_once(outcome, blob):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for at in rng.sample(range(64, len(blob)), 250):
        damaged = bytearray(blob)
        damaged[at] = rng.randrange(256)
        assert outcome(bytes(damaged), whole=rng.random() < 0.05) != "no diagnostic"


def test_truncated(outcome, blob):
    for size in range(0, len(blob), 13):
        assert outcome(blob[:size]) == "ElfError", size


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        ((18, 20), 62, "is for ELF machine 62, not for eBPF (247)"),
        ((16, 18), 2, "is not a relocatable object (ELF type 2, expected 1)"),
        ((4, 5), 1, "is not a 64-bit little-endian object"),
        ((5, 6), 2, "is not a 64-bit little-endian object"),
        ((60, 62), 0, "has no usable section table"),
        ((60, 62), 60000, "is truncated: its section table ends at byte"),
    ],
)  # fmt: skip
def test_wrong_header(refused, tmp_path, blob, place, value, reason):
    damaged = bytearray(blob)
    damaged[slice(*place)] = value.to_bytes(place[1] - place[0], "little")
    (tmp_path / "x.o").write_bytes(damaged)
    for words in (("check", "x.o"), ("compile", "x.o", "-o", "out", "--json"), ("run", "x.o")):
        assert reason in refused(*words)
