"""One RGMII port, its cells left out -> a stream of received frames, and one of frames to send."""

from amaranth.hdl import DomainRenamer, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from .crossing import Crossing
from .encode import Encode, Speed
from .frames import received, sent
from .meter import Meter
from .receive import Receive
from .transmit import Transmit


class Mac(wiring.Component):
    """Both streams are in `sync`, which has 125 MHz; what is received is in `domain` up to there.

    The ports of receive and transmit cycles are those of `Receive` and `Encode`. The link's speed is
    measured, and counts for both directions.
    """

    i_rise: Signal
    i_fall: Signal
    i_dv: Signal
    i_control: Signal
    o_rise: Signal
    o_fall: Signal
    o_control: Signal
    o_clock: Signal
    o_speed: Signal
    o_present: Signal
    received: stream.Interface
    sent: stream.Interface

    def __init__(self, domain: str) -> None:
        self.domain = domain
        super().__init__(
            {
                "i_rise": In(4),
                "i_fall": In(4),
                "i_dv": In(1),
                "i_control": In(1),
                "o_rise": Out(4),
                "o_fall": Out(4),
                "o_control": Out(1),
                "o_clock": Out(2),
                "o_speed": Out(Speed),
                "o_present": Out(1),
                "received": Out(received()),
                "sent": In(sent()),
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        receive = Receive()
        m.submodules.receive = DomainRenamer(self.domain)(receive)
        m.submodules.crossing = crossing = Crossing(self.domain)
        m.submodules.meter = meter = Meter(self.domain)
        m.submodules.transmit = transmit = Transmit()
        m.submodules.encode = encode = Encode()
        gigabit = Signal()
        m.d.comb += gigabit.eq(meter.o_speed == Speed.M1000)
        m.submodules.cdc = FFSynchronizer(gigabit, receive.i_gigabit, o_domain=self.domain)
        m.d.comb += [
            *(getattr(receive, n).eq(getattr(self, n)) for n in _RECEIVED),
            crossing.i.payload.eq(receive.o.payload),
            crossing.i.valid.eq(receive.o.valid),
            self.received.payload.eq(crossing.o.payload),
            self.received.valid.eq(crossing.o.valid),
            transmit.i.payload.eq(self.sent.payload),
            transmit.i.valid.eq(self.sent.valid),
            self.sent.ready.eq(transmit.i.ready),
            transmit.i_tick.eq(encode.o_tick),
            encode.i_speed.eq(meter.o_speed),
            encode.i_data.eq(transmit.o_data),
            encode.i_enable.eq(transmit.o_enable),
            *(getattr(self, n).eq(getattr(encode, n)) for n in _SENT),
            self.o_speed.eq(meter.o_speed),
            self.o_present.eq(meter.o_present),
        ]
        return m


_RECEIVED = ("i_rise", "i_fall", "i_dv", "i_control")
_SENT = ("o_rise", "o_fall", "o_control", "o_clock")
