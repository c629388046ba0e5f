"""Verilog of a gate, frames, the program -> a comparison of millions of packets with the model.

The Verilog runs in a process of its own, with the native golden model beside it; frames go to it and
records come back through pipes, so that memory stays bounded whatever the number of frames. From the
first difference on, and for a share of the packets before it, the interpreter is asked.
"""

import os
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from ..compiler.errors import ToolError
from ..compiler.insn import Program
from ..ctx_map.models import MICROSOFT_KEY
from ..ctx_map.verdicts import Verdict
from ..hdl.config import GateConfig
from .conditions import PLAIN, Conditions
from .golden import Frame, Golden
from .model import build_model
from .native import build_native
from .probes import COUNTERS
from .records import Record, split
from .result import Engine, SimResult
from .retune import Retune
from .scoreboard import Scoreboard
from .sender import Sender
from .surroundings import OutFrame

_CHUNK = 1 << 17
_PIPE = 1 << 20
"""Bytes of a pipe, where the system lets one choose; what ordinary users may have on Linux."""
_VERDICTS = {v.value: v for v in Verdict}
_NONE = (1 << 64) - 1


def simulate_fast(
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
) -> SimResult:
    """Run all frames; `inputs` are the names that the program pipeline takes.

    `retunes`, in the order of their frames, change tunables through the control port meanwhile.
    `progress` is called with the number of packets compared so far, now and then.
    """
    golden = Golden(program, config, prandom_seed=prandom_seed, hash_key=hash_key)
    native = build_native(program, config, prandom_seed=prandom_seed, hash_key=hash_key)
    model = build_model(verilog, waves=conditions.waves is not None)
    run = _Run(golden, native, "ktime" in inputs, conditions, progress, retunes)
    return run.result(model, frames)


def trace_launch(
    verilog: str,
    config: GateConfig,
    inputs: Collection[str],
    frames: Iterable[Frame],
    program: Program,
    launch: int,
    *,
    conditions: Conditions = PLAIN,
    prandom_seed: int = 0,
    hash_key: bytes = MICROSOFT_KEY,
) -> tuple[SimResult, list[int]]:
    """As `simulate_fast`, and what port `trace_data` showed from the cycle of a launch on.

    Launches count from 0.
    """
    golden = Golden(program, config, prandom_seed=prandom_seed, hash_key=hash_key)
    native = build_native(program, config, prandom_seed=prandom_seed, hash_key=hash_key)
    run = _Run(golden, native, "ktime" in inputs, conditions, lambda packets: None)
    run.trace_from = launch + 1
    result = run.result(build_model(verilog), frames)
    return result, run.traced


class _Run:
    """One run: what came back, and what is known of the frames sent.

    Native code compares until it finds a difference; what is known of later frames comes as records.
    `kept` are the frames sent that have not been compared, the first of which has number `base`.
    """

    def __init__(
        self,
        golden: Golden,
        native: Path,
        reads_time: bool,
        conditions: Conditions,
        progress: Callable[[int], None],
        retunes: Sequence[Retune] = (),
    ) -> None:
        self.golden = golden
        self.config = golden.config
        self.native = native
        self.reads_time = reads_time
        self.conditions = conditions
        self.progress = progress
        self.board = Scoreboard(self.config, counters_tell=True)
        self.sender = Sender(golden, conditions, retunes)
        self.kept = self.sender.kept
        self.base = 0
        self.entered: deque[int] = deque()
        self.admitted: deque[bool] = deque()
        self.times: deque[int] = deque()
        self.commits: deque[int] = deque()
        self.images = self.sender.images
        self.seen_images: set[int] = set()
        self.suspect: int | None = None
        self.end: tuple[int, ...] = ()
        self.trace_from = 0
        self.traced: list[int] = []

    def result(self, model: Path, frames: Iterable[Frame]) -> SimResult:
        """Runs the model to its end."""
        start = time.monotonic()
        process = subprocess.Popen(
            [model, *self._arguments()], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            pipesize=_PIPE,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        sender = self.sender
        writer = threading.Thread(target=sender.run, args=(process.stdin, frames), daemon=True)
        writer.start()
        try:
            self._read(process.stdout.fileno())
        finally:
            if sender.failure is not None or process.poll() is None:
                process.kill()
            process.stdout.close()
            process.wait()
            writer.join()
        if sender.failure is not None:
            raise sender.failure
        return self._finish(time.monotonic() - start)

    def _arguments(self) -> list[str]:
        c = self.conditions
        arguments = [
            f"seed={c.seed & (1 << 64) - 1}", f"idle={c.idle}", f"stall={c.stall}",
            f"tuser_bits={self.config.s_tuser_width}", f"time={c.ktime_start}",
            f"time_step={c.ktime_step}", f"random_start={int(c.random_start)}",
            f"trace={self.trace_from}", f"native={self.native}",
        ]
        if c.waves is not None:
            arguments.append(f"waves={c.waves}")
        return arguments

    # What comes back.

    def _read(self, pipe: int) -> None:
        """Takes in all records."""
        rest = b""
        while chunk := os.read(pipe, _CHUNK):
            records, rest = split(rest + chunk)
            for record in records:
                self._event(record)
            if self.end:
                return
            self._judge()
            self.progress(max(self.base, self.board.compared))
        raise ToolError("The simulator ended before it was done.")

    def _event(self, record: Record) -> None:
        values, content = record.values, record.content
        match record.kind:
            case "P":
                self._drop(values[0])
            case "J":
                self._check(*values)
            case "N":
                self.seen_images.add(values[0])
            case "H":
                self._take_over(*values)
            case "I":
                self.entered.append(values[0])
            case "A":
                self.admitted.append(values[0] != 0)
            case "D":
                self.board.done(COUNTERS[values[0]])
            case "K":
                self.times.append(values[0])
            case "C":
                self.commits.append(values[0])
            case "F":
                cycle, _, verdict, err = values
                known = _VERDICTS.get(verdict, Verdict.ABORTED)
                self.board.left(OutFrame(content, known, err != 0), cycle)
            case "T":
                self.traced.append(int.from_bytes(content, "little"))
            case "X":
                self.board.report(f"cycle {values[0]}: {content.decode()}")
            case "S":
                self.end = values

    def _drop(self, number: int) -> None:
        """Frames before this number have been compared."""
        popleft = self.kept.popleft
        for _ in range(number - self.base):
            popleft()
        self.base = number

    def _check(
        self, n: int, r0: int, ktime: int, number: int, commits: int, admitted: int, counter: int,
        leaves: int,
    ) -> None:
        """Holds what native code says of a packet against the interpreter."""
        expected = self.golden.expect(
            self.golden.send(self.kept[n - self.base]), number, ktime=ktime,
            admitted=bool(admitted), image=self.images[commits],
        )
        outcome = expected.outcome
        wanted = (outcome.r0 if outcome else 0, expected.counter, expected.out is not None)
        given = (r0, COUNTERS[counter], leaves != 0)
        if given != wanted:
            self.board.report(_disagree(f"{given} instead of {wanted}"), n, expected)

    def _take_over(
        self, compared: int, launched: int, latency: int, suspect: int, *counts: int
    ) -> None:
        """Native code has compared so many packets, and no more."""
        self._drop(compared)
        self.board.resume(compared, None if latency == _NONE else latency)
        self.golden.resume(launched, dict(zip(COUNTERS, counts, strict=True)))
        self.suspect = None if suspect == _NONE else suspect

    def _judge(self) -> None:
        """Asks the model about every frame of which enough is known."""
        while self.admitted and self.kept and self.entered:
            admitted, ktime, image = self.admitted[0], 0, None
            if admitted and self.config.tunables:
                if not self.commits or (self.reads_time and not self.times):
                    break
                image = self._image(self.commits.popleft())
            if admitted and self.reads_time:
                if not self.times:
                    break
                ktime = self.times.popleft()
            self.admitted.popleft()
            sent = self.golden.send(self.kept.popleft())
            self.base += 1
            expectation = self.golden.judge(sent, ktime=ktime, admitted=admitted, image=image)
            self.board.expect(expectation, self.entered.popleft())
        self.board.compare()
        self._clear()

    def _clear(self) -> None:
        """Once the packet is compared that native code would not pass: whether something is wrong."""
        if self.suspect is not None and self.board.compared > self.suspect:
            if not self.board.count:
                self.board.report(_disagree("a difference that is none"), self.suspect)
            self.suspect = None

    def _image(self, commits: int) -> bytes:
        """The tunables of a packet that was launched after so many commits."""
        if commits >= len(self.images):
            self.board.report(f"a packet was launched after {commits} commits, which never were")
            return self.images[0]
        self.seen_images.add(commits)
        return self.images[commits]

    def _finish(self, seconds: float) -> SimResult:
        first, last, stalls, _, _, *counts = self.end
        self._judge()
        board = self.board
        by_name = dict(zip(COUNTERS, counts, strict=True))
        board.finish(by_name, self.golden.counts)
        self._clear()
        if self.kept:
            board.report(f"{len(self.kept)} frames were never received", self.base)
        if stalls and not self.config.backpressure:
            board.report(f"s_axis_tready was low in {stalls} cycles, and must always be high")
        self.progress(board.compared)
        return SimResult(
            engine=Engine.FAST,
            seed=self.conditions.seed,
            packets=self.base + len(self.kept),
            cycles=last - first + 1 if self.base else 0,
            input_stalls=stalls,
            latency_cycles=board.latency,
            counts=by_name,
            mismatches=tuple(board.mismatches),
            mismatch_count=board.count,
            images=len(self.seen_images),
            seconds=seconds,
        )


def _disagree(what: str) -> str:
    return f"the native golden model disagrees with the interpreter: {what}"
