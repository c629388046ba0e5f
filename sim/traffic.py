"""A capture file, or a count with seed and mix -> frames for a simulation."""

from ..compiler.errors import InputError
from ..compiler.insn import Program
from .captures import read_capture
from .directed import directed
from .packets import Mix, generate


def read_frames(path: str) -> tuple[list[bytes], int]:
    """The frames of a capture, and how many of them a snap length cut."""
    captured = read_capture(path)
    if not captured:
        raise InputError(f"the capture {path} holds no packet")
    return [f.data for f in captured], sum(f.cut for f in captured)


def generate_frames(program: Program, count: int, seed: int, mix: str) -> list[bytes]:
    """`count` frames; the mixed traffic is aimed at the branches of `program`."""
    if Mix(mix) is Mix.MIXED:
        return directed(program, count, seed)
    return generate(count, seed, mix)
