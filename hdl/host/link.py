"""Bytes of a serial line -> accesses to registers, and their answers: ctx_map/link.py in hardware."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ...ctx_map.link import (
    CRC_BYTES,
    REPLY_BYTES,
    REPLY_SYNC,
    REQUEST_BYTES,
    REQUEST_SYNC,
    VERSION,
    Operation,
    Status,
)
from ...ctx_map.registers import WORD_BITS
from ..axil import CHANNELS, SLVERR
from ..ethernet.crc import CRC_BITS, RESIDUE, START, crc_next


class Link(wiring.Component):
    """`i_data`, `i_valid` are bytes of the host; `o_data`, `o_valid`, `i_ready` bytes for it.

    The ports of `CHANNELS` are those of an AXI4-Lite master. `i_board` is the register of the board
    that `o_board` names. `silence` is the pause, in cycles, that ends a request.
    """

    i_data: Signal
    i_valid: Signal
    o_data: Signal
    o_valid: Signal
    i_ready: Signal
    o_board: Signal
    i_board: Signal
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

    def __init__(self, silence: int) -> None:
        self.silence = silence
        super().__init__(
            {
                "i_data": In(8),
                "i_valid": In(1),
                "o_data": Out(8),
                "o_valid": Out(1),
                "i_ready": In(1),
                "o_board": Out(8),
                "i_board": In(WORD_BITS),
                **{name: member.flip() for name, member in CHANNELS.items()},
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        request = Signal(8 * (REQUEST_BYTES + CRC_BYTES))
        operation, number = request[:8], request[8:16]
        address, data = request[16:32], request[32:64]
        crc = Signal(CRC_BITS)
        count = Signal(range(REQUEST_BYTES + CRC_BYTES + 1))
        quiet = Signal(range(self.silence + 1))
        answer = Signal(WORD_BITS)
        status = Signal(8)
        last, known = Signal(8), Signal()
        reply = Cat(number, status, answer)
        m.d.comb += [
            self.o_board.eq(address),
            self.araddr.eq(address),
            self.awaddr.eq(address),
            self.wdata.eq(data),
            self.wstrb.eq(-1),
            self.bready.eq(1),
            self.rready.eq(1),
        ]
        with m.FSM():
            with m.State("HUNT"):
                m.d.sync += [count.eq(0), crc.eq(START), quiet.eq(0)]
                with m.If(self.i_valid & (self.i_data == REQUEST_SYNC)):
                    m.next = "REQUEST"
            with m.State("REQUEST"):
                m.d.sync += quiet.eq(quiet + 1)
                with m.If(self.i_valid):
                    m.d.sync += [
                        request.eq(Cat(request[8:], self.i_data)),
                        crc.eq(crc_next(crc, self.i_data)),
                        count.eq(count + 1),
                        quiet.eq(0),
                    ]
                    with m.If(count == REQUEST_BYTES + CRC_BYTES - 1):
                        m.next = "CHECK"
                with m.Elif(quiet == self.silence):
                    m.next = "HUNT"
            with m.State("CHECK"):
                m.d.sync += [known.eq(1), last.eq(number)]
                with m.If(crc != RESIDUE):
                    m.d.sync += [known.eq(known), last.eq(last)]
                    m.next = "HUNT"
                with m.Elif(operation == Operation.GREET):
                    m.d.sync += [known.eq(0), answer.eq(VERSION), status.eq(Status.DONE)]
                    m.next = "BEGIN"
                with m.Elif(known & (last == number)):
                    m.next = "BEGIN"
                with m.Elif(operation == Operation.READ):
                    m.d.sync += self.arvalid.eq(1)
                    m.next = "READ"
                with m.Elif(operation == Operation.WRITE):
                    m.d.sync += [self.awvalid.eq(1), self.wvalid.eq(1)]
                    m.next = "WRITE"
                with m.Else():
                    there = operation == Operation.BOARD
                    m.d.sync += [
                        answer.eq(self.i_board),
                        status.eq(Mux(there, Status.DONE, Status.REFUSED)),
                    ]
                    m.next = "BEGIN"
            with m.State("READ"):
                with m.If(self.arready):
                    m.d.sync += self.arvalid.eq(0)
                with m.If(self.rvalid):
                    m.d.sync += [answer.eq(self.rdata), status.eq(self.rresp == SLVERR)]
                    m.next = "BEGIN"
            with m.State("WRITE"):
                with m.If(self.awready):
                    m.d.sync += self.awvalid.eq(0)
                with m.If(self.wready):
                    m.d.sync += self.wvalid.eq(0)
                with m.If(self.bvalid):
                    m.d.sync += [answer.eq(0), status.eq(self.bresp == SLVERR)]
                    m.next = "BEGIN"
            # A byte is chosen in one cycle and summed in another.
            with m.State("BEGIN"):
                m.d.sync += [count.eq(0), crc.eq(START), self.o_data.eq(REPLY_SYNC)]
                m.next = "SYNC"
            with m.State("SYNC"):
                m.d.comb += self.o_valid.eq(1)
                with m.If(self.i_ready):
                    m.next = "CHOOSE"
            with m.State("CHOOSE"):
                m.d.sync += self.o_data.eq(reply.word_select(count, 8))
                m.next = "REPLY"
            with m.State("REPLY"):
                m.d.comb += self.o_valid.eq(1)
                with m.If(self.i_ready):
                    m.d.sync += [count.eq(count + 1), crc.eq(crc_next(crc, self.o_data))]
                    m.next = "CHOOSE"
                    with m.If(count == REPLY_BYTES - 1):
                        m.d.sync += count.eq(0)
                        m.next = "SUM"
            with m.State("SUM"):
                m.d.sync += [self.o_data.eq(~crc[:8]), crc.eq(Cat(crc[8:], Const(0, 8)))]
                m.next = "END"
            with m.State("END"):
                m.d.comb += self.o_valid.eq(1)
                with m.If(self.i_ready):
                    m.d.sync += count.eq(count + 1)
                    m.next = "SUM"
                    with m.If(count == CRC_BYTES - 1):
                        m.next = "HUNT"
        return m
