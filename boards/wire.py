"""A board's design and what comes over its two wires -> what it sends, simulated at its pins.

The other end of each wire is a PHY of `wire.cpp`, which is fast enough for seconds of traffic; tests
hold it to one by others. Frames are here as on a wire: from the preamble to the check sequence.
"""

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from struct import Struct, pack

from ..compiler.driver import Design
from ..compiler.errors import ToolError
from ..sim import model
from . import build
from .bitstream import TOP
from .kit import Kit

STEPS = 10_000
"""Of time, in a nanosecond."""
SYSTEM = 80_000
"""Steps in a cycle of the system's clock: 125 MHz."""
SETTLE = 3 * 4096
"""Cycles of the system in which the speed of a link is found out."""
PERIODS = {1000: SYSTEM, 100: 5 * SYSTEM, 10: 50 * SYSTEM}
"""Steps in a cycle of RXC and TXC, by the megabits per second of a link (RGMII 2.0 section 3.3)."""
GIGABIT = 1000
GAP = 12
"""Bytes of the smallest gap (IEEE 802.3 clause 4.4.2)."""
_HELD = 20
"""Cycles for which PHYs are held in reset in simulation."""
_SEEN = """public_flat_rd -module "rxgate" -var "stat_*"
public_flat_rd -module "top" -var "total_returned*"
"""
_HERE = Path(__file__).parent
_COUNTERS: tuple[str, ...] = (
    "received", "pass", "drop", "aborted", "tx", "redirect", "overflow", "bad",
    "returned", "returned_bad", "returned_overflow",
)
_RECORD = Struct("<QQ?I")
_END = 255


@dataclass(frozen=True, slots=True)
class Link:
    """From here on the link has this speed, and a clock so many parts per million too fast.

    `idle` is RXD between frames, where RGMII 2.0 section 3.4.1 has the state of the link.
    """

    speed: int
    ppm: float = 0.0
    idle: int = 0


@dataclass(frozen=True, slots=True)
class Stop:
    """The receive clock stands still, whatever is being received."""

    ns: int


@dataclass(frozen=True, slots=True)
class Idle:
    """So many cycles of the receive clock without a carrier."""

    cycles: int


@dataclass(frozen=True, slots=True)
class Until:
    """No carrier until so many steps after the beginning of all."""

    step: int


@dataclass(frozen=True, slots=True)
class Burst:
    """Bytes, and so many byte times without a carrier behind them.

    At the positions `errors` the PHY signals an error. Without `carrier` it is nothing but these
    errors that tells of the bytes. A `late` one begins with its second nibble, if the link has any.
    """

    data: bytes
    errors: frozenset[int] = frozenset()
    gap: int = GAP
    carrier: bool = True
    late: bool = False


Item = Link | Stop | Idle | Until | Burst


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent between two gaps; `start` and `end` are steps. `bad` if it is no whole number of
    bytes of a known speed, TX_CTL tells of an error, or TXD is not what a nibble has to be."""

    data: bytes
    start: int
    end: int
    bad: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What both ports sent, in cycles of the system, and what the board counted.

    `taken` is what port A received at each edge of RXC, if that was asked for: RXD, in bit 4 RX_CTL,
    in bit 5 RXC.
    """

    a: tuple[Sent, ...]
    b: tuple[Sent, ...]
    cycles: int
    counters: Mapping[str, int]
    taken: bytes


def up(speed: int = GIGABIT, ppm: float = 0.0, idle: int = 0) -> list[Item]:
    """A link that comes up, and as much time as it takes to find out its speed."""
    return [Link(speed, ppm, idle), Idle(1 + SETTLE * SYSTEM // PERIODS[speed])]


def duration(script: Iterable[Item]) -> int:
    """Steps that it takes."""
    steps = period = 0
    for item in script:
        match item:
            case Link(speed):
                period = PERIODS[speed]
            case Stop(ns):
                steps += ns * STEPS
            case Idle(cycles):
                steps += cycles * period
            case Until(step):
                steps = max(steps, step)
            case Burst(data, gap=gap):
                steps += (len(data) + gap) * period * (1 if period == SYSTEM else 2)
    return steps


def build_wires(design: Design, kit: Kit) -> Path:
    """The simulator of a board with two ports, compiled once and kept."""
    if len(kit.ports) != 2:
        raise ValueError(f"Two wires are wanted, and {kit.name} has {len(kit.ports)}")
    texts = [t for n, t in build.sources(design, kit, _HELD).items() if n.endswith(".v")]
    verilog = "\n".join([*texts, (_HERE / "ecp5_models.v").read_text()])
    harness = _HERE / "wire.cpp"
    return model.kept(
        "wires", (verilog, harness.read_text(), _SEEN, *model.flags()),
        lambda folder: model.compile_model(folder, verilog, harness, top=TOP, visible=_SEEN),
    )


def simulate(
    program: Path, a: Sequence[Item], b: Sequence[Item], *,
    seed: int = 1, patience: int = 20_000, trace: bool = False,
) -> Seen:
    """Runs what `build_wires` built. Ends when both scripts have, and nothing was sent for `patience`
    cycles of the system. The `seed` chooses what registers hold at first, and the phases of clocks."""
    command = [program, str(seed), str(patience), *(["trace"] if trace else [])]
    script = b"".join(pack("<I", len(s)) + b"".join(map(_encode, s)) for s in (a, b))
    done = subprocess.run(command, input=script, capture_output=True, check=False)
    if done.returncode:
        raise ToolError(f"The simulator ended with status {done.returncode}: {done.stderr[-300:]!r}")
    ports: tuple[list[Sent], list[Sent]] = ([], [])
    at, text = 0, done.stdout
    while (port := text[at]) != _END:
        start, end, error, size = _RECORD.unpack_from(text, at + 1)
        at += 1 + _RECORD.size + size
        ports[port].append(_sent(text[at - size : at], start, end, error))
    cycles, *counts = Struct(f"<{1 + len(_COUNTERS)}Q").unpack_from(text, at + 1)
    counters = dict(zip(_COUNTERS, counts, strict=True))
    return Seen(tuple(ports[0]), tuple(ports[1]), cycles, counters, done.stderr)


def _encode(item: Item) -> bytes:
    match item:
        case Link(speed, ppm, idle):
            half = round(PERIODS[speed] / 2 * (1 - ppm * 1e-6))
            return pack("<BQBB", 0, half, speed != GIGABIT, idle)
        case Stop(ns):
            return pack("<BQ", 1, ns * STEPS)
        case Idle(cycles):
            return pack("<BQ", 2, cycles)
        case Until(step):
            return pack("<BQ", 3, step)
        case Burst(data, errors, gap, carrier, late):
            marks = bytes(n in errors for n in range(len(data))) if errors else bytes(len(data))
            size = pack("<I", len(data))
            return pack("<BBBI", 4, carrier, late, gap) + size + data + size + marks


def _sent(cycles: bytes, start: int, end: int, error: bool) -> Sent:
    period = (end - start) // len(cycles) if cycles else 0
    bad = error or period * len(cycles) != end - start or period not in PERIODS.values()
    if bad or period == PERIODS[GIGABIT]:
        return Sent(cycles, start, end, bad)
    bad = len(cycles) % 2 == 1 or any(c & 15 != c >> 4 for c in cycles)
    data = bytes(low & 15 | high & 0xF0 for low, high in zip(cycles[::2], cycles[1::2], strict=False))
    return Sent(data, start, end, bad)
