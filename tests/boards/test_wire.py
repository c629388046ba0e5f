"""Frames at the pins of a board leave as the interpreter says, in both directions."""

import zlib
from itertools import pairwise

import pytest
from rxgate.boards.host.protocol import Request, find_reply
from rxgate.ctx_map.link import Operation
from rxgate.ctx_map.registers import BY_NAME
from rxgate.sim.packets import generate

pytestmark = pytest.mark.rtl
KIT = "versa-ecp5"


BYTE = 80_000
"""Steps of a byte time at a gigabit."""


def gaps(seen):
    """Byte times between frames that follow each other."""
    return [round((b[2] - a[3]) / BYTE) for a, b in pairwise(seen)]


@pytest.mark.parametrize("program", ["dns_guard.c", "xdp_tx_echo.c"])
def test_both_directions(board, program):
    design = board.design_of(program)
    frames = [f for f in generate(60, 5) if len(f) <= 1500]
    others = [f for f in generate(40, 6) if len(f) <= 1500]
    phase = {"a": board.side(map(board.on_wire, frames)),
             "b": board.side(map(board.on_wire, others))}
    [seen] = board.simulate(design, board.KITS[KIT], [phase])
    to_b, to_a, _ = board.judged(design, frames)
    assert board.sent(seen["b"]) == to_b
    from_b = [f.ljust(60, b"\0") for f in others]
    found = board.sent(seen["a"])
    assert sorted(found) == sorted(to_a + from_b)
    assert [f for f in found if f in from_b] == [f for f in from_b if f in found]


def broken(board, rng, good: bytes):
    """A frame that must not pass, made of a good one with its preamble."""
    match rng.randrange(6):
        case 0:
            return board.on_wire(good, fcs=1 << rng.randrange(32))
        case 1:  # the carrier is lost in the middle
            return board.on_wire(good)[: rng.randint(8, 67)]
        case 2:  # too short, with a check sequence that is right
            short = good[: rng.randint(0, 59)]
            return board.PREAMBLE + short + zlib.crc32(short).to_bytes(4, "little")
        case 3:  # the PHY says that something was wrong
            whole = board.on_wire(good)
            return whole, (rng.randrange(8, len(whole)),)
        case 4:  # too long
            return board.on_wire(good + rng.randbytes(2000))
        case _:
            whole = bytearray(board.on_wire(good))
            whole[rng.randrange(8, len(whole))] ^= 1 << rng.randrange(8)
            return bytes(whole)


def test_no_bad_frame_passes_and_no_good_one_is_lost(board, rng):
    design = board.design_of("xdp_tx_echo.c")
    wires, good = {}, {}
    for letter in "ab":
        wires[letter], good[letter] = [], []
        for data in (f for f in generate(120, rng.getrandbits(32)) if 60 <= len(f) <= 1500):
            if rng.random() < 0.5:
                wires[letter].append(broken(board, rng, data))
            else:
                wires[letter].append(board.on_wire(data))
                good[letter].append(data)
    noise = bytes(b for b in rng.randbytes(200) if b != 0xD5)
    wires["a"].insert(3, noise)
    phase = {letter: board.side(frames) for letter, frames in wires.items()}
    [seen] = board.simulate(design, board.KITS[KIT], [phase])
    to_b, to_a, _ = board.judged(design, good["a"])
    assert board.sent(seen["b"]) == to_b
    assert sorted(board.sent(seen["a"])) == sorted(to_a + good["b"])


def steady(size: int, count: int, rng):
    """Frames of so many bytes with FCS, which pass: they carry VLAN 42."""
    head = bytes(12) + b"\x81\x00\x00\x2a\x08\x00"
    return [head + rng.randbytes(size - 4 - len(head)) for _ in range(count)]


@pytest.mark.parametrize(
    ("size", "count", "ppm"), [(64, 120, -200), (65, 120, 200), (1518, 8, 200)]
)
def test_line_rate_with_the_smallest_gap(board, rng, size, count, ppm):
    """Both directions at once; what comes faster than it may go waits."""
    design = board.design_of("vlan_allow.c")
    frames = steady(size, count, rng)
    side = board.side(map(board.on_wire, frames), ppm=ppm)
    [seen] = board.simulate(design, board.KITS[KIT], [{"a": side, "b": side}])
    for letter in "ab":
        assert board.sent(seen[letter]) == frames
        assert min(gaps(seen[letter])) == board.GAP
        assert max(gaps(seen[letter])) <= board.GAP + 2


def test_speeds_change(board, rng):
    """Each phase is another pair of links; what is too much for the slower one is dropped whole."""
    design = board.design_of("vlan_allow.c")
    phases, sizes = [], {1000: 20, 100: 10, 10: 3}
    for a, b in ((1000, 1000), (100, 100), (1000, 10), (10, 1000), (100, 10), (10, 10), (1000, 1000)):
        frames = {"a": steady(rng.randint(64, 90), sizes[a], rng),
                  "b": steady(rng.randint(64, 90), sizes[b], rng)}
        phases.append((a, b, frames))
    seen = board.simulate(design, board.KITS[KIT], [
        {letter: board.side(map(board.on_wire, frames[letter]), speed)
         for letter, speed in (("a", a), ("b", b))}
        for a, b, frames in phases
    ])
    for (a, b, frames), found in zip(phases, seen, strict=True):
        assert board.sent(found["b"]) == frames["a"], (a, b)
        assert board.sent(found["a"]) == frames["b"], (a, b)


def test_too_much_is_dropped_whole(board, rng):
    """A gigabit into a hundred megabits."""
    design = board.design_of("vlan_allow.c")
    frames = steady(1000, 40, rng)
    wires = list(map(board.on_wire, frames))
    first = {"a": board.side(wires), "b": board.side(speed=100)}
    second = {"a": board.side(wires[:2]), "b": board.side(speed=1000)}
    seen = board.simulate(design, board.KITS[KIT], [first, second])
    passed = board.sent(seen[0]["b"])
    rest = iter(frames)
    assert all(f in rest for f in passed)
    assert 4 <= len(passed) < len(frames)
    assert board.sent(seen[1]["b"]) == frames[:2]


def test_the_host_counts_what_came(board, rng):
    """Good frames, a bad one, and one that the program drops; asked for over the serial line."""
    design = board.design_of("vlan_allow.c")
    good = [board.on_wire(f) for f in steady(64, 3, rng)]
    phase = {"a": board.side([*good, board.on_wire(bytes(60)), board.on_wire(bytes(60), fcs=1)]),
             "b": board.side([*good[:2], board.on_wire(bytes(60), fcs=1)])}
    asked = [
        Request(Operation.GREET, 1),
        Request(Operation.WRITE, 2, BY_NAME["command"].offset, 1),
        *(Request(Operation.READ, 3 + n, BY_NAME[name].offset)
          for n, name in enumerate(("received", "pass", "drop", "bad"))),
        Request(Operation.BOARD, 7, 1), Request(Operation.BOARD, 8, 2),
        Request(Operation.BOARD, 9, 0),
    ]
    [seen] = board.simulate(design, board.KITS[KIT], [phase], host=[r.encode() for r in asked])
    replies = [find_reply(answer)[0] for answer in seen["host"]]
    assert [r.number for r in replies] == [r.number for r in asked]
    assert [r.data for r in replies[2:]] == [5, 3, 1, 1, 2, 1, 0x66]


@pytest.mark.slow
@pytest.mark.parametrize("ppm", [-100, 100])
def test_ten_thousand_frames_without_a_pause(board, rng, ppm):
    """Both directions at once; nothing is lost. Longer frames: benchmarks/wire.py."""
    design = board.design_of("vlan_allow.c")
    frames = steady(64, 10_000, rng)
    side = board.side(map(board.on_wire, frames), ppm=ppm)
    [seen] = board.simulate(design, board.KITS[KIT], [{"a": side, "b": side}])
    assert board.sent(seen["b"]) == board.sent(seen["a"]) == frames
