"""The generated header and tables agree with the declarations, and with what a compiler sees."""

import re

from rxgate.compiler.load import load_program
from rxgate.compiler.load.clang import INCLUDE
from rxgate.ctx_map.context import SK_BUFF, XDP_MD, XDP_METADATA
from rxgate.ctx_map.helpers import PROTOTYPES, Helper
from rxgate.ctx_map.kfuncs import METADATA
from rxgate.ctx_map.render import HEADER, PAGE, c_header, contexts_page, markdown_table

ARGUMENTS = {
    Helper.SKB_LOAD_BYTES: "ctx, 0, &at, 4",
    Helper.XDP_LOAD_BYTES: "ctx, 0, &at, 4",
    Helper.XDP_GET_BUFF_LEN: "ctx",
    Helper.CSUM_DIFF: "0, 0, &at, 4, 0",
    Helper.TRACE_PRINTK: '"%d", 3, at',
    Helper.TRACE_VPRINTK: '"%d", 3, &at, 4',
}


def call(helper: Helper) -> str:
    """A call of a helper in C."""
    return f"{PROTOTYPES[helper].name}({ARGUMENTS.get(helper, '')})"


def test_the_header_in_the_package_is_the_generated_one():
    assert HEADER.read_text() == c_header(XDP_METADATA)
    assert HEADER.parent.parent == INCLUDE


def test_the_page_of_contexts_is_the_generated_one():
    assert PAGE.read_text() == contexts_page()


def test_a_compiler_sees_the_declared_offsets_numbers_and_names(tmp_path):
    asserts = [
        f"_Static_assert(offsetof(struct xdp_metadata, {f.name}) == {f.offset}, \"{f.name}\");"
        for f in XDP_METADATA.fields
    ]
    calls = [f"sum += {call(h)};" for h in PROTOTYPES if h in XDP_METADATA.helpers]
    source = tmp_path / "all.c"
    source.write_text(
        "\n".join(
            [
                "#include <stddef.h>",
                "#include <linux/bpf.h>",
                "#include <rxgate/phys_dev.h>",
                *asserts,
                f"_Static_assert(sizeof(struct bpf_phys_dev_md) == {XDP_METADATA.size}, \"size\");",
                'SEC("phys_dev") int all(struct bpf_phys_dev_md *ctx)',
                "{ __u32 at = 0; __u64 sum = 0;",
                *calls,
                "return sum + bpf_ntohs(at) + BPF_PHYS_DEV_OK; }",
            ]
        )
    )
    code = load_program(source).code
    called = {
        int.from_bytes(code[at + 4 : at + 8], "little")
        for at in range(0, len(code), 8) if code[at] == 0x85
    }
    assert called == XDP_METADATA.helpers


def test_the_table_has_a_row_for_every_field():
    rows = markdown_table(SK_BUFF).splitlines()[2:]
    assert len(rows) == len(SK_BUFF.fields)
    assert rows[2] == (
        "| 16 | `protocol` | EtherType as eth_type_trans() gives it, network order "
        "| computed from the header window |"
    )
    assert rows[3] == (
        "| 20 | `vlan_present` | 1 when `vlan_proto` is not 0, else 0 "
        "| computed from the header window |"
    )


def test_addresses_have_a_row_too():
    rows = markdown_table(XDP_MD).splitlines()[2:]
    assert len(rows) == len(XDP_MD.fields)
    assert rows[1] == (
        "| 4 | `data_end` | byte behind the packet's last | an address that only the compiler knows |"
    )


def test_the_header_for_xdp_has_the_helpers_of_xdp(tmp_path):
    names = sorted(["bpf_loop", *(PROTOTYPES[h].name for h in XDP_MD.helpers)])
    text = (INCLUDE / "rxgate" / "xdp.h").read_text()
    assert sorted(re.findall(r"\(\*const (\w+)\)", text)) == names
    source = tmp_path / "xdp.c"
    calls = [f"sum += {call(h)};" for h in XDP_MD.helpers]
    source.write_text(
        "\n".join(
            [
                "#include <linux/bpf.h>", "#include <rxgate/xdp.h>",
                'SEC("xdp") int f(struct xdp_md *ctx) { __u64 sum = 0; __u32 at = 0;', *calls,
                "return sum; }",
            ]
        )
    )
    code = load_program(source).code
    called = [code[at + 4] for at in range(0, len(code), 8) if code[at] == 0x85]
    assert sorted(called) == sorted(h.value for h in XDP_MD.helpers)


def test_the_header_for_xdp_declares_the_metadata_functions(tmp_path):
    source = tmp_path / "xdp.c"
    source.write_text(
        """#include <linux/bpf.h>
        #include <rxgate/xdp.h>
        SEC("xdp") int f(struct xdp_md *ctx)
        {
            enum xdp_rss_hash_type type = 0; __be16 proto = 0; __u16 tci = 0; __u32 hash = 0;
            __u64 time = 0, sum = bpf_xdp_metadata_rx_hash(ctx, &hash, &type);
            sum += bpf_xdp_metadata_rx_vlan_tag(ctx, &proto, &tci);
            sum += bpf_xdp_metadata_rx_timestamp(ctx, &time);
            bpf_printk("%d", hash);
            return sum + hash + type + proto + tci + time;
        }
        """
    )
    assert set(load_program(source).externs.values()) == set(METADATA)
