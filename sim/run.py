"""Program and frames -> outcomes of the golden interpreter alone, or a line per instruction."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..compiler.disasm import text
from ..compiler.insn import Program
from ..ctx_map.models import MICROSOFT_KEY, describe
from ..ctx_map.verdicts import Verdict
from .interp import Interpreter, Outcome


@dataclass(frozen=True, slots=True)
class Judged:
    """A frame as the program saw it (after stripping), and what it got."""

    frame: bytes
    outcome: Outcome

    @property
    def passes(self) -> bool:
        return self.outcome.verdict is Verdict.PASS


def run_program(
    program: Program, frames: Iterable[bytes], *, strip_vlan: bool = False,
    key: bytes = MICROSOFT_KEY, seed: int = 0,
) -> list[Judged]:
    """Run every frame; packet numbers count from 0, the clock stands at 0 ns."""
    interpreter = Interpreter(program, seed)
    judged = []
    for number, frame in enumerate(frames):
        received = describe(frame, key=key, strip_vlan=strip_vlan)
        outcome = interpreter.run(received.frame, received.descriptor, number=number)
        judged.append(Judged(received.frame, outcome))
    return judged


def count_verdicts(judged: Iterable[Judged]) -> dict[str, int]:
    """Packets per verdict name; every verdict is there."""
    counts = {v.name: 0 for v in Verdict}
    for j in judged:
        counts[j.outcome.verdict.name] += 1
    return counts


def trace_program(
    program: Program, frames: Iterable[bytes], *, strip_vlan: bool = False,
    key: bytes = MICROSOFT_KEY, seed: int = 0,
) -> Iterator[str]:
    """As `run_program`, a line of text for every packet and every executed instruction."""
    interpreter = Interpreter(program, seed)
    for number, frame in enumerate(frames):
        received = describe(frame, key=key, strip_vlan=strip_vlan)
        yield f"packet {number}: {len(received.frame)} bytes"
        for record in interpreter.trace(received.frame, received.descriptor, number=number):
            effects = " ".join(f"r{n}={v:#x}" for n, v in record.written)
            indent = "  " * (record.depth + 1)
            yield f"{indent}{record.slot:5}: {text(record.insn):40} {effects}".rstrip()
        yield f"  -> {interpreter.outcome.verdict.name}"
