"""Whatever comes over a wire: good frames get through, bad ones do not, nothing hangs."""

import zlib
from itertools import count

import pytest
from rxgate.boards.wire import (
    PERIODS,
    SETTLE,
    SYSTEM,
    Burst,
    Idle,
    Link,
    Stop,
    Until,
    duration,
    simulate,
    up,
)

pytestmark = pytest.mark.rtl
LONGEST = 1996
RUNT, SHORTEST = 18, 60
TAGGED = bytes(12) + b"\x81\x00\x00\x2a\x08\x00"
"""The head of a frame that passes."""
DRAIN = 10_000_000_000
"""Steps after which nothing of before is on its way any more, with links of a gigabit."""


class Traffic:
    """Makes what comes over one wire; `good` are the frames that have to come out, in order."""

    def __init__(self, board, rng):
        self.board, self.rng, self.numbers = board, rng, count()
        self.good: list[bytes] = []
        self.bad = 0
        """Frames with a delimiter that have to be counted as bad."""

    def frame(self, size: int) -> bytes:
        """One that was never there before."""
        head = TAGGED + next(self.numbers).to_bytes(4, "big")
        return (head + self.rng.randbytes(max(0, size - len(head))))[:size]

    def size(self) -> int:
        near = (SHORTEST, SHORTEST + 1, 1514, 1518, LONGEST - 1, LONGEST)
        return self.rng.choice((*near, *(self.rng.randint(SHORTEST, 300) for _ in range(12))))

    def whole(self, gap: int = 12, preamble: int = 7) -> Burst:
        """A good frame."""
        data = self.frame(self.size())
        self.good.append(data)
        wire = self.board.on_wire(data, preamble=preamble * b"\x55" + b"\xd5")
        return Burst(wire, gap=gap)

    def odd(self) -> list:
        """A good one with a nibble more before it or behind, where a link has nibbles."""
        one = self.whole(0)
        nibble = Burst(b"\x55", gap=0, late=True)
        return [*self.rng.choice(([nibble, one], [one, nibble], [nibble, one, nibble])), Idle(24)]

    def spoiled(self) -> list:
        """What must not come out, and does no harm to its neighbours."""
        rng, gap = self.rng, self.rng.choice((1, 4, 12))
        wire = self.board.on_wire(self.frame(self.size()))
        anywhere = rng.randrange(8, len(wire))
        kind = rng.choice((
            "fcs", "bit", "runt", "cut", "error", "long", "noise", "preamble", "no delimiter",
            "empty", "stop", "two delimiters",
        ))
        self.bad += kind not in ("noise", "preamble", "no delimiter")
        match kind:
            case "fcs":
                return [Burst(wire[:-4] + bytes(b ^ 0xFF for b in wire[-4:]), gap=gap)]
            case "bit":
                flipped = wire[anywhere] ^ 1 << rng.randrange(8)
                return [Burst(wire[:anywhere] + bytes([flipped]) + wire[anywhere + 1 :], gap=gap)]
            case "runt":
                short = self.frame(rng.randint(RUNT, SHORTEST - 1))
                fcs = zlib.crc32(short).to_bytes(4, "little")
                return [Burst(wire[:8] + short + fcs, gap=gap)]
            case "cut":  # The carrier drops in the middle.
                return [Burst(wire[: rng.randrange(8, len(wire) - 1)], gap=gap)]
            case "error":
                return [Burst(wire, frozenset({anywhere}), gap)]
            case "long":
                return [Burst(self.board.on_wire(self.frame(LONGEST + rng.choice((1, 2, 500, 7000)))))]
            case "noise":  # No carrier, but errors: false carrier, and carrier extension.
                data = bytes([rng.choice((0x0E, 0x0F, 0x1F))]) * rng.randint(1, 20)
                return [Burst(data, frozenset(range(len(data))), gap, carrier=False)]
            case "preamble":
                return [Burst(rng.randint(1, 30) * b"\x55", gap=gap)]
            case "no delimiter":
                return [Burst(bytes(b for b in wire if 0xD not in (b & 15, b >> 4)), gap=gap)]
            case "empty":
                return [Burst(wire[:8], gap=gap)]
            case "stop":  # The clock stands still, then the carrier is gone.
                ns = rng.choice((rng.randint(1, 5000), rng.randint(5000, 60_000)))
                return [Burst(wire[:anywhere], gap=0), Stop(ns), Idle(12 if ns < 5000 else 4096)]
            case "two delimiters":
                return [Burst(wire[:8] + b"\xd5" + wire[8:], gap=gap)]

    def mixed(self, steps: int, nibbles: bool = False) -> list:
        script = []
        for _ in range(steps):
            if self.rng.random() < 0.5:
                script += self.spoiled()
            elif nibbles and self.rng.random() < 0.3:
                script += self.odd()
            else:
                gap, preamble = self.rng.choice((8, 12, 12, 40)), self.rng.choice((0, 1, 6, 7, 7, 8, 15))
                script.append(self.whole(gap, preamble))
        return script


def frames(board, sent, *, broken=lambda one: False) -> list[bytes]:
    """The frames that a port sent, which are perfect on the wire but where they may be `broken`."""
    found = []
    for one in sent:
        data = one.data[8:-4]
        if not one.bad and one.data == board.on_wire(data):
            found.append(data)
        else:
            assert broken(one), one
    return found


@pytest.mark.parametrize(("speed", "steps"), [(1000, 150), (100, 50), (10, 6)])
def test_a_rough_mixture(board, rng, speed, steps):
    """Both directions at once; errors back to back with good frames, the last of which are good."""
    traffic = [Traffic(board, rng) for _ in "ab"]
    scripts = [
        [*up(speed, rng.choice((-100, 0, 100)), rng.choice((0, 0xD, 0xF))),
         *t.spoiled(), *t.mixed(steps, speed < 1000), *t.spoiled(), t.whole(), *t.spoiled(), t.whole()]
        for t in traffic
    ]
    seen = simulate(
        board.wires("vlan_allow.c"), *scripts, seed=rng.randint(1, 1 << 30), patience=250_000
    )
    a, b = traffic
    assert frames(board, seen.b) == a.good
    assert frames(board, seen.a) == b.good
    told = seen.counters
    assert (told["pass"], told["bad"], told["overflow"]) == (len(a.good), a.bad, 0)
    assert told["received"] == len(a.good) + a.bad
    assert (told["returned"], told["returned_bad"], told["returned_overflow"]) == (
        len(b.good), b.bad, 0,
    )


def changing(traffic: Traffic, rng, steps: int) -> list:
    """A link whose speed changes at any time, and what comes over it meanwhile."""
    script = []
    for _ in range(steps):
        speed = rng.choice((10, 100, 1000))
        script.append(Link(speed, rng.choice((-100, 0, 100)), rng.choice((0, 0xD))))
        if rng.random() < 0.3:
            script.append(Stop(rng.randint(1, 200_000)))
        if rng.random() < 0.8:
            script.append(Idle(rng.randint(1, SETTLE * SYSTEM // PERIODS[speed])))
        script += traffic.mixed({10: 2, 100: 6, 1000: 30}[speed])
        if rng.random() < 0.5:
            last = traffic.whole()
            traffic.good.pop()
            script.append(Burst(last.data[: rng.randrange(len(last.data))], gap=0))
    return script


def test_links_change_in_the_middle_of_traffic(board, rng):
    """Frames get lost while links change, but none is made up or altered; then all is well."""
    traffic = [Traffic(board, rng) for _ in "ab"]
    scripts = [changing(t, rng, 10) for t in traffic]
    still = max(map(duration, scripts)) + DRAIN
    for t, script in zip(traffic, scripts, strict=True):
        script += [Link(1000), Until(still), *(t.whole() for _ in range(20))]
    seen = simulate(board.wires("vlan_allow.c"), *scripts, seed=rng.randint(1, 1 << 30))
    for t, sent in zip(traffic, (seen.b, seen.a), strict=True):
        found = frames(board, sent, broken=lambda one: one.start < still)
        assert board.subsequence(found, t.good)
        assert found[-20:] == t.good[-20:]
        assert len(found) > 30


def test_two_streams_share_a_wire(board, rng):
    """What the program sends back and what B receives are more than port A may send: neither stands
    still, and what does not leave is counted."""
    echoed, other = [], Traffic(board, rng)
    for n in range(300):
        udp = b"\x08\x00" + bytes.fromhex("45000020000000004011000001010101020202021234000700080000")
        echoed.append(bytes([2, 0, 0, 0, 0, 1]) + n.to_bytes(6, "big") + udp + rng.randbytes(600))
    returned = [other.frame(640) for _ in range(300)]
    seen = simulate(
        board.wires("xdp_tx_echo.c"),
        *([*up(), *(Burst(board.on_wire(f)) for f in some)] for some in (echoed, returned)),
    )
    found = frames(board, seen.a)
    back, through = ([f for f in found if f in some] for some in (echoed, returned))
    assert len(back) + len(through) == len(found)
    assert board.subsequence(back, echoed)
    assert board.subsequence(through, returned)
    assert seen.b == ()
    told = seen.counters
    assert (told["tx"], told["returned"]) == (len(back), len(through))
    assert told["overflow"] == 300 - len(back)
    assert told["returned_overflow"] == 300 - len(through)
    assert min(len(back), len(through)) > 140


@pytest.mark.parametrize(
    ("fast", "slow"), [((1000, 0), (100, 0)), ((100, 0), (10, 0)), ((1000, 30_000), (1000, 0))]
)
@pytest.mark.parametrize("to_b", [True, False])
def test_sustained_excess(board, rng, fast, slow, to_b):
    """Frames are dropped whole, and counted; the other direction has none of it.

    What comes three percent too fast is too much for the crossing of clocks already.
    """
    one, other = Traffic(board, rng), Traffic(board, rng)
    much = [*up(*fast), *(one.whole() for _ in range(200 if fast[0] == 1000 else 60))]
    little = [*up(*slow), *(other.whole() for _ in range(3))]
    scripts = (much, little) if to_b else (little, much)
    seen = simulate(board.wires("vlan_allow.c"), *scripts, patience=120_000)
    there, back = (seen.b, seen.a) if to_b else (seen.a, seen.b)
    passed = frames(board, there)
    assert board.subsequence(passed, one.good)
    assert frames(board, back) == other.good
    lost = len(one.good) - len(passed)
    overflow = seen.counters["overflow" if to_b else "returned_overflow"]
    bad = seen.counters["bad" if to_b else "returned_bad"]
    assert lost > 0
    assert (overflow, bad) == ((0, lost) if fast[1] else (lost, 0))
    assert seen.counters["pass" if to_b else "returned"] == len(passed)
