"""A serial line, a board's own registers -> accesses to the gate's control port."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..ctx_map.link import BAUD, BOARD_REGISTERS, SILENCE
from ..hdl.axil import CHANNELS
from ..hdl.host.link import Link
from ..hdl.host.uart import UartReceive, UartSend
from .filter import CLOCK_MHZ

_WORD = 32


class Console(wiring.Component):
    """`i_line` and `o_line` are the serial line, `i_<register>` the board's; `CHANNELS` a master's."""

    i_line: Signal
    o_line: Signal
    i_links: Signal

    def __init__(self) -> None:
        super().__init__(
            {
                "i_line": In(1),
                "o_line": Out(1),
                **{f"i_{register.name}": In(_WORD) for register in BOARD_REGISTERS},
                **{name: member.flip() for name, member in CHANNELS.items()},
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        cycles = round(CLOCK_MHZ * 1e6 / BAUD)
        m.submodules.receive = receive = UartReceive(cycles)
        m.submodules.send = send = UartSend(cycles)
        m.submodules.link = link = Link(round(SILENCE * CLOCK_MHZ * 1e6))
        registers = Cat(getattr(self, f"i_{register.name}") for register in BOARD_REGISTERS)
        m.d.comb += [
            link.i_board.eq(registers.word_select(link.o_board[:2], _WORD)),
            receive.i.eq(self.i_line),
            self.o_line.eq(send.o),
            link.i_data.eq(receive.o_data),
            link.i_valid.eq(receive.o_valid),
            send.i_data.eq(link.o_data),
            send.i_valid.eq(link.o_valid),
            link.i_ready.eq(send.o_ready),
        ]
        for name, member in CHANNELS.items():
            inner, outer = getattr(link, name), getattr(self, name)
            m.d.comb += inner.eq(outer) if member.flow is Out else outer.eq(inner)
        return m
