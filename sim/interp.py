"""Decoded program, packet, descriptor -> verdict: the golden interpreter.

It executes instructions one after the other and knows nothing of the compiler's intermediate form.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ..compiler.expand import expand
from ..compiler.insn import FP, MAX_FRAMES, STACK_SIZE, Insn, Program
from ..ctx_map.context import PacketEnd
from ..ctx_map.descriptor import Descriptor
from ..ctx_map.helpers import CLOCKS, EFAULT, EINVAL, PRINTS, Helper
from ..ctx_map.kfuncs import METADATA
from ..ctx_map.prandom import prandom, site
from ..ctx_map.verdicts import Verdict
from .helpers import csum_diff
from .semantics import CLOBBERED, MASK, Step, step_for

_REGION = 44
_CONTEXT, _STACK, _DATA = 1 << _REGION, 2 << _REGION, 3 << _REGION
_OFFSET = (1 << _REGION) - 1
PACKET_ADDRESS = 1 << 30
"""Address of the packet's first byte: below 2**32, since the context holds it in 4 bytes."""
_REACH = 0xFFFF
"""How far behind the packet's first byte an address can lie (kernel: MAX_PACKET_OFF)."""
_STACK_BYTES = STACK_SIZE * MAX_FRAMES
_CLEAN = bytes(STACK_SIZE)
"""What a function finds on its stack; only calls that failed to fill it can show that."""
_ENTRY = (CLOBBERED, _CONTEXT, *(CLOBBERED,) * 8, _STACK + STACK_SIZE)
"""r0 to r10 when a program starts."""


class ExecutionFault(Exception):
    """The program did what no verified program does; names the slot."""


class _OutsidePacket(Exception):
    """A load through a packet address that is outside the packet: the program ends, with r0 = 0."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one packet got: the verdict and the 64-bit return value behind it."""

    verdict: Verdict
    r0: int


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """One executed instruction: its slot, call depth, and the registers it changed."""

    slot: int
    insn: Insn
    depth: int
    written: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class _Frame:
    """What a call saves: where to go on, r6..r10, and the slot of the call."""

    resume: int
    saved: list[int]
    call_slot: int


class Interpreter:
    """Runs one program on packets.

    Parameters
    ----------
    program
        A decoded, verified program.
    seed
        The seed of bpf_get_prandom_u32 (32 bits).
    """

    def __init__(self, program: Program, seed: int = 0) -> None:
        self.program = program = expand(program)
        self.seed = seed
        self.regs = [0] * 11
        self._stack = bytearray(_STACK_BYTES)
        self._context = bytearray(program.context.size)
        self._data = bytearray()
        self._sections: dict[str, int] = {}
        for name, content in program.data.items():
            self._sections[name] = len(self._data)
            self._data += content
        self._regions = {1: self._context, 2: self._stack, 3: self._data}
        self._writable = {2: self._stack}
        self._code: list[Step] = [self._step(slot) for slot in range(len(program.insns))]
        self._frames: list[_Frame] = []
        self._packet = b""
        self._ktime = 0
        self._number = 0
        self._received = Descriptor()

    def _step(self, slot: int) -> Step:
        insn = self.program.insns[slot]
        if insn is None:
            return self._fall_into_second_half
        wide = slot + 1 < len(self.program.insns) and self.program.insns[slot + 1] is None
        return step_for(insn, slot, slot + (2 if wide else 1))

    def _fall_into_second_half(self, _: object) -> int:
        raise ExecutionFault("jump into the second half of a 64-bit load")

    def _start(self, packet: bytes, descriptor: Descriptor, ktime: int, number: int) -> None:
        self._packet, self._ktime, self._number = packet, ktime, number
        self._received = descriptor
        self._descriptor: Descriptor | None = descriptor
        self._stack[:STACK_SIZE] = _CLEAN
        self._frames.clear()
        self.regs[:] = _ENTRY

    def _fill_context(self, descriptor: Descriptor) -> None:
        """Lay out the context, when the program first reads it."""
        self._descriptor = None
        for f in self.program.context.fields:
            match f.points_to:
                case None:
                    value = f.value(descriptor)
                case PacketEnd.START:
                    value = PACKET_ADDRESS
                case PacketEnd.END:
                    value = PACKET_ADDRESS + len(self._packet)
            self._context[f.offset : f.offset + 4] = value.to_bytes(4, "little")

    def _outcome(self) -> Outcome:
        r0 = self.regs[0]
        return Outcome(self.program.context.verdicts.verdict(r0), r0)

    def run(
        self, packet: bytes, descriptor: Descriptor, *, ktime: int = 0, number: int = 0
    ) -> Outcome:
        """Run the program on one packet.

        `ktime` is what bpf_ktime_get_ns returns, `number` the packet's number since reset.
        """
        self._start(packet, descriptor, ktime, number)
        slot, code = 0, self._code
        try:
            while slot >= 0:
                slot = code[slot](self)
        except _OutsidePacket:
            self.regs[0] = 0
        return self._outcome()

    def trace(
        self, packet: bytes, descriptor: Descriptor, *, ktime: int = 0, number: int = 0
    ) -> Iterator[TraceRecord]:
        """As `run`, yielding a record after every instruction."""
        self._start(packet, descriptor, ktime, number)
        slot = 0
        while slot >= 0:
            insn, before, depth = self.program.insns[slot], list(self.regs), len(self._frames)
            assert insn is not None
            try:
                following = self._code[slot](self)
            except _OutsidePacket:
                following, self.regs[0] = -1, 0
            written = tuple(
                (n, v)
                for n, (v, old) in enumerate(zip(self.regs, before, strict=True))
                if v != old and v != CLOBBERED
            )
            yield TraceRecord(slot, insn, depth, written)
            slot = following

    @property
    def outcome(self) -> Outcome:
        """The outcome of the packet that was run or traced last."""
        return self._outcome()

    def tune(self, image: bytes) -> None:
        """The tunables of the following packets: their bytes, as `Program.tunable_image` has them."""
        for (section, offset), byte in zip(self.program.tunable_places(), image, strict=True):
            self._data[self._sections[section] + offset] = byte

    # What instructions may touch (semantics.MachineLike).

    def load(self, address: int, size: int) -> int:
        region: bytes | bytearray | None
        if address < _CONTEXT:
            region, offset = self._packet, address - PACKET_ADDRESS
        else:
            region, offset = self._regions.get(address >> _REGION), address & _OFFSET
            if region is self._context and self._descriptor is not None:
                self._fill_context(self._descriptor)
        if region is not None and 0 <= offset <= len(region) - size:
            return int.from_bytes(region[offset : offset + size], "little")
        if region is self._packet and len(self._packet) - size < offset <= _REACH:
            raise _OutsidePacket
        raise ExecutionFault(f"load of {size} bytes at address {address:#x}")

    def _place(self, address: int, size: int) -> tuple[bytearray, int]:
        """Where a store goes: a region, and the offset in it."""
        region, offset = self._writable.get(address >> _REGION), address & _OFFSET
        if region is None or offset + size > len(region):
            raise ExecutionFault(f"store of {size} bytes at address {address:#x}")
        return region, offset

    def store(self, address: int, size: int, value: int) -> None:
        region, offset = self._place(address, size)
        region[offset : offset + size] = value.to_bytes(size, "little")

    def load_packet(self, offset: int, size: int) -> int | None:
        if offset < 0 or offset + size > len(self._packet):
            return None
        return int.from_bytes(self._packet[offset : offset + size], "big")

    def data_address(self, section: str, offset: int) -> int:
        return _DATA + self._sections[section] + offset

    def call_helper(self, number: int, slot: int) -> int:
        r = self.regs
        if number in CLOCKS:
            return self._ktime
        if number in PRINTS:
            return 0
        match number:
            case Helper.GET_PRANDOM_U32:
                chain = (*(f.call_slot for f in self._frames), slot)
                return prandom(self.seed, self._number, site(chain))
            case Helper.GET_SMP_PROCESSOR_ID | Helper.GET_NUMA_NODE_ID:
                return 0
            case Helper.XDP_GET_BUFF_LEN:
                return len(self._packet)
            case Helper.SKB_LOAD_BYTES:
                return self._skb_load_bytes(r[2] & MASK[32], r[3], r[4] & MASK[32])
            case Helper.XDP_LOAD_BYTES:
                return self._xdp_load_bytes(r[2] & MASK[32], r[3], r[4] & MASK[32]) & MASK[64]
            case Helper.CSUM_DIFF:
                old, new = self._bytes(r[1], r[2]), self._bytes(r[3], r[4])
                return csum_diff(old, new, r[5] & MASK[32])
        raise ExecutionFault(f"helper {number} does not exist")

    def _skb_load_bytes(self, offset: int, to: int, size: int) -> int:
        region, start = self._place(to, size)
        inside = offset + size <= len(self._packet)
        region[start : start + size] = (
            self._packet[offset : offset + size] if inside else bytes(size)
        )
        return 0 if inside else -EFAULT & MASK[64]

    def _xdp_load_bytes(self, offset: int, to: int, size: int) -> int:
        if offset > 0xFFFF:
            return -EFAULT
        if offset + size > len(self._packet):
            return -EINVAL
        self._fill(to, self._packet[offset : offset + size])
        return 0

    def call_kernel(self, name: str) -> int:
        if name not in METADATA:
            raise ExecutionFault(f"kernel function {name}() does not exist")
        result, outputs = METADATA[name].call(self.program.nic, self._received, self._ktime)
        for n, content in enumerate(outputs):
            self._fill(self.regs[2 + n], content)
        return result & MASK[32]

    def _bytes(self, address: int, size: int) -> bytes:
        return self.load(address, size).to_bytes(size, "little") if size else b""

    def _fill(self, to: int, content: bytes) -> None:
        region, start = self._place(to, len(content))
        region[start : start + len(content)] = content

    def call_local(self, slot: int, target: int) -> int:
        if len(self._frames) + 1 >= MAX_FRAMES:
            raise ExecutionFault(f"more than {MAX_FRAMES} nested calls")
        self._frames.append(_Frame(slot + 1, self.regs[6:11], slot))
        self.regs[FP] += STACK_SIZE
        start = len(self._frames) * STACK_SIZE
        self._stack[start : start + STACK_SIZE] = _CLEAN
        return target

    def leave(self) -> int:
        if not self._frames:
            return -1
        frame = self._frames.pop()
        self.regs[6:11] = frame.saved
        self.regs[1:6] = [CLOBBERED] * 5
        return frame.resume
