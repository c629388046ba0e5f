# amaranth: UnusedElaboratable=no
# Who asks only for latency elaborates no unit.
"""Accepted beats -> one launch per frame, with everything that the program reads of it."""

from collections.abc import Iterable

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .checksum import Checksum
from .config import GateConfig
from .stream import counted_layout
from .window import Window


class Launch(wiring.Component):
    """The tap behind the register of accepted beats; it never stalls.

    `names` are inputs out of `config.supplies`; each comes out as `o_<name>`, valid together with
    `o_valid`, `latency` cycles after the beat that launches. Only the units behind `names` are
    built. `side` names the side-band members of the beats. `o_bad` says that the frame ended with
    an error; it is 0 for launches before the end. `i_present` exists if `takes_present`: it is the
    window's.
    """

    i_valid: Signal
    i_beat: data.View
    i_present: Signal
    i_ktime: Signal
    o_valid: Signal
    o_bad: Signal
    o_csum: Signal
    o_ktime: Signal
    o_packet_number: Signal

    def __init__(self, config: GateConfig, names: Iterable[str], side: dict[str, int]) -> None:
        self.config = config
        self.names = tuple(names)
        self.side = side
        self.checksum = None
        if "csum" in self.names and "csum" not in side:
            self.checksum = Checksum(config.width, config.max_frame)
        window = config.window if {"window", "present"} & set(self.names) else 0
        self.window = Window(config.width, window, at_end=config.store_and_forward)
        self.latency = self.checksum.latency if self.checksum else self.window.latency
        ports = {
            "i_valid": In(1),
            "i_beat": In(counted_layout(config.width, side)),
            "o_valid": Out(1),
            "o_bad": Out(1),
            **{f"o_{name}": Out(config.supplies[name]) for name in self.names},
        }
        if "ktime" in self.names:
            ports["i_ktime"] = In(64)
        self.takes_present = bool(window and self.window.at_once)
        if self.takes_present:
            ports["i_present"] = In(range(window + 1))
        super().__init__(ports)

    def elaborate(self, platform) -> Module:
        m = Module()
        config = self.config
        valid, beat = self.i_valid, self.i_beat
        m.submodules.window = front = self.window
        _tap(m, valid, beat, front)
        if self.takes_present:
            m.d.comb += front.i_present.eq(self.i_present)

        early = {}
        for name in self.names:
            match name:
                case _ if name in self.side and not front.latency:
                    early[name] = beat[name]
                case _ if name in self.side:
                    early[name] = kept = Signal(self.side[name], name=name, reset_less=True)
                    with m.If(valid & beat.first):
                        m.d.sync += kept.eq(beat[name])
                case "window":
                    early[name] = front.o_window
                case "present":
                    early[name] = front.o_present
                case "len":
                    early[name] = length = Signal(config.supplies[name], reset_less=True)
                    with m.If(valid):
                        m.d.sync += length.eq(Mux(beat.first, 0, length) + beat.count)
                case "csum" | "ktime" | "packet_number":
                    pass

        bad = Signal(reset_less=True)
        if config.store_and_forward:
            with m.If(valid):
                m.d.sync += bad.eq(beat.err)
        late = self.latency - front.latency
        m.d.comb += [
            self.o_valid.eq(_delayed(m, "valid", front.o_valid, late, reset_less=False)),
            self.o_bad.eq(_delayed(m, "bad", bad, late)),
        ]
        for name, signal in early.items():
            m.d.comb += getattr(self, f"o_{name}").eq(_delayed(m, name, signal, late))

        if self.checksum is not None:
            m.submodules.checksum = self.checksum
            _tap(m, valid, beat, self.checksum)
            m.d.comb += self.o_csum.eq(self.checksum.o_csum)
        if "ktime" in self.names:
            m.d.sync += self.o_ktime.eq(self.i_ktime)
        if "packet_number" in self.names:
            number = Signal(config.supplies["packet_number"])
            m.d.sync += number.eq(number + self.o_valid)
            m.d.comb += self.o_packet_number.eq(number)
        return m


def _tap(m: Module, valid: Signal, beat: data.View, unit: Window | Checksum) -> None:
    """Shows accepted beats to a unit."""
    m.d.comb += unit.i_valid.eq(valid)
    m.d.comb += [unit.i_beat[name].eq(beat[name]) for name, _ in counted_layout(8, {})]


def _delayed(m: Module, name: str, signal: Signal, cycles: int, *, reset_less: bool = True):
    """`signal` as it was some cycles ago."""
    for n in range(cycles):
        late = Signal(signal.shape(), name=f"{name}_{n}", reset_less=reset_less)
        m.d.sync += late.eq(signal)
        signal = late
    return signal
