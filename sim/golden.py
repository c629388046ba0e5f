"""Program and gate parameters, frames -> what the gate must answer to each, one after the other.

The golden model of a whole gate: descriptors from ctx_map.models, verdicts from the interpreter,
and what leaves and is counted from surroundings. Knows nothing of the compiler or of cycles.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ..compiler.insn import Program
from ..ctx_map.models import MICROSOFT_KEY, Received, describe, vlan_tag
from ..hdl.config import GateConfig, OnDrop
from .interp import Interpreter, Outcome
from .surroundings import Counts, OutFrame, Seen, fate

_TAG_BYTES = 4
_NUMBER_BITS = 0xFFFF_FFFF


class Frame(NamedTuple):
    """A frame as it is sent, without FCS, with what comes with the stream.

    A tuple, since a dataclass takes four times as long to make.
    """

    data: bytes
    err: bool = False
    ingress_ifindex: int = 0
    rx_queue_index: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """A frame, and as the program sees it: stripped, cut, with its descriptor."""

    frame: Frame
    received: Received
    bad: bool


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must become of a frame.

    `outcome` is None when the frame was not admitted, `out` when nothing leaves. `counter` names
    the one counter, besides `received`, that goes up: stat_<counter>. `number` and `ktime` are what
    the program was told, `image` the bytes of its tunables.
    """

    sent: Sent
    outcome: Outcome | None
    out: OutFrame | None
    counter: str
    number: int = 0
    ktime: int = 0
    image: bytes = b""


class Golden:
    """The model; frames are judged in the order in which they are received.

    `launched` is the number of frames that the program has run on since reset, and `counts` what
    the stat_* ports (without the prefix) must say once all frames judged have left. `first_image`
    has the bytes of the tunables after a reset.
    """

    def __init__(
        self,
        program: Program,
        config: GateConfig,
        *,
        prandom_seed: int = 0,
        hash_key: bytes = MICROSOFT_KEY,
    ) -> None:
        self.config = config
        self.hash_key = hash_key
        self.launched = 0
        self.counts = {port.removeprefix("stat_"): 0 for port in Counts().ports()}
        self._interpreter = Interpreter(program, prandom_seed)
        self._image = self.first_image = program.tunable_image()
        if len(self._image) != config.tunable_bytes:
            raise ValueError(f"The program's tunables {program.tunables!r} are not those of the gate")

    def send(self, frame: Frame) -> Sent:
        """The frame with its descriptor; does not change the model."""
        config, data = self.config, frame.data
        limit = config.max_frame
        if config.strip_vlan and vlan_tag(data)[1]:
            limit += _TAG_BYTES
        received = describe(
            data[:limit],
            key=self.hash_key,
            strip_vlan=config.strip_vlan,
            ingress_ifindex=frame.ingress_ifindex,
            rx_queue_index=frame.rx_queue_index,
        )
        return Sent(frame, received, frame.err or len(data) > limit)

    def tuser(self, sent: Sent) -> int:
        """s_axis_tuser at the frame's first beat, with 0 where the error bit belongs."""
        descriptor = sent.received.descriptor
        return sum(
            getattr(descriptor, name) << offset
            for name, (offset, _) in self.config.s_tuser.items()
            if name != "err"
        )

    def resume(self, launched: int, counts: Mapping[str, int]) -> None:
        """Go on behind frames that another judged."""
        self.launched = launched
        self.counts.update(counts)

    def judge(
        self, sent: Sent, *, ktime: int = 0, admitted: bool = True, image: bytes | None = None
    ) -> Expectation:
        """What must become of the next frame; `ktime` is the time of its launch in ns.

        `admitted` is False for a frame that an ingress without back-pressure left out. `image` has
        the bytes of the tunables when it was launched; None: as for the frame before.
        """
        number = self.launched & _NUMBER_BITS
        judged = self.expect(sent, number, ktime=ktime, admitted=admitted, image=image)
        self.counts["received"] += 1
        self.counts[judged.counter] += 1
        self.launched += admitted
        return judged

    def expect(
        self,
        sent: Sent,
        number: int,
        *,
        ktime: int = 0,
        admitted: bool = True,
        image: bytes | None = None,
    ) -> Expectation:
        """What must become of any frame, which `number` frames were launched before; counts nothing."""
        if image is not None and image != self._image:
            self._interpreter.tune(image)
            self._image = image
        if not admitted:
            return Expectation(sent, None, None, "overflow")
        frame, descriptor = sent.received.frame, sent.received.descriptor
        outcome = self._interpreter.run(frame, descriptor, ktime=ktime, number=number)
        out = fate(
            Seen(frame, sent.bad, descriptor.csum),
            outcome.verdict,
            store_and_forward=self.config.store_and_forward,
            mark=self.config.on_drop is OnDrop.MARK,
        )
        counter = "bad" if sent.bad else outcome.verdict.name.lower()
        return Expectation(sent, outcome, out, counter, number, ktime, self._image)
