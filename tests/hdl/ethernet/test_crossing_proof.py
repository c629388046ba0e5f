"""Whatever comes and however full the FIFO is: a good end is written only behind a whole frame."""

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Assert, ClockDomain, ClockSignal, Module, Signal
from rxgate.compiler.errors import ToolError
from rxgate.hdl.ethernet.crossing import Crossing
from rxgate.hdl.ethernet.frames import RECEIVED
from rxgate.sim.tools import yosys

SCRIPT = """
read_rtlil proof.il
hierarchy -top top
blackbox \\top.crossing.fifo
cutpoint -blackbox
proc
flatten
chformal -lower
async2sync
opt
sat -verify -tempinduct -prove-asserts -maxsteps 20
"""
"""Nothing is known of the FIFO: it has room in any cycle, or not."""


def prove(folder, *, none_lost: bool) -> None:
    """What has to hold in each cycle of a crossing's writer; and that no frame is lost whole."""
    m, crossing = Module(), Crossing("write")
    for name in ("write", "sync"):
        m.domains += ClockDomain(name, reset_less=True)
    m.submodules.crossing = crossing
    came, beat = crossing.i.valid, crossing.i.payload
    row = RECEIVED(crossing.fifo.w_data)
    written, coming, begun, lost = Signal(), Signal(), Signal(), Signal()
    """A frame is coming; one that was written has no end yet; a byte of the coming one is lost."""
    m.d.comb += written.eq(crossing.fifo.w_en & crossing.fifo.w_rdy)
    with m.If(came):
        m.d.write += [coming.eq(~beat.last), lost.eq(~beat.last & (lost | ~written))]
    with m.If(written):
        m.d.write += begun.eq(~row.last)
        with m.If(~(row.last & row.err)):
            m.d.comb += Assert(came & (row.as_value() == beat.as_value()))
            m.d.comb += Assert(~lost & (begun == coming))
    if none_lost:
        m.d.comb += Assert(~(coming & lost & ~begun))
    ports = [ClockSignal("write"), ClockSignal("sync"), came, beat.as_value()]
    (folder / "proof.il").write_text(rtlil.convert(m, ports=ports))
    (folder / "proof.ys").write_text(SCRIPT)
    yosys().run("-q", "proof.ys", cwd=folder)


def test_frames_are_whole(tmp_path):
    prove(tmp_path, none_lost=False)


def test_what_does_not_hold_is_not_proven(tmp_path):
    with pytest.raises(ToolError, match="proof did fail"):
        prove(tmp_path, none_lost=True)
