"""Frames on wires and in streams, for the parts of a MAC."""

import random
import zlib
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from amaranth.sim import Simulator

PREAMBLE = bytes(7 * [0x55] + [0xD5])


@dataclass
class Frame:
    """What is behind the delimiter on the wire, FCS included, and whether it has to be refused."""

    wire: bytes
    bad: bool


def with_fcs(data: bytes) -> bytes:
    return data + zlib.crc32(data).to_bytes(4, "little")


def random_frames(rng: random.Random, count: int, longest: int = 200) -> list[Frame]:
    """Good ones, of wrong FCS, too short, and fragments."""
    frames = []
    for _ in range(count):
        kind = rng.choice(("good", "good", "good", "fcs", "runt", "fragment"))
        data = rng.randbytes(rng.choice((60, 61, rng.randint(60, longest))))
        match kind:
            case "good":
                frames.append(Frame(with_fcs(data), False))
            case "fcs":
                wire = bytearray(with_fcs(data))
                wire[rng.randrange(len(wire))] ^= 1 << rng.randrange(8)
                frames.append(Frame(bytes(wire), True))
            case "runt":
                frames.append(Frame(with_fcs(data[: rng.randint(1, 59)]), True))
            case "fragment":
                frames.append(Frame(data[: rng.randint(0, 8)], True))
    return frames


async def put(ctx, stream, beats):
    """Drives a stream that cannot be stalled, a beat per cycle; None is a pause."""
    for beat in beats:
        ctx.set(stream.valid, beat is not None)
        if beat is not None:
            ctx.set(stream.payload, beat)
        await ctx.tick()
    ctx.set(stream.valid, 0)


def received_beats(data: bytes, bad: bool = False) -> list[dict[str, int]]:
    """A frame as it comes out of a receiver."""
    if not data:
        return [{"data": 0, "empty": 1, "last": 1, "err": 1}]
    beats = [{"data": byte, "empty": 0, "last": 0, "err": 0} for byte in data]
    beats[-1] |= {"last": 1, "err": int(bad)}
    return beats


class Collector:
    """Puts frames together from the beats that crossed."""

    def __init__(self):
        self.frames: list[tuple[bytes, bool]] = []
        self._data = bytearray()

    def see(self, payload) -> None:
        if not getattr(payload, "empty", 0):
            self._data.append(payload.data)
        if payload.last:
            self.frames.append((bytes(self._data), bool(getattr(payload, "err", 0))))
            self._data.clear()


def simulate(component, *benches, clocks=None):
    """Runs until all benches end."""
    sim = Simulator(component)
    for domain, period in (clocks or {"sync": 8e-9}).items():
        sim.add_clock(period, domain=domain)
    for bench in benches:
        sim.add_testbench(bench)
    sim.run()


@pytest.fixture
def rng():
    """Random numbers; a failing test prints the seed."""
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    return random.Random(seed)


@pytest.fixture
def wire():
    """The helpers above."""
    return SimpleNamespace(
        PREAMBLE=PREAMBLE, Frame=Frame, with_fcs=with_fcs, random_frames=random_frames, put=put,
        received_beats=received_beats, Collector=Collector, simulate=simulate,
    )
