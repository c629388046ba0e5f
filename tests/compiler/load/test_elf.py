"""Objects from the compiler, and objects changed by hand, become the right linked program."""

import struct

import pytest
from rxgate.compiler.decode import decode
from rxgate.compiler.errors import ElfError, InputError, RxgateError, Unsupported
from rxgate.compiler.insn import CallExtern, CallLocal, Load, LoadData
from rxgate.compiler.load import RawProgram, load_program
from rxgate.compiler.load.clang import compile_source
from rxgate.compiler.load.elf import load_elf
from rxgate.compiler.load.image import read_image
from rxgate.ctx_map.context import SK_BUFF, TC, XDP_MD, XDP_METADATA

CPUS = pytest.mark.parametrize("mcpu", ["v1", "v3", "v4"])


@pytest.fixture
def build(tmp_path):
    """C text -> object."""

    def compile_text(text, mcpu=None, name="prog.c"):
        path = tmp_path / name
        path.write_text(text if name.endswith(".s") else f"#include <rxgate/phys_dev.h>\n{text}\n")
        return compile_source(path, mcpu)

    return compile_text


def imm(raw: RawProgram, slot: int) -> int:
    return struct.unpack_from("<i", raw.code, slot * 8 + 4)[0]


@CPUS
def test_calls_reach_every_function_once_and_are_linked(build, mcpu):
    blob = build(
        """
        static __noinline int leaf(struct xdp_metadata *c) { return load_half(c, 4); }
        __noinline int middle(struct xdp_metadata *c) { return load_byte(c, 1) + leaf(c); }
        __noinline int unused(struct xdp_metadata *c) { return load_byte(c, 7); }
        SEC("phys_dev") int entry(struct xdp_metadata *c) { return leaf(c) + middle(c); }
        """,
        mcpu,
    )
    raw = load_elf(blob, "prog.o")
    assert list(raw.functions.values()) == ["entry", "leaf", "middle"]
    assert next(iter(raw.functions)) == 0
    calls = {
        slot: i.target for slot, i in enumerate(decode(raw).insns) if isinstance(i, CallLocal)
    }
    targets = {name: slot for slot, name in raw.functions.items()}
    assert sorted(calls.values()) == sorted([targets["leaf"]] * 2 + [targets["middle"]])
    in_middle = next(t for s, t in calls.items() if s > targets["middle"])
    assert in_middle == targets["leaf"]


@CPUS
def test_a_call_inside_one_section_without_relocation(build, mcpu):
    blob = build(
        """
        SEC("phys_dev") __noinline static int twin(struct xdp_metadata *c)
        { return load_byte(c, 1); }
        SEC("phys_dev") int entry(struct xdp_metadata *c) { return twin(c) + 1; }
        """,
        mcpu,
    )
    raw = load_elf(blob, "prog.o")
    assert list(raw.functions.values()) == ["entry", "twin"]
    call = next(i for i in decode(raw).insns if isinstance(i, CallLocal))
    assert raw.functions[call.target] == "twin"


@CPUS
def test_constants_become_references_with_their_offset(build, mcpu):
    blob = build(
        """
        const volatile __u32 first = 0x11223344;
        const volatile __u32 table[4] = {1, 22, 333, 4444};
        SEC("phys_dev") int entry(struct xdp_metadata *c)
        { return first + table[2] + table[c->len & 3] + "0123456789abcdef"[c->hash & 15]; }
        """,
        mcpu,
    )
    raw = load_elf(blob, "prog.o")
    program = decode(raw)
    refs = [i for i in program.insns if isinstance(i, LoadData)]
    assert {r.section for r in refs} == {".rodata", ".rodata.str1.1"} == set(raw.data)
    assert raw.data[".rodata"] == struct.pack("<5I", 0x11223344, 1, 22, 333, 4444)
    assert raw.data[".rodata.str1.1"].startswith(b"0123456789abcdef")
    assert {r.offset for r in refs if r.section == ".rodata"} >= {0, 4}
    assert all(imm(raw, slot) == imm(raw, slot + 1) == 0 for slot in raw.data_refs)


def test_variables_are_found_by_their_names(build):
    """Those of all sections that the program refers to, static ones too; and no others."""
    blob = build(
        """
        const volatile __u32 first = 1;
        static const volatile __u8 bytes[3] = {1, 2, 3};
        SEC(".rodata.limits") const volatile __u16 limit = 9;
        SEC(".rodata.others") const volatile __u16 other = 9;
        static __noinline int g(int n) { static const volatile __u8 limit = 4; return n + limit; }
        SEC("phys_dev") int entry(struct xdp_metadata *c)
        {
            static const volatile __u8 step = 5;
            return g(first + bytes[c->len % 3] + limit + step + "text"[c->hash & 3]);
        }
        """,
    )
    raw = load_elf(blob, "prog.o")
    assert set(raw.data) >= {".rodata", ".rodata.limits"}
    assert ".rodata.others" not in raw.data
    found = {name: (v.section, v.size) for name, v in raw.variables.items()}
    assert found == {
        "first": (".rodata", 4), "bytes": (".rodata", 3), "limit": (".rodata.limits", 2),
        "g.limit": (".rodata", 1), "entry.step": (".rodata", 1),
    }
    contents = {n: raw.data[v.section][v.offset :][: v.size] for n, v in raw.variables.items()}
    assert contents == {
        "first": b"\1\0\0\0", "bytes": b"\1\2\3", "limit": b"\x09\0", "g.limit": b"\4",
        "entry.step": b"\5",
    }


def test_names_that_several_variables_have(build):
    """Objects that were linked can hold static variables of one name; the global one keeps it."""
    blob = build(
        """
        .section phys_dev,"ax",@progbits
        .globl entry
        .type entry,@function
        entry: r1 = one ll
        r0 = *(u8 *)(r1 + 0)
        exit
        .size entry, .-entry
        .section .rodata,"a",@progbits
        .type one,@object
        one: .byte 1
        .size one, 1
        .type two,@object
        two: .byte 2
        .size two, 1
        .globl one_
        .type one_,@object
        one_: .byte 3
        .size one_, 1
        """,
        name="prog.s",
    )
    # Both names of the table of names become "one": that of a static variable, and the global one.
    raw = load_elf(blob.replace(b"\0two\0", b"\0one\0").replace(b"\0one_\0", b"\0one\0\0"), "x.o")
    assert {name: v.offset for name, v in raw.variables.items()} == {
        "one@.rodata+0": 0, "one@.rodata+1": 1, "one": 2,
    }


def rela(blob: bytes, addend: int) -> bytes:
    """The object with the relocations of phys_dev in the form that has explicit addends."""
    image = read_image(blob, "x")
    section = image.named(".relphys_dev")
    assert section is not None
    (table,) = struct.unpack_from("<Q", blob, 40)
    entries = b"".join(
        section.data[at : at + 16] + struct.pack("<q", addend)
        for at in range(0, len(section.data), 16)
    )
    changed = bytearray(blob + entries)
    header = table + section.index * 64
    struct.pack_into("<I", changed, header + 4, 4)
    struct.pack_into("<QQ", changed, header + 24, len(blob), len(entries))
    struct.pack_into("<Q", changed, header + 56, 24)
    return bytes(changed)


def test_explicit_addends_count(build):
    blob = build(
        """
        const volatile __u32 table[4] = {1, 22, 333, 4444};
        SEC("phys_dev") int entry(struct xdp_metadata *c) { return table[0]; }
        """
    )
    assert list(load_elf(rela(blob, 0), "x").data_refs.values()) == [(".rodata", 0)]
    assert list(load_elf(rela(blob, 8), "x").data_refs.values()) == [(".rodata", 8)]


def test_constants_that_are_addresses_are_refused_only_where_they_are_used(build):
    blob = build(
        """
        static const char *const names[] = {"abc", "defg"};
        static const volatile __u32 plain[2] = {1, 2};
        SEC("phys_dev/names") int a(struct xdp_metadata *c)
        { return names[c->len & 1][c->hash & 1]; }
        SEC("phys_dev/plain") int b(struct xdp_metadata *c) { return plain[c->len & 1]; }
        """
    )
    assert load_elf(blob, "prog.o", "phys_dev/plain").data
    with pytest.raises(Unsupported, match=r"are addresses.*Use indices"):
        load_elf(blob, "prog.o", "phys_dev/names")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("__u32 n; SEC(\"p\") int f(void *c) { return n; }", "global variable n (section .bss)"),
        ("__u32 n = 3; SEC(\"p\") int f(void *c) { return n++; }", "n (section .data)"),
        (
            "extern const int outside; SEC(\"p\") int f(void *c) { return outside; }",
            "the address of outside, which the object does not define",
        ),
    ],
)
def test_what_a_filter_cannot_use_is_refused_at_its_line(build, text, message):
    with pytest.raises(Unsupported) as caught:
        load_elf(build(text), "prog.o")
    assert message in caught.value.message
    assert caught.value.where.section == "p"
    assert caught.value.where.line is not None
    assert caught.value.where.line.file == "prog.c"


@pytest.mark.parametrize("section", ["maps", ".maps"])
def test_maps_are_named(build, section):
    blob = build(
        f"""
        struct {{ __u32 type, key, value, entries, flags; }} other SEC("{section}"),
            table SEC("{section}");
        static void *(*lookup)(void *, const void *) = (void *)1;
        SEC("phys_dev") int entry(struct xdp_metadata *c)
        {{ __u32 k = 0, *v = lookup(&table, &k); return v ? *v : 0; }}
        """
    )
    raw = load_elf(blob, "prog.o")
    assert list(raw.maps.values()) == ["table"]
    assert imm(raw, next(iter(raw.maps))) == 0
    assert raw.data == {}


def test_kernel_functions_are_named(build):
    blob = build(
        """
        extern int bpf_kernel_function(__u32 a) SEC(".ksyms");
        SEC("phys_dev") int entry(struct xdp_metadata *c) { return bpf_kernel_function(c->len); }
        """
    )
    raw = load_elf(blob, "prog.o")
    assert list(raw.externs.values()) == ["bpf_kernel_function"]
    assert CallExtern("bpf_kernel_function") in decode(raw).insns


def test_offsets_that_a_loader_might_move_stay_as_compiled(build):
    blob = build(
        """
        struct xdp_md { __u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index; }
            __attribute__((preserve_access_index));
        SEC("xdp") int entry(struct xdp_md *c)
        { return __builtin_preserve_field_info(c->rx_queue_index, 2) ? c->rx_queue_index : 7; }
        """
    )
    loads = [i for i in decode(load_elf(blob, "prog.o")).insns if isinstance(i, Load)]
    assert loads == [Load(4, 0, 1, 16)]


SEVERAL = """
SEC("phys_dev/a") int a(struct xdp_metadata *c) { return 0; }
SEC("phys_dev/a") int b(struct xdp_metadata *c) { return 1; }
SEC("socket") int s(void *c) { return 2; }
SEC("tc") int t(void *c) { return 3; }
SEC("mine") int m(struct xdp_metadata *c) { return 4; }
SEC("xdp") int x(void *c) { return 2; }
"""


def test_one_of_several_programs_is_chosen(build):
    blob = build(SEVERAL)
    assert load_elf(blob, "o", "socket").name == "s"
    assert load_elf(blob, "o", function="b").name == "b"
    assert load_elf(blob, "o", "phys_dev/a", "a").name == "a"
    with pytest.raises(InputError) as caught:
        load_elf(blob, "prog.o")
    assert str(caught.value) == (
        "prog.o holds several programs: a (section phys_dev/a), b (section phys_dev/a), "
        "s (section socket), t (section tc), m (section mine), x (section xdp). "
        "Choose one with --section or --function."
    )
    with pytest.raises(InputError, match="holds several programs"):
        load_elf(blob, "prog.o", "phys_dev/a")
    with pytest.raises(InputError, match=r"section socket and function a\. It has: "):
        load_elf(blob, "prog.o", "socket", "a")


def test_the_section_names_the_context(build):
    blob = build(SEVERAL)
    assert load_elf(blob, "o", function="a").context is XDP_METADATA
    assert load_elf(blob, "o", function="m").context is XDP_METADATA
    assert load_elf(blob, "o", function="s").context is SK_BUFF
    assert load_elf(blob, "o", function="t").context is TC
    assert load_elf(blob, "o", function="a", context=SK_BUFF).context is SK_BUFF
    assert load_elf(blob, "o", function="x").context is XDP_MD
    assert load_elf(blob, "o", function="x", context=XDP_METADATA).name == "x"


def test_the_parameter_names_the_context(build):
    text = """#include <linux/bpf.h>
    SEC("mine/a") int a(struct xdp_md *c) { return 2; }
    SEC("mine/b") int b(struct __sk_buff *c) { return 2; }
    SEC("mine/c") int c(struct bpf_phys_dev_md *c) { return 1; }
    SEC("mine/d") int d(void *c) { return 1; }
    SEC("prog") int e(void *c) { return 1; }
    SEC("?xdp.frags") int f(void *c) { return 1; }
    SEC("fentry/x") int g(void *c) { return 0; }
    """
    blob = build(text)
    found = {name: load_elf(blob, "o", function=name).context for name in "acdef"}
    assert found == {
        "a": XDP_MD, "c": XDP_METADATA, "d": XDP_METADATA, "e": XDP_MD, "f": XDP_MD,
    }
    with pytest.raises(InputError, match="choose with --context __sk_buff or --context tc"):
        load_elf(blob, "o", function="b")
    assert load_elf(blob, "o", function="b", context=TC).context is TC
    with pytest.raises(Unsupported, match="section fentry/x is no packet filter"):
        load_elf(blob, "o", function="g")


def test_assembly_with_and_without_symbols(build):
    marked = build(
        """
        .section phys_dev,"ax",@progbits
        .globl prog
        prog:
            call helper
            exit
        .text
        .type helper,@function
        helper:
            r0 = 1
            exit
        """,
        name="marked.s",
    )
    assert load_elf(marked, "o").functions == {0: "prog", 2: "helper"}
    bare = build("r0 = 1\nexit\n", name="bare.s")
    assert load_elf(bare, "o").functions == {0: ".text"}
    wrong = build("call inside\nexit\nr1 = 1\ninside:\nr0 = 1\nexit\n", name="wrong.s")
    with pytest.raises(ElfError, match="where no function begins"):
        load_elf(wrong, "o")


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (0, b"\0", "is not an ELF file"),
        (4, b"\1", "not a 64-bit little-endian object"),
        (5, b"\2", "not a 64-bit little-endian object"),
        (16, b"\2", "not a relocatable object"),
        (18, b"\x3e\0", "is for ELF machine 62, not for eBPF"),
        (58, b"\x20", "no usable section table"),
        (60, b"\0\0", "no usable section table"),
        (40, b"\xff\xff\xff", "is truncated: its section table ends"),
    ],
)
def test_other_files_are_refused(build, at, value, message):
    blob = bytearray(build("SEC(\"phys_dev\") int f(void *c) { return 0; }"))
    blob[at : at + len(value)] = value
    with pytest.raises(ElfError, match=message):
        load_elf(bytes(blob), "prog.o")


def test_relocations_of_the_wrong_kind_or_place_are_refused(build):
    blob = build(
        """
        const volatile __u32 table[2] = {1, 2};
        SEC("phys_dev") int entry(struct xdp_metadata *c) { return table[c->len & 1]; }
        """
    )
    section = read_image(blob, "x").named(".relphys_dev")
    assert section is not None
    for at, value, message in [(8, 10, "relocation type 10 where type 1"), (0, 0, "neither loads")]:
        changed = bytearray(blob)
        changed[section.file_offset + at] = value
        with pytest.raises(RxgateError, match=message):
            load_elf(bytes(changed), "prog.o")
    changed = bytearray(blob)
    changed[section.file_offset] += 4
    with pytest.raises(ElfError, match="inside an instruction"):
        load_elf(bytes(changed), "prog.o")


def test_an_object_without_programs(build):
    with pytest.raises(ElfError, match="holds no program"):
        load_elf(build("int data = 1;"), "prog.o")


def test_files_are_told_apart_by_suffix_and_content(build, tmp_path):
    blob = build("SEC(\"phys_dev\") int f(void *c) { return 0; }")
    (tmp_path / "object").write_bytes(blob)
    assert load_program(tmp_path / "object").name == "f"
    (tmp_path / "text.txt").write_text("r0 = 0")
    with pytest.raises(InputError, match=r"text.txt is neither C"):
        load_program(tmp_path / "text.txt")
    (tmp_path / "fake.o").write_text("r0 = 0")
    with pytest.raises(ElfError, match="not an ELF file"):
        load_program(tmp_path / "fake.o")
    with pytest.raises(InputError, match=r"none\.o cannot be read: No such file"):
        load_program(tmp_path / "none.o")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        load_program(tmp_path)
