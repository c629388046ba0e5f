"""`run` and `disasm`: what a user reads on the terminal, and the capture that comes out."""

import json

import pytest
from rxgate.compiler.insn import Program
from rxgate.sim import kernel
from rxgate.sim.captures import read_capture

FILTER = ("--filter", "udp port 53")


def verdicts(ended) -> list[str]:
    return [p["verdict"] for p in json.loads(ended.out)["packets"]]


def test_out_holds_what_passed(rxgate, examples, tmp_path):
    capture = examples / "captures" / "mixed.pcapng"
    ended = rxgate("run", *FILTER, "--pcap", capture, "--json", "--out", "pass ed.pcap")
    frames = [f.data for f in read_capture(capture)]
    expected = [f for f, v in zip(frames, verdicts(ended), strict=True) if v == "PASS"]
    assert 0 < len(expected) < len(frames)
    assert [f.data for f in read_capture(tmp_path / "pass ed.pcap")] == expected


def test_nothing_passes(rxgate, tmp_path):
    never = "ether[0] = 255 and ether[40] = 77 and ether[41] = 78"
    assert rxgate("run", "--filter", never, "--packets", 5, "--out", "x.pcap").status == 0
    assert read_capture(tmp_path / "x.pcap") == []


def test_on_match_turns_verdicts_round(rxgate):
    words = ("run", *FILTER, "--packets", 200, "--json")
    swap = {"PASS": "DROP", "DROP": "PASS"}
    straight = verdicts(rxgate(*words))
    assert set(straight) == set(swap)
    assert verdicts(rxgate(*words, "--on-match", "drop")) == [swap[v] for v in straight]


def test_empty_expression_passes_all(rxgate):
    assert set(verdicts(rxgate("run", "--filter", "", "--packets", 20, "--json"))) == {"PASS"}


def test_instruction_sets_agree(rxgate, examples):
    source, capture = examples / "tcp_flags.c", examples / "captures" / "http_tls.pcap"
    words = ("run", source, "--pcap", capture, "--json", "--mcpu")
    results = {rxgate(*words, cpu).out for cpu in ("v1", "v2", "v3", "v4")}
    assert len(results) == 1
    listings = {rxgate("disasm", source, "--mcpu", c).out for c in ("v1", "v3")}
    assert len(listings) == 2


def test_seed_decides(rxgate):
    first, again, other = (
        rxgate("run", *FILTER, "--packets", 50, "--seed", s, "--json").out for s in (3, 3, 4)
    )
    assert first == again != other


def test_hash_key_decides(rxgate, examples):
    words = ("run", examples / "hash_sampler.c", "--packets", 300, "--json")
    straight = verdicts(rxgate(*words))
    assert verdicts(rxgate(*words, "--hash-key", "00" * 40)) != straight


def test_trace_is_readable(rxgate):
    lines = rxgate("run", *FILTER, "--packets", 2, "--mix", "64", "--trace").out.splitlines()
    assert lines[0] == "packet 0: 64 bytes"
    assert lines[1].split() == ["0:", "r6", "=", "r1", "r6=0x100000000000"]
    assert any("skb[12] " in line and " r0=0x" in line for line in lines)
    assert sum(line.startswith("  -> ") for line in lines) == 2
    assert lines[-1].startswith("2 packets: ")


def test_long_runs_are_cut_short(rxgate):
    out = rxgate("run", *FILTER, "--packets", 100).out
    assert "... 60 more; --json lists all of them\n100 packets: " in out
    assert "\x1b" not in out


def test_snap_length_is_told(rxgate, examples, tmp_path):
    blob = bytearray((examples / "captures" / "ping.pcap").read_bytes())
    length = int.from_bytes(blob[36:40], "little")
    blob[36:40] = (length + 100).to_bytes(4, "little")
    (tmp_path / "cut [x].pcap").write_bytes(blob)
    ended = rxgate("run", *FILTER, "--pcap", "cut [x].pcap")
    assert ended.status == 0
    assert ended.err.startswith("1 of ")
    assert " packets of cut [x].pcap are cut by its snap length" in ended.err.replace("\n", " ")


def test_disasm_shows_source_lines(rxgate, examples):
    out = rxgate("disasm", examples / "drop_by_length.c").out
    assert out.startswith("drop_by_length:\n")
    assert "; drop_by_length.c:" in out
    assert out.endswith("exit\n")


def test_local_header_and_spaces(rxgate, tmp_path):
    place = tmp_path / "my filters"
    place.mkdir()
    (place / "limits.h").write_text("#define LIMIT 100\n")
    (place / "a filter.c").write_text(
        '#include <rxgate/phys_dev.h>\n#include "limits.h"\n'
        'SEC("phys_dev") int f(struct xdp_metadata *c) { return c->len < LIMIT; }\n'
    )
    ended = rxgate("run", "my filters/a filter.c", "--packets", 5, "--mix", "64", "--json")
    assert verdicts(ended) == ["PASS"] * 5


@pytest.mark.skipif(kernel.available() is not None, reason=str(kernel.available()))
def test_kernel_gives_the_same_answers(rxgate, examples, tmp_path):
    for source in ("xdp_vlan_parse.c", "hash_sampler.c"):
        words = ("run", examples / source, "--packets", 100, "--json", "--out", "x.pcap")
        mine = json.loads(rxgate(*words).out)
        passed = (tmp_path / "x.pcap").read_bytes()
        ended = rxgate(*words, "--engine", "kernel")
        theirs = json.loads(ended.out)
        assert 70 < len(theirs["packets"]) <= 100
        taken = {p["index"] for p in theirs["packets"]}
        assert theirs["packets"] == [p for p in mine["packets"] if p["index"] in taken]
        assert ("packets are not run" in ended.err) is (len(taken) < 100)
        if len(taken) == 100:
            assert (tmp_path / "x.pcap").read_bytes() == passed


def test_a_machine_without_bpf_says_so(rxgate, refused, monkeypatch):
    monkeypatch.setattr(kernel, "available", lambda: "bpf(2) is not permitted: no")
    said = refused("run", *FILTER, "--packets", 3, "--engine", "kernel")
    assert "The kernel of this machine cannot be asked: bpf(2) is not permitted: no." in said


@pytest.mark.skipif(kernel.available() is not None, reason=str(kernel.available()))
def test_what_the_kernel_refuses_is_told(refused, monkeypatch):
    def broken(program: Program):
        raise kernel.Unfit("it is odd")

    monkeypatch.setattr(kernel, "rewrite", broken)
    said = refused("run", *FILTER, "--packets", 3, "--engine", "kernel")
    assert "not for the kernel: it is odd" in said
    assert "--trace is for the interpreter" in refused("run", *FILTER, "--trace", "--engine", "kernel")


def test_the_nic_decides(rxgate, examples):
    words = ("run", examples / "xdp_hash_sampler.c", "--packets", 300, "--json")
    by_hash, by_addresses = (verdicts(rxgate(*words, "--nic", n)) for n in ("rxgate", "plain"))
    assert by_hash != by_addresses
    assert {*by_hash, *by_addresses} == {"PASS", "REDIRECT"}
