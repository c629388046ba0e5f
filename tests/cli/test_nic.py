"""What `check` says of metadata functions and of prints."""

import json

import pytest

SOURCE = """
#include <linux/bpf.h>
#include <rxgate/xdp.h>
SEC("xdp") int f(struct xdp_md *ctx)
{
    __u16 proto = 0, tci = 0;

    if (bpf_xdp_metadata_rx_vlan_tag(ctx, &proto, &tci))
        return XDP_DROP;
    bpf_printk("tci %x", tci);
    return XDP_PASS;
}
"""
ANSWERS = {
    (): ("no_data", "-ENODATA, since tags stay in the frames (--strip-vlan) (NIC rxgate)"),
    ("--strip-vlan",): ("data", "0 with the data, or -ENODATA where a packet has none (NIC rxgate)"),
    ("--descriptor", "shell"): (
        "data", "0 with the data, or -ENODATA where a packet has none (NIC rxgate)",
    ),
    ("--nic", "plain"): ("unsupported", "-EOPNOTSUPP (NIC plain)"),
}


@pytest.mark.parametrize("words", ANSWERS)
def test_check_says_what_the_nic_gives(rxgate, tmp_path, words):
    (tmp_path / "f.c").write_text(SOURCE)
    answer, text = ANSWERS[words]
    name = "bpf_xdp_metadata_rx_vlan_tag"
    told = json.loads(rxgate("check", "f.c", *words, "--json").out)["program"]
    assert told["metadata"] == {name: answer}
    shown = " ".join(rxgate("check", "f.c", *words).out.split())
    assert f"{name}() gives {text}" in shown
    printed = "dropped line 10: nothing can be printed, and the call gives 0"
    assert (printed in shown) == (answer == "data")
    assert len(told["dropped_prints"]) == (answer == "data")


def test_an_unknown_nic(rxgate, tmp_path):
    (tmp_path / "f.c").write_text(SOURCE)
    ended = rxgate("check", "f.c", "--nic", "fast")
    assert (ended.status, ended.out) == (2, "")
    assert "'fast' is not one of 'rxgate', 'plain'" in ended.err
