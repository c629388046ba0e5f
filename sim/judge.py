"""Frames sent between two resets, and what a cocotb bench saw then -> mismatches."""

from collections.abc import Sequence

from .golden import Golden, Sent
from .job import Stretch
from .scoreboard import Scoreboard


def judge(
    board: Scoreboard,
    golden: Golden,
    sent: Sequence[Sent],
    stretch: Stretch,
    *,
    reads_time: bool,
    last: bool = True,
) -> None:
    """Report to `board` all that was seen and should not have been, or the other way round.

    `sent` are the frames since the reset. All that must leave must have left, unless this stretch
    is not the `last` one: then what has left must be a beginning of it.
    """
    for fault in stretch.faults:
        board.report(fault)
    counted = not golden.config.backpressure
    times, admissions = iter(stretch.times), iter(stretch.admitted)
    commits, tuned = iter(stretch.commits), bool(golden.config.tunables)
    wanted = []
    for packet, cycle in zip(sent, stretch.entered, strict=False):
        admitted = next(admissions, None) if counted else True
        ktime = next(times, None) if reads_time and admitted else 0
        commit = next(commits, None) if tuned and admitted else 0
        if admitted is None or ktime is None or commit is None:
            break
        if tuned and commit >= len(stretch.images):
            board.report(f"a packet was launched after {commit} commits, which never were")
            break
        image = stretch.images[commit] if tuned else None
        wanted.append(
            (golden.judge(packet, ktime=ktime, admitted=admitted, image=image), cycle)
        )
    if not last:
        outs = [expectation.out for expectation, _ in wanted if expectation.out is not None]
        left = [frame for frame, _ in stretch.left]
        if left != outs[: len(left)]:
            board.report(f"what left before the reset behind packet {stretch.start} is wrong")
        return
    for expectation, cycle in wanted:
        board.expect(expectation, cycle)
    for frame, cycle in stretch.left:
        board.left(frame, cycle)
    board.finish(stretch.counts, golden.counts)
    if len(wanted) < len(sent):
        board.report(f"{len(sent) - len(wanted)} frames were never received or launched")
    if stretch.stalls and counted:
        board.report(f"s_axis_tready was low in {stretch.stalls} cycles, and must always be high")
