"""Design -> what it means on a wire: packets and bits per second at every width."""

from dataclasses import dataclass
from functools import cache

from ..manifest import WIRE_OVERHEAD
from ..options import WIDTHS

ETHERNET = (1, 2.5, 5, 10, 25, 40, 50, 100, 200, 400)
"""Rates of IEEE 802.3, Gb/s."""
SMALLEST, LARGEST = 64, 1518


@dataclass(frozen=True, slots=True)
class Rate:
    """What a width carries: packets per second (Mpps) and frame bits (Gb/s) of the smallest and the
    largest frames, and the fastest Ethernet whose frames of every size it takes; 0 when none."""

    width: int
    small_mpps: float
    small_gbps: float
    large_mpps: float
    large_gbps: float
    ethernet: float
    ethernet_mpps: float
    worst: int


def rates(clock_mhz: float) -> list[Rate]:
    """Every width at a clock, a beat per cycle."""
    return [_rate(width, clock_mhz) for width in WIDTHS]


def line_mpps(gbps: float, size: int) -> float:
    """Frames of `size` bytes (with FCS) that a wire brings, millions per second."""
    return gbps * 1e3 / 8 / (size + WIRE_OVERHEAD)


@cache
def _rate(width: int, clock_mhz: float) -> Rate:
    def mpps(size: int) -> float:
        return clock_mhz / -(-size // (width // 8))

    worst = min(
        range(SMALLEST, LARGEST + 1), key=lambda size: mpps(size) * (size + WIRE_OVERHEAD)
    )
    most = mpps(worst) * (worst + WIRE_OVERHEAD) * 8 / 1e3
    carried = max((gbps for gbps in ETHERNET if gbps <= most * (1 + 1e-9)), default=0)
    small, large = mpps(SMALLEST), mpps(LARGEST)
    return Rate(
        width, small, small * SMALLEST * 8 / 1e3, large, large * LARGEST * 8 / 1e3, carried,
        line_mpps(carried, SMALLEST) if carried else 0.0, worst,
    )
