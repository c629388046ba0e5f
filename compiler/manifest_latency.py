"""Design -> where the cycles go between the first beat of a frame and its first beat out."""

from dataclasses import dataclass

from ..hdl.queue import Queue
from ..hdl.strip import Strip
from .driver import Design

OUTPUT = 1
"""Cycles of the registers at the output."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some cycles on a frame's way; `arriving` when they pass while it is still coming in."""

    name: str
    cycles: int
    why: str
    arriving: bool = False


def latency_budget(design: Design, frame_bytes: int) -> list[Part]:
    """The parts of the latency of a frame, without pauses and with a ready sink.

    Those behind its arrival add up to the `latency` of the gate.
    """
    config, gate = design.config, design.gate
    beats = -(-frame_bytes // config.beat_bytes)
    window = config.window_beats
    if config.store_and_forward:
        first = Part("frame", beats - 1, f"the last of {_beats(beats)} decides", arriving=True)
    else:
        needed = min(window, beats)
        first = Part(
            "window", needed - 1, f"{config.window} bytes of header in {_beats(needed)}", arriving=True
        )
    strip = Strip.beats(config.width) if config.strip_vlan else 0
    program = design.schedule.latency
    rest = gate.latency - strip - gate.launch_latency - program - Queue.latency - OUTPUT
    parts = [
        first,
        Part("ingress", rest, "registers at the input, admission"),
        Part("VLAN", strip, "taking the tag out"),
        Part("launch", gate.launch_latency, "window, length and checksum into registers"),
        Part("program", program, "pipeline stages"),
        Part("queue", Queue.latency, "the verdict meets its frame"),
        Part("egress", OUTPUT, "registers at the output"),
    ]
    return [part for part in parts if part.cycles]


def _beats(count: int) -> str:
    return "1 beat" if count == 1 else f"{count} beats"
