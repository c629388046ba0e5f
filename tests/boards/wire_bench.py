"""A job with frames on wires -> the frames that a board sends, at its pins.

What a board receives comes from cocotbext-eth's model of RGMII. Its sink takes the first byte for
idle when TX_CTL and TXC rise together, as they do here where nothing has delays: `Sink` does not.

Runs inside the simulator. A nanosecond of the design is 10,000 steps here, so that 25 parts per
million of a clock are one: 125 MHz have half a period of 40,000.
"""

import os
import pickle
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, FallingEdge, RisingEdge, Timer, ValueChange
from cocotb.utils import get_sim_time
from cocotbext.eth import GmiiFrame, RgmiiSource

HALF = {1000: 40_000, 100: 200_000, 10: 2_000_000}
SETTLE = 3 * 4096
"""Cycles of the system in which the speed of a link is found out."""


class Sink:
    """Takes TXD and TX_CTL at both edges of TXC, which rises when they change.

    `frames` are (bytes, error, begin, end). Where a cycle has a nibble, its halves must be equal.
    """

    def __init__(self, data, control, clock) -> None:
        self.data, self.control, self.clock = data, control, clock
        self.nibbles = False
        self.frames: list[tuple[bytes, bool, int, int]] = []
        cocotb.start_soon(self._run())

    async def _run(self) -> None:
        rise, fall, begins = (
            RisingEdge(self.clock), FallingEdge(self.clock), RisingEdge(self.control)
        )
        while True:
            await begins
            assert self.clock.value == 1, "TX_CTL rose in the middle of a cycle"
            start, lows, highs, error = get_sim_time("step"), [], [], False
            while self.control.value == 1:
                lows.append(int(self.data.value))
                await fall
                highs.append(int(self.data.value))
                error |= self.control.value != 1
                await rise
            data = bytes(low | high << 4 for low, high in zip(lows, highs, strict=True))
            if self.nibbles:
                assert lows == highs, "TXD changed within a cycle"
                data = bytes(a | b << 4 for a, b in zip(lows[::2], lows[1::2], strict=True))
            self.frames.append((data, error, start, get_sim_time("step")))


class Port:
    """What is behind the connector of one port."""

    def __init__(self, dut, letter: str) -> None:
        def wire(name: str):
            return getattr(dut, f"eth_{letter}_{name}")

        self.rx_clk, self.rx_data, self.rx_ctl = wire("rx_clk"), wire("rx_data"), wire("rx_ctl")
        self.source = RgmiiSource(self.rx_data, self.rx_ctl, self.rx_clk)
        self.sink = Sink(wire("tx_data"), wire("tx_ctl"), wire("tx_clk"))
        self.clock = None
        self.speed = 0

    def link(self, speed: int, ppm: float) -> None:
        """Runs the receive clock at a speed."""
        if self.clock is not None:
            self.clock.stop()
        half = round(HALF[speed] * (1 - ppm * 1e-6))
        self.clock = Clock(self.rx_clk, 2 * half, unit="step", impl="gpi")
        self.clock.start()
        self.speed = speed
        self.source.mii_mode = self.sink.nibbles = speed != 1000

    def send(self, frames, gap: int) -> None:
        self.source.ifg = gap * (1 if self.speed == 1000 else 2)
        for data, errors in frames:
            marks = [int(n in errors) for n in range(len(data))] if errors else None
            self.source.send_nowait(GmiiFrame(data, marks))

    async def watch(self, taken: bytearray) -> None:
        """What the design takes at each edge: RXD, in bit 4 RX_CTL, in bit 5 RXC."""
        moves = ValueChange(self.rx_clk)
        while True:
            await moves
            wires = (self.rx_clk, self.rx_ctl, self.rx_data)
            clock, control, data = (int(w.value) for w in wires)
            taken.append(data | control << 4 | clock << 5)

    def collect(self) -> list[tuple[bytes, bool, int, int]]:
        found, self.sink.frames = self.sink.frames, []
        return found


BIT = 80_000 * 1085
"""Steps of a bit on the serial line: 125 MHz by 115,200 baud."""


async def converse(dut, requests: list[bytes]) -> list[bytes]:
    """Sends requests over the serial line; the bytes that come back for each."""
    answers = []
    for request in requests:
        heard = bytearray()
        listening = cocotb.start_soon(_listen(dut.uart_tx, heard))
        for byte in request:
            for bit in (0, *((byte >> n) & 1 for n in range(8)), 1):
                dut.uart_rx.value = bit
                await Timer(BIT, unit="step")
        await Timer(10 * 12 * BIT, unit="step")
        listening.cancel()
        answers.append(bytes(heard))
    return answers


async def _listen(line, heard: bytearray) -> None:
    while True:
        await FallingEdge(line)
        await Timer(BIT + BIT // 2, unit="step")
        byte = 0
        for n in range(8):
            byte |= int(line.value) << n
            await Timer(BIT, unit="step")
        heard.append(byte)


@cocotb.test()
async def run(dut):
    job = pickle.loads(Path(os.environ["BOARD_JOB"]).read_bytes())
    for name in ("button", "uart_rx"):
        if hasattr(dut, name):
            getattr(dut, name).value = 1
    Clock(dut.osc, 2 * HALF[1000], unit="step", impl="gpi").start()
    ports = {letter: Port(dut, letter) for letter in job["ports"]}
    seen, taken = [], bytearray()
    for phase in job["phases"]:
        for letter, side in phase.items():
            ports[letter].link(side["speed"], side["ppm"])
        await ClockCycles(dut.osc, SETTLE)
        if job["trace"] and not seen:
            cocotb.start_soon(ports["a"].watch(taken))
        for letter, side in phase.items():
            ports[letter].send(side["frames"], side["gap"])
        slowest = max(HALF[p.speed] for p in ports.values())
        before = -1
        while True:
            await Timer(2 * slowest * job["patience"], unit="step")
            count = sum(len(p.sink.frames) for p in ports.values())
            if count == before and all(p.source.empty() and p.source.idle() for p in ports.values()):
                break
            before = count
        seen.append({letter: port.collect() for letter, port in ports.items()})
        if "host" in job and len(seen) == len(job["phases"]):
            seen[-1]["host"] = await converse(dut, job["host"])
        if job["trace"]:
            seen[-1]["taken"] = bytes(taken)
        Path(os.environ["BOARD_SEEN"]).write_bytes(pickle.dumps(seen))
