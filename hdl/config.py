"""What the user chose around the program -> the fixed parameters and layouts of the gate."""

from dataclasses import dataclass
from enum import Enum

from ..ctx_map.descriptor import BY_NAME, SIGNALS
from ..ctx_map.registers import Tunable
from ..ctx_map.verdicts import VERDICT_BITS

WIDTHS = (8, 16, 32, 64, 128, 256, 512)
MAX_WINDOW = 4096
MAX_FRAME = 65535
SLACK = 24
"""Beats of buffer that cover the registers between acceptance and the verdict queue's head."""
COMING = 29
"""Beats that may be on their way to the buffer when it has the source stopped: one in each register
before it, up to 16 in the VLAN stripper. With the 2 that the buffer does not see yet, 31."""
STRIP_SIDE = {
    "vlan_tci": BY_NAME["vlan_tci"].width,
    "vlan_proto": BY_NAME["vlan_proto"].width,
    "stripped": 1,
}
"""Side-band of the strip unit: name -> bits."""


class OnDrop(Enum):
    """What becomes of frames that the program drops."""

    CONSUME = "consume"
    MARK = "mark"


@dataclass(frozen=True, slots=True)
class GateConfig:
    """Parameters of a gate.

    `width` is in bits per beat, `window` the header window in bytes (0: the program reads no packet
    byte), `max_frame` in bytes after stripping. `stream_fields` name the descriptor signals that
    s_axis_tuser carries at the first beat, whatever their order here. `control_port` adds the
    AXI4-Lite slave s_axil, which `tunables` need.
    """

    width: int
    window: int = 0
    stream_fields: tuple[str, ...] = ()
    store_and_forward: bool = False
    strip_vlan: bool = False
    max_frame: int = 9216
    on_drop: OnDrop = OnDrop.CONSUME
    backpressure: bool = True
    control_port: bool = False
    tunables: tuple[Tunable, ...] = ()

    def __post_init__(self) -> None:
        if self.width not in WIDTHS:
            raise ValueError(f"Width must be one of {WIDTHS}, not {self.width!r}")
        if not 0 <= self.window <= MAX_WINDOW:
            raise ValueError(f"Window must be 0 to {MAX_WINDOW} bytes, not {self.window!r}")
        if not 1 <= self.max_frame <= MAX_FRAME:
            raise ValueError(f"Frames must end at 1 to {MAX_FRAME} bytes, not {self.max_frame!r}")
        if not isinstance(self.on_drop, OnDrop):
            raise ValueError(f"on_drop must be an OnDrop, not {self.on_drop!r}")
        for name in self.stream_fields:
            if name not in BY_NAME:
                raise ValueError(f"Stream field must be one of {tuple(BY_NAME)}, not {name!r}")
        if len(set(self.stream_fields)) != len(self.stream_fields):
            raise ValueError(f"Stream fields must differ, but are {self.stream_fields!r}")
        if self.tunables and not self.control_port:
            raise ValueError("Tunables need a control port")

    @property
    def beat_bytes(self) -> int:
        """Bytes per beat."""
        return self.width // 8

    @property
    def max_beats(self) -> int:
        """Beats of the longest frame that is kept."""
        return -(-self.max_frame // self.beat_bytes)

    @property
    def window_beats(self) -> int:
        """Beats after which the header window is complete; at least one."""
        return max(1, -(-self.window // self.beat_bytes))

    @property
    def s_tuser(self) -> dict[str, tuple[int, int]]:
        """Name -> (offset, width) in s_axis_tuser; `err` holds at tlast, others at first beats."""
        layout = {"err": (0, 1)}
        offset = 1
        for signal in SIGNALS:
            if signal.name in self.stream_fields:
                layout[signal.name] = (offset, signal.width)
                offset += signal.width
        return layout

    @property
    def s_tuser_width(self) -> int:
        """Bits of s_axis_tuser."""
        return sum(width for _, width in self.s_tuser.values())

    @property
    def m_tuser(self) -> dict[str, tuple[int, int]]:
        """Name -> (offset, width) in m_axis_tuser; `verdict` at every beat, `err` at tlast."""
        return {"verdict": (0, VERDICT_BITS), "err": (VERDICT_BITS, 1)}

    @property
    def m_tuser_width(self) -> int:
        """Bits of m_axis_tuser."""
        return sum(width for _, width in self.m_tuser.values())

    @property
    def tunable_bytes(self) -> int:
        """Bytes of all tunables."""
        return sum(tunable.size for tunable in self.tunables)

    @property
    def supplies(self) -> dict[str, int]:
        """Name -> width in bits of every input that a program pipeline can ask for.

        A stream field of the same name comes before what the gate would find out itself.
        """
        names: dict[str, int] = {}
        if self.window:
            names |= {"window": 8 * self.window, "present": self.window.bit_length()}
        if self.store_and_forward:
            names |= {"len": BY_NAME["len"].width, "csum": BY_NAME["csum"].width}
        if self.strip_vlan:
            names |= STRIP_SIDE
        names |= {name: BY_NAME[name].width for name in self.stream_fields}
        if self.tunables:
            names["tunables"] = 8 * self.tunable_bytes
        return names | {"ktime": 64, "packet_number": 32}

    def buffer_depth(self, latency: int) -> int:
        """Beats of packet buffer that never stall an input at full rate; a power of two.

        `latency` is the number of cycles from a frame's launching beat to its verdict. One longest
        frame may wait for its verdict, behind it fits what the buffer holds in reserve.
        """
        beats = self.max_beats + self.buffer_reserve + self.window_beats + latency + SLACK
        return 1 << (beats - 1).bit_length()

    @property
    def buffer_reserve(self) -> int:
        """Beats that still fit into the buffer when it wants no more: those under way, or, where
        the source cannot be stopped, the rest of the longest frame."""
        return COMING if self.backpressure else self.max_beats
