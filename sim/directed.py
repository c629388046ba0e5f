"""A program -> frames that take its branches, found with the golden interpreter.

The program's constants become likely header fields. A frame that came to a branch is bent toward
the other side of it: the compared constant is planted where the program last read, or the length
is changed.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from zlib import crc32

from ..compiler.insn import Alu, Imm, Jump, LoadImm64, Program
from ..ctx_map.models import Received, describe
from .coverage import END, Branch, Step, branches, walk
from .interp import Interpreter
from .packet_values import Dice, Values
from .packets import FrameMaker, drawn

Receive = Callable[[bytes], Received]
"""What the program sees of a frame, and with which descriptor."""

_MAX_LENGTH = 9000
_MAX_TABLE = 1024
_WITNESSES = 6
_HASTE = 4
_SHIFTS = (0, 0, 0, 0, 0, 2, 4, 8, 12, 16, 24)


def arrival(frame: bytes) -> Received:
    """A frame on any of four interfaces and eight queues, by its content; the rest is computed."""
    ticket = crc32(frame)
    return describe(frame, ingress_ifindex=1 + ticket % 4, rx_queue_index=(ticket >> 8) % 8)


def constants(program: Program) -> tuple[int, ...]:
    """What a program compares with, masks with and loads, with the neighbours; 32 bits.

    Also the words and half-words of its tables.
    """
    found: dict[int, None] = {}
    for insn in program.insns:
        match insn:
            case Jump(src=Imm(value)) | Alu(src=Imm(value)) | LoadImm64(value=value):
                for neighbour in (value, value + 1, value - 1):
                    found[neighbour & 0xFFFF_FFFF] = None
    for table in program.data.values():
        for at in range(0, min(len(table), _MAX_TABLE), 2):
            for size in (2, 4):
                found[int.from_bytes(table[at : at + size], "little")] = None
    return tuple(found)


def enrich(values: Values, found: tuple[int, ...]) -> Values:
    """Add a program's constants, in both byte orders, to the pools that they could belong to."""
    small = tuple(c for c in found if c < 1 << 8)
    half = tuple(c for c in found if c < 1 << 16)
    half += tuple(int.from_bytes(c.to_bytes(2, "little"), "big") for c in half)
    wide = tuple(int.from_bytes(c.to_bytes(4, "little"), "big") for c in found)
    return replace(
        values,
        ports=values.ports + half,
        protocols=values.protocols + small,
        ethertypes=values.ethertypes + half,
        addresses=values.addresses + found + wide,
        vlans=values.vlans + tuple(c & 0xFFF for c in half),
        octets=values.octets + small,
        sizes=tuple(c for c in found if c <= _MAX_LENGTH),
    )


def directed(
    program: Program,
    count: int,
    seed: int,
    receive: Receive = arrival,
    effort: int = 2000,
) -> list[bytes]:
    """`count` frames, half of them ordinary, half aimed at the program's branches.

    The frames depend on the program and `seed` alone; the search ends when `effort`
    frames in a row took no new branch.
    """
    search = Search(program, seed, receive)
    search.run(effort)
    return drawn(count, random.Random(f"{seed} repeated"), search.draw)


@dataclass(frozen=True, slots=True)
class Witness:
    """A frame that came to a branching instruction, and what that instruction saw."""

    frame: bytes
    step: Step


class Search:
    """Keeps frames that took a branch first, and bends frames toward the branches still missing."""

    def __init__(self, program: Program, seed: int, receive: Receive = arrival) -> None:
        self.program = program
        self.missing: dict[Branch, None] = dict.fromkeys(sorted(branches(program)))
        self.corpus: list[bytes] = []
        self._witnesses: dict[int, list[Witness]] = {}
        self._receive = receive
        self._interpreter = Interpreter(program, seed)
        self._dice = Dice(random.Random(f"{seed} directed"))
        self._constants = constants(program) or (0,)
        self._direct = not program.context.packet_loads
        self._maker = FrameMaker(self._dice.rng, enrich(Values(), self._constants))
        self._number = 0

    def run(self, effort: int) -> None:
        """Try frames until every branch was taken, or `effort` in a row found nothing new."""
        idle = 0
        while self.missing and idle < effort:
            frame = self._maker.frame() if self._dice.chance(0.4) else self._aimed()
            idle = 0 if self._observe(frame) else idle + 1
            if not any(map(self._hopeful, self.missing)):
                idle += _HASTE

    def draw(self) -> bytes:
        """An ordinary frame, one of the corpus, or a variation of one."""
        d = self._dice
        if not self.corpus or d.chance(0.5):
            return self._maker.frame()
        return d.pick(self.corpus) if d.chance(0.3) else self._bent(self._witness())

    def _observe(self, frame: bytes) -> bool:
        """Run a frame; true when it took a branch for the first time."""
        seen = self._receive(frame)
        ktime = self._dice.bits(40)
        self._number += 1
        new = False
        for step in walk(self._interpreter, seen.frame, seen.descriptor, ktime, self._number):
            if step.branch in self.missing:
                del self.missing[step.branch]
                new = True
            known = self._witnesses.setdefault(step.branch[0], [])
            if len(known) < _WITNESSES:
                known.append(Witness(frame, step))
            elif self._dice.chance(0.02):
                known[self._dice.below(_WITNESSES)] = Witness(frame, step)
        if new:
            self.corpus.append(frame)
        return new

    def _witness(self) -> Witness:
        """A frame that came to any of the branching instructions."""
        return self._dice.pick(self._witnesses[self._dice.pick(tuple(self._witnesses))])

    def _hopeful(self, branch: Branch) -> bool:
        """Whether a branch may be taken, as far as the frames that came to it tell.

        A load cannot be outside the frame after a load that reached as far.
        """
        slot, following = branch
        known = self._witnesses.get(slot)
        if not known or following != END:
            return True
        for witness in known:
            *earlier, (at, size) = witness.step.reads
            if all(a + s < at + size for a, s in earlier):
                return True
        return False

    def _aimed(self) -> bytes:
        """A frame that comes close to a missing branch, bent toward it."""
        reached = [b for b in self.missing if b[0] in self._witnesses and self._hopeful(b)]
        if not reached:
            return self._maker.frame()
        slot, following = self._dice.pick(reached)
        witness = self._dice.pick(self._witnesses[slot])
        if following == END and self._dice.chance(0.5):
            at, size = witness.step.reads[-1]
            return self._maker.fit(witness.frame, max(0, at + self._dice.below(size)))
        return self._bent(witness)

    def _bent(self, witness: Witness) -> bytes:
        """Change one or two of the things that the program looked at on the way there."""
        d, frame, step = self._dice, witness.frame, witness.step
        for _ in range(1 + d.below(2)):
            if not step.reads or d.chance(0.15):
                frame = self._resized(frame, step)
            else:
                likely = step.sources or step.reads[-1:]
                at, size = d.pick(likely if d.chance(0.7) else step.reads)
                frame = self._planted(frame, at, size, step)
        return frame

    def _planted(self, frame: bytes, at: int, size: int, step: Step) -> bytes:
        """The frame with another value where the program read `size` bytes."""
        d = self._dice
        if size not in (1, 2, 4):
            at, size = at + d.below(size), d.pick((1, 2, 4))
        if self._direct and d.chance(0.15):
            size = d.pick((1, 2, 4))  # compilers put unaligned fields together from bytes
        if not 0 <= at <= _MAX_LENGTH:
            return frame
        order = "big" if d.chance(0.3 if self._direct else 0.8) else "little"
        old = int.from_bytes(frame[at : at + size], order)
        r = d.rng.random()
        if r < 0.25:
            value = step.right << d.pick(_SHIFTS)
        elif r < 0.5:
            value = old + step.right - step.left + d.pick((0, 0, 1, -1))
        elif r < 0.6:
            value = old + d.below(65) - 32
        elif r < 0.75:
            value = d.pick(self._constants) << d.pick(_SHIFTS)
        elif r < 0.85:
            value = old ^ d.pick(self._constants)
        elif r < 0.9:
            start = d.below(64)
            value = int.from_bytes(frame[start : start + size], order)
        else:
            value = d.bits(32)
        planted = (value & (1 << 8 * size) - 1).to_bytes(size, order)
        padded = frame.ljust(at + size, b"\0")
        return padded[:at] + planted + padded[at + size :]

    def _resized(self, frame: bytes, step: Step) -> bytes:
        """A length next to a bound: of a read, or of a comparison."""
        d = self._dice
        r = d.rng.random()
        if step.reads and r < 0.4:
            at, size = d.pick(step.reads)
            length = at + d.below(size + 2)
        elif r < 0.7:
            change = step.right - step.left
            if self._direct and d.chance(0.5):
                change = -change  # the packet's end is on the right
            length = len(frame) + change + d.pick((0, 0, 1, -1))
        else:
            length = d.pick(self._constants)
        return self._maker.fit(frame, length) if 0 <= length <= _MAX_LENGTH else frame
