"""The gate against the cycle-free model of it, at every width and in every mode."""

import pytest
from rxgate.ctx_map.verdicts import Verdict
from rxgate.hdl.gate import Gate, GateConfig, OnDrop
from rxgate.sim.surroundings import Frame, expected, seen

WIDTHS = (8, 16, 32, 64, 128, 256, 512)
FIELDS = ("rx_queue_index", "hash")
MODES = {
    "cut_through": {},
    "cut_through_strip": {"strip_vlan": True},
    "store": {"store_and_forward": True},
    "store_strip_mark": {
        "store_and_forward": True, "strip_vlan": True, "on_drop": OnDrop.MARK,
    },
    "cut_through_mark": {"on_drop": OnDrop.MARK},
}


def check(bench, rng, config, frames, *, inputs=None, latency=5, **options):
    """Runs frames with random verdicts through a gate, and compares all there is."""
    inputs = config.supplies if inputs is None else {n: config.supplies[n] for n in inputs}
    seen_frames = [
        seen(f, strip_vlan=config.strip_vlan, max_frame=config.max_frame) for f in frames
    ]
    verdicts = [rng.choice(list(Verdict)) for _ in frames]
    fields = [bench.random_fields(config, rng) for _ in frames]
    beats = []
    for frame, values in zip(frames, fields, strict=True):
        beats += bench.beats_of(frame, config, rng, values, empty_end=rng.random() < 0.3)
    gate = Gate(config, bench.Probe(inputs, verdicts, latency))
    run = bench.run_gate(gate, beats, rng=rng, **options)
    want = expected(
        seen_frames,
        verdicts,
        store_and_forward=config.store_and_forward,
        mark=config.on_drop is OnDrop.MARK,
    )
    assert run.frames == want.frames
    assert run.stats == want.counts.ports()
    assert len(run.launches) == len(frames)
    for n, (launch, frame, values) in enumerate(
        zip(run.launches, seen_frames, fields, strict=True)
    ):
        facts = {
            "window": int.from_bytes(frame.window(config.window), "little"),
            "present": frame.present(config.window),
            "len": frame.len,
            "csum": frame.csum,
            "stripped": frame.stripped,
            "vlan_tci": frame.vlan_tci,
            "vlan_proto": frame.vlan_proto,
            "packet_number": n,
            "ktime": 1000 + run.launch_cycles[n] - 1,
        }
        facts |= values
        assert launch == {name: facts[name] for name in launch}, f"launch {n}"
    return run


# Stripping at every width, the other modes at every second one each.
@pytest.mark.parametrize(
    ("width", "mode"),
    [
        (width, mode)
        for n, width in enumerate(WIDTHS)
        for k, mode in enumerate(MODES)
        if mode == "cut_through_strip" or (n + k) % 2
    ],
)
def test_random_traffic(bench, rng, width, mode):
    window = rng.choice((0, 1, 14, 34, 64, 70))
    max_frame = rng.choice((64, 100, 128, 131))
    print(f"window {window}, max_frame {max_frame}")
    config = GateConfig(
        width=width, window=window, stream_fields=FIELDS, max_frame=max_frame, **MODES[mode]
    )
    frames = bench.random_frames(rng, 12 + width // 8, max_frame)
    check(bench, rng, config, frames, idle=0.3, stall=0.3)


@pytest.mark.parametrize("mode", ["cut_through", "store", "cut_through_strip"])
def test_longest_frames_are_whole_and_longer_ones_are_cut(bench, rng, mode):
    """Around the maximum, with and without a beat that ends the frame and has no byte."""
    for width in (8, 64):
        config = GateConfig(width=width, window=20, max_frame=48, **MODES[mode])
        frames = [Frame(rng.randbytes(48 + n)) for n in (-8, -1, 0, 1, 4, 8, 16, 0, 90, 0)]
        frames += [Frame(rng.randbytes(12) + b"\x81\0" + rng.randbytes(n)) for n in (2, 38, 39)]
        check(bench, rng, config, frames, idle=0.2)


@pytest.mark.parametrize("width", [8, 64, 512])
def test_every_length_near_the_tag(bench, rng, width):
    config = GateConfig(width=width, window=24, strip_vlan=True, max_frame=160)
    frames = []
    beyond = (*range(62, 72), *range(126, 134)) if width > 8 else ()
    for length in (*range(12, 26), *beyond):
        for proto in (b"\x81\0", b"\x88\xa8"):
            data = bytearray(rng.randbytes(length))
            data[12:14] = proto
            frames.append(Frame(bytes(data[:length]), rng.random() < 0.2))
    rng.shuffle(frames)
    check(bench, rng, config, frames, idle=0.1, stall=0.1)


@pytest.mark.parametrize("width", [8, 64, 512])
def test_zero_byte_frames(bench, rng, width):
    for mode in MODES.values():
        config = GateConfig(width=width, window=14, max_frame=64, **mode)
        frames = [Frame(b"", rng.random() < 0.3) for _ in range(20)]
        check(bench, rng, config, frames)


def test_csum_is_zero_only_without_a_set_bit(bench, rng):
    config = GateConfig(width=64, max_frame=128, store_and_forward=True)
    ones = b"\xff\xff"
    bodies = (b"", b"\0" * 40, ones, ones + b"\0\0" + ones, b"\x80\0\x7f\xff", b"\0\1", b"\1")
    check(bench, rng, config, [Frame(b"\xaa" * 14 + body) for body in bodies], inputs=["csum"])


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("store", [False, True])
def test_late_verdicts_and_a_sink_that_stalls(bench, rng, width, store):
    """The longest frame, then the shortest ones that fill the buffer while the sink sleeps."""
    config = GateConfig(width=width, window=8, max_frame=256, store_and_forward=store)
    frames = [Frame(rng.randbytes(256)), *(Frame(rng.randbytes(n % 3)) for n in range(120))]
    check(bench, rng, config, frames, inputs=["present", "window"], latency=70, stall=0.8)


def test_inputs_that_come_with_the_stream_are_preferred(bench, rng):
    names = ("len", "csum", "vlan_tci", "vlan_proto", "protocol")
    config = GateConfig(
        width=64, window=14, stream_fields=names, max_frame=64, strip_vlan=True,
        store_and_forward=True,
    )
    assert config.s_tuser == {
        "err": (0, 1), "len": (1, 16), "vlan_tci": (17, 16), "vlan_proto": (33, 16),
        "csum": (49, 16), "protocol": (65, 16),
    }
    assert config.s_tuser_width == 81
    check(bench, rng, config, bench.random_frames(rng, 30, 64), idle=0.2)


@pytest.mark.parametrize("width", [8, 64, 512])
@pytest.mark.parametrize("mode", ["cut_through", "cut_through_strip", "store"])
def test_reset_in_the_middle_of_a_packet(bench, rng, width, mode):
    """All is forgotten; the rest of the packet's beats are a packet of their own."""
    config = GateConfig(width=width, window=20, max_frame=600, **MODES[mode])
    size = config.beat_bytes
    before = [Frame(rng.randbytes(n)) for n in (60, 3, 300)]
    after = [Frame(rng.randbytes(n)) for n in (61, 14, 0, 129)]
    beats = [b for f in (*before, *after) for b in bench.beats_of(f, config, rng)]
    cut = sum(len(list(bench.beats_of(f, config, rng))) for f in before) - 2
    rest = Frame(before[-1].data[-(-300 // size) * size - 2 * size :])
    frames = [
        seen(f, strip_vlan=config.strip_vlan, max_frame=config.max_frame) for f in (rest, *after)
    ]
    gate = Gate(config, bench.Probe({"present": config.supplies["present"]}, [Verdict.PASS] * 9))
    run = bench.run_gate(gate, beats, rng=rng, reset_after=cut)
    want = expected(
        frames, [Verdict.PASS] * len(frames), store_and_forward=config.store_and_forward
    )
    assert run.frames[-len(frames) :] == want.frames
    assert run.stats == want.counts.ports()
