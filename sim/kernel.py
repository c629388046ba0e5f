"""Program and frames -> where the running kernel disagrees with the golden interpreter.

An XDP program runs as what it is; others run as a classifier (SCHED_CLS), whose packet loads count
from the first byte of the Ethernet header, as those of PHYS_DEV programs do.
"""

import mmap
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from ..compiler.encode import encode
from ..compiler.errors import ToolError, Unsupported
from ..compiler.insn import LoadPacket, Program
from ..ctx_map.context import XDP_MD
from ..ctx_map.descriptor import Descriptor
from ..ctx_map.models import MICROSOFT_KEY, describe
from ..ctx_map.verdicts import Verdict
from . import bpf_syscall
from .bpf_syscall import ProgramType, Refused
from .interp import Interpreter, Outcome
from .kernel_btf import functions_btf, kernel_function
from .kernel_rewrite import INPUTS, Unfit, rewrite
from .run import Judged

LONGEST = 3520
"""Bytes of a frame that fit into the one page of a test run, on any kernel."""
NOT_RUN = (
    f"the kernel's test run takes frames of 14 to {LONGEST} bytes, for programs other than XDP with"
    " whole IP headers"
)
_SHORTEST = {0x0800: 34, 0x86DD: 54}
_HEADER = 14
_PSEUDO_MAP_VALUE = 2
_KTIME_STEP = 104_729
"""ns between packets: a prime, so that any slice of a period is hit."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A frame on which the two differ: its index, both return values (low 32 bits), and the frame
    that came out of the kernel."""

    index: int
    frame: bytes
    interpreter: int
    kernel: int
    verdicts: tuple[Verdict, Verdict]
    after: bytes

    def __str__(self) -> str:
        mine, theirs = self.verdicts
        if self.after != self.frame:
            return (
                f"frame {self.index}: the kernel changed {self.frame.hex()} into {self.after.hex()}"
            )
        return (
            f"frame {self.index} ({len(self.frame)} bytes): interpreter {mine.name} "
            f"(r0 = {self.interpreter:#x}), kernel {theirs.name} (r0 = {self.kernel:#x}): "
            f"{self.frame.hex()}"
        )


@dataclass(frozen=True, slots=True)
class KernelReport:
    """Packets that both ran, where they disagree, and frames that the kernel's test run has no way
    to take. `refused` says why the kernel ran none at all; empty when it did.
    """

    packets: int
    disagreements: tuple[Disagreement, ...]
    skipped_frames: int
    refused: str = ""


def available() -> str | None:
    """None when this machine's kernel can be asked, or else why not."""
    return bpf_syscall.unavailable()


def program_type(program: Program) -> ProgramType:
    """What the program is loaded as."""
    return ProgramType.XDP if program.context is XDP_MD else ProgramType.SCHED_CLS


def runnable(frame: bytes, kind: ProgramType = ProgramType.SCHED_CLS) -> bool:
    """Whether the kernel's test run takes the frame: no runts, one page; IP headers whole where a
    socket buffer is made of it."""
    ethertype = int.from_bytes(frame[12:14], "big") if kind is ProgramType.SCHED_CLS else 0
    return _SHORTEST.get(ethertype, _HEADER) <= len(frame) <= LONGEST


def breaks_verifiers(program: Program) -> bool:
    """Whether programs of this kind can bring down the kernel that is asked to load them.

    Packet loads in functions that are called: where one leaves its function, the verifier of Linux
    6.18 loses count of frames, and was seen to write outside its memory (__mark_chain_precision).
    """
    second = min((s for s in program.functions if s), default=len(program.insns))
    return any(isinstance(insn, LoadPacket) for insn in program.insns[second:])


def accepted(program: Program) -> bool:
    """Whether the kernel's verifier takes an XDP program as it is, though our own may not."""
    try:
        with ExitStack() as stack:
            _load(program, program_type(program), stack)
    except Refused:
        return False
    return True


def _load(program: Program, kind: ProgramType, stack: ExitStack) -> tuple[int, dict[str, int]]:
    """A program in the kernel, and the maps of its sections, until `stack` is closed."""
    raw = encode(program)
    maps = {}
    for section, content in raw.data.items():
        fd = bpf_syscall.array_map(max(len(content), 1), writable=section == INPUTS)
        stack.callback(os.close, fd)
        maps[section] = fd
        if section != INPUTS:
            bpf_syscall.fill_and_freeze(fd, content or b"\0")
    code = bytearray(raw.code)
    for slot, (section, offset) in raw.data_refs.items():
        code[slot * 8 + 1] |= _PSEUDO_MAP_VALUE << 4
        struct.pack_into("<I", code, slot * 8 + 4, maps[section])
        struct.pack_into("<I", code, slot * 8 + 12, offset)
    for slot, name in raw.externs.items():
        struct.pack_into("<I", code, slot * 8 + 4, kernel_function(name))
    types, infos = functions_btf(sorted(raw.functions))
    btf = bpf_syscall.load_btf(types)
    stack.callback(os.close, btf)
    loaded = bpf_syscall.load(bytes(code), program.name, kind, btf, infos)
    stack.callback(os.close, loaded)
    return loaded, maps


class KernelProgram:
    """A program in the kernel; a context manager that takes it out again.

    Raises
    ------
    Unfit
        The program cannot be put to the kernel without changing what it means.
    Refused
        The kernel's verifier does not accept it.
    """

    def __init__(self, program: Program, seed: int = 0) -> None:
        self._seed = seed
        rewritten, self._inputs = rewrite(program)
        with ExitStack() as stack:
            self._program, maps = _load(rewritten, program_type(program), stack)
            self._memory = stack.enter_context(mmap.mmap(maps[INPUTS], mmap.PAGESIZE))
            self._stack = stack.pop_all()

    def __enter__(self) -> "KernelProgram":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(
        self, frame: bytes, descriptor: Descriptor, *, ktime: int = 0, number: int = 0
    ) -> tuple[int, bytes]:
        """The 32-bit return value for a `runnable` frame, and the frame afterwards.

        Parameters as of Interpreter.run. A run is over on the processor that asked for it.
        """
        self._set(descriptor, ktime, number)
        returned, after, _ = bpf_syscall.test_run(self._program, frame, 1)
        return returned, after

    def nanoseconds(self, frame: bytes, descriptor: Descriptor, repeat: int) -> int:
        """What one of `repeat` runs takes, by the kernel's own clock."""
        self._set(descriptor, 0, 0)
        return bpf_syscall.test_run(self._program, frame, repeat)[2]

    def _set(self, descriptor: Descriptor, ktime: int, number: int) -> None:
        content = self._inputs.pack(descriptor, ktime, number, self._seed)
        self._memory[: len(content)] = content


def compare(program: Program, frames: Sequence[bytes], seed: int = 0) -> KernelReport:
    """Run every runnable frame in both; no program writes to packets, so none may come out changed.

    Time, interface and queue vary from packet to packet; the other descriptor fields are the
    frame's own. Raises OSError where `available` says why.
    """
    interpreter = Interpreter(program, seed)
    disagreements, packets = [], 0
    try:
        kernel = KernelProgram(program, seed)
    except (Unfit, Refused) as error:
        return KernelReport(0, (), len(frames), str(error))
    with kernel:
        for index, frame in enumerate(frames):
            if not runnable(frame, program_type(program)):
                continue
            packets += 1
            descriptor = describe(
                frame, ingress_ifindex=index % 5, rx_queue_index=index % 7
            ).descriptor
            ktime = index * _KTIME_STEP
            mine = interpreter.run(frame, descriptor, ktime=ktime, number=index)
            theirs, after = kernel.run(frame, descriptor, ktime=ktime, number=index)
            if mine.r0 & 0xFFFF_FFFF != theirs or after != frame:
                verdicts = mine.verdict, program.context.verdicts.verdict(theirs)
                disagreements.append(
                    Disagreement(index, frame, mine.r0 & 0xFFFF_FFFF, theirs, verdicts, after)
                )
    return KernelReport(packets, tuple(disagreements), len(frames) - packets)


def run_in_kernel(
    program: Program, frames: Sequence[bytes], *, strip_vlan: bool = False,
    key: bytes = MICROSOFT_KEY, seed: int = 0,
) -> Iterator[Judged | None]:
    """As `run_program`; None for a frame that is not `runnable`.

    Raises ToolError where the kernel cannot be asked, and Unsupported where it does not run the
    program, both with the reason.
    """
    if reason := available():
        raise ToolError(f"The kernel of this machine cannot be asked: {reason}.")
    try:
        loaded = KernelProgram(program, seed)
    except Unfit as error:
        raise Unsupported(f"not for the kernel: {error}") from None
    except Refused as error:
        raise Unsupported(f"the kernel's verifier refuses the program: {error}") from None
    with loaded:
        for number, frame in enumerate(frames):
            received = describe(frame, key=key, strip_vlan=strip_vlan)
            if not runnable(received.frame, program_type(program)):
                yield None
                continue
            r0, after = loaded.run(received.frame, received.descriptor, number=number)
            yield Judged(after, Outcome(program.context.verdicts.verdict(r0), r0))
