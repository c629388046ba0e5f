"""Packet loads and calls of helpers and kernel functions -> nodes."""

from dataclasses import replace

from ...ctx_map.helpers import EFAULT, EINVAL, Helper
from ...ctx_map.kfuncs import ENODATA, EOPNOTSUPP, TIME
from ...ctx_map.nics import Answer
from ...ctx_map.prandom import ROTATE_LEFT, ROTATE_RIGHT, ROUND_CONSTANTS, site
from .. import facts
from ..analysis.state import Region
from ..facts import Access, CallMemory, LoadBytes, MemoryAccess, MetadataCall, PacketAccess
from ..insn import (
    LoadPacket,
)
from .checksum_diff import checksum_diff
from .memory import Memory
from .symbols import Address, State


class Calls(Memory):
    """LD_ABS, LD_IND, the helpers and the metadata functions."""

    def load_packet(
        self, insn: LoadPacket, access: PacketAccess, state: State
    ) -> tuple[int, int]:
        """(whether the load is in range, its value in host order)."""
        b = self.b
        offset = b.const(insn.off, 64)
        if insn.index is not None:
            offset = b.add(self.number(insn.index, state), offset)
        return self.packet(b.trunc(offset, 32), access, network_order=True)

    def call(
        self, helper: Helper, access: Access | None, state: State, chain: tuple[int, ...]
    ) -> int:
        b = self.b
        match helper:
            case (
                Helper.KTIME_GET_NS | Helper.KTIME_GET_BOOT_NS | Helper.KTIME_GET_COARSE_NS
                | Helper.KTIME_GET_TAI_NS
            ):
                return b.input("ktime", 64)
            case Helper.GET_PRANDOM_U32:
                return b.zext(self.prandom(site(chain)), 64)
            case (
                Helper.GET_SMP_PROCESSOR_ID | Helper.GET_NUMA_NODE_ID | Helper.TRACE_PRINTK
                | Helper.TRACE_VPRINTK
            ):
                return b.const(0, 64)
            case Helper.XDP_GET_BUFF_LEN:
                return b.zext(self.descriptor("len"), 64)
            case Helper.SKB_LOAD_BYTES:
                assert isinstance(access, LoadBytes)
                return self.skb_load_bytes(access, state)
            case Helper.XDP_LOAD_BYTES:
                assert isinstance(access, LoadBytes)
                return self.xdp_load_bytes(access, state)
            case Helper.CSUM_DIFF:
                assert isinstance(access, CallMemory)
                old = self.read_memory(1, access.inputs[1], state)
                new = self.read_memory(3, access.inputs[3], state)
                return checksum_diff(b, old, new, b.trunc(self.number(5, state), 32))

    def prandom(self, call_site: int) -> int:
        """The rounds of ctx_map.prandom."""
        b = self.b
        x = b.xor(b.input("packet_number", 32), b.const(self.target.prandom_seed, 32))
        y = b.const(call_site, 32)
        for constant in ROUND_CONSTANTS:
            x = b.xor(b.add(self.rotate_left(x, 32 - ROTATE_RIGHT), y), b.const(constant, 32))
            y = b.xor(self.rotate_left(y, ROTATE_LEFT), x)
        return y

    def rotate_left(self, x: int, n: int) -> int:
        return self.b.concat(self.b.slice(x, 32 - n, n), self.b.slice(x, 0, 32 - n))

    def skb_load_bytes(self, access: LoadBytes, state: State) -> int:
        """Fills the stack, with zeros when out of range."""
        b, size = self.b, access.packet.size
        offset = b.trunc(self.number(2, state), 32)
        in_range, value = self.packet(offset, access.packet, network_order=False)
        value = b.mux(in_range, value, b.const(0, size * 8))
        self.fill(access.to, size, b.const(1, 1), value, state)
        return b.mux(in_range, b.const(0, 64), b.const(-EFAULT, 64))

    def xdp_load_bytes(self, access: LoadBytes, state: State) -> int:
        """Fills the stack when in range."""
        b, size = self.b, access.packet.size
        offset = b.trunc(self.number(2, state), 32)
        in_range, value = self.packet(offset, access.packet, network_order=False)
        self.fill(access.to, size, in_range, value, state)
        far = b.ult(b.const(0xFFFF, 32), offset)
        error = b.mux(far, b.const(-EFAULT, 64), b.const(-EINVAL, 64))
        return b.mux(in_range, b.const(0, 64), error)

    def metadata(self, access: MetadataCall, state: State) -> int:
        """A metadata function of include/net/xdp.h."""
        b, function = self.b, access.function
        if access.answer is not Answer.DATA:
            done = b.const(0, 1)
        elif function.present:
            present = self.descriptor(function.present)
            done = b.ne(present, b.const(0, b.width(present)))
        else:
            done = b.const(1, 1)
        for output, to in zip(function.outputs, access.to, strict=True):
            value = b.const(0, output.size * 8)
            if access.answer is Answer.DATA:
                whole = b.input("ktime", 64) if output.signal == TIME else (
                    self.descriptor(output.signal)
                )
                value = b.zext(whole, output.size * 8)
            if output.network_order:
                value = b.swap_bytes(value)
            self.fill(to, output.size, done, value, state)
        error = EOPNOTSUPP if access.answer is Answer.UNSUPPORTED else ENODATA
        return b.zext(b.mux(done, b.const(0, 32), b.const(-error, 32)), 64)

    def fill(self, to: MemoryAccess, size: int, done: int, value: int, state: State) -> None:
        """Write stack bytes where `done`; what was never written before counts as 0."""
        b = self.b
        for i in range(size):
            key = to.frame, to.offsets[0] + i
            old = state.stack.get(key)
            if b.constant(done) == 1 or old is None or isinstance(old, int):
                kept = old if isinstance(old, int) else b.const(0, 8)
                state.stack[key] = b.mux(done, b.slice(value, 8 * i, 8), kept)

    def read_memory(self, n: int, memory: facts.Memory, state: State) -> list[int]:
        """The bytes that register `n` points to, as 8-bit nodes."""
        b, place, pointer = self.b, memory.place, state.regs[n]
        if place is None:
            return []
        assert isinstance(pointer, Address)
        if isinstance(place, PacketAccess):
            whole = self.direct(pointer.offset, place)
            return [b.slice(whole, 8 * i, 8) for i in range(memory.size)]
        found = []
        for i in range(memory.size):
            at = b.add(pointer.offset, b.const(i, 64))
            byte = replace(place, offsets=tuple(o + i for o in place.offsets))
            value = (
                self.load_data(byte, at, 1) if place.region is Region.DATA
                else self.load_stack(byte, at, 1, state)
            )
            assert isinstance(value, int)
            found.append(value)
        return found
