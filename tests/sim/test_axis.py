"""Beats of frames, and the rules of the stream, on handles without a simulator."""

from random import Random
from types import SimpleNamespace

import pytest
from rxgate.sim.axis import Monitor, ProtocolError, Sink, Source, UserBits, chance, to_beats


class Bus:
    """What Bus has, but with values that the test sets."""

    def __init__(self, size=2):
        self.name, self.size = "m_axis", size
        for name in ("data", "keep", "valid", "ready", "last", "user"):
            setattr(self, name, SimpleNamespace(value=0))

    def is_valid(self):
        return self.valid.value

    def is_ready(self):
        return self.ready.value

    def beat(self):
        return self.data.value, self.keep.value, self.last.value, self.user.value

    def show(self, valid, ready, data=0, keep=3, last=0, user=0):
        values = (valid, ready, data, keep, last, user)
        for name, value in zip(
            ("valid", "ready", "data", "keep", "last", "user"), values, strict=True
        ):
            getattr(self, name).value = value


def watch(*cycles, **options):
    bus = Bus()
    monitor = Monitor(bus, **options)
    for cycle in cycles:
        bus.show(*cycle)
        monitor.step()
    return monitor


@pytest.mark.parametrize(
    ("data", "beats"),
    [
        (b"", [(0, 0, 1, 0)]),
        (b"\1", [(1, 1, 1, 0)]),
        (b"\1\2", [(0x201, 3, 1, 0)]),
        (b"\1\2\3", [(0x201, 3, 0, 0), (3, 1, 1, 0)]),
        (b"\1\2\3\4", [(0x201, 3, 0, 0), (0x403, 3, 1, 0)]),
    ],
)
def test_beats(data, beats):
    assert to_beats(data, 2) == beats


def test_an_empty_beat_ends_only_full_frames():
    assert to_beats(b"\1\2", 2, empty_end=True) == [(0x201, 3, 0, 0), (0, 0, 1, 0)]
    assert to_beats(b"\1", 2, empty_end=True) == [(1, 1, 1, 0)]
    assert to_beats(b"", 2, empty_end=True) == [(0, 0, 1, 0)]


def test_tuser_stands_at_its_beats_and_junk_everywhere_else():
    first, last = UserBits(0b0100, 0b0110), UserBits(0b1, 0b1)
    assert [b[3] for b in to_beats(b"123456", 2, first, last)] == [4, 0, 1]
    assert [b[3] for b in to_beats(b"12", 2, first, last)] == [5]
    seen = [to_beats(b"123", 2, first, last, user_width=4, junk=Random(n)) for n in range(64)]
    assert all(b[0][3] & 0b0110 == 4 and b[1][3] & 1 == 1 for b in seen)
    assert {b[0][3] & 0b1001 for b in seen} == {0, 1, 8, 9}
    assert {b[1][0] & 0xFF for b in seen} == {ord("3")}
    assert len({b[1][0] for b in seen}) > 32


def test_frames_are_collected():
    monitor = watch(
        (1, 1, 0x0201, 3, 0, 2), (0, 1), (1, 0, 0x0403, 3, 0, 2), (1, 1, 0x0403, 3, 0, 2),
        (1, 1, 0x0005, 1, 1, 10), (1, 1, 0, 0, 1, 3),
        steady=7, closing=8, empty_end=False,
    )  # fmt: skip
    assert [f.data for f in monitor.frames] == [b"\1\2\3\4\5", b""]
    assert [(f.first_user, f.last_user, f.begin, f.end) for f in monitor.frames] == [
        (2, 10, 1, 5), (3, 3, 6, 6),
    ]  # fmt: skip
    assert (monitor.beats, monitor.last_at, monitor.inside, monitor.waiting) == (4, 6, False, False)


@pytest.mark.parametrize(
    ("cycles", "text"),
    [
        ([(1, 0, 5), (0, 0, 5)], "cycle 2: tvalid fell before tready"),
        ([(1, 0, 5), (1, 1, 6)], "cycle 2: tdata changed before tready"),
        ([(1, 0, 5, 3), (1, 1, 5, 1)], "cycle 2: tkeep changed before tready"),
        ([(1, 0, 5, 3, 0), (1, 0, 5, 3, 1)], "cycle 2: tlast changed before tready"),
        ([(1, 0, 5, 3, 0, 1), (1, 0, 5, 3, 0, 2)], "cycle 2: tuser changed before tready"),
        ([(1, 1, 5, 2, 1)], "cycle 1: tkeep has holes: 0x2"),
        ([(1, 1, 5, 1, 0)], "cycle 1: a beat before the last is not full: tkeep 0x1"),
        ([(1, 1, 5, 0, 0)], "cycle 1: a beat before the last is not full: tkeep 0x0"),
        ([(1, 1, 5), (1, 1, 0, 0, 1)], "cycle 2: an empty beat ends a frame that has bytes"),
        ([(1, 1, 5, 3, 0, 1), (1, 1, 5, 3, 1, 2)],
         "cycle 2: tuser changed within a frame: 0x1, then 0x2"),
        ([(1, 1, 5, 3, 0, 8)], "cycle 1: tuser 0x8 has a bit that belongs to the last beat"),
    ],
)  # fmt: skip
def test_every_broken_rule_is_named(cycles, text):
    with pytest.raises(ProtocolError) as caught:
        watch(*cycles, steady=7, closing=8, empty_end=False)
    assert str(caught.value) == f"m_axis, {text}"


def test_a_source_holds_a_beat_until_it_is_taken():
    bus = Bus()
    source = Source(bus, iter([False, True, False]))
    source.send(to_beats(b"\1\2\3", 2))
    readies, seen = (0, 0, 1, 1, 1, 1), []
    for ready in readies:
        bus.ready.value = ready
        source.step()
        seen.append((bus.valid.value, bus.data.value, bus.last.value))
    assert seen == [(1, 0x201, 0), (1, 0x201, 0), (0, 0x201, 0), (1, 3, 1), (0, 3, 1), (0, 3, 1)]
    assert (source.taken, source.stalls, source.taken_at, source.last_at) == (2, 1, [3], 5)
    assert source.done


@pytest.mark.parametrize("steps", range(1, 7))
def test_an_aborted_source_goes_on_with_a_whole_frame(steps):
    bus = Bus()
    bus.ready.value = 1
    source = Source(bus)
    for n in range(4):
        source.send(to_beats(bytes([n] * 5), 2))
    for _ in range(steps):
        source.step()
    begun = source.begun
    source.abort()
    assert bus.valid.value == 0
    source.step()
    assert (bus.valid.value, bus.data.value) == (1, begun * 0x101)


def test_a_sink_stalls_when_it_is_told():
    bus = Bus()
    sink = Sink(bus, iter([True, False, False, True]))
    seen = [bus.ready.value]
    for _ in range(4):
        sink.step()
        seen.append(bus.ready.value)
    assert seen == [0, 0, 1, 1, 0]


def test_chance():
    assert chance(0, Random(1)) is None
    pauses = chance(0.25, Random(1))
    assert 200 < sum(next(pauses) for _ in range(1000)) < 300
    with pytest.raises(ValueError, match="below 1, not 1"):
        chance(1, Random(1))
