"""Ports of a gate beside its streams -> what the golden model must be told of a run.

All are parts to be stepped at every rising edge, as those of sim/axis.py.
"""

from typing import Any

from .surroundings import Counts

COUNTERS = tuple(port.removeprefix("stat_") for port in Counts().ports())
"""The stat_* ports, without the prefix."""


def read_counters(dut: Any) -> dict[str, int]:
    """The stat_* ports now."""
    return {name: int(getattr(dut, f"stat_{name}").value) for name in COUNTERS}


class Times:
    """Drives ktime_ns, and notes in `times` the time of each launch.

    The time is `start` ns, and `step` more in every cycle.
    """

    def __init__(self, dut: Any, start: int, step: int) -> None:
        self.dut, self.increment = dut, step
        self.times: list[int] = []
        self._now = start

    def step(self) -> None:
        """One rising edge."""
        if self.dut.trace_valid.value:
            self.times.append(int(self.dut.trace_ktime.value))
        self._now = self._now + self.increment & (1 << 64) - 1
        self.dut.ktime_ns.value = self._now


class Commits:
    """Notes in `commits`, of each launch, how often tunables had been committed."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.commits: list[int] = []

    def step(self) -> None:
        """One rising edge."""
        if self.dut.trace_valid.value:
            self.commits.append(int(self.dut.trace_commits.value))


class Admissions:
    """Notes of each frame that is counted as received whether it was admitted; from reset on."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        self.admitted: list[bool] = []
        self._received = self._overflow = 0

    def step(self) -> None:
        """One rising edge."""
        received, overflow = int(self.dut.stat_received.value), int(self.dut.stat_overflow.value)
        if received != self._received:
            self.admitted.append(overflow == self._overflow)
        self._received, self._overflow = received, overflow
