"""Bytes that a port receives -> the frames that the program lets through, by a gate of 8 bits."""

from amaranth.hdl import Cat, ClockSignal, Instance, Module, ResetSignal, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..ctx_map.verdicts import VERDICT_BITS
from ..hdl.axil import CHANNELS
from ..hdl.ethernet.frames import received, sent
from ..hdl.gate import Gate

CLOCK_MHZ = 125
"""Of the system: a byte per cycle is the rate of a gigabit."""
INTERFACE = 1
"""ingress_ifindex of what port A receives."""


class Filter(wiring.Component):
    """The gate is the Verilog module `module`. It stores frames until their end is known to be good.

    Beside a frame that leaves, `o_verdict` is the program's for it; `o_err` says at its last byte that
    it is in error, if such frames leave. The others are strobes: a frame was received, passed, dropped
    by the program, or in error or without room. The ports of `CHANNELS` are the gate's for the host.
    """

    i: stream.Interface
    o: stream.Interface
    o_verdict: Signal
    o_err: Signal
    o_received: Signal
    o_passed: Signal
    o_dropped: Signal
    o_failed: Signal

    def __init__(self, gate: Gate, module: str) -> None:
        config = gate.config
        if (
            config.width != 8 or config.backpressure or not config.store_and_forward
            or not config.control_port
        ):
            raise ValueError(
                "A board needs a gate of 8 bits that stores frames, never stalls and has a control"
                f" port, not that of {config!r}"
            )
        self.gate = gate
        self.module = module
        super().__init__(
            {
                "i": In(received()),
                "o": Out(sent()),
                "o_verdict": Out(VERDICT_BITS),
                "o_err": Out(1),
                "o_received": Out(1),
                "o_passed": Out(1),
                "o_dropped": Out(1),
                "o_failed": Out(1),
                **CHANNELS,
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        members = self.gate.signature.members
        ports = {name: Signal(member.shape, name=name) for name, member in members.items()}
        m.submodules.gate = Instance(
            self.module,
            i_clk=ClockSignal(),
            i_rst=ResetSignal(),
            **{f"{'i' if member.flow is In else 'o'}_{name}": ports[name]
               for name, member in members.items()},
        )
        beat = self.i.payload
        user = {"err": beat.err, "ingress_ifindex": INTERFACE, "rx_queue_index": 0}
        m.d.comb += [
            ports["s_axis_tdata"].eq(beat.data),
            ports["s_axis_tkeep"].eq(~beat.empty),
            ports["s_axis_tlast"].eq(beat.last),
            ports["s_axis_tvalid"].eq(self.i.valid),
            *(
                ports["s_axis_tuser"][at : at + width].eq(user[name])
                for name, (at, width) in self.gate.config.s_tuser.items()
            ),
            self.o.payload.data.eq(ports["m_axis_tdata"]),
            self.o.payload.last.eq(ports["m_axis_tlast"]),
            self.o.valid.eq(ports["m_axis_tvalid"]),
            ports["m_axis_tready"].eq(self.o.ready),
            Cat(self.o_verdict, self.o_err).eq(ports["m_axis_tuser"]),
        ]
        if "ktime_ns" in ports:
            m.d.sync += ports["ktime_ns"].eq(ports["ktime_ns"] + 1000 // CLOCK_MHZ)
        for name, member in CHANNELS.items():
            inside, outside = ports[f"s_axil_{name}"], getattr(self, name)
            m.d.comb += inside.eq(outside) if member.flow is In else outside.eq(inside)

        # A total rises by one at most, so that its lowest bit tells.
        rises = {}
        for name in ports:
            if name.startswith("stat_"):
                before = Signal(name=f"before_{name}")
                m.d.sync += before.eq(ports[name][0])
                rises[name.removeprefix("stat_")] = before ^ ports[name][0]
        m.d.comb += [
            self.o_received.eq(rises["received"]),
            self.o_passed.eq(rises["pass"] | rises["tx"] | rises["redirect"]),
            self.o_dropped.eq(rises["drop"] | rises["aborted"]),
            self.o_failed.eq(rises["bad"] | rises["overflow"]),
        ]
        return m
