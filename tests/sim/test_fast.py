"""Compiled designs in the fast engine: all agree, and what is made wrong is found."""

import random
import re

import pytest
from rxgate.compiler.decode import decode
from rxgate.compiler.driver import compile_program
from rxgate.compiler.load.text import load_text
from rxgate.compiler.options import Options, Route
from rxgate.sim.conditions import Conditions
from rxgate.sim.fast import simulate_fast
from rxgate.sim.golden import Frame

pytestmark = pytest.mark.rtl

FIRST_BYTE = """
    bf 16 0000 00000000  # r6 = r1
    30 00 0000 00000000  # r0 = packet[0], or leave with 0
    57 00 0000 03000000  # r0 &= 3
    95 00 0000 00000000  # exit: 0 drop, 1 pass, others abort
"""
BY_LENGTH = """
    b7 00 0000 01000000  # r0 = 1
    61 12 0000 00000000  # r2 = len
    b5 02 0100 {limit}   # if r2 <= limit, leave
    b7 00 0000 00000000  # r0 = 0
    95 00 0000 00000000
"""
SAMPLE = """
    bf 16 0000 00000000  # r6 = r1
    85 00 0000 05000000  # r0 = ktime
    bf 07 0000 00000000  # r7 = r0
    77 07 0000 02000000  # r7 >>= 2
    85 00 0000 07000000  # r0 = prandom
    af 07 0000 00000000  # r7 ^= r0
    61 62 0400 00000000  # r2 = hash
    af 27 0000 00000000  # r7 ^= r2
    61 62 1c00 00000000  # r2 = rx_queue_index
    af 27 0000 00000000  # r7 ^= r2
    bf 70 0000 00000000  # r0 = r7
    57 00 0000 01000000  # r0 &= 1
    95 00 0000 00000000
"""
STORM = Conditions(idle=0.3, stall=0.5, empty_end=0.5, random_start=True)


def program(text, **values):
    return decode(load_text(text.format(**values), "test"))


def by_length(limit):
    return program(BY_LENGTH, limit=limit.to_bytes(4, "little").hex())


def simulate(design, frames, conditions=None, *, verilog=None, judge=None):
    return simulate_fast(
        verilog or design.verilog,
        design.config,
        design.inputs,
        frames,
        judge or design.program,
        conditions=conditions or Conditions(),
        prandom_seed=design.options.prandom_seed,
        hash_key=design.options.hash_key,
    )


def mixture(count, max_frame, *, err=0.1):
    """Frames of no byte, runts, all sizes, too long ones, and some with an error."""
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(count):
        size = rng.choice(
            (0, 1, rng.randint(2, 13), rng.randint(14, 80), rng.randint(0, max_frame),
             max_frame + rng.randint(-2, 2), 2 * max_frame)
        )
        head = b"\1" if rng.random() < 0.5 and size else b""
        yield Frame(
            head + rng.randbytes(size - len(head)), rng.random() < err,
            rng.getrandbits(32), rng.getrandbits(32),
        )


@pytest.mark.parametrize("width", [8, 64, 512])
def test_cut_through_with_everything_odd(width):
    design = compile_program(program(FIRST_BYTE), Options(width=width, max_frame=128))
    for conditions in (Conditions(), Conditions(random_start=True, seed=5), STORM):
        result = simulate(design, mixture(3000, 128), conditions)
        assert [str(m) for m in result.mismatches] == []
        assert result.agreed
        assert result.packets == result.counts["received"] == 3000
        assert sum(result.counts.values()) == 6000
        assert all(result.counts[n] for n in ("pass", "drop", "aborted", "bad"))


def test_store_and_forward():
    design = compile_program(by_length(100), Options(width=64, max_frame=128))
    assert design.config.store_and_forward
    for conditions in (Conditions(), STORM):
        result = simulate(design, mixture(3000, 128), conditions)
        assert [str(m) for m in result.mismatches] == []
        assert result.counts["drop"]


def test_marked_frames_all_leave():
    design = compile_program(program(FIRST_BYTE), Options(width=64, max_frame=128, mark_drops=True))
    result = simulate(design, mixture(2000, 128), STORM)
    assert [str(m) for m in result.mismatches] == []


@pytest.mark.parametrize("route", Route)
def test_time_random_numbers_and_descriptor(route):
    options = Options(width=512, route=route, prandom_seed=77, hash_key=bytes(range(1, 41)))
    design = compile_program(program(SAMPLE), options)
    for conditions in (Conditions(ktime_start=(1 << 64) - 2000), STORM):
        result = simulate(design, mixture(2000, 300), conditions)
        assert [str(m) for m in result.mismatches] == []
        assert 500 < result.counts["pass"] < 1500


def test_an_ingress_that_cannot_wait_drops_whole_frames():
    design = compile_program(
        program(FIRST_BYTE), Options(width=64, max_frame=128, backpressure=False)
    )
    result = simulate(design, mixture(3000, 128), Conditions(stall=0.9))
    assert [str(m) for m in result.mismatches] == []
    assert result.counts["overflow"] > 100
    assert result.counts["pass"] > 100
    assert result.input_stalls == 0
    assert result.counts["received"] == 3000 == sum(result.counts.values()) - 3000


def test_full_rate():
    design = compile_program(program(FIRST_BYTE), Options(width=512))
    frames = [Frame(bytes([n % 4]) + bytes(63)) for n in range(5000)]
    seen = []
    result = simulate_fast(
        design.verilog, design.config, design.inputs, iter(frames), design.program,
        progress=seen.append,
    )
    assert result.input_stalls == 0
    assert result.cycles < 5000 + 64
    assert result.cycles_per_packet == result.cycles / 5000
    assert result.latency_cycles is not None
    assert 5 < result.latency_cycles < 64
    assert simulate(design, frames, Conditions(stall=0.9)).input_stalls > 5000
    assert seen == sorted(seen)
    assert seen[-1] == 5000
    assert list(result.to_json()) == [
        "packets", "mismatches", "cycles", "input_stalls", "cycles_per_packet", "latency_cycles",
        "counts", "seed",
    ]


def test_no_frame_at_all():
    design = compile_program(program(FIRST_BYTE), Options(width=512))
    result = simulate(design, [])
    assert result.agreed
    assert (result.packets, result.cycles, result.latency_cycles) == (0, 0, None)


def test_one_length_judged_wrongly():
    wrong = compile_program(by_length(101), Options(width=64, max_frame=128))
    frames = [Frame(bytes(n)) for n in range(80, 120)]
    result = simulate(wrong, frames, judge=by_length(100))
    assert [str(m) for m in result.mismatches] == [
        "packet 21: counted as pass, and must be drop (DROP, r0 = 0x0)",
        "stat_pass is 22, and must be 21",
        "stat_drop is 18, and must be 19",
    ]
    assert result.mismatches[0].expected.sent.frame == frames[21]


WRAPPER = """
module rxgate({names});
{ports}
  wire [63:0] data;
  wire [7:0] keep;
  wire valid, last;
  reg midframe = 0, toggle = 0, waited = 0;
  rxgate_inner inner({connections});
  wire whole = last && !midframe;
  always @(posedge clk) begin
    if (valid && m_axis_tready) midframe <= !last;
    toggle <= !toggle;
    waited <= valid && !m_axis_tready;
  end
  wire [7:0] first = whole ? data[7:0] : 8'h00;
  assign m_axis_tdata = first == 8'hc1 ? data ^ 64'h0800
    : first == 8'hc5 ? data ^ {{48'h0, toggle, 15'h0}} : data;
  assign m_axis_tkeep = first == 8'hd1 ? keep ^ 8'h02 : keep;
  assign m_axis_tvalid = valid && !(first == 8'he1 && waited && !toggle);
  assign m_axis_tlast = last;
endmodule
"""


def with_faults(verilog):
    """The gate inside another that spoils single-beat frames, which way says their first byte."""
    inner = verilog.replace("module rxgate(", "module rxgate_inner(")
    body = inner[inner.index("module rxgate_inner(") :].partition("endmodule")[0]
    ports = re.findall(r"^  ((?:input|output) (?:\[\d+:0\] )?(\w+));", body, re.M)
    spoilt = {f"m_axis_t{name}": name for name in ("data", "keep", "valid", "last")}
    return inner + WRAPPER.format(
        names=", ".join(name for _, name in ports),
        ports="\n".join(f"  {declaration};" for declaration, _ in ports),
        connections=", ".join(f".{name}({spoilt.get(name, name)})" for _, name in ports),
    )


@pytest.mark.parametrize(
    ("first", "what"),
    [
        (0xC1, "packet 20: left with 4 bytes, and must with 4; the first difference is at byte 1"),
        (0xC5, "a beat of m_axis changed before tready"),
        (0xD1, "m_axis_tkeep has holes"),
        (0xE1, "m_axis_tvalid fell before tready"),
    ],
)
def test_faults_of_the_output_stream(first, what):
    design = compile_program(program(FIRST_BYTE), Options(width=64, max_frame=128))
    frames = [Frame(bytes((first if n == 20 else 1, n, 2, 3))) for n in range(40)]
    result = simulate(design, frames, Conditions(stall=0.9), verilog=with_faults(design.verilog))
    assert not result.agreed
    assert what in "\n".join(map(str, result.mismatches))
    clean = [f for f in frames if f.data[0] != first]
    assert simulate(design, clean, STORM, verilog=with_faults(design.verilog)).agreed


def test_the_same_seed_gives_the_same_run():
    design = compile_program(program(FIRST_BYTE), Options(width=64, max_frame=128))
    frames = list(mixture(500, 128))
    runs = [
        simulate(design, frames, Conditions(seed=s, idle=0.3, stall=0.3)) for s in (4, 4, 5)
    ]
    assert runs[0] == runs[1]
    assert runs[0].cycles != runs[2].cycles


def test_an_error_in_the_source_of_frames_comes_through():
    design = compile_program(program(FIRST_BYTE), Options(width=64, max_frame=128))

    def frames():
        yield Frame(b"\1")
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        simulate(design, frames())


def test_waves(tmp_path):
    design = compile_program(program(FIRST_BYTE), Options(width=64, max_frame=128))
    path = tmp_path / "run.fst"
    result = simulate(design, mixture(20, 128), Conditions(waves=path))
    assert result.agreed
    assert path.stat().st_size > 1000
