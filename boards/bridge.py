"""Frames that two ports receive -> frames that they send: a filter in one direction of a wire.

Port A is where the world is, port B where what is protected is. What A receives runs through the
program, as on the interface of a host: what passes goes to B, what is transmitted (XDP_TX) back to A,
the rest is dropped. What B receives goes to A as it is. Frames in error are dropped in either
direction.
"""

from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..ctx_map.verdicts import Verdict
from ..hdl.ethernet.frames import SENT, received, sent
from ..hdl.ethernet.merge import Merge
from ..hdl.ethernet.packet_buffer import PacketBuffer
from ..hdl.gate import Gate
from ..hdl.queue import Queue
from ..hdl.skid import Skid
from ..hdl.stream import connect_stream

CLOCK_MHZ = 125
"""Of the system: a byte per cycle is the rate of a gigabit."""
ABSORB = 4096
"""Bytes that may wait for a port that sends slower than another receives, beside whole frames."""
PORT_A = 1
"""ingress_ifindex of what port A receives."""
EVENTS = ("received", "passed", "dropped", "failed", "returned")
"""Strobes, per frame: received at A, passed by the program, dropped by it, in error or without room
at either port, and from B to A."""


class Bridge(wiring.Component):
    """A byte per cycle in each direction, a gate of 8 bits within, as the Verilog module `module`.

    The gate stores frames until their end is known to be good.
    """

    a_received: stream.Interface
    a_sent: stream.Interface
    b_received: stream.Interface
    b_sent: stream.Interface
    o_received: Signal
    o_passed: Signal
    o_dropped: Signal
    o_failed: Signal
    o_returned: Signal

    def __init__(self, gate: Gate, module: str) -> None:
        config = gate.config
        if config.width != 8 or config.backpressure or not config.store_and_forward:
            raise ValueError(
                "A bridge needs a gate of 8 bits that stores frames and never stalls, not that of"
                f" {config!r}"
            )
        self.gate = gate
        self.module = module
        super().__init__(
            {
                "a_received": In(received()),
                "a_sent": Out(sent()),
                "b_received": In(received()),
                "b_sent": Out(sent()),
                **{f"o_{name}": Out(1) for name in EVENTS},
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        config = self.gate.config
        ports = {name: Signal(member.shape, name=name)
                 for name, member in self.gate.signature.members.items()}
        m.submodules.gate = _instance(self.module, self.gate, ports)
        beat = self.a_received.payload
        user = {"err": beat.err, "ingress_ifindex": PORT_A, "rx_queue_index": 0}
        m.d.comb += [
            ports["s_axis_tdata"].eq(beat.data),
            ports["s_axis_tkeep"].eq(~beat.empty),
            ports["s_axis_tlast"].eq(beat.last),
            ports["s_axis_tvalid"].eq(self.a_received.valid),
            *(
                ports["s_axis_tuser"][at : at + width].eq(user[name])
                for name, (at, width) in config.s_tuser.items()
            ),
        ]
        if "ktime_ns" in ports:
            m.d.sync += ports["ktime_ns"].eq(ports["ktime_ns"] + 1000 // CLOCK_MHZ)

        m.submodules.waiting = waiting = Queue(SENT, ABSORB)
        m.submodules.behind = behind = PacketBuffer(
            _power_of_two(2 * config.max_frame + ABSORB), config.max_frame
        )
        m.submodules.merge = merge = Merge()
        m.submodules.skid_a = skid_a = Skid(SENT)
        m.submodules.skid_b = skid_b = Skid(SENT)
        back = Signal()
        m.d.comb += [
            back.eq(ports["m_axis_tuser"][:3] == Verdict.TX),
            *(
                side.payload[name].eq(ports[f"m_axis_t{name}"])
                for side in (waiting.i, merge.i_b)
                for name in ("data", "last")
            ),
            waiting.i.valid.eq(ports["m_axis_tvalid"] & ~back),
            merge.i_b.valid.eq(ports["m_axis_tvalid"] & back),
            ports["m_axis_tready"].eq((back & merge.i_b.ready) | (~back & waiting.i.ready)),
            behind.i.payload.eq(self.b_received.payload),
            behind.i.valid.eq(self.b_received.valid),
        ]
        connect_stream(m, waiting.o, skid_b.i)
        connect_stream(m, behind.o, merge.i_a)
        connect_stream(m, merge.o, skid_a.i)
        for skid, port in ((skid_a, self.a_sent), (skid_b, self.b_sent)):
            m.d.comb += [
                port.payload.eq(skid.o.payload),
                port.valid.eq(skid.o.valid),
                skid.o.ready.eq(port.ready),
            ]
        self._events(m, ports, behind)
        return m

    def _events(self, m: Module, ports: dict[str, Signal], behind: PacketBuffer) -> None:
        """A total counts by one at most: it rises when its lowest bit changes."""
        rises = {}
        for name, port in ports.items():
            if name.startswith("stat_"):
                before = Signal(name=f"before_{name}")
                m.d.sync += before.eq(port[0])
                rises[name] = before ^ port[0]
        m.d.comb += [
            self.o_received.eq(rises["stat_received"]),
            self.o_passed.eq(rises["stat_pass"] | rises["stat_tx"] | rises["stat_redirect"]),
            self.o_dropped.eq(rises["stat_drop"] | rises["stat_aborted"]),
            self.o_failed.eq(
                rises["stat_bad"] | rises["stat_overflow"] | behind.o_bad | behind.o_overflow
            ),
            self.o_returned.eq(behind.o_good),
        ]


def _instance(module: str, gate: Gate, ports: dict[str, Signal]) -> Instance:
    directed = {
        f"{'i' if member.flow is In else 'o'}_{name}": ports[name]
        for name, member in gate.signature.members.items()
    }
    return Instance(module, i_clk=ClockSignal(), i_rst=ResetSignal(), **directed)


def _power_of_two(least: int) -> int:
    """The least one that is not less."""
    return 1 << (least - 1).bit_length()
