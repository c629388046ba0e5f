"""Stream of frames -> the same without their outermost VLAN tag, which goes beside the stream."""

from collections.abc import Mapping

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .config import STRIP_SIDE
from .stream import beat_layout, counted, flow

TAG_START, TAG_END, TAG_BYTES = 12, 16, 4
"""Where IEEE 802.1Q puts the outermost tag: TPID at byte 12, TCI at byte 14."""
TPIDS = (0x8100, 0x88A8)
"""ETH_P_8021Q and ETH_P_8021AD."""


class Strip(wiring.Component):
    """Removes bytes 12 to 15 of frames that have a whole tag there.

    `i_side` and `o_side` are the side-bands (name -> bits) before and behind; of the latter, those
    that are not in the former come from the tag, valid at first beats: vlan_tci, vlan_proto (both
    in host order, 0 when there was none) and stripped. Full rate, no pause within a frame; a
    frame's beat n comes out with its beat n + `latency`, or right behind the frame's end.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(
        self, width: int, i_side: Mapping[str, int], o_side: Mapping[str, int]
    ) -> None:
        self.width = width
        self.i_side = dict(i_side)
        self.o_side = dict(o_side)
        self.latency = self.beats(width)
        for name in self.o_side:
            if name not in self.i_side and name not in STRIP_SIDE:
                raise ValueError(f"Side-band {name!r} comes from nowhere")
        super().__init__(
            {
                "i": In(flow(beat_layout(width, i_side))),
                "o": Out(flow(beat_layout(width, o_side))),
            }
        )

    @staticmethod
    def beats(width: int) -> int:
        """Beats that must be there before a frame's first beat can leave."""
        return max(1, 8 * TAG_END // width)

    def elaborate(self, platform) -> Module:
        m = Module()
        size = self.width // 8
        layout = beat_layout(self.width, self.i_side)
        # A line of beats, oldest first. It moves when a beat comes in, or with a gap behind a
        # frame's last beat; so there are no gaps within frames, and when a first beat is oldest
        # the tag is in the line, or the frame's end. What is known of the oldest beat (`tagged`,
        # `here`) was found out when it became the oldest: the search for a tag is not in the path
        # from the line to the output.
        line = [Signal(layout, name=f"beat_{n}", reset_less=True) for n in range(self.latency)]
        following = [*line[1:], self.i.payload]
        valid = Signal(self.latency)
        closed = Signal(init=1)
        drop = Signal()
        move = Signal()
        tagged = Signal(reset_less=True)
        tag_beats = -(-TAG_END // size)
        here = Signal(range(tag_beats + 1), reset_less=True)
        found, _, _ = _tag(following)

        m.d.comb += [
            move.eq(self.i.valid | closed),
            self.o.valid.eq(valid[0] & move & ~drop),
        ]
        with m.If(move):
            m.d.sync += [
                *(beat.eq(behind) for beat, behind in zip(line, following, strict=True)),
                valid.eq(Cat(valid[1:], self.i.valid)),
                closed.eq(~self.i.valid | self.i.payload.last),
            ]
            with m.If(following[0].first):
                m.d.sync += [tagged.eq(found), here.eq(0)]
            with m.Else():
                m.d.sync += here.eq(here + (here != tag_beats))

        _, tpid, tci = _tag(line)
        side = {"vlan_tci": Mux(tagged, tci, 0), "vlan_proto": Mux(tagged, tpid, 0)}
        side["stripped"] = tagged
        m.d.comb += [
            self.o.payload[name].eq(line[0][name] if name in self.i_side else side[name])
            for name in self.o_side
        ]
        m.d.comb += [self.o.payload[name].eq(line[0][name]) for name, _ in beat_layout(8, {})]
        if size <= TAG_BYTES:
            self._leave_out(m, tagged, here, line, drop)
        else:
            self._shift(m, tagged, here, line[0], following[0], drop)
        return m

    def _leave_out(self, m: Module, tagged, here, line, drop) -> None:
        """Beats no longer than the tag: the tag's go, and their end passes to the beat before."""
        size = self.width // 8
        first, behind = TAG_START // size, TAG_END // size
        m.d.comb += drop.eq(tagged & (here >= first) & (here < behind))
        end = line[TAG_BYTES // size]
        with m.If(tagged & (here == first - 1) & end.last):
            m.d.comb += [self.o.payload.last.eq(1), self.o.payload.err.eq(end.err)]

    def _shift(self, m: Module, tagged, here, oldest, following, drop) -> None:
        """Beats longer than the tag: from the tag on, each beat takes 4 bytes of its successor."""
        size = self.width // 8
        tag_beat = TAG_START // size
        absorbed = ~oldest.last & ~following.keep[TAG_BYTES]
        # The bytes of the tag's beat before the tag; in later beats the 4 bytes that went ahead.
        start = TAG_START % size
        joined = Cat(oldest.data, Mux(oldest.last, 0, following.data[: 8 * TAG_BYTES]))
        keep = Cat(oldest.keep, Mux(oldest.last, 0, following.keep[:TAG_BYTES]))
        rest = joined[8 * TAG_BYTES :]
        reached = here >= tag_beat if tag_beat else 1
        with m.If(tagged & reached):
            m.d.comb += [
                self.o.payload.data.eq(rest),
                self.o.payload.keep.eq(keep[TAG_BYTES:]),
                self.o.payload.count.eq(
                    Mux(
                        oldest.last,
                        oldest.count - TAG_BYTES,
                        counted(following.keep[:TAG_BYTES]) + (size - TAG_BYTES),
                    )
                ),
            ]
            with m.If(here == tag_beat):
                m.d.comb += self.o.payload.data[: 8 * start].eq(oldest.data[: 8 * start])
            m.d.comb += [
                self.o.payload.last.eq(oldest.last | absorbed),
                self.o.payload.err.eq(oldest.err | (absorbed & following.err)),
                drop.eq((here != tag_beat) & ~oldest.keep[TAG_BYTES]),
            ]


def _tag(beats: list[data.View]) -> tuple[Value, Value, Value]:
    """Of the beats that a frame begins with: whether they hold a whole tag, its TPID, its TCI."""
    head = Cat(*(beat.data for beat in beats))
    tpid = Cat(head[8 * 13 : 8 * 14], head[8 * 12 : 8 * 13])
    tci = Cat(head[8 * 15 : 8 * 16], head[8 * 14 : 8 * 15])
    needed = TAG_END - (len(beats) - 1) * len(beats[0].data) // 8
    found = tpid.matches(*TPIDS) & beats[-1].keep[needed - 1]
    for beat in beats[:-1]:
        found = found & ~beat.last
    return found, tpid, tci
