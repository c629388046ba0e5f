"""Every command prints one JSON object with --json, and nothing else."""

import json

import pytest

FILTER = ("--filter", "udp port 53")
VERDICTS = {"DROP", "PASS", "ABORTED", "TX", "REDIRECT"}


@pytest.fixture
def answer(rxgate):
    """Runs a command with --json and gives its object."""

    def run(*words, status=0):
        ended = rxgate(*words, "--json")
        assert (ended.status, ended.err) == (status, ""), ended
        assert ended.out.count("\n") == 1
        result = json.loads(ended.out, parse_constant=pytest.fail)
        assert isinstance(result, dict)
        return result

    return run


def test_run(answer, examples):
    result = answer("run", *FILTER, "--pcap", examples / "captures" / "dns.pcap")
    assert result.keys() == {"packets", "counts"}
    assert result["counts"].keys() == VERDICTS
    assert sum(result["counts"].values()) == len(result["packets"])
    for n, packet in enumerate(result["packets"]):
        assert packet.keys() == {"index", "verdict", "r0", "length"}
        assert packet["index"] == n
        assert packet["verdict"] in VERDICTS
        assert (packet["verdict"] == "PASS") == (packet["r0"] != 0)


def test_run_with_trace(answer):
    result = answer("run", *FILTER, "--packets", 3, "--trace")
    assert result.keys() == {"packets", "counts", "trace"}
    assert [t for t in result["trace"] if t.startswith("packet ")] == [
        f"packet {n}: {p['length']} bytes" for n, p in enumerate(result["packets"])
    ]


def test_check(answer, examples):
    result = answer("check", examples / "hash_sampler.c", "--width", "64")
    assert result["width_bits"] == 64
    assert result["initiation_interval"] == 1
    assert result["descriptor_fields"]
    assert result.keys() >= {"program", "header_window", "store_and_forward", "operations", "rates"}


def test_compile(answer, examples, tmp_path):
    result = answer("compile", examples / "vlan_allow.c", "-o", "out", "--width", "64")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert result == manifest | {"files": ["out/rxgate.v", "out/manifest.json", "out/report.html"]}
    assert manifest.keys() >= {
        "ports", "width_bits", "header_window", "store_and_forward", "store_and_forward_reason",
        "initiation_interval", "stages", "descriptor_fields", "live_bits", "rates",
    }


@pytest.mark.parametrize("form", ["insns", "cfg", "ir", "schedule"])
def test_emit(answer, rxgate, form):
    result = answer("compile", *FILTER, "--emit", form)
    assert result["emit"] == form
    assert result["text"] == rxgate("compile", *FILTER, "--emit", form).out


def test_disasm(answer, rxgate):
    result = answer("disasm", *FILTER)
    assert result == {"text": rxgate("disasm", *FILTER).out}


def test_doctor(answer):
    tools = answer("doctor")["tools"]
    assert {"name", "purpose", "found"} <= tools[0].keys()


@pytest.mark.rtl
def test_sim(answer):
    result = answer("sim", *FILTER, "--packets", 50, "--width", "64")
    assert result.keys() == {
        "packets", "mismatches", "cycles", "input_stalls", "cycles_per_packet", "latency_cycles",
        "counts", "seed",
    }
    assert (result["packets"], result["mismatches"], result["seed"]) == (50, 0, 1)
    assert result["counts"]["received"] == 50
    assert result["cycles_per_packet"] == result["cycles"] / 50
    assert result["input_stalls"] == 0


@pytest.mark.rtl
def test_a_capture_again_and_again(answer, examples):
    words = ("sim", *FILTER, "--pcap", examples / "captures" / "dns.pcap")
    once = answer(*words)["counts"]
    twice = answer(*words, "--packets", 2 * once["received"])["counts"]
    assert twice == {name: 2 * count for name, count in once.items()}
    assert answer(*words, "--packets", 3)["packets"] == 3
