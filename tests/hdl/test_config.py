# amaranth: UnusedElaboratable=no
"""What a gate refuses, and the numbers that it reports."""

import pytest
from amaranth.hdl import Fragment
from rxgate.ctx_map.registers import FLAGS, ProgramId, place_tunables
from rxgate.ctx_map.verdicts import Verdict
from rxgate.hdl.gate import Gate, GateConfig, OnDrop
from rxgate.hdl.queue import Ring

TUNABLES = place_tunables([("limit", b"12"), ("table", bytes(5))])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 24}, "Width must be one of (8, 16, 32, 64, 128, 256, 512), not 24"),
        ({"window": -1}, "Window must be 0 to 4096 bytes, not -1"),
        ({"max_frame": 0}, "Frames must end at 1 to 65535 bytes, not 0"),
        ({"max_frame": 65536}, "Frames must end at 1 to 65535 bytes, not 65536"),
        ({"on_drop": "mark"}, "on_drop must be an OnDrop, not 'mark'"),
        ({"tunables": TUNABLES}, "Tunables need a control port"),
        ({"stream_fields": ("len", "len")}, "Stream fields must differ, but are ('len', 'len')"),
    ],
)
def test_bad_parameters(options, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        GateConfig(**{"width": 64, **options})
    assert str(caught.value) == message


def test_unknown_stream_field():
    with pytest.raises(ValueError, match=r"Stream field must be one of \('len', .*, not 'mark'"):
        GateConfig(width=64, stream_fields=("mark",))


@pytest.mark.parametrize("name", ["window", "present", "len", "csum", "vlan_tci", "hash", "mark"])
def test_inputs_that_nothing_supplies(bench, name):
    config = GateConfig(width=64)
    with pytest.raises(ValueError, match=f"Pipeline input '{name}' cannot be supplied by"):
        Gate(config, bench.Probe({name: 8}, [Verdict.PASS]))


def test_inputs_that_are_too_wide(bench):
    config = GateConfig(width=64, window=2)
    with pytest.raises(ValueError, match="Pipeline input 'window' has 1 to 16 bits, not 17"):
        Gate(config, bench.Probe({"window": 17}, [Verdict.PASS]))


def test_a_verdict_takes_time(bench):
    with pytest.raises(ValueError, match="Pipeline latency must be at least 1, not 0"):
        Gate(GateConfig(width=64), bench.Probe({"packet_number": 32}, [Verdict.PASS], 0))


def test_reported_numbers():
    config = GateConfig(width=64, window=34, stream_fields=("hash", "len"), strip_vlan=True)
    assert config.beat_bytes == 8
    assert config.max_beats == 1152
    assert config.window_beats == 5
    assert config.s_tuser == {"err": (0, 1), "len": (1, 16), "hash": (17, 32)}
    assert config.m_tuser == {"verdict": (0, 3), "err": (3, 1)}
    assert config.m_tuser_width == 4
    assert config.supplies == {
        "window": 272, "present": 6, "vlan_tci": 16, "vlan_proto": 16, "stripped": 1,
        "hash": 32, "len": 16, "ktime": 64, "packet_number": 32,
    }
    assert config.buffer_depth(10) == 2048
    tuned = GateConfig(width=64, control_port=True, tunables=TUNABLES)
    assert tuned.supplies == {"ktime": 64, "packet_number": 32, "tunables": 8 * 7}


@pytest.mark.parametrize(
    ("flag", "inputs", "options"),
    [
        ("store_and_forward", ["len"], {"store_and_forward": True}),
        ("strip_vlan", ["stripped"], {"strip_vlan": True}),
        ("mark_drops", ["packet_number"], {"on_drop": OnDrop.MARK}),
        ("no_backpressure", ["packet_number"], {"backpressure": False}),
        ("reads_time", ["ktime"], {}),
        ("tunables", ["tunables"], {"tunables": TUNABLES}),
    ],
)
def test_what_the_control_port_tells(bench, flag, inputs, options):
    config = GateConfig(width=64, max_frame=1518, control_port=True, **options)
    pipeline = bench.Probe({n: config.supplies[n] for n in inputs}, [Verdict.PASS])
    gate = Gate(config, pipeline, ProgramId("drop", b"digested", "0.9.1"))
    told = gate.identification
    Fragment.get(gate, None)
    positions = {bit.name: bit.position for bit in FLAGS}
    assert told["flags"] == 1 << positions[flag]
    assert (told["width"], told["window"], told["max_frame"]) == (64, 0, 1518)
    assert told["latency"] == gate.latency
    assert told["rxgate_version"] == 0x00000901
    assert told["digest"].to_bytes(8, "little") == b"digested"


@pytest.mark.parametrize(("depth", "reserve"), [(4, 0), (12, 0), (16, 14), (16, -1)])
def test_rings_that_cannot_be(depth, reserve):
    with pytest.raises(ValueError, match=r"Depth must be|cannot be held in reserve"):
        Ring(8, depth, reserve=reserve)
