"""Real traffic at both ports at once leaves byte for byte as the interpreter says."""

from pathlib import Path

import pytest
from rxgate.boards.wire import Burst, simulate, up
from rxgate.sim.captures import read_capture

pytestmark = pytest.mark.rtl
CAPTURES = Path(__file__).parents[2] / "examples" / "captures"
FILES = sorted(p.name for p in CAPTURES.glob("*.pcap*"))


def frames_of(name: str) -> list[bytes]:
    return [frame.data for frame in read_capture(CAPTURES / name)]


def check(board, design, to_b, to_a, a, b):
    """What came to A and to B, against what these sent."""
    through, back, counts = board.judged(design, a)
    returned = [data.ljust(60, b"\0") for data in b]
    assert to_b == through
    assert sorted(to_a) == sorted(back + returned)
    assert board.subsequence(back, to_a)
    assert board.subsequence(returned, to_a)
    return counts | {"returned": len(b), "returned_bad": 0, "returned_overflow": 0}


def by_cocotb(board, program: str, name: str):
    """The other end of both wires is cocotbext-eth's."""
    design, frames = board.design_of(program), frames_of(name)
    side = board.side(map(board.on_wire, frames))
    [seen] = board.simulate(design, board.KITS["versa-ecp5"], [{"a": side, "b": side}])
    check(board, design, board.sent(seen["b"]), board.sent(seen["a"]), frames, frames)


def test_a_capture(board):
    by_cocotb(board, "dns_guard.c", "dns.pcap")


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_every_capture(board, name):
    by_cocotb(board, "dns_guard.c", name)


@pytest.mark.parametrize(("program", "gap"), [
    ("xdp_tx_echo.c", 2000),
    *(pytest.param(f"{name}.c", 12, marks=pytest.mark.slow)
      for name in ("dns_guard", "xdp_block_list", "xdp_vlan_parse", "checksum_guard")),
])
def test_all_captures_one_after_the_other(board, program, gap):
    """As fast as a gigabit; what goes back to A shares a wire with what comes from B."""
    design, frames = board.design_of(program), [f for name in FILES for f in frames_of(name)]
    scripts = [
        [*up(ppm=ppm), *(Burst(board.on_wire(f), gap=gap) for f in some)]
        for some, ppm in ((frames, 100), (frames[::-1], -100))
    ]
    seen = simulate(board.wires(program), *scripts)
    to_b, to_a = ([(s.data, s.bad, s.start, s.end) for s in side] for side in (seen.b, seen.a))
    counts = check(board, design, board.sent(to_b), board.sent(to_a), frames, frames[::-1])
    assert seen.counters == counts
    assert counts["received"] == len(frames) > 1200
