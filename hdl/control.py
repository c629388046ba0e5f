"""Accesses of the host through AXI4-Lite, running totals -> identification, snapshots, commands."""

from collections.abc import Iterator, Mapping

from amaranth.hdl import Const, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..ctx_map.registers import (
    BY_NAME,
    COMMANDS,
    COUNTERS,
    REGISTERS,
    WORD_BITS,
    WORD_BYTES,
    Access,
    Register,
)
from .axil import CHANNELS, AxiLite, connect_channels
from .counters import COUNTER_BITS


class Control(wiring.Component):
    """The registers of ctx_map/registers.py; `constants` are the values of identification.

    `i_<counter>` are the totals. In a cycle in which `o_clear` is high they are cleared, and a
    snapshot that the same write asked for takes what they were then. A command has acted before its
    write is answered.
    """

    o_clear: Signal

    def __init__(self, constants: Mapping[str, int]) -> None:
        self.constants = dict(constants)
        super().__init__(
            {
                **CHANNELS,
                **{f"i_{name}": In(COUNTER_BITS) for name in COUNTERS},
                "o_clear": Out(1),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.axil = axil = AxiLite()
        connect_channels(m, axil, self)

        values: dict[str, Value] = {n: Const(v, BY_NAME[n].width) for n, v in self.constants.items()}
        snapshot = Signal()
        for name in COUNTERS:
            values[name] = taken = Signal(COUNTER_BITS, name=f"taken_{name}")
            with m.If(snapshot):
                m.d.sync += taken.eq(getattr(self, f"i_{name}"))
        values["scratch"] = scratch = Signal(WORD_BITS)
        values["command"] = Const(0, WORD_BITS)

        readable, writable = Signal(), Signal()
        data = Signal(WORD_BITS)
        with m.Switch(axil.o_address):
            for address, register, word in _words():
                with m.Case(address):
                    m.d.comb += [
                        readable.eq(1),
                        writable.eq(register.access is not Access.READ),
                        data.eq(values[register.name].word_select(word, WORD_BITS)),
                    ]
            with m.Default():
                m.d.comb += [readable.eq(0), writable.eq(0), data.eq(0)]
        m.d.sync += [
            axil.i_data.eq(data),
            axil.i_error.eq((axil.o_read & ~readable) | (axil.o_write & ~writable)),
        ]
        self._writes(m, axil, scratch, {"snapshot": snapshot, "clear": self.o_clear})
        return m

    def _writes(
        self, m: Module, axil: AxiLite, scratch: Signal, commands: dict[str, Signal]
    ) -> None:
        """Writes to the registers that can be written; a command is high for a cycle."""
        for bit in COMMANDS:
            strobe = axil.o_strobe[bit.position // 8]
            hit = axil.o_write & (axil.o_address == BY_NAME["command"].offset // WORD_BYTES)
            m.d.sync += commands[bit.name].eq(hit & strobe & axil.o_data[bit.position])
        with m.If(axil.o_write & (axil.o_address == BY_NAME["scratch"].offset // WORD_BYTES)):
            for n in range(WORD_BYTES):
                with m.If(axil.o_strobe[n]):
                    m.d.sync += scratch.word_select(n, 8).eq(axil.o_data.word_select(n, 8))


def _words() -> Iterator[tuple[int, Register, int]]:
    """Every word: its address in words, the register, and which word of it this is."""
    for register in REGISTERS:
        for word in range(register.words):
            yield register.offset // WORD_BYTES + word, register, word
