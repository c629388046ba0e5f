"""Packet loads and helper calls -> nodes."""


from ...ctx_map.helpers import EFAULT, Helper
from ...ctx_map.prandom import ROTATE_LEFT, ROTATE_RIGHT, ROUND_CONSTANTS, site
from ..facts import Access, LoadBytes, PacketAccess
from ..insn import (
    LoadPacket,
)
from .operations import Operations
from .symbols import State


class Calls(Operations):
    """LD_ABS, LD_IND and the helpers."""

    def load_packet(
        self, insn: LoadPacket, access: PacketAccess, state: State
    ) -> tuple[int, int]:
        """(whether the load is in range, its value in host order)."""
        b = self.b
        offset = b.const(insn.off, 64)
        if insn.index is not None:
            offset = b.add(self.number(insn.index, state), offset)
        return self.packet(b.trunc(offset, 32), access, network_order=True)

    def packet(self, offset: int, access: PacketAccess, network_order: bool) -> tuple[int, int]:
        """(in range, value) of the `access.size` bytes at a 32-bit offset."""
        b, size = self.b, access.size
        constant = b.constant(offset)
        offsets = [o for o in access.offsets if constant is None or o == constant]
        if not offsets:
            return b.const(0, 1), b.const(0, size * 8)
        table = {o: self.w_bytes(o, size, network_order) for o in offsets}
        if constant is not None:
            return self.window.has(constant + size), table[constant]
        last = b.add(b.zext(offset, 33), b.const(size - 1, 33))
        in_range = b.ult(last, b.zext(self.window.present, 33))
        return in_range, b.case(offset, table)

    def call(
        self, helper: Helper, access: Access | None, state: State, chain: tuple[int, ...]
    ) -> int:
        b = self.b
        match helper:
            case Helper.KTIME_GET_NS:
                return b.input("ktime", 64)
            case Helper.GET_PRANDOM_U32:
                return b.zext(self.prandom(site(chain)), 64)
            case Helper.GET_SMP_PROCESSOR_ID:
                return b.const(0, 64)
            case Helper.XDP_GET_BUFF_LEN:
                return b.zext(self.descriptor("len"), 64)
            case Helper.SKB_LOAD_BYTES:
                assert isinstance(access, LoadBytes)
                return self.load_bytes(access, state)

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

    def load_bytes(self, access: LoadBytes, state: State) -> int:
        """bpf_skb_load_bytes: fills the stack, with zeros when out of range."""
        b, size = self.b, access.packet.size
        offset = b.trunc(self.number(2, state), 32)
        in_range, value = self.packet(offset, access.packet, network_order=False)
        value = b.mux(in_range, value, b.const(0, size * 8))
        to, frame = access.to.offsets[0], access.to.frame
        for i in range(size):
            state.stack[frame, to + i] = b.slice(value, 8 * i, 8)
        return b.mux(in_range, b.const(0, 64), b.const(-EFAULT, 64))
