"""Back-to-back frames never wait, and an ingress that cannot wait drops whole frames only."""

import pytest
from rxgate.ctx_map.verdicts import Verdict
from rxgate.hdl.gate import Gate, GateConfig
from rxgate.sim.surroundings import Frame, expected, seen

SIZES = (64, 65, 127, 128, 1518, 9000)
VERDICTS = {
    "pass": [Verdict.PASS],
    "drop": [Verdict.DROP],
    "mixed": [Verdict.DROP, Verdict.PASS, Verdict.TX, Verdict.ABORTED, Verdict.PASS],
}


def full_rate(bench, rng, config, sizes, pattern, inputs, latency):
    """Sends frames without a pause to a sink without one; none may wait, and all must fit."""
    frames = [Frame(rng.randbytes(size)) for size in sizes]
    verdicts = [pattern[n % len(pattern)] for n in range(len(frames))]
    probe = bench.Probe({n: config.supplies[n] for n in inputs}, verdicts, latency)
    gate = Gate(config, probe)
    run = bench.run_gate(gate, [b for f in frames for b in bench.beats_of(f, config, rng)])
    options = {"strip_vlan": config.strip_vlan, "max_frame": config.max_frame}
    want = expected(
        [seen(f, **options) for f in frames],
        verdicts,
        store_and_forward=config.store_and_forward,
    )
    assert run.stalls == 0
    assert run.frames == want.frames
    assert run.stats == want.counts.ports()


@pytest.mark.parametrize(
    ("mode", "verdicts", "backpressure"),
    [
        ("cut_through", "pass", True),
        ("cut_through", "mixed", False),
        ("cut_through_strip", "drop", True),
        ("cut_through_strip", "mixed", False),
        ("store", "mixed", True),
        ("store", "pass", False),
        ("store_strip", "mixed", True),
        ("store_strip", "drop", False),
    ],
)
def test_full_rate_at_512_bits(bench, rng, mode, verdicts, backpressure):
    config = GateConfig(
        width=512,
        window=70,
        store_and_forward="store" in mode,
        strip_vlan="strip" in mode,
        backpressure=backpressure,
    )
    inputs = ["window", "csum"] if config.store_and_forward else ["window"]
    sizes = [9000, *[64] * 150, *[65] * 20, 127, 128, 1518, *rng.choices(SIZES[:5], k=8), 9000, 64]
    full_rate(bench, rng, config, sizes, VERDICTS[verdicts], inputs, latency=40)


@pytest.mark.parametrize("size", SIZES)
def test_full_rate_of_each_size_at_64_bits(bench, rng, size):
    config = GateConfig(width=64, window=34, store_and_forward=True)
    count = 30 if size < 1000 else 2
    full_rate(bench, rng, config, [size] * count, VERDICTS["mixed"], ["window"], latency=20)


@pytest.mark.parametrize("width", [8, 16, 32, 128, 256])
@pytest.mark.parametrize("mode", ["cut_through", "store_strip"])
def test_full_rate_at_other_widths(bench, rng, width, mode):
    config = GateConfig(
        width=width,
        window=34,
        max_frame=320,
        store_and_forward="store" in mode,
        strip_vlan="strip" in mode,
    )
    sizes = [320, *[1] * 20, 64, 65, 0, 320, 127, 128, 2, 64]
    full_rate(bench, rng, config, sizes, VERDICTS["mixed"], ["window"], latency=15)


@pytest.mark.parametrize("width", [8, 64, 512])
@pytest.mark.parametrize("mode", ["cut_through", "store", "cut_through_strip"])
def test_latency_is_as_stated(bench, rng, width, mode):
    config = GateConfig(
        width=width,
        window=16,
        max_frame=200,
        store_and_forward="store" in mode,
        strip_vlan="strip" in mode,
    )
    inputs = ["csum"] if config.store_and_forward else ["window"]
    gate = Gate(config, bench.Probe({n: config.supplies[n] for n in inputs}, [Verdict.PASS], 9))
    beats = list(bench.beats_of(Frame(rng.randbytes(150)), config, rng))
    run = bench.run_gate(gate, beats)
    launching = (len(beats) if config.store_and_forward else config.window_beats) - 1
    assert run.first_in is not None
    assert run.first_out == run.first_in + launching + gate.latency


@pytest.mark.parametrize("width", [8, 64, 512])
@pytest.mark.parametrize("mode", ["cut_through", "store_strip"])
def test_ingress_that_cannot_wait(bench, rng, width, mode):
    """The sink is asleep, then slow: each frame comes out whole, or is counted as overflow."""
    config = GateConfig(
        width=width,
        window=4,
        max_frame=96,
        store_and_forward="store" in mode,
        strip_vlan="strip" in mode,
        backpressure=False,
    )
    sizes = [rng.choice((4, 5, 16, 20, 64, 96, 97, 130)) for _ in range(30 + width // 3)]
    frames = []
    for n, size in enumerate(sizes):
        body = bytearray(rng.randbytes(size))
        body[:4] = n.to_bytes(4, "little")
        if size >= 16 and rng.random() < 0.5:
            body[12:14] = b"\x81\0"
        frames.append(Frame(bytes(body), rng.random() < 0.1))
    verdicts = [rng.choice(list(Verdict)) for _ in frames]
    gate = Gate(config, bench.Probe({"window": 32}, verdicts, 6))
    run = bench.run_gate(
        gate,
        [b for f in frames for b in bench.beats_of(f, config, rng, empty_end=rng.random() < 0.3)],
        idle=0.1,
        stall=0.6,
        rng=rng,
        blocked=3 * gate.depth,
    )
    launched = {launch["window"] for launch in run.launches}
    options = {"strip_vlan": config.strip_vlan, "max_frame": config.max_frame}
    want = expected(
        [seen(f, **options) for f in frames],
        verdicts,
        store_and_forward=config.store_and_forward,
        admitted=[n in launched for n in range(len(frames))],
    )
    assert run.stalls == 0
    assert run.stats == want.counts.ports()
    assert run.frames == want.frames
    assert want.counts.overflow


def test_admission_ends_where_a_longest_frame_no_longer_fits(bench, rng):
    config = GateConfig(width=64, max_frame=80, backpressure=False)
    frames = [Frame(b"\0" * 8)] * 200
    gate = Gate(config, bench.Probe({"packet_number": 32}, [Verdict.PASS] * 200, 1))
    run = bench.run_gate(
        gate, [b for f in frames for b in bench.beats_of(f, config, rng)], blocked=300
    )
    # Four beats fit into the registers behind the memory, and the level is seen a cycle late.
    free = gate.depth - config.max_beats
    assert free - 1 <= len(run.frames) <= free + 4
    assert run.stats["stat_overflow"] == 200 - len(run.frames)
