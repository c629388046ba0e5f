"""Stream -> the same stream, with every output registered in both directions."""

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out


class Skid(wiring.Component):
    """Two registers; full rate, one cycle, no combinational path from `o` to `i` or back.

    `i.ready` is low while in reset, so that nothing is accepted and lost. With `o_shape` payloads
    change on their way into the last register: `convert` makes its members of a payload.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(
        self,
        shape: Any,
        o_shape: Any = None,
        convert: Callable[[Any], dict[str, Any]] | None = None,
    ) -> None:
        self.shape = shape
        self.o_shape = shape if o_shape is None else o_shape
        self.convert = convert
        super().__init__(
            {"i": In(stream.Signature(shape)), "o": Out(stream.Signature(self.o_shape))}
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        spare = Signal(self.shape, reset_less=True)
        next_payload = Signal(self.shape)
        held = Signal(self.o_shape, reset_less=True)
        full = Signal()
        valid = Signal()
        ready = Signal()
        accept = Signal()

        m.d.comb += [
            self.i.ready.eq(ready),
            self.o.valid.eq(valid),
            self.o.payload.eq(held),
            accept.eq(self.i.valid & ready),
            next_payload.eq(Mux(full, spare, self.i.payload)),
        ]
        with m.If(~valid | self.o.ready):
            m.d.sync += [valid.eq(accept | full), full.eq(0), ready.eq(1)]
            if self.convert is None:
                m.d.sync += held.eq(next_payload)
            else:
                members = self.convert(next_payload)
                m.d.sync += [getattr(held, name).eq(value) for name, value in members.items()]
        with m.Else():
            with m.If(accept):
                m.d.sync += full.eq(1)
            m.d.sync += ready.eq(~(full | accept))
        with m.If(~full):
            m.d.sync += spare.eq(self.i.payload)
        return m
