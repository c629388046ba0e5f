"""Verilog of a gate, frames, the program -> a comparison of millions of packets with the model.

The Verilog runs in a process of its own; frames go to it and records come back through pipes, so
that memory stays bounded whatever the number of frames.
"""

import os
import random
import struct
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..compiler.errors import ToolError
from ..compiler.insn import Program
from ..ctx_map.models import MICROSOFT_KEY
from ..ctx_map.verdicts import Verdict
from ..hdl.config import GateConfig
from .golden import Frame, Golden, Sent
from .model import build_model
from .result import Engine, SimResult
from .retune import Retune, writes
from .scoreboard import Scoreboard
from .surroundings import Counts, OutFrame

_CHUNK = 1 << 17
_COUNTERS = tuple(port.removeprefix("stat_") for port in Counts().ports())
_VERDICTS = {v.value: v for v in Verdict}
_DONE, _ADMITTED, _IN, _TIME, _COMMITS, _OUT, _TRACE, _FAULT, _END = b"DAIKCFTXS"
_WRITE = 128
"""The flag of a record that is a write of the host."""
_LENGTHS = {
    _IN: struct.Struct("<BQ"),
    _TIME: struct.Struct("<BQ"),
    _COMMITS: struct.Struct("<BI"),
    _OUT: struct.Struct("<BQIBB"),
    _TRACE: struct.Struct("<BQI"),
    _FAULT: struct.Struct("<BQI"),
    _END: struct.Struct("<B13Q"),
}
"""The heads of the records that harness.cpp writes."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """How the frames come in and go out, besides back to back.

    `idle` and `stall` are probabilities per cycle of a pause at the source, even within a frame,
    and at the sink. `empty_end` is the share of the frames which fill their last beat that end
    with another beat without bytes. With `random_start` all registers and memories start random.
    The time is `ktime_start` + `ktime_step` times the cycle, in ns. `waves` names an FST file.
    """

    seed: int = 0
    idle: float = 0.0
    stall: float = 0.0
    empty_end: float = 0.0
    random_start: bool = False
    ktime_start: int = 1_000_000_000
    ktime_step: int = 4
    waves: Path | None = None


def simulate_fast(
    verilog: str,
    config: GateConfig,
    inputs: Collection[str],
    frames: Iterable[Frame],
    program: Program,
    *,
    conditions: Conditions = Conditions(),
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
    model = build_model(verilog, waves=conditions.waves is not None)
    run = _Run(golden, config, "ktime" in inputs, conditions, progress, retunes)
    return run.result(model, frames)


def trace_launch(
    verilog: str,
    config: GateConfig,
    inputs: Collection[str],
    frames: Iterable[Frame],
    program: Program,
    launch: int,
    *,
    conditions: Conditions = Conditions(),
    prandom_seed: int = 0,
    hash_key: bytes = MICROSOFT_KEY,
) -> tuple[SimResult, list[int]]:
    """As `simulate_fast`, and what port `trace_data` showed from the cycle of a launch on.

    Launches count from 0.
    """
    golden = Golden(program, config, prandom_seed=prandom_seed, hash_key=hash_key)
    run = _Run(golden, config, "ktime" in inputs, conditions, lambda packets: None)
    run.trace_from = launch + 1
    result = run.result(build_model(verilog), frames)
    return result, run.traced


class _Run:
    """One run: what was sent, what is known of it, and what came back."""

    def __init__(
        self,
        golden: Golden,
        config: GateConfig,
        reads_time: bool,
        conditions: Conditions,
        progress: Callable[[int], None],
        retunes: Sequence[Retune] = (),
    ) -> None:
        self.golden = golden
        self.config = config
        self.reads_time = reads_time
        self.conditions = conditions
        self.progress = progress
        self.board = Scoreboard(config, counters_tell=True)
        self.sent: deque[Sent] = deque()
        self.entered: deque[int] = deque()
        self.admitted: deque[bool] = deque()
        self.times: deque[int] = deque()
        self.commits: deque[int] = deque()
        self.retunes = deque(retunes)
        self.images = [golden.first_image]
        self.seen_images: set[int] = set()
        self.packets = 0
        self.failure: BaseException | None = None
        self.trace_from = 0
        self.traced: list[int] = []

    def result(self, model: Path, frames: Iterable[Frame]) -> SimResult:
        """Runs the model to its end."""
        start = time.monotonic()
        process = subprocess.Popen(
            [model, *self._arguments()], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdin is not None
        assert process.stdout is not None
        writer = threading.Thread(target=self._write, args=(process.stdin, frames), daemon=True)
        writer.start()
        try:
            end = self._read(process.stdout.fileno())
        finally:
            if self.failure is not None or process.poll() is None:
                process.kill()
            process.stdout.close()
            process.wait()
            writer.join()
        if self.failure is not None:
            raise self.failure
        return self._finish(end, time.monotonic() - start)

    def _arguments(self) -> list[str]:
        c = self.conditions
        arguments = [
            f"seed={c.seed & (1 << 64) - 1}", f"idle={c.idle}", f"stall={c.stall}",
            f"tuser_bits={self.config.s_tuser_width}", f"time={c.ktime_start}",
            f"time_step={c.ktime_step}", f"random_start={int(c.random_start)}",
            f"trace={self.trace_from}",
        ]
        if c.waves is not None:
            arguments.append(f"waves={c.waves}")
        return arguments

    def _write(self, pipe: IO[bytes], frames: Iterable[Frame]) -> None:
        """Sends the frames; runs in a thread, and is held back by the pipe."""
        try:
            with pipe:
                chunk = bytearray()
                for record in self._records(frames):
                    chunk += record
                    if len(chunk) >= _CHUNK:
                        pipe.write(chunk)
                        chunk.clear()
                pipe.write(chunk)
        except BrokenPipeError:
            pass
        except BaseException as error:
            self.failure = error

    def _records(self, frames: Iterable[Frame]) -> Iterator[bytes]:
        rng = random.Random(self.conditions.seed)
        golden, share = self.golden, self.conditions.empty_end
        user_bytes = -(-self.config.s_tuser_width // 8)
        for number, frame in enumerate(frames):
            while self.retunes and self.retunes[0].before <= number:
                yield from self._retune(self.retunes.popleft().image, rng)
            sent = golden.send(frame)
            self.sent.append(sent)
            flags = frame.err | (2 if share and rng.random() < share else 0)
            user = golden.tuser(sent).to_bytes(user_bytes, "little")
            yield struct.pack("<IB", len(frame.data), flags) + user + frame.data

    def _retune(self, image: bytes, rng: random.Random) -> Iterator[bytes]:
        """Records for the host to write and commit other tunables."""
        before = self.images[-1]
        self.images.append(image)
        for write in writes(self.config.tunables, before, image, rng):
            yield struct.pack("<IBIB", write.address, _WRITE, write.value, write.strobe)

    def _read(self, pipe: int) -> tuple[int, ...]:
        """Takes in all records; returns the last one."""
        rest = b""
        while chunk := os.read(pipe, _CHUNK):
            rest += chunk
            used, end = self._take(rest)
            if end:
                return end
            rest = rest[used:]
            self._judge()
            self.progress(self.board.compared)
        raise ToolError("The simulator ended before it was done.")

    def _take(self, records: bytes) -> tuple[int, tuple[int, ...]]:
        """Reads whole records; how many bytes they had, and the last record when it was there."""
        at, size, board = 0, len(records), self.board
        while size - at >= 2:
            kind = records[at]
            if kind == _DONE:
                board.done(_COUNTERS[records[at + 1]])
                at += 2
            elif kind == _ADMITTED:
                self.admitted.append(records[at + 1] != 0)
                at += 2
            elif kind in _LENGTHS:
                wanted = _LENGTHS[kind]
                if size - at < wanted.size:
                    break
                _, *values = wanted.unpack_from(records, at)
                if kind == _IN:
                    self.entered.append(values[0])
                elif kind == _TIME:
                    self.times.append(values[0])
                elif kind == _COMMITS:
                    self.commits.append(values[0])
                elif kind == _END:
                    return at + wanted.size, tuple(values)
                elif kind == _OUT:
                    cycle, length, verdict, err = values
                    body = at + wanted.size
                    if size - body < length:
                        break
                    data = records[body : body + length]
                    known = _VERDICTS.get(verdict, Verdict.ABORTED)
                    board.left(OutFrame(data, known, err != 0), cycle)
                    at += length
                else:
                    cycle, length = values
                    body = at + wanted.size
                    if size - body < length:
                        break
                    content = records[body : body + length]
                    if kind == _TRACE:
                        self.traced.append(int.from_bytes(content, "little"))
                    else:
                        board.report(f"cycle {cycle}: {content.decode()}")
                    at += length
                at += wanted.size
            else:
                raise ToolError(f"The simulator sent a record of unknown kind {kind}.")
        return at, ()

    def _judge(self) -> None:
        """Asks the model about every frame of which enough is known."""
        while self.admitted and self.sent and self.entered:
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
            expectation = self.golden.judge(
                self.sent.popleft(), ktime=ktime, admitted=admitted, image=image
            )
            self.board.expect(expectation, self.entered.popleft())
            self.packets += 1
        self.board.compare()

    def _image(self, commits: int) -> bytes:
        """The tunables of a packet that was launched after so many commits."""
        if commits >= len(self.images):
            self.board.report(f"a packet was launched after {commits} commits, which never were")
            return self.images[0]
        self.seen_images.add(commits)
        return self.images[commits]

    def _finish(self, end: tuple[int, ...], seconds: float) -> SimResult:
        first, last, stalls, _, _, *counts = end
        self._judge()
        board = self.board
        by_name = dict(zip(_COUNTERS, counts, strict=True))
        board.finish(by_name, self.golden.counts)
        if self.sent:
            board.report(f"{len(self.sent)} frames were never received", self.packets)
        if stalls and not self.config.backpressure:
            board.report(f"s_axis_tready was low in {stalls} cycles, and must always be high")
        self.progress(board.compared)
        return SimResult(
            engine=Engine.FAST,
            seed=self.conditions.seed,
            packets=self.packets + len(self.sent),
            cycles=last - first + 1 if self.packets else 0,
            input_stalls=stalls,
            latency_cycles=board.latency,
            counts=by_name,
            mismatches=tuple(board.mismatches),
            mismatch_count=board.count,
            images=len(self.seen_images),
            seconds=seconds,
        )
