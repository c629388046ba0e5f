"""A board's design in a simulator, driven at its pins."""

import os
import pickle
import random
import zlib
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
from rxgate.boards import build
from rxgate.boards.bitstream import TOP
from rxgate.boards.kits import KITS
from rxgate.boards.wire import build_wires
from rxgate.compiler.options import Options
from rxgate.compiler.source import read_program
from rxgate.sim.cocotb_build import build_bench
from rxgate.sim.golden import Frame, Golden

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PREAMBLE = bytes(7 * [0x55] + [0xD5])
GAP = 12
SETTLE = 20
"""Cycles for which PHYs are held in reset in simulation."""


def design_of(program: str, **options):
    """An example, for a board."""
    chosen = {"max_frame": build.MAX_FRAME} | options
    return build.board_design(read_program(str(ROOT / "examples" / program)), Options(**chosen))


@cache
def wires(program: str):
    """An example in the simulator of two wires."""
    return build_wires(design_of(program), KITS["versa-ecp5"])


def on_wire(data: bytes, *, fcs: int = 0, preamble: bytes = PREAMBLE) -> bytes:
    """A frame with preamble, padding and check sequence; `fcs` is what is wrong with that."""
    padded = data.ljust(60, b"\0")
    return preamble + padded + (zlib.crc32(padded) ^ fcs).to_bytes(4, "little")


def judged(design, frames):
    """What leaves to B, what goes back to A, and what is counted, of frames that A receives (without
    FCS), as the interpreter judges them."""
    golden = Golden(design.program, design.config)
    b, a = [], []
    for data in frames:
        padded = data.ljust(60, b"\0")
        out = golden.judge(golden.send(Frame(padded, ingress_ifindex=1))).out
        if out is not None:
            (a if out.verdict.name == "TX" else b).append(out.data)
    return b, a, golden.counts


def sent(seen):
    """The frames that a port sent, each of which has to be perfect on the wire."""
    frames = []
    for data, error, _, _ in seen:
        assert not error
        assert data.startswith(PREAMBLE)
        assert data == on_wire(data[8:-4])
        frames.append(data[8:-4])
    return frames


def subsequence(some, of):
    """Whether all of the first are in the second, in the same order."""
    rest = iter(of)
    return all(one in rest for one in some)


def side(frames=(), speed: int = 1000, ppm: float = 0.0, gap: int = GAP):
    """What happens at a port: frames as bytes with preamble, or (these, positions with RX_ER)."""
    whole = [f if isinstance(f, tuple) else (f, ()) for f in frames]
    return {"speed": speed, "ppm": ppm, "gap": gap, "frames": whole}


def simulate(
    design, kit, phases, *, host=(), patience: int = 4000, seed: int = 1, trace: bool = False
):
    """What each port sends in each phase: (bytes with preamble, error, start, end).

    With `host`, requests over the serial line, the last phase has also what these are answered with;
    with `trace` what port A took at each edge of RXC.
    """
    from cocotb_tools.runner import get_runner

    files = build.sources(design, kit, settle=SETTLE)
    models = (ROOT / "boards" / "ecp5_models.v").read_text()
    verilog = "\n".join([*(t for n, t in files.items() if n.endswith(".v")), models])
    ports = ("osc", "button", "eth_*", "led", "uart_*")
    simulator = build_bench(verilog, top=TOP, ports=ports)
    folder = Path(os.environ["PYTEST_SCRATCH"])
    job, seen, log = folder / "job", folder / "seen", folder / "log"
    job.write_bytes(pickle.dumps(
        {"phases": phases, "patience": patience, "ports": "ab"[: len(kit.ports)], "trace": trace}
        | ({"host": list(host)} if host else {})
    ))
    get_runner("verilator").test(
        test_module="wire_bench",
        hdl_toplevel=TOP,
        hdl_toplevel_lang="verilog",
        build_dir=simulator.parent,
        test_dir=folder,
        results_xml=str(folder / "results.xml"),
        seed=seed,
        plusargs=["+verilator+rand+reset+2", f"+verilator+seed+{seed}"],
        extra_env={
            "BOARD_JOB": str(job), "BOARD_SEEN": str(seen), "COCOTB_ANSI_OUTPUT": "0",
            "COCOTB_LOG_LEVEL": "WARNING",
        },
        log_file=log,
    )
    text = log.read_text(errors="replace")
    assert seen.exists(), text[-3000:]
    found = pickle.loads(seen.read_bytes())
    assert len(found) == len(phases), text[-3000:]
    return found


@pytest.fixture
def board(tmp_path, monkeypatch):
    """The helpers above."""
    monkeypatch.setenv("PYTEST_SCRATCH", str(tmp_path))
    monkeypatch.syspath_prepend(HERE)
    return SimpleNamespace(
        KITS=KITS, PREAMBLE=PREAMBLE, GAP=GAP, design_of=design_of, on_wire=on_wire, side=side,
        simulate=simulate, wires=wires, judged=judged, sent=sent, subsequence=subsequence,
    )


@pytest.fixture
def rng():
    """Random numbers; a failing test prints the seed."""
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    return random.Random(seed)
