"""A compiled design -> a folder with a cocotb bench of it, which plain `pytest` runs.

The bench is sim/bench_template.py, with imports that name rxgate; all that is special to a program
is in the files beside it. It needs rxgate, for the golden model and the drivers, but no compiler.
"""

import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..compiler.driver import TOP, Design
from ..compiler.manifest import manifest
from ..compiler.output import write_files
from .captures import Frame as Captured
from .captures import read_capture, write_capture
from .directed import directed
from .saved import Saved, dump

_TEMPLATE = Path(__file__).with_name("bench_template.py")
_FRAMES = 200
"""Frames in the capture that comes with a bench."""


def write_testbench(
    design: Design, directory: Path, capture: Path | None = None, seed: int = 0
) -> list[Path]:
    """Write the bench; the paths of its files. Either all of them are written or none.

    The traffic is the first frames of `capture`, or made from `seed`, aimed at the program.

    Raises
    ------
    InputError
        The capture cannot be read, or the directory not be written.
    """
    if capture is None:
        frames = directed(design.program, _FRAMES, seed)
    else:
        frames = [f.data for f in read_capture(capture)[:_FRAMES]]
    name = re.sub(r"\W+", "_", design.program.name).strip("_").lower() or "program"
    files = {
        f"{TOP}.v": design.verilog,
        "manifest.json": json.dumps(manifest(design), indent=2) + "\n",
        "design.json": dump(saved(design)),
        "traffic.pcap": _pcap(frames),
        f"test_{name}.py": _bench(),
        "README.md": _readme(design, name),
    }
    return write_files(directory, files)


def saved(design: Design) -> Saved:
    """What of a design a bench has to know."""
    options = design.options
    return Saved(
        design.program, design.config, tuple(design.inputs), options.prandom_seed, options.hash_key
    )


def _bench() -> str:
    text = re.sub(r"^from \.\.(?=\w)", "from rxgate.", _TEMPLATE.read_text(), flags=re.MULTILINE)
    return re.sub(r"^from \.(?=\w)", "from rxgate.sim.", text, flags=re.MULTILINE)


def _pcap(frames: Sequence[bytes]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="rxgate-") as folder:
        path = Path(folder) / "traffic.pcap"
        write_capture(path, (Captured(f, len(f), n * 1000) for n, f in enumerate(frames)))
        return path.read_bytes()


def _readme(design: Design, name: str) -> str:
    return f"""\
# Bench of `{design.program.name}`

`pytest` in this folder simulates the gate and compares it, frame by frame, with rxgate's golden
model. It needs rxgate in the same Python environment, and a C++ compiler for Verilator.

- `{TOP}.v`: the gate, {design.config.width} bits wide; `manifest.json` lists its ports
- `design.json`: the program's instructions and the gate's parameters, for the golden model
- `traffic.pcap`: the frames that are sent; any Ethernet capture will do
- `test_{name}.py`: the bench, to be changed at will: drivers, monitors, scoreboard, tests

`SIM=icarus pytest` takes another of cocotb's simulators. `WAVES=1 pytest` writes waves into
`sim_runs/<test>`. The seed of a run stands in its output; `COCOTB_RANDOM_SEED=<seed> pytest`
repeats it.
"""
