"""What must happen to each frame, and what the hardware did -> mismatches, each with its packet.

Frames are compared one by one and in order. After a difference the two sides find together again
when a frame is missing, or there is one too many.
"""

from collections import deque
from collections.abc import Mapping

from ..hdl.config import GateConfig, OnDrop
from .golden import Expectation
from .result import Mismatch
from .surroundings import OutFrame

KEPT = 100
"""Mismatches that are kept; others are counted."""
_AHEAD = 32
"""Frames looked at to find together again."""
_LEAVES = ("pass", "tx", "redirect")


class Scoreboard:
    """Holds what has not been compared yet.

    `mismatches` are the first of `count`. `latency` is the least number of cycles from `expect` to
    `left` of a frame that left as it must, None when there was none.
    """

    def __init__(self, config: GateConfig, *, counters_tell: bool) -> None:
        """With `counters_tell`, `done` is called for every admitted frame, in order."""
        self.mismatches: list[Mismatch] = []
        self.count = 0
        self.compared = 0
        self.latency: int | None = None
        self._counters_tell = counters_tell
        self._marks = config.on_drop is OnDrop.MARK
        self._expected: deque[tuple[Expectation, int]] = deque()
        self._left: deque[tuple[OutFrame, int]] = deque()
        self._done: deque[str] = deque()

    def resume(self, compared: int, latency: int | None) -> None:
        """Go on behind so many frames that another compared."""
        self.compared = compared
        self.latency = latency

    def expect(self, expectation: Expectation, cycle: int) -> None:
        """The next frame, with the cycle in which its first beat went in."""
        self._expected.append((expectation, cycle))

    def left(self, frame: OutFrame, cycle: int) -> None:
        """A frame left; `cycle` is that of its first beat."""
        self._left.append((frame, cycle))

    def done(self, counter: str) -> None:
        """The next admitted frame went up in stat_<counter>."""
        self._done.append(counter)

    def compare(self) -> None:
        """Compare what can be; call it now and then."""
        while len(self._expected) > _AHEAD and self._step(final=False):
            pass

    def finish(self, counts: Mapping[str, int], wanted: Mapping[str, int]) -> None:
        """All has been said; `counts` are the ports' and `wanted` the model's."""
        while self._expected and self._step(final=True):
            pass
        for frame, _ in self._left:
            self.report(f"a frame left that no packet explains ({_short(frame)})", actual=frame)
        self._left.clear()
        for name, value in wanted.items():
            if counts[name] != value:
                self.report(f"stat_{name} is {counts[name]}, and must be {value}")

    def report(
        self,
        what: str,
        index: int | None = None,
        expected: Expectation | None = None,
        actual: OutFrame | None = None,
    ) -> None:
        """Count a mismatch."""
        self.count += 1
        if len(self.mismatches) < KEPT:
            self.mismatches.append(Mismatch(what, index, expected, actual))

    def _step(self, *, final: bool) -> bool:
        """Compare the oldest frame; False when more has to be known first."""
        expectation, cycle = self._expected[0]
        counter = expectation.counter
        if expectation.outcome is not None and self._counters_tell:
            if self._done:
                counter = self._done[0]
            elif final:
                self._report(expectation, "never came to its end")
                self._advance(used=False)
                return True
            else:
                return False
        leaves = self._leaves(expectation, counter)
        if leaves and not self._left:
            if not final:
                return False
            self._report(expectation, f"did not leave, and must ({_verdict(expectation)})")
            self._advance(used=False)
            return True
        actual, out_cycle = self._left[0] if leaves else (None, 0)
        if counter == expectation.counter and actual == expectation.out:
            if actual is not None:
                latency = out_cycle - cycle
                self.latency = latency if self.latency is None else min(self.latency, latency)
            self._advance(used=leaves)
            return True
        if counter == expectation.counter and not final and len(self._left) <= _AHEAD:
            return False
        self._differ(expectation, counter, actual)
        return True

    def _leaves(self, expectation: Expectation, counter: str) -> bool:
        """Whether the hardware says that the frame leaves; of bad frames its counters do not."""
        if expectation.outcome is None:
            return False
        if counter == "bad":
            return expectation.out is not None
        return self._marks or counter in _LEAVES

    def _differ(self, expectation: Expectation, counter: str, actual: OutFrame | None) -> None:
        if counter != expectation.counter:
            self._report(
                expectation,
                f"counted as {counter}, and must be {expectation.counter} "
                f"({_verdict(expectation)})",
                actual,
            )
            self._advance(used=actual is not None)
            return
        assert actual is not None
        assert expectation.out is not None
        ahead = [frame for frame, _ in list(self._left)[1:_AHEAD]]
        later = [e.out for e, _ in list(self._expected)[1:_AHEAD]]
        if expectation.out in ahead and actual not in later:
            self.report(
                f"a frame left before packet {self.compared} that no packet explains "
                f"({_short(actual)})",
                actual=actual,
            )
            self._left.popleft()
            return
        if actual in later and expectation.out not in ahead:
            self._report(expectation, f"did not leave, and must ({_verdict(expectation)})")
            self._advance(used=False)
            return
        self._report(expectation, _difference(expectation.out, actual), actual)
        self._advance(used=True)

    def _report(
        self, expectation: Expectation, what: str, actual: OutFrame | None = None
    ) -> None:
        self.report(what, self.compared, expectation, actual)

    def _advance(self, *, used: bool) -> None:
        expectation, _ = self._expected.popleft()
        if expectation.outcome is not None and self._done:
            self._done.popleft()
        if used:
            self._left.popleft()
        self.compared += 1


def _verdict(expectation: Expectation) -> str:
    outcome = expectation.outcome
    return "not admitted" if outcome is None else f"{outcome.verdict.name}, r0 = {outcome.r0:#x}"


def _short(frame: OutFrame) -> str:
    return f"{len(frame.data)} bytes, {frame.verdict.name}{', error' if frame.err else ''}"


def _difference(expected: OutFrame, actual: OutFrame) -> str:
    """How two different frames differ."""
    if actual.verdict != expected.verdict:
        return f"left as {actual.verdict.name}, and must as {expected.verdict.name}"
    if actual.data != expected.data:
        pairs = zip(actual.data, expected.data, strict=False)
        shorter = min(len(actual.data), len(expected.data))
        at = next((n for n, (a, b) in enumerate(pairs) if a != b), shorter)
        return (
            f"left with {len(actual.data)} bytes, and must with {len(expected.data)}; "
            f"the first difference is at byte {at}"
        )
    return f"left with the error bit {int(actual.err)}, and must with {int(expected.err)}"
