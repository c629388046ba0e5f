"""Verilog of a gate, frames, the program -> a comparison with the model, by a cocotb bench.

The simulator is a process of its own, which runs sim/bench.py; its messages go to a file, of which
the end is shown when it fails. Simulators are compiled once and kept, as those of sim/model.py.
"""

import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ..compiler.errors import ToolError
from ..compiler.insn import Program
from ..ctx_map.models import MICROSOFT_KEY
from ..hdl.config import GateConfig
from .cocotb_build import build_bench
from .conditions import PLAIN, Conditions
from .golden import Frame, Golden
from .job import Job, Send, Stretch, load_stretches, save
from .judge import judge
from .model import TOP
from .result import Engine, SimResult
from .retune import Retune
from .scoreboard import Scoreboard

_POLL_SECONDS = 0.2
_TAIL = 20
"""Lines of the simulator's messages that an error shows."""


def simulate_cocotb(
    verilog: str,
    config: GateConfig,
    inputs: Collection[str],
    frames: Iterable[Frame],
    program: Program,
    *,
    conditions: Conditions = PLAIN,
    prandom_seed: int = 0,
    hash_key: bytes = MICROSOFT_KEY,
    retunes: Sequence[Retune] = (),
    progress: Callable[[int], None] = lambda packets: None,
    resets: Sequence[int] = (),
) -> SimResult:
    """Run all frames; as `simulate_fast`, and with a reset after each number of beats in `resets`.

    What leaves before a reset must be a beginning of what has to leave. The figures are those of
    the time after the last one, and the packets those that were sent then.
    """
    golden = Golden(program, config, prandom_seed=prandom_seed, hash_key=hash_key)
    sent = [golden.send(frame) for frame in frames]
    user_mask = (1 << config.s_tuser_width) - 2
    c = conditions
    job = Job(
        tuple(Send(s.frame.data, s.frame.err, golden.tuser(s)) for s in sent),
        user_width=config.s_tuser_width,
        user_mask=user_mask,
        seed=c.seed,
        idle=c.idle,
        stall=c.stall,
        empty_end=c.empty_end,
        reads_time="ktime" in inputs,
        count_each=not config.backpressure,
        ktime_start=c.ktime_start,
        ktime_step=c.ktime_step,
        tunables=config.tunables,
        image=golden.first_image,
        retunes=tuple(retunes),
        resets=tuple(resets),
    )
    started = time.monotonic()
    random_seed = c.seed if c.random_start else None
    stretches = run_job(verilog, job, random_seed=random_seed, waves=c.waves, progress=progress)
    seconds = time.monotonic() - started
    board = Scoreboard(config, counters_tell=False)
    for index, stretch in enumerate(stretches):
        golden = Golden(program, config, prandom_seed=prandom_seed, hash_key=hash_key)
        last = index == len(stretches) - 1
        stop = len(sent) if last else stretch.start + len(stretch.entered)
        packets = sent[stretch.start : stop]
        judge(board, golden, packets, stretch, reads_time=job.reads_time, last=last)
    progress(len(sent))
    end = stretches[-1]
    return SimResult(
        engine=Engine.COCOTB,
        seed=c.seed,
        packets=len(sent) - end.start,
        cycles=end.last - end.entered[0] + 1 if end.entered else 0,
        input_stalls=end.stalls,
        latency_cycles=board.latency,
        counts=end.counts,
        mismatches=tuple(board.mismatches),
        mismatch_count=board.count,
        images=len(set(end.commits)),
        seconds=seconds,
    )


def run_job(
    verilog: str,
    job: Job,
    *,
    random_seed: int | None = None,
    waves: Path | None = None,
    progress: Callable[[int], None] = lambda packets: None,
) -> list[Stretch]:
    """Run a job; with a `random_seed` registers and memories start random, otherwise 0.

    `waves` names an FST file to be written. `progress` is called with the number of frames sent.
    """
    from cocotb_tools.runner import get_runner

    simulator = build_bench(verilog, waves=waves is not None)
    arguments = []
    if random_seed is not None:
        arguments = ["+verilator+rand+reset+2", f"+verilator+seed+{random_seed % 0x7FFFFFFF + 1}"]
    with tempfile.TemporaryDirectory(prefix="rxgate-") as scratch:
        folder = Path(scratch)
        count, log, seen = folder / "progress", folder / "log", folder / "seen"
        save(folder / "job", replace(job, progress=count))
        failed: list[str] = []

        def simulate() -> None:
            try:
                get_runner("verilator").test(
                    test_module=f"{__package__}.bench",
                    hdl_toplevel=TOP,
                    hdl_toplevel_lang="verilog",
                    build_dir=simulator.parent,
                    test_dir=folder,
                    results_xml=str(folder / "results.xml"),
                    seed=job.seed,
                    waves=waves is not None,
                    test_args=["--trace-file", str(waves.absolute())] if waves else [],
                    plusargs=arguments,
                    extra_env={
                        "RXGATE_JOB": str(folder / "job"),
                        "RXGATE_SEEN": str(seen),
                        "COCOTB_ANSI_OUTPUT": "0",
                    },
                    log_file=log,
                )
            except ValueError as error:  # "Unable to find libpython"
                python = f"libpython{sys.version_info.major}.{sys.version_info.minor}"
                failed.append(f"{error}. `apt-get install {python}` brings Python's library.")
            except BaseException as error:
                failed.append(repr(error))

        thread = threading.Thread(target=simulate)
        thread.start()
        while thread.is_alive():
            thread.join(_POLL_SECONDS)
            text = count.read_text() if count.exists() else ""
            if text:
                progress(int(text))
        if failed or not seen.exists():
            lines = log.read_text(errors="replace").splitlines() if log.exists() else []
            text = "\n".join([*lines[-_TAIL:], *failed])
            raise ToolError(f"The cocotb bench failed:\n{text}")
        return load_stretches(seen)
