"""A row for every program of an object, and never anything else, whatever the object is."""

import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from rxgate.compiler.errors import ElfError
from rxgate.compiler.load.clang import INCLUDE, _headers
from rxgate.compiler.options import Options
from rxgate.compiler.survey import Compiled, Refused, survey

SOURCE = """
#include <linux/bpf.h>
#include <rxgate/xdp.h>
#define WEAK __attribute__((weak))
struct { int type, key, value, entries, flags; } unused SEC(".maps"), used SEC(".maps");
static void *(*lookup)(void *, const void *) = (void *)1;
const volatile __u32 limit = 100, table[8] = {1, 2, 3, 4, 5, 6, 7, 8};
static const char *const names[] = {"ab", "cde"};
__u32 seen, start = 7;
__u64 array[4];
static __u32 hidden[3];
extern int strange(int) SEC(".ksyms");
extern int perhaps(int) SEC(".ksyms") WEAK;
extern int gone(int);
extern const int CONFIG_HZ __attribute__((section(".kconfig")));
static __noinline int local(struct xdp_md *c) { return c->rx_queue_index & 3; }
WEAK __noinline int weak(struct xdp_md *c) { return c->rx_queue_index & 1; }
__noinline int wide(struct xdp_md *c) { return local(c) + weak(c); }
SEC("xdp") int calls(struct xdp_md *c) { return wide(c); }
SEC("xdp") int egress(struct xdp_md *c) { return c->egress_ifindex == 4; }
SEC("xdp/map") int map(struct xdp_md *c)
{ int k = 0, *v = lookup(&used, &k); return v ? *v : 1; }
SEC("xdp/bss") int bss(struct xdp_md *c) { return seen++; }
SEC("xdp/data") int data(struct xdp_md *c) { return start; }
SEC("xdp/array") int arrays(struct xdp_md *c) { return array[c->rx_queue_index & 3]; }
SEC("xdp/hidden") int statics(struct xdp_md *c) { return ++hidden[c->rx_queue_index & 1]; }
SEC("xdp/rodata") int rodata(struct xdp_md *c) { return table[c->rx_queue_index & 7] + limit; }
SEC("xdp/names") int addresses(struct xdp_md *c) { return names[c->rx_queue_index & 1][1]; }
SEC("xdp/strange") int kernel(struct xdp_md *c) { return strange(1); }
SEC("xdp/perhaps") int if_there(struct xdp_md *c) { return perhaps ? perhaps(1) : 2; }
SEC("xdp/gone") int undefined(struct xdp_md *c) { return gone(1); }
SEC("xdp/set") int library(struct xdp_md *c)
{ char a[8] = {}, b[8] = {}; return __builtin_memcmp(a, b, c->rx_queue_index & 7); }
SEC("xdp/config") int config(struct xdp_md *c) { return CONFIG_HZ > 5; }
SEC("xdp/unsafe") int unsafe(struct xdp_md *c) { return *(__u8 *)(long)c->data; }
SEC("xdp/forever") int forever(struct xdp_md *c) { volatile int n = 1; while (n) n++; return 2; }
SEC("xdp.frags") int fragments(struct xdp_md *c) { return c->data_end - c->data > 1000; }
SEC("xdp.frags/devmap") int devmap(struct xdp_md *c) { return c->egress_ifindex == 4; }
SEC("prog") int oldest(struct xdp_md *c) { return c->data_end - c->data > 3; }
SEC("mine") int own(struct xdp_md *c) { return c->data_end - c->data > 3; }
SEC("either") int unclear(struct __sk_buff *c) { return c->len; }
SEC("tc") int classify(struct __sk_buff *c) { return c->len; }
SEC("kprobe/x") int probe(void *c) { return 0; }
SEC("?xdp") int later(struct xdp_md *c) { return 2; }
char gpl[] SEC("license") = "GPL";
"""
REASONS = {
    "egress": "exists only in programs of a devmap (section xdp/devmap",
    "map": "map `used` is used; maps are not supported yet",
    "bss": "writable global variable seen (section .bss",
    "data": "writable global variable start (section .data",
    "arrays": "writable global variable array (section .bss",
    "statics": "writable global variable hidden (section .bss",
    "addresses": "that are addresses; constants can only be plain",
    "kernel": "kernel function strange() is not supported",
    "undefined": "gone() is called, but the object does not define it. Link it",
    "library": "memcmp() of the C library is called, which no packet program has. Give",
    "config": "takes the address of CONFIG_HZ, which the object does not define",
    "unsafe": "1 bytes at packet pointer +0 are read, but no check against data_end",
    "forever": "is not proven to end within 16 iterations",
    "devmap": "is not supported: a devmap runs its program when a packet leaves",
    "unclear": "does not say how the return value is read; choose with --context __sk_buff or",
    "probe": "a program in section kprobe/x is no packet filter",
}
OPTIONS = Options(max_unroll=16)


def build(folder: Path, text: str, *flags: str, target: str = "bpfel-freestanding") -> bytes:
    """An object by clang, with the flags that a user might have taken."""
    (folder / "p.c").write_text(text)
    paths = [f"-I{INCLUDE}", *(f"-isystem{d}" for group in _headers() for d in group)]
    command = [sys.executable, "-m", "ziglang", "cc", "-target", target, "-O2", "-w", *flags, *paths]
    subprocess.run([*command, "-c", "p.c", "-o", "p.o"], cwd=folder, check=True)
    return (folder / "p.o").read_bytes()


@pytest.fixture(scope="module")
def objects(tmp_path_factory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("objects")
    return {
        "BTF": build(folder, SOURCE, "-g", "-mcpu=v3", "-fno-jump-tables"),
        "no BTF": build(folder, SOURCE, "-g0", "-mcpu=v2"),
        "sections for all": build(folder, SOURCE, "-g", "-ffunction-sections", "-fdata-sections"),
    }


def rows(path: Path) -> dict[str, Compiled | Refused]:
    found = list(survey(str(path), OPTIONS))
    assert [row for row in found if isinstance(row, Refused) and row.is_defect] == []
    assert all(row.reason for row in found if isinstance(row, Refused))
    return {row.function: row for row in found}


@pytest.mark.parametrize("kind", ["BTF", "no BTF", "sections for all"])
def test_every_program_has_its_row(objects, tmp_path, kind):
    path = tmp_path / "several.o"
    path.write_bytes(objects[kind])
    found = rows(path)
    without_types = {"undefined": "kernel function gone() is not supported", "unclear": None}
    for name, row in found.items():
        reason = REASONS.get(name)
        if kind == "no BTF":
            reason = without_types.get(name, reason)
        if reason is None or (kind == "no BTF" and name == "if_there"):
            assert isinstance(row, Compiled) == (name != "if_there" or kind != "no BTF"), row
            continue
        assert isinstance(row, Refused), row
        assert reason in row.reason
        has_line = kind != "no BTF" and name not in ("unclear", "probe")
        assert row.place.partition(":")[0].endswith("p.c" if has_line else ""), row
    assert len(found) == 24
    assert {"calls", "rodata", "fragments", "oldest", "own", "classify", "later"} <= {
        name for name, row in found.items() if isinstance(row, Compiled)
    }


def test_an_object_of_many_programs(tmp_path):
    text = "#include <linux/bpf.h>\n#include <rxgate/xdp.h>\n" + "\n".join(
        f'SEC("xdp/{n % 7}") int p{n}(struct xdp_md *c) {{ return {n % 5}; }}' for n in range(60)
    )
    build(tmp_path, text)
    assert sorted(rows(tmp_path / "p.o")) == sorted(f"p{n}" for n in range(60))


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("x86_64-linux", "is for ELF machine 62, not for eBPF"),
        ("aarch64-linux", "is for ELF machine 183"),
        ("arm-linux", "is not a 64-bit little-endian object"),
        ("bpfeb-freestanding", "is not a 64-bit little-endian object"),
        ("aarch64-macos", "is not an ELF file"),
        ("wasm32-freestanding", "is not an ELF file"),
    ],
)  # fmt: skip
def test_objects_for_others(tmp_path, target, reason):
    build(tmp_path, "int f(int n) { return n + 1; }\n", target=target)
    with pytest.raises(ElfError, match=reason):
        list(survey(str(tmp_path / "p.o"), OPTIONS))


def damage(blob: bytes, rng: random.Random) -> bytes:
    """The object after an accident: bytes changed, cut off, taken out, or written twice."""
    b = bytearray(blob)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        at = rng.randrange(len(b))
        match rng.randrange(8):
            case 0 | 1 | 2:
                b[at] = rng.randrange(256)
            case 3:
                b[at] ^= 1 << rng.randrange(8)
            case 4:
                word = rng.choice((0, 1, (1 << 32) - 1, (1 << 31) - 1, 1 << 31, len(b)))
                b[at : at + 4] = word.to_bytes(4, "little")
            case 5:
                del b[max(at, 1) :]
            case 6:
                del b[max(at, 1) : at + rng.randrange(16)]
            case 7:
                source = rng.randrange(len(b))
                b[at : at + 64] = b[source : source + 64]
    return bytes(b)


def test_damaged_objects(objects, tmp_path):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    path = tmp_path / "damaged.o"
    judged = 0
    for _ in range(40):
        path.write_bytes(damage(objects[rng.choice(sorted(objects))], rng))
        with suppress(ElfError):
            judged += len(rows(path))
    assert judged


def test_a_defect_is_told_and_hides_nothing(objects, tmp_path, monkeypatch):
    def fail(program, options):
        raise KeyError(program.name)

    monkeypatch.setattr("rxgate.compiler.survey.compile_program", fail)
    path = tmp_path / "several.o"
    path.write_bytes(objects["BTF"])
    found = {row.function: row for row in survey(str(path), OPTIONS)}
    assert len(found) == 24
    assert found["calls"].is_defect
    assert found["calls"].reason == "KeyError: 'calls'"
    assert not found["map"].is_defect
