"""Instructions know their source lines, from BTF, from DWARF, and from the source file itself."""

import pytest
from rxgate.compiler.errors import SourceLine
from rxgate.compiler.load import load_program
from rxgate.compiler.load.clang import compile_source
from rxgate.compiler.load.elf import load_elf

MAIN = """\
#include <rxgate/phys_dev.h>
#include "part.h"
static __noinline int own(struct xdp_metadata *c)
{
	return load_half(c, 12);
}
SEC("phys_dev") int f(struct xdp_metadata *c)
{
	if (c->len < 60)
		return 0;
	return own(c) + part(c);
}
"""
PART = """\
static __noinline int part(struct xdp_metadata *c)
{
	return load_byte(c, 23);
}
"""


@pytest.fixture
def source(tmp_path):
    (tmp_path / "part.h").write_text(PART)
    (tmp_path / "main.c").write_text(MAIN)
    return tmp_path / "main.c"


@pytest.mark.parametrize("mcpu", ["v1", "v4"])
def test_btf_lines_with_their_text(source, mcpu):
    raw = load_program(source, mcpu=mcpu)
    lines = set(raw.lines.values())
    assert SourceLine("main.c", 9, "\tif (c->len < 60)") in lines
    starts = {name: slot for slot, name in raw.functions.items()}
    bounds = [*sorted(raw.functions), len(raw.code) // 8]

    def of(name: str) -> set[tuple[str, int]]:
        end = next(b for b in bounds if b > starts[name])
        return {(s.file, s.line) for slot, s in raw.lines.items() if starts[name] <= slot < end}

    assert ("main.c", 5) in of("own")
    assert ("part.h", 3) in of("part")
    assert ("main.c", 9) in of("f")
    assert not of("f") & (of("own") | of("part"))


def test_dwarf_lines_when_there_is_no_btf(source):
    blob = compile_source(source)
    without = blob.replace(b".BTF.ext\0", b".XTF.ext\0")
    assert without != blob
    raw = load_elf(without, "main.o")
    assert {(s.file, s.line) for s in raw.lines.values()} >= {
        ("main.c", 5), ("main.c", 9), ("main.c", 11), ("part.h", 3),
    }
    expected = load_elf(blob, "main.o").lines
    for slot, name in raw.functions.items():
        assert raw.lines[slot].file == expected[slot].file, name


def test_assembly_lines_get_their_text_from_the_file(tmp_path):
    path = tmp_path / "prog.s"
    path.write_text('.section phys_dev,"ax"\nr0 = 1 # pass\nexit\n')
    assert load_program(path).lines == {
        0: SourceLine("prog.s", 2, "r0 = 1 # pass"), 1: SourceLine("prog.s", 3, "exit"),
    }


def test_the_place_of_the_build_leaves_no_trace(source, tmp_path):
    elsewhere = tmp_path / "deep" / "er"
    elsewhere.mkdir(parents=True)
    for file in (source, source.parent / "part.h"):
        (elsewhere / file.name).write_bytes(file.read_bytes())
    assert load_program(source) == load_program(elsewhere / "main.c")
    assert compile_source(source) == compile_source(elsewhere / "main.c")
    assert str(tmp_path).encode() not in compile_source(source)
