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


def check(bench, rng, config, frames, *, idle=0.0, stall=0.0, inputs=None, latency=5, **options):
    """Runs frames with random verdicts through a gate, and compares all there is."""
    seen_frames = [
        seen(f, strip_vlan=config.strip_vlan, max_frame=config.max_frame) for f in frames
    ]
    verdicts = [rng.choice(list(Verdict)) for _ in frames]
    fields = [bench.random_fields(config, rng) for _ in frames]
    beats = []
    for frame, values in zip(frames, fields, strict=True):
        beats += bench.beats_of(frame, config, rng, values, empty_end=rng.random() < 0.3)
    gate = Gate(config, bench.Probe(config.supplies if inputs is None else inputs, verdicts, latency))
    run = bench.run_gate(gate, beats, idle=idle, stall=stall, rng=rng, **options)
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


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("width", WIDTHS)
def test_random_traffic(bench, rng, width, mode):
    window = rng.choice((0, 1, 14, 34, 64, 70))
    max_frame = rng.choice((64, 100, 128, 131))
    print(f"window {window}, max_frame {max_frame}")
    config = GateConfig(
        width=width, window=window, stream_fields=FIELDS, max_frame=max_frame, **MODES[mode]
    )
    frames = bench.random_frames(rng, 12 + width // 8, max_frame)
    check(bench, rng, config, frames, idle=0.3, stall=0.3)
