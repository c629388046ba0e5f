"""A damaged object gives a program or a diagnostic, never anything else."""

import random
from collections.abc import Iterator

import pytest
from rxgate.compiler.decode import decode
from rxgate.compiler.errors import RxgateError
from rxgate.compiler.load.clang import compile_source
from rxgate.compiler.load.elf import load_elf
from rxgate.compiler.load.image import read_image

PROGRAM = """\
#include <rxgate/phys_dev.h>
const volatile __u32 table[4] = {1, 22, 333, 4444};
static __noinline int part(struct xdp_metadata *c) { return load_byte(c, 23); }
SEC("phys_dev") int f(struct xdp_metadata *c) { return part(c) + table[c->len & 3]; }
"""
CHUNKS = 4
SEED = random.randrange(1 << 32)


@pytest.fixture(scope="module")
def blob(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("damage") / "prog.c"
    path.write_text(PROGRAM)
    return compile_source(path)


def outcome(blob: bytes) -> str:
    """What loading gives; an exception that is none of ours fails the test."""
    try:
        decode(load_elf(blob, "damaged.o"))
    except RxgateError as e:
        return type(e).__name__ if str(e) and "\n" not in str(e) else "no diagnostic"
    return "program"


def header_region(blob: bytes) -> Iterator[int]:
    """Bytes of the ELF header, section headers, names, symbols and the code's relocations."""
    image = read_image(blob, "x")
    yield from range(64)
    table = int.from_bytes(blob[40:48], "little")
    yield from range(table, table + 64 * len(image.sections))
    for name in (".strtab", ".symtab", ".relphys_dev"):
        if section := image.named(name):
            yield from range(section.file_offset, section.file_offset + len(section.data))


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_byte_of_the_header_region_flipped(blob, chunk):
    seen = set()
    for at in list(header_region(blob))[chunk::CHUNKS]:
        damaged = bytearray(blob)
        damaged[at] ^= 0xFF
        seen.add(outcome(bytes(damaged)))
    assert {"program", "ElfError"} <= seen
    assert "no diagnostic" not in seen


def test_random_bits_anywhere_flipped(blob):
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    for _ in range(200):
        damaged = bytearray(blob)
        for _ in range(chance.choice((1, 1, 2, 8))):
            damaged[chance.randrange(len(blob))] ^= 1 << chance.randrange(8)
        assert outcome(bytes(damaged)) != "no diagnostic"


def test_truncated_at_every_16th_byte(blob):
    for size in range(0, len(blob), 16):
        assert outcome(blob[:size]) == "ElfError", size
