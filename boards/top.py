"""Board and gate -> the whole design, whose ports are the device's pins.

Clock domains: `sync`, 125 MHz of the PLL, and `rx_a` and `rx_b`, each from its PHY.
"""

from collections.abc import Iterable

from amaranth.hdl import Cat, ClockDomain, ClockSignal, Module, ResetSignal, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import ResetSynchronizer
from amaranth.lib.wiring import In, Out

from ..hdl.ethernet.mac import Mac
from ..hdl.gate import Gate
from .blink import Blink
from .bridge import CLOCK_MHZ, EVENTS, Bridge
from .ecp5 import double_in, double_out, pll
from .kit import Kit, Port
from .pins import Pin

SETTLE = 1 << 22
"""Cycles, 34 ms, for which PHYs are held in reset; they ask for 10 ms."""
LIGHT = 1 << 22
"""Cycles for which an event is seen."""
LEDS = (
    "on", "link A", "link B", "received at A", "passed", "dropped", "in error or no room",
    "from B to A",
)
"""What lights mean, in the order in which a board's get their meanings."""


class Top(wiring.Component):
    """`pins` are those of the board; bits of one name are one port.

    `settle` is that of the real design but in simulation.
    """

    osc: Signal

    def __init__(
        self, kit: Kit, pins: Iterable[Pin], gate: Gate, module: str, settle: int = SETTLE
    ) -> None:
        self.kit = kit
        self.gate = gate
        self.module = module
        self.settle = settle
        self._inverted: dict[str, list[bool]] = {}
        for pin in pins:
            self._inverted.setdefault(pin.wire.split("[")[0], []).append(pin.inverted)
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

        m.submodules.bridge = bridge = Bridge(self.gate, self.module)
        lights: dict[str, Signal] = {}
        for letter, port in zip("ab", self.kit.ports, strict=True):
            m.submodules[f"mac_{letter}"] = mac = Mac(f"rx_{letter}")
            self._connect(m, letter, port, mac, held)
            for name in ("received", "sent"):
                inner, outer = getattr(mac, name), getattr(bridge, f"{letter}_{name}")
                source, sink = (inner, outer) if name == "received" else (outer, inner)
                m.d.comb += [sink.payload.eq(source.payload), sink.valid.eq(source.valid)]
                if name == "sent":
                    m.d.comb += source.ready.eq(sink.ready)
            lights[f"link {letter.upper()}"] = mac.o_present
        self._light(m, lights, bridge)
        return m

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

    def _light(self, m: Module, lights: dict[str, Signal], bridge: Bridge) -> None:
        """Lights of the board, as many as it has."""
        lights["on"] = Signal(init=1)
        events = dict(zip(LEDS[3:], EVENTS, strict=True))
        count = len(self._inverted.get("led", ()))
        for meaning, event in events.items():
            if meaning in LEDS[:count]:
                m.submodules[f"blink_{event}"] = blink = Blink(LIGHT)
                m.d.comb += blink.i.eq(getattr(bridge, f"o_{event}"))
                lights[meaning] = blink.o
        self._drive(m, "led", Cat(lights[meaning] for meaning in LEDS[:count]))

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


def _is_input(name: str) -> bool:
    return name in ("osc", "button", "uart_rx") or "_rx_" in name
