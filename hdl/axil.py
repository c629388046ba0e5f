"""The five channels of an AXI4-Lite slave -> one access to a register at a time.

Arm IHI 0022E chapter B1. Address and data of a write come in any order; a response that the host does
not take holds up no access of the other direction. Every output comes from a register.
"""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..ctx_map.registers import ADDRESS_BITS, WORD_BITS, WORD_BYTES

WORD_ADDRESS_BITS = ADDRESS_BITS - (WORD_BYTES - 1).bit_length()
CHANNELS = {
    "awaddr": In(ADDRESS_BITS),
    "awvalid": In(1),
    "awready": Out(1),
    "wdata": In(WORD_BITS),
    "wstrb": In(WORD_BYTES),
    "wvalid": In(1),
    "wready": Out(1),
    "bresp": Out(2),
    "bvalid": Out(1),
    "bready": In(1),
    "araddr": In(ADDRESS_BITS),
    "arvalid": In(1),
    "arready": Out(1),
    "rdata": Out(WORD_BITS),
    "rresp": Out(2),
    "rvalid": Out(1),
    "rready": In(1),
}
SLVERR = 2


def connect_channels(
    m: Module, inner: wiring.Component, outer: wiring.Component, prefix: str = ""
) -> None:
    """Connects the slave inside a component with the component's own ports."""
    for name, member in CHANNELS.items():
        inside, outside = getattr(inner, name), getattr(outer, prefix + name)
        m.d.comb += inside.eq(outside) if member.flow is In else outside.eq(inside)


class AxiLite(wiring.Component):
    """Ports are the `CHANNELS`, and an access.

    `o_read` or `o_write` is high for a cycle, never both, with `o_address` in words, and `o_data` and
    `o_strobe` of a write. `i_error` and the `i_data` of a read are taken two cycles later. Writes come
    first, and each is followed by a cycle in which a read can have its turn. The ready signals are
    low in reset. All of an access comes from registers: finding a word among all takes two cycles.
    """

    awaddr: Signal
    awvalid: Signal
    awready: Signal
    wdata: Signal
    wstrb: Signal
    wvalid: Signal
    wready: Signal
    bresp: Signal
    bvalid: Signal
    bready: Signal
    araddr: Signal
    arvalid: Signal
    arready: Signal
    rdata: Signal
    rresp: Signal
    rvalid: Signal
    rready: Signal
    o_read: Signal
    o_write: Signal
    o_address: Signal
    o_data: Signal
    o_strobe: Signal
    i_data: Signal
    i_error: Signal

    def __init__(self) -> None:
        super().__init__(
            {
                **CHANNELS,
                "o_read": Out(1),
                "o_write": Out(1),
                "o_address": Out(WORD_ADDRESS_BITS),
                "o_data": Out(WORD_BITS),
                "o_strobe": Out(WORD_BYTES),
                "i_data": In(WORD_BITS),
                "i_error": In(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        write_address = Signal(ADDRESS_BITS, reset_less=True)
        read_address = Signal(ADDRESS_BITS, reset_less=True)
        looking, writing, reading = Signal(), Signal(), Signal()
        was_write = Signal()
        address = Signal(WORD_ADDRESS_BITS, reset_less=True)

        has_address = self._take(m, "aw", self.o_write, {"awaddr": write_address})
        has_data = self._take(m, "w", self.o_write, {"wdata": self.o_data, "wstrb": self.o_strobe})
        has_read = self._take(m, "ar", self.o_read, {"araddr": read_address})
        # The address stays until the access is answered.
        idle = ~self.o_write & ~self.o_read & ~looking & ~writing & ~reading
        can_write = Signal()
        m.d.comb += [
            can_write.eq(has_address & has_data & ~self.bvalid & idle),
            self.o_address.eq(address),
        ]
        m.d.sync += [
            self.o_write.eq(can_write),
            self.o_read.eq(has_read & ~self.rvalid & idle & ~can_write),
            looking.eq(self.o_write | self.o_read),
            was_write.eq(self.o_write),
            writing.eq(looking & was_write),
            reading.eq(looking & ~was_write),
        ]
        with m.If(idle):
            m.d.sync += address.eq(Mux(can_write, write_address, read_address)[-WORD_ADDRESS_BITS:])
        response = Mux(self.i_error, SLVERR, 0)
        with m.If(writing):
            m.d.sync += [self.bvalid.eq(1), self.bresp.eq(response)]
        with m.Elif(self.bready):
            m.d.sync += self.bvalid.eq(0)
        with m.If(reading):
            m.d.sync += [self.rvalid.eq(1), self.rresp.eq(response), self.rdata.eq(self.i_data)]
        with m.Elif(self.rready):
            m.d.sync += self.rvalid.eq(0)
        return m

    def _take(self, m: Module, channel: str, done: Signal, held: dict[str, Signal]) -> Signal:
        """Takes one transfer and holds it until it is `done`; whether there is one."""
        valid, ready = getattr(self, f"{channel}valid"), getattr(self, f"{channel}ready")
        full = Signal(name=f"has_{channel}")
        accept = valid & ready
        with m.If(accept):
            m.d.sync += [register.eq(getattr(self, port)) for port, register in held.items()]
        m.d.sync += [full.eq(accept | (full & ~done)), ready.eq(~accept & (~full | done))]
        return full
