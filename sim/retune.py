"""Tunables and traffic -> other values for them while the traffic runs, and the host's writes for that.

Values are one text of bytes, an image: those of the tunables, one after the other, as
`Program.tunable_image` and the register `commits` number them: image n is what packets see that
are launched after n commits.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from ..compiler.insn import Program
from ..ctx_map.registers import BY_NAME, COMMANDS, WORD_BYTES, Tunable

COMMIT = sum(1 << bit.position for bit in COMMANDS if bit.name == "commit")
_WHOLE = (1 << WORD_BYTES) - 1


@dataclass(frozen=True, slots=True)
class Retune:
    """From when frame number `before` is about to be sent, the host writes the values `image`."""

    before: int
    image: bytes


@dataclass(frozen=True, slots=True)
class Write:
    """A write of a word; bit n of `strobe` says that byte n counts."""

    address: int
    value: int
    strobe: int


def draw(
    program: Program, frames: Sequence[bytes], count: int, rng: random.Random
) -> tuple[Retune, ...]:
    """So many changes at random times; what frames hold is likely among the values."""
    frames = frames or [b""]
    first = image = program.tunable_image()
    chosen = []
    for before in sorted(rng.randrange(len(frames)) for _ in range(count)):
        parts, at = [], 0
        for name in program.tunables:
            end = at + program.variables[name].size
            parts.append(_other(first[at:end], image[at:end], frames, rng))
            at = end
        image = b"".join(parts)
        chosen.append(Retune(before, image))
    return tuple(chosen)


def _other(
    first: bytes, now: bytes, frames: Sequence[bytes], rng: random.Random
) -> bytes:
    """Another value of one tunable."""
    size = len(now)
    match rng.randrange(8):
        case 0:
            return first
        case 1:
            return now
        case 2:
            return rng.randbytes(size)
        case 3:
            number = int.from_bytes(now, "little") + rng.choice((1, -1, rng.randint(-256, 256)))
            return (number % (1 << 8 * size)).to_bytes(size, "little")
        case 4:
            return bytes(b ^ (1 << rng.randrange(8) if rng.random() < 0.1 else 0) for b in first)
    frame = rng.choice(frames)
    at = rng.randrange(min(64, len(frame)) + 1)
    found = frame[at : at + size]
    if rng.random() < 0.5:
        found = found[: rng.choice((1, 2, 4))][:: rng.choice((1, -1))]
    return found.ljust(size, b"\0")


def writes(
    tunables: Sequence[Tunable], old: bytes, new: bytes, rng: random.Random
) -> list[Write]:
    """What turns the values `old`, as the host has left them, into `new`, and commits them.

    The order is random, bytes that are not to change may be left out, and some words first get
    values that never hold.
    """
    found, at = [], 0
    for tunable in tunables:
        for word in range(tunable.words):
            start = at + word * WORD_BYTES
            end = min(start + WORD_BYTES, at + tunable.size)
            before, after = old[start:end], new[start:end]
            changed = sum((a != b) << n for n, (a, b) in enumerate(zip(before, after, strict=True)))
            address, value = tunable.offset + word * WORD_BYTES, int.from_bytes(after, "little")
            if rng.random() < 0.2:
                found.append((rng.random() / 2, Write(address, rng.getrandbits(32), _WHOLE)))
                changed = _WHOLE
            if changed:
                strobe = rng.choice((_WHOLE, changed))
                found.append((0.5 + rng.random() / 2, Write(address, value, strobe)))
        at += tunable.size
    commit = Write(BY_NAME["command"].offset, COMMIT, _WHOLE)
    return [*(write for _, write in sorted(found, key=lambda pair: pair[0])), commit]
