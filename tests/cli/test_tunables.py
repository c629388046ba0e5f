"""`--set` and `--tunable` on the command line."""

import json

import pytest


@pytest.fixture
def block_list(examples):
    return examples / "xdp_block_list.c"


def verdicts(rxgate, *words):
    ended = rxgate("run", *words, "--packets", 300, "--json")
    assert ended.status == 0, ended
    return json.loads(ended.out)["counts"]


def test_values_are_set_before_anything_else(rxgate, block_list):
    plain = verdicts(rxgate, block_list)
    assert plain == verdicts(rxgate, block_list, "--set", "network=0xffffff00c6336400")
    # Every address is in 0.0.0.0/0.
    everything = verdicts(rxgate, block_list, "--set", "network=0", "--set", "ports=hex:" + "0" * 32)
    assert everything["DROP"] > plain["DROP"] > 0
    nothing = verdicts(rxgate, block_list, "--set", "network=1", "--set", "ports=0")
    assert nothing["DROP"] < plain["DROP"]
    words = ("check", block_list, "--json")
    assert rxgate(*words).out != rxgate(*words, "--set", "ports=0").out
    rows = json.loads(rxgate("check", "--all", *words[1:], "--set", "nowhere=0").out)["programs"]
    assert rows[0]["reason"] == "there is no read-only variable 'nowhere'; there are network, ports"


def test_compile_says_where_tunables_are(rxgate, block_list, tmp_path):
    names = ("--tunable", "network", "--tunable", "ports")
    ended = rxgate("compile", block_list, *names, "--set", "ports=7", "-o", "out", "--json")
    assert ended.status == 0, ended
    told = json.loads(ended.out)
    assert told["control_port"]["tunables"] == [
        {"name": "network", "offset": 0x1000, "size": 8, "initial": "006433c600ffffff"},
        {"name": "ports", "offset": 0x1008, "size": 16, "initial": "07" + "00" * 15},
    ]
    header = (tmp_path / "out" / "rxgate_regs.h").read_text()
    assert "#define RXGATE_TUNABLE_PORTS 0x1008u\n" in header
    assert "#define RXGATE_TUNABLE_PORTS_BYTES 16\n" in header
    assert "RXGATE_COMMAND_COMMIT 0x00000004u" in header
    ports = {port["name"]: port["width"] for port in told["ports"]}
    assert ports["trace_commits"] == 32
    assert ports["s_axil_awaddr"] == 16


@pytest.mark.rtl
def test_sim_changes_tunables(rxgate, block_list):
    words = ("sim", block_list, "--tunable", "network", "--tunable", "ports", "--width", "64")
    ended = rxgate(*words, "--packets", 500, "--retune", 40, "--json")
    assert ended.status == 0, ended
    result = json.loads(ended.out)
    assert result["mismatches"] == 0
    assert result["tunable_images"] > 10
    shown = rxgate(*words, "--packets", 100)
    assert "packets saw 1 of their settings" in shown.out


REFUSED = {
    "no value": (("--set", "ports"), "--set takes NAME=VALUE, not 'ports'"),
    "no variable": (
        ("--set", "port=1"), "there is no read-only variable 'port'; there are network, ports"),
    "too large": (
        ("--set", "network=0x10000000000000000"),
        "network has 64 bits; 0x10000000000000000 does not fit"),
    "no number": (
        ("--set", "network=::1"), "network takes a number, or hex: and its bytes, not '::1'"),
    "not to be tuned": (
        ("--tunable", "mask"), "there is no read-only variable 'mask'; there are network, ports"),
    "twice": (
        ("--tunable", "ports", "--tunable", "ports"),
        "--tunable must name each variable once, not ('ports', 'ports')"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(refused, block_list, case):
    words, reason = REFUSED[case]
    assert reason in refused("check", block_list, *words)


def test_nothing_to_retune(refused, block_list):
    said = refused("sim", block_list, "--retune", "3")
    assert "--retune changes what --tunable names; there is none" in said
