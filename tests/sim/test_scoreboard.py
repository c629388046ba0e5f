"""What hardware may do wrong, and the packet that each fault is put to."""

import pytest
from rxgate.compiler.decode import decode
from rxgate.compiler.load.text import load_text
from rxgate.ctx_map.verdicts import Verdict
from rxgate.hdl.config import GateConfig, OnDrop
from rxgate.sim.golden import Frame, Golden
from rxgate.sim.scoreboard import Scoreboard
from rxgate.sim.surroundings import OutFrame

PROGRAM = decode(
    load_text(
        """
        bf 16 0000 00000000  # r6 = r1
        30 00 0000 00000000  # r0 = packet[0], or leave with 0
        57 00 0000 03000000  # r0 &= 3
        95 00 0000 00000000  # exit: 0 drop, 1 pass, others abort
        """,
        "first_byte",
    )
)
CONFIG = GateConfig(width=64, window=1)


class Hardware:
    """A perfect gate, whose events can be changed before they are shown."""

    def __init__(self, frames, config=CONFIG):
        golden = Golden(PROGRAM, config)
        self.board = Scoreboard(config, counters_tell=True)
        self.expectations = [golden.judge(golden.send(f)) for f in frames]
        self.left = [e.out for e in self.expectations if e.out is not None]
        self.done = [e.counter for e in self.expectations]
        self.wanted = dict(golden.counts)
        self.counts = dict(golden.counts)

    def run(self):
        for n, expectation in enumerate(self.expectations):
            self.board.expect(expectation, 10 * n)
            self.board.compare()
        for n, frame in enumerate(self.left):
            self.board.left(frame, 10 * n + 7)
        for counter in self.done:
            self.board.done(counter)
        self.board.compare()
        self.board.finish(self.counts, self.wanted)
        return [str(m) for m in self.board.mismatches]


def frames(count):
    return [Frame(bytes([n % 4]) + n.to_bytes(2, "big")) for n in range(count)]


def passing(count):
    return [Frame(b"\1" + n.to_bytes(2, "big")) for n in range(count)]


@pytest.mark.parametrize("count", [0, 1, 5, 200])
def test_perfect_hardware_agrees(count):
    hardware = Hardware(frames(count))
    assert hardware.run() == []
    assert hardware.board.compared == count


def test_latency_is_the_least():
    hardware = Hardware(passing(3))
    hardware.run()
    assert hardware.board.latency == 7


def test_a_wrong_verdict_names_its_packet():
    hardware = Hardware(frames(100))
    hardware.done[8] = "aborted"
    hardware.counts["aborted"] += 1
    hardware.counts["drop"] -= 1
    assert hardware.run() == [
        "packet 8: counted as aborted, and must be drop (DROP, r0 = 0x0)",
        "stat_drop is 24, and must be 25",
        "stat_aborted is 51, and must be 50",
    ]


def test_a_frame_that_leaves_and_must_not_does_not_hide_later_ones():
    hardware = Hardware(frames(100))
    hardware.done[8] = "pass"
    hardware.left.insert(2, OutFrame(b"\0\0\x08", Verdict.PASS))
    assert hardware.run() == ["packet 8: counted as pass, and must be drop (DROP, r0 = 0x0)"]


def test_a_changed_byte():
    hardware = Hardware(passing(100))
    hardware.left[40] = OutFrame(b"\1\0\xff", Verdict.PASS)
    assert hardware.run() == [
        "packet 40: left with 3 bytes, and must with 3; the first difference is at byte 2"
    ]


@pytest.mark.parametrize(
    ("actual", "what"),
    [
        (OutFrame(b"\1\0", Verdict.PASS), "2 bytes, and must with 3; the first difference is at"),
        (OutFrame(b"\1\0\x14\0", Verdict.PASS), "4 bytes, and must with 3; the first difference"),
        (OutFrame(b"\1\0\x14", Verdict.TX), "left as TX, and must as PASS"),
        (OutFrame(b"\1\0\x14", Verdict.PASS, err=True), "error bit 1, and must with 0"),
    ],
)
def test_other_differences(actual, what):
    hardware = Hardware(passing(60))
    hardware.left[20] = actual
    (mismatch,) = hardware.run()
    assert mismatch.startswith("packet 20: ")
    assert what in mismatch


def test_a_lost_frame():
    hardware = Hardware(passing(100))
    del hardware.left[30]
    assert hardware.run() == ["packet 30: did not leave, and must (PASS, r0 = 0x1)"]


def test_the_last_frame_is_lost():
    hardware = Hardware(passing(10))
    del hardware.left[9]
    assert hardware.run() == ["packet 9: did not leave, and must (PASS, r0 = 0x1)"]


def test_a_frame_too_many():
    hardware = Hardware(passing(100))
    hardware.left.insert(30, OutFrame(b"?", Verdict.PASS))
    hardware.left.append(OutFrame(b"!!", Verdict.PASS))
    assert hardware.run() == [
        "a frame left before packet 30 that no packet explains (1 bytes, PASS)",
        "a frame left that no packet explains (2 bytes, PASS)",
    ]


def test_frames_in_the_wrong_order():
    hardware = Hardware(passing(100))
    hardware.left[50], hardware.left[51] = hardware.left[51], hardware.left[50]
    mismatches = hardware.run()
    assert [m.index for m in hardware.board.mismatches] == [50, 51]
    assert len(mismatches) == 2


def test_a_frame_without_an_end():
    hardware = Hardware(passing(10))
    del hardware.done[9], hardware.left[9]
    hardware.counts["pass"] -= 1
    assert hardware.run() == [
        "packet 9: never came to its end", "stat_pass is 9, and must be 10"
    ]


def test_everything_wrong_is_counted_and_not_kept():
    hardware = Hardware(passing(1000))
    hardware.left = [OutFrame(b"x", Verdict.PASS)] * 1000
    hardware.run()
    assert hardware.board.count == 1000
    assert len(hardware.board.mismatches) == 100


def test_marked_and_bad_frames():
    config = GateConfig(width=64, window=1, on_drop=OnDrop.MARK)
    sent = [Frame(bytes([n % 4]), err=n % 3 == 0) for n in range(64)]
    hardware = Hardware(sent, config)
    assert len(hardware.left) == 64
    assert hardware.run() == []
    hardware = Hardware(sent, GateConfig(width=64, window=1, store_and_forward=True))
    assert len(hardware.left) == sum(n % 4 == 1 and n % 3 != 0 for n in range(64))
    assert hardware.run() == []
