"""Board and gate -> the whole design, whose ports are the device's pins.

Clock domains: `sync`, 125 MHz of the PLL, and `rx_a` and `rx_b`, each from its PHY.
"""

from collections.abc import Iterable, Sequence

from amaranth.hdl import Cat, ClockDomain, ClockSignal, Const, Module, ResetSignal, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import ResetSynchronizer
from amaranth.lib.wiring import In, Out

from ..ctx_map.link import ONE_PORT
from ..ctx_map.verdicts import Verdict
from ..hdl.axil import CHANNELS
from ..hdl.config import OnDrop
from ..hdl.ethernet.mac import Mac
from ..hdl.gate import Gate
from .blink import Blink
from .bridge import Bridge
from .console import Console
from .ecp5 import double_in, double_out, pll
from .filter import CLOCK_MHZ, Filter
from .kit import Kit, Port
from .pins import Pin
from .reflector import Reflector

SETTLE = 1 << 22
"""Cycles, 34 ms, for which PHYs are held in reset; they ask for 10 ms."""
LIGHT = 1 << 22
"""Cycles for which an event is seen."""
LEDS = (
    "on", "link A", "link B", "received at A", "passed", "dropped", "in error or no room",
    "from B to A",
)
"""What lights mean, in the order in which a board's get their meanings; a board with one port leaves
out those of port B."""


class Top(wiring.Component):
    """`pins` are those of the board; bits of one name are one port.

    `settle` is that of the real design but in simulation.
    """

    osc: Signal
    uart_rx: Signal
    uart_tx: Signal

    def __init__(
        self, kit: Kit, pins: Iterable[Pin], gate: Gate, module: str, settle: int = SETTLE
    ) -> None:
        if len(kit.ports) > 1 and gate.config.on_drop is OnDrop.MARK:
            raise ValueError(f"Dropped frames cannot leave {kit.name!r}, which filters between ports")
        self.kit = kit
        self.gate = gate
        self.module = module
        self.settle = settle
        self._inverted: dict[str, list[bool]] = {}
        for pin in pins:
            self._inverted.setdefault(pin.wire.split("[")[0], []).append(pin.inverted)
        meanings = [m for m in LEDS if len(kit.ports) > 1 or "B" not in m]
        self.meanings = tuple(meanings[: len(self._inverted.get("led", ()))])
        super().__init__(
            {
                name: (In if _is_input(name) else Out)(len(bits))
                for name, bits in self._inverted.items()
            }
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        m.domains.sync = ClockDomain()
        locked, start = Signal(), Signal()
        pll(m, self.kit.oscillator_mhz, CLOCK_MHZ, self.osc, ClockSignal(), locked)
        m.d.comb += start.eq(~locked)
        if "button" in self._inverted:
            m.d.comb += start.eq(~locked | self._active("button")[0])
        m.submodules.start = ResetSynchronizer(start)

        # PHYs come first: their clocks are none until they have left their reset.
        left = Signal(range(self.settle + 1), init=self.settle)
        held = Signal(init=1)
        m.d.sync += [held.eq(left != 0), left.eq(left - (left != 0))]
        self._drive(m, "eth_rst", held)
        self._drive(m, "fixed", Cat(Const(level, 1) for _, level in self.kit.fixed))

        m.submodules.filter = filtering = Filter(self.gate, self.module)
        macs = []
        for letter, port in zip("ab", self.kit.ports, strict=False):
            mac = Mac(f"rx_{letter}")
            m.submodules[f"mac_{letter}"] = mac
            self._connect(m, letter, port, mac, held)
            macs.append(mac)
        _receive(m, macs[0].received, filtering.i)
        failed = filtering.o_failed
        if len(macs) == 1:
            mirror = self.gate.config.on_drop is OnDrop.MARK
            m.submodules.reflector = around = Reflector(self.gate.config.max_frame, mirror)
            m.d.comb += [
                around.i_verdict.eq(filtering.o_verdict), around.i_err.eq(filtering.o_err)
            ]
            returned = [around.o_returned, Const(0), around.o_overflow]
            failed = failed | around.o_overflow
        else:
            m.submodules.bridge = around = bridge = Bridge(self.gate.config.max_frame)
            _receive(m, macs[1].received, bridge.b_received)
            _send(m, bridge.b_sent, macs[1].sent)
            m.d.comb += bridge.i_back.eq(filtering.o_verdict == Verdict.TX)
            returned = [bridge.o_returned, bridge.o_bad, bridge.o_overflow]
            failed = failed | bridge.o_bad | bridge.o_overflow
        _send(m, filtering.o, around.filtered)
        _send(m, around.a_sent, macs[0].sent)

        if "uart_rx" in self._inverted:
            self._serve(m, filtering, macs, returned)
        self._light(
            m,
            {"on": Const(1), "link A": macs[0].o_present, "link B": macs[-1].o_present},
            {
                "received at A": filtering.o_received,
                "passed": filtering.o_passed,
                "dropped": filtering.o_dropped,
                "in error or no room": failed,
                "from B to A": returned[0],
            },
        )
        return m

    def _serve(
        self, m: Module, filtering: Filter, macs: list[Mac], returned: Sequence[Value]
    ) -> None:
        """The host's line, and the board's own registers."""
        m.submodules.console = console = Console()
        m.d.comb += [console.i_line.eq(self.uart_rx), self.uart_tx.eq(console.o_line)]
        for name, member in CHANNELS.items():
            master, slave = getattr(console, name), getattr(filtering, name)
            m.d.comb += slave.eq(master) if member.flow is In else master.eq(slave)
        for n, mac in enumerate(macs):
            m.d.comb += console.i_links[4 * n : 4 * n + 3].eq(Cat(mac.o_speed, mac.o_present))
        m.d.comb += console.i_links[ONE_PORT].eq(len(macs) == 1)
        names = ("returned", "returned_bad", "returned_overflow")
        for name, event in zip(names, returned, strict=True):
            total = Signal(32, name=f"total_{name}")
            m.d.sync += total.eq(total + event)
            m.d.comb += getattr(console, f"i_{name}").eq(total)

    def _connect(self, m: Module, letter: str, port: Port, mac: Mac, held: Signal) -> None:
        """The port's pins to its MAC, and its receive clock to a domain."""
        domain = f"rx_{letter}"
        setattr(m.domains, domain, ClockDomain(domain))
        m.submodules[f"start_{letter}"] = ResetSynchronizer(held | ResetSignal(), domain=domain)
        wire = {n: getattr(self, f"eth_{letter}_{n}") for n in _WIRES}
        m.d.comb += ClockSignal(domain).eq(wire["rx_clk"])
        for name, rise, fall in (
            ("rx_data", mac.i_rise, mac.i_fall), ("rx_ctl", mac.i_dv, mac.i_control)
        ):
            double_in(m, f"{letter}_{name}", domain, wire[name], rise, fall, port.receive_delay)
        double_out(m, f"{letter}_tx_data", mac.o_rise, mac.o_fall, wire["tx_data"])
        double_out(m, f"{letter}_tx_ctl", mac.o_control, mac.o_control, wire["tx_ctl"])
        double_out(
            m, f"{letter}_tx_clk", mac.o_clock[:1], mac.o_clock[1:], wire["tx_clk"],
            port.transmit_delay,
        )

    def _light(self, m: Module, states: dict[str, Value], events: dict[str, Value]) -> None:
        """Lights of the board, as many as it has."""
        lights = dict(states)
        for meaning in self.meanings:
            if meaning in events:
                blink = Blink(LIGHT)
                m.submodules[f"blink_{meaning.replace(' ', '_')}"] = blink
                m.d.comb += blink.i.eq(events[meaning])
                lights[meaning] = blink.o
        self._drive(m, "led", Cat(lights[meaning] for meaning in self.meanings))

    def _active(self, name: str):
        """A port of inputs, active high."""
        inverted = sum(bit << n for n, bit in enumerate(self._inverted[name]))
        return getattr(self, name) ^ inverted

    def _drive(self, m: Module, name: str, value) -> None:
        """Drives a port of outputs; one bit goes to all of it."""
        if name in self._inverted:
            bits = len(self._inverted[name])
            inverted = sum(bit << n for n, bit in enumerate(self._inverted[name]))
            wide = value.replicate(bits) if len(value) == 1 else value
            m.d.comb += getattr(self, name).eq(wide ^ inverted)


_WIRES = ("rx_clk", "rx_ctl", "rx_data", "tx_clk", "tx_ctl", "tx_data")


def _receive(m: Module, source: stream.Interface, sink: stream.Interface) -> None:
    """Through a register: whether a byte has come is found out in the cycle in which it is given."""
    m.d.sync += [sink.payload.eq(source.payload), sink.valid.eq(source.valid)]


def _send(m: Module, source: stream.Interface, sink: stream.Interface) -> None:
    m.d.comb += [
        sink.payload.eq(source.payload), sink.valid.eq(source.valid), source.ready.eq(sink.ready)
    ]


def _is_input(name: str) -> bool:
    return name in ("osc", "button", "uart_rx") or "_rx_" in name
