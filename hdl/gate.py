# amaranth: UnusedElaboratable=no
# Who asks only for ports and latency makes no Verilog.
"""AXI4-Stream of frames and a program pipeline -> AXI4-Stream of the frames that it lets pass.

Accepted beats go into the packet buffer and, at the same time, into a tap that gathers what the
program reads. Nothing up to the buffer ever stalls, and neither do tap and program pipeline: the
buffer has the source stopped while there is still room for what is under way. The verdict queue
never is full: each frame in it owns a beat of the buffer at least, and it is as deep.
"""

from typing import Protocol

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..ctx_map.registers import BY_NAME, UNNAMED, ProgramId, identification
from ..ctx_map.verdicts import VERDICT_BITS
from .admit import Admit
from .axil import CHANNELS, connect_channels
from .config import STRIP_SIDE, GateConfig, OnDrop
from .control import Control
from .counters import COUNTER_BITS, COUNTERS, Counters
from .egress import RESULT, Egress, leaving, result
from .ingress import Ingress
from .launch import Launch
from .queue import Ring
from .skid import Skid
from .stream import connect_stream, decided_layout, out_layout, stored_layout
from .strip import Strip

__all__ = ["Gate", "GateConfig", "OnDrop", "Pipeline"]


class Pipeline(Protocol):
    """A program in hardware, with an input port `i_<name>` for each of `inputs` (name -> bits).

    `o_verdict` and `o_valid` follow `i_valid` by `latency` cycles, at least one; a packet may come
    every cycle. `trace_width` is the width of the output port `o_trace`, 0 when there is none.
    """

    inputs: dict[str, int]
    latency: int
    trace_width: int
    i_valid: Signal
    i_tunables: Signal
    o_valid: Signal
    o_verdict: Signal
    o_trace: Signal

    def elaborate(self, platform) -> Module: ...


class Gate(wiring.Component):
    """The whole filter; module ports are flat AXI4-Stream, counters, clk and rst (active high).

    `ktime_ns` and `trace_ktime` exist when the program reads the time: the latter tells, per launch,
    which. `trace_commits` exists when there are tunables: how often they had been committed when a
    packet was launched. `trace_data` exists when the pipeline has a trace. With any, `trace_valid` is
    high in the cycles of launches; in those the pipeline takes its inputs. `latency` is the number
    of cycles from the beat that launches (the one that completes the window, or with store and
    forward the last) to the frame's first beat out, with a ready sink and no pauses in the frame.
    `depth` is that of the packet buffer in beats. With `config.control_port` there are the ports
    `s_axil_<channel>`, which tell the host that the pipeline is that of `program`.
    """

    s_axis_tdata: Signal
    s_axis_tkeep: Signal
    s_axis_tvalid: Signal
    s_axis_tready: Signal
    s_axis_tlast: Signal
    s_axis_tuser: Signal
    m_axis_tdata: Signal
    m_axis_tkeep: Signal
    m_axis_tvalid: Signal
    m_axis_tready: Signal
    m_axis_tlast: Signal
    m_axis_tuser: Signal
    ktime_ns: Signal
    trace_valid: Signal
    trace_ktime: Signal
    trace_commits: Signal
    trace_data: Signal

    def __init__(
        self, config: GateConfig, pipeline: Pipeline, program: ProgramId = UNNAMED
    ) -> None:
        for name, width in pipeline.inputs.items():
            if name not in config.supplies:
                raise ValueError(f"Pipeline input {name!r} cannot be supplied by {config!r}")
            if not 1 <= width <= config.supplies[name]:
                raise ValueError(
                    f"Pipeline input {name!r} has 1 to {config.supplies[name]} bits, not {width!r}"
                )
        if pipeline.latency < 1:
            raise ValueError(f"Pipeline latency must be at least 1, not {pipeline.latency!r}")
        self.config = config
        self.pipeline = pipeline
        self.program = program
        names = tuple(pipeline.inputs)
        self._stream_side = {
            name: width for name, (_, width) in config.s_tuser.items() if name in names
        }
        self._side = dict(self._stream_side)
        if config.strip_vlan:
            self._side |= {name: STRIP_SIDE[name] for name in STRIP_SIDE if name in names}
        self._launch = Launch(config, [n for n in names if n != "tunables"], self._side)
        self.launch_latency = self._launch.latency
        self.latency = Ingress.latency + Admit.latency + self.launch_latency + pipeline.latency
        self.latency += Ring.latency + 1
        if config.strip_vlan:
            self.latency += Strip.beats(config.width)
        self.depth = config.buffer_depth(self.launch_latency + pipeline.latency)
        ports = {
            "s_axis_tdata": In(config.width),
            "s_axis_tkeep": In(config.beat_bytes),
            "s_axis_tvalid": In(1),
            "s_axis_tready": Out(1),
            "s_axis_tlast": In(1),
            "s_axis_tuser": In(config.s_tuser_width),
            "m_axis_tdata": Out(config.width),
            "m_axis_tkeep": Out(config.beat_bytes),
            "m_axis_tvalid": Out(1),
            "m_axis_tready": In(1),
            "m_axis_tlast": Out(1),
            "m_axis_tuser": Out(config.m_tuser_width),
            **{f"stat_{name}": Out(COUNTER_BITS) for name in COUNTERS},
        }
        if "ktime" in names:
            ports |= {"ktime_ns": In(64), "trace_valid": Out(1), "trace_ktime": Out(64)}
        if config.tunables:
            ports |= {"trace_valid": Out(1), "trace_commits": Out(BY_NAME["commits"].width)}
        if pipeline.trace_width:
            ports |= {"trace_valid": Out(1), "trace_data": Out(pipeline.trace_width)}
        if config.control_port:
            ports |= {f"s_axil_{name}": member for name, member in CHANNELS.items()}
        super().__init__(ports)

    @property
    def identification(self) -> dict[str, int]:
        """What the control port's constant registers hold."""
        config = self.config
        facts = {
            "store_and_forward": config.store_and_forward,
            "strip_vlan": config.strip_vlan,
            "mark_drops": config.on_drop is OnDrop.MARK,
            "no_backpressure": not config.backpressure,
            "reads_time": "ktime" in self.pipeline.inputs,
            "tunables": bool(config.tunables),
        }
        return identification(
            self.program,
            width=config.width,
            window=config.window,
            max_frame=config.max_frame,
            latency=self.latency,
            flags=[name for name, holds in facts.items() if holds],
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        config, width = self.config, self.config.width
        m.submodules.ingress = ingress = Ingress(width, self._stream_side)
        launch = self._launch
        window = config.window if launch.takes_present else 0
        m.submodules.admit = admit = Admit(width, self._side, config.max_frame, window)
        m.submodules.buffer = buffer = Ring(
            stored_layout(width), self.depth, reserve=config.buffer_reserve
        )
        m.submodules.launch = launch
        m.submodules.pipeline = self.pipeline
        m.submodules.verdicts = verdicts = Ring(RESULT, self.depth)
        m.submodules.egress = egress = Egress(width)
        m.submodules.skid_out = skid_out = Skid(decided_layout(width), out_layout(width), leaving)
        m.submodules.counters = counters = Counters(clear=config.control_port)

        self._connect_input(m, ingress, buffer)
        if config.strip_vlan:
            m.submodules.strip = strip = Strip(width, self._stream_side, self._side)
            connect_stream(m, ingress.o, strip.i)
            connect_stream(m, strip.o, admit.i)
        else:
            connect_stream(m, ingress.o, admit.i)
        m.d.comb += [
            *(buffer.i.payload[name].eq(admit.o.payload[name]) for name, _ in stored_layout(width)),
            buffer.i.valid.eq(admit.o.valid),
            admit.i_room.eq(1 if config.backpressure else buffer.o_room),
            launch.i_valid.eq(admit.o.valid),
            launch.i_beat.eq(admit.o.payload),
        ]
        if window:
            m.d.comb += launch.i_present.eq(admit.o_present)
        self._connect_pipeline(m, launch, verdicts)
        connect_stream(m, buffer.o, egress.i)
        connect_stream(m, verdicts.o, egress.i_result)
        connect_stream(m, egress.o, skid_out.i)
        self._connect_output(m, skid_out)
        m.d.comb += [
            counters.i_received.eq(admit.o_received),
            counters.i_overflow.eq(admit.o_overflow),
            counters.i_done.eq(egress.o_done),
            counters.i_verdict.eq(egress.o_verdict),
            counters.i_bad.eq(egress.o_bad),
            *(getattr(self, f"stat_{n}").eq(getattr(counters, f"o_{n}")) for n in COUNTERS),
        ]
        if config.control_port:
            self._connect_control(m, counters)
        return m

    def _connect_input(self, m: Module, ingress: Ingress, buffer: Ring) -> None:
        """s_axis to the ingress; tready is a register of the buffer."""
        beat = ingress.i.payload
        ready = buffer.o_room if self.config.backpressure else 1
        m.d.comb += [
            self.s_axis_tready.eq(ready),
            ingress.i.valid.eq(self.s_axis_tvalid & ready),
            beat.data.eq(self.s_axis_tdata),
            beat.keep.eq(self.s_axis_tkeep),
            beat.last.eq(self.s_axis_tlast),
        ]
        for name, (offset, width) in self.config.s_tuser.items():
            if name == "err" or name in self._stream_side:
                m.d.comb += beat[name].eq(self.s_axis_tuser[offset : offset + width])

    def _connect_pipeline(self, m: Module, launch: Launch, verdicts: Ring) -> None:
        """Launches into the program, its verdicts into their queue."""
        pipeline = self.pipeline
        for name in launch.names:
            m.d.comb += getattr(pipeline, f"i_{name}").eq(getattr(launch, f"o_{name}"))
        bad = None
        if self.config.store_and_forward:
            bad = launch.o_bad
            for n in range(pipeline.latency):
                late = Signal(name=f"bad_{n}", reset_less=True)
                m.d.sync += late.eq(bad)
                bad = late
        mark = self.config.on_drop is OnDrop.MARK
        decided = result(pipeline.o_verdict[:VERDICT_BITS], bad, mark=mark)
        m.d.comb += [
            pipeline.i_valid.eq(launch.o_valid),
            verdicts.i.valid.eq(pipeline.o_valid),
            *(verdicts.i.payload[name].eq(value) for name, value in decided.items()),
        ]
        if "ktime" in pipeline.inputs:
            m.d.comb += [
                launch.i_ktime.eq(self.ktime_ns),
                self.trace_ktime.eq(launch.o_ktime),
            ]
        if pipeline.trace_width:
            m.d.comb += self.trace_data.eq(pipeline.o_trace)
        if "ktime" in pipeline.inputs or pipeline.trace_width or self.config.tunables:
            m.d.comb += self.trace_valid.eq(launch.o_valid)

    def _connect_control(self, m: Module, counters: Counters) -> None:
        """s_axil to the registers, and these to the counters."""
        config = self.config
        m.submodules.control = control = Control(self.identification, config.tunables)
        connect_channels(m, control, self, "s_axil_")
        m.d.comb += counters.i_clear.eq(control.o_clear)
        for name in COUNTERS:
            m.d.comb += getattr(control, f"i_{name}").eq(getattr(counters, f"o_{name}"))
        if config.tunables:
            m.d.comb += self.trace_commits.eq(control.o_commits)
        if "tunables" in self.pipeline.inputs:
            m.d.comb += self.pipeline.i_tunables.eq(control.o_tunables)

    def _connect_output(self, m: Module, skid: Skid) -> None:
        """The last registers to m_axis."""
        beat = skid.o.payload
        m.d.comb += [
            self.m_axis_tdata.eq(beat.data),
            self.m_axis_tkeep.eq(beat.keep),
            self.m_axis_tlast.eq(beat.last),
            self.m_axis_tuser.eq(Cat(beat.verdict, beat.err)),
            self.m_axis_tvalid.eq(skid.o.valid),
            skid.o.ready.eq(self.m_axis_tready),
        ]
