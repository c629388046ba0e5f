"""Frames, and a host's writes between them -> the pipe of a simulator, from a thread."""

import itertools
import random
from collections import deque
from collections.abc import Iterable, Sequence
from typing import IO

from .conditions import Conditions
from .golden import Frame, Golden
from .records import frame_records, retune_records
from .retune import Retune, writes

_BATCH = 1024
"""Frames that are sent at once."""


class Sender:
    """What has been sent so far.

    `kept` are frames sent, which whoever compares them takes away; `images` are the tunables after
    each commit that was sent. `failure` is what ended the thread early, if anything did.
    """

    def __init__(
        self, golden: Golden, conditions: Conditions, retunes: Sequence[Retune]
    ) -> None:
        self.conditions = conditions
        self.tunables = golden.config.tunables
        self.retunes = deque(retunes)
        self.kept: deque[Frame] = deque()
        self.images = [golden.first_image]
        self.failure: BaseException | None = None

    def run(self, pipe: IO[bytes], frames: Iterable[Frame]) -> None:
        """Sends the frames, held back by the pipe, and closes it."""
        rng = random.Random(self.conditions.seed)
        source, number, retunes = iter(frames), 0, self.retunes
        try:
            with pipe:
                while batch := list(itertools.islice(source, self._room(number))):
                    while retunes and retunes[0].before <= number:
                        pipe.write(self._retune(retunes.popleft().image, rng))
                    self.kept += batch
                    pipe.write(self._records(batch, rng))
                    number += len(batch)
        except BrokenPipeError:
            pass
        except BaseException as error:
            self.failure = error

    def _room(self, number: int) -> int:
        """How many frames from a number on are sent before the host writes again."""
        later = (r.before - number for r in self.retunes if r.before > number)
        return min(_BATCH, next(later, _BATCH))

    def _records(self, frames: Sequence[Frame], rng: random.Random) -> bytes:
        share = self.conditions.empty_end
        chances = (share > 0 and rng.random() < share for _ in frames)
        return frame_records(frames, chances)

    def _retune(self, image: bytes, rng: random.Random) -> bytes:
        """The host writes and commits other tunables."""
        before = self.images[-1]
        self.images.append(image)
        return retune_records(image, writes(self.tunables, before, image, rng))
