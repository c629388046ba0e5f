"""Ports of a gate -> a design with four pins around it, in which every port stands at a register.

A chain of flip-flops, fed by a pin, drives all inputs; rows of flip-flops fold all outputs into
another pin. So the gate can be routed on any device, nothing of it is optimised away, and no path of
it begins or ends at a pin.
"""

from collections.abc import Mapping

from amaranth.hdl import Cat, ClockDomain, ClockSignal, Instance, Module, Shape, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Member, Out

from ..hdl.gate import Gate

FOLD = 4
"""Outputs that one flip-flop takes in: as many as a look-up table has inputs, at least."""
GATE = "gate"
"""Name of the gate's instance."""


class Harness(wiring.Component):
    """`module` of Verilog with the ports `members`, clk and rst, between registers.

    Whatever enters at `i` reaches each input; each output reaches `o` through registers.
    """

    clk: Signal
    rst: Signal
    i: Signal
    o: Signal

    def __init__(self, module: str, members: Mapping[str, Member]) -> None:
        self.module = module
        self.members = dict(members)
        super().__init__({"clk": In(1), "rst": In(1), "i": In(1), "o": Out(1)})

    @classmethod
    def around(cls, gate: Gate, module: str) -> "Harness":
        """The harness of a gate whose Verilog is `module`."""
        return cls(module, dict(gate.signature.members.items()))

    def elaborate(self, platform) -> Module:
        m = Module()
        m.domains.sync = ClockDomain(reset_less=True)
        m.d.comb += ClockSignal().eq(self.clk)
        reset = Signal()
        m.d.sync += reset.eq(self.rst)

        chain: Value = self.i
        ports: dict[str, Value] = {"i_clk": self.clk, "i_rst": reset}
        outputs: list[Value] = []
        for name, member in self.members.items():
            width = Shape.cast(member.shape).width
            if member.flow is In:
                held = Signal(width, name=f"drive_{name}")
                m.d.sync += held.eq(Cat(chain, held[:-1]))
                chain = held[-1]
                ports[f"i_{name}"] = held
            else:
                given = Signal(width, name=f"given_{name}")
                ports[f"o_{name}"] = given
                outputs.extend(given)
        m.submodules[GATE] = Instance(self.module, **ports)

        taken = Signal(len(outputs))
        m.d.sync += taken.eq(Cat(outputs))
        row = list(taken)
        while len(row) > 1:
            folded = Signal(-(-len(row) // FOLD), name=f"fold_{len(row)}")
            for n, bit in enumerate(folded):
                m.d.sync += bit.eq(Cat(row[FOLD * n : FOLD * n + FOLD]).xor())
            row = list(folded)
        m.d.comb += self.o.eq(row[0])
        return m
