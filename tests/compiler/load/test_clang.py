"""The compiler is found, runs anywhere, and its complaints reach the user."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from rxgate.compiler.errors import InputError, ToolError
from rxgate.compiler.load import load_program
from rxgate.compiler.load.clang import compile_source

PASS = '#include <rxgate/phys_dev.h>\nSEC("phys_dev") int f(void *c) { return 1; }\n'


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "prog.c"
    path.write_text(PASS)
    return path


def test_an_error_is_told_with_its_place(source):
    source.write_text(PASS + "int g(void) { return nothing; }\n")
    with pytest.raises(InputError) as caught:
        load_program(source)
    first, second, *_ = str(caught.value).splitlines()
    assert first == "prog.c does not compile:"
    assert second == "prog.c:3:22: error: use of undeclared identifier 'nothing'"


def test_many_errors_are_cut_short(source):
    source.write_text("\n".join(f"int f{n}(void) {{ return x{n}; }}" for n in range(100)))
    with pytest.raises(InputError) as caught:
        load_program(source)
    lines = str(caught.value).splitlines()
    assert len(lines) <= 32
    assert lines[-1].startswith("... and ")


def test_signed_division_needs_the_newest_instruction_set(source):
    source.write_text(
        '#include <rxgate/phys_dev.h>\nSEC("phys_dev")\n'
        "int f(struct xdp_metadata *c) { return (int)c->len / (int)c->hash; }\n"
    )
    assert load_program(source).code == load_program(source, mcpu="v4").code
    with pytest.raises(InputError, match="unsupported signed division"):
        load_program(source, mcpu="v3")


def test_no_function_of_the_c_library_is_called(source):
    source.write_text(
        '#include <linux/bpf.h>\n#include <string.h>\n#include <rxgate/xdp.h>\nSEC("xdp")\n'
        "int f(struct xdp_md *c) { void *d = (void *)(long)c->data; char b[64];\n"
        "if (d + 64 > (void *)(long)c->data_end) return 0;\n"
        "for (__u32 i = 0; i < (c->rx_queue_index & 63); i++) b[i] = 0;\n"
        "memcpy(b, d, 12); return memcmp(b, d + 6, 6) ? memcmp(d, d + 12, 12) < 0 : 2; }\n"
    )
    assert load_program(source).externs == {}


def test_the_compiler_may_be_another(source, tmp_path, monkeypatch):
    clang = tmp_path / "my clang"
    clang.write_text(
        "#!/bin/sh\n[ \"$1 $2\" = '-target bpf' ] || exit 9\nshift 2\n"
        f'exec "{sys.executable}" -m ziglang cc -target bpfel-freestanding "$@"\n'
    )
    clang.chmod(0o755)
    expected = compile_source(source)
    monkeypatch.setenv("RXGATE_CLANG", str(clang))
    assert compile_source(source) == expected
    monkeypatch.setenv("RXGATE_CLANG", str(tmp_path / "none"))
    with pytest.raises(ToolError, match=r"cannot be run: .*none: No such file.*RXGATE_CLANG"):
        compile_source(source)


def test_it_runs_without_a_home_and_in_parallel(source, monkeypatch):
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.setenv("XDG_CACHE_HOME", "/nonexistent")
    before = sorted(source.parent.iterdir())
    with ThreadPoolExecutor(4) as pool:
        blobs = set(pool.map(compile_source, [source] * 8))
    assert len(blobs) == 1
    assert sorted(source.parent.iterdir()) == before
