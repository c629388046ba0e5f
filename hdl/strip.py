"""Stream of frames -> the same without their outermost VLAN tag, which goes beside the stream."""

from collections.abc import Mapping

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .config import STRIP_SIDE
from .stream import beat_layout

TAG_START, TAG_END, TAG_BYTES = 12, 16, 4
"""Where IEEE 802.1Q puts the outermost tag: TPID at byte 12, TCI at byte 14."""
TPIDS = (0x8100, 0x88A8)
"""ETH_P_8021Q and ETH_P_8021AD."""


class Strip(wiring.Component):
    """Removes bytes 12 to 15 of frames that have a whole tag there.

    `i_side` and `o_side` are the side-bands (name -> bits) before and behind; of the latter, those
    that are not in the former come from the tag, valid at first beats: vlan_tci, vlan_proto (both
    in host order, 0 when there was none) and stripped. Full rate; a frame's beat n comes out no
    later than its beat n + `latency` came in, or its end.
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
                "i": In(stream.Signature(beat_layout(width, i_side))),
                "o": Out(stream.Signature(beat_layout(width, o_side))),
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
        # the tag is in the line, or the frame's end.
        line = [Signal(layout, name=f"beat_{n}", reset_less=True) for n in range(self.latency)]
        valid = Signal(self.latency)
        closed = Signal(init=1)
        whole = Signal()
        drop = Signal()
        move = Signal()
        oldest = line[0]
        following = line[1] if self.latency > 1 else self.i.payload

        m.d.comb += [
            whole.eq(self.i.valid | closed),
            self.o.valid.eq(valid[0] & whole & ~drop),
            self.i.ready.eq(self.o.ready | ~valid[0] | drop),
            move.eq(whole & self.i.ready),
        ]
        with m.If(move):
            m.d.sync += [
                *(line[n].eq(line[n + 1]) for n in range(self.latency - 1)),
                line[-1].eq(self.i.payload),
                valid.eq(Cat(valid[1:], self.i.valid)),
                closed.eq(~self.i.valid | self.i.payload.last),
            ]

        head = Cat(*(beat.data for beat in line))
        tpid = Cat(head[8 * 13 : 8 * 14], head[8 * 12 : 8 * 13])
        tci = Cat(head[8 * 15 : 8 * 16], head[8 * 14 : 8 * 15])
        needed = TAG_END - (self.latency - 1) * size
        found = tpid.matches(*TPIDS) & (~line[-1].last | (line[-1].count >= needed))
        for beat in line[:-1]:
            found = found & ~beat.last
        tagged = Signal()
        kept_tagged = Signal()
        m.d.comb += tagged.eq(Mux(oldest.first, found, kept_tagged))
        tag_beats = -(-TAG_END // size)
        index = Signal(range(tag_beats + 1))
        here = Signal(range(tag_beats + 1))
        m.d.comb += here.eq(Mux(oldest.first, 0, index))
        with m.If(move & valid[0]):
            m.d.sync += [kept_tagged.eq(tagged), index.eq(here + (here != tag_beats))]

        side = {"vlan_tci": Mux(tagged, tci, 0), "vlan_proto": Mux(tagged, tpid, 0)}
        side["stripped"] = tagged
        m.d.comb += [
            self.o.payload[name].eq(oldest[name] if name in self.i_side else side[name])
            for name in self.o_side
        ]
        m.d.comb += [self.o.payload[name].eq(oldest[name]) for name, _ in beat_layout(8, {})]
        if size <= TAG_BYTES:
            self._leave_out(m, tagged, here, line, drop)
        else:
            self._shift(m, tagged, here, oldest, following, drop)
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
        absorbed = following.last & (following.count <= TAG_BYTES)
        # The bytes of the tag's beat before the tag; in later beats the 4 bytes that went ahead.
        start = TAG_START % size
        joined = Cat(oldest.data, Mux(oldest.last, 0, following.data[: 8 * TAG_BYTES]))
        rest = joined[8 * TAG_BYTES :]
        reached = here >= tag_beat if tag_beat else 1
        with m.If(tagged & reached):
            m.d.comb += self.o.payload.data.eq(rest)
            with m.If(here == tag_beat):
                m.d.comb += self.o.payload.data[: 8 * start].eq(oldest.data[: 8 * start])
            with m.If(oldest.last):
                m.d.comb += self.o.payload.count.eq(oldest.count - TAG_BYTES)
                with m.If((here != tag_beat) & (oldest.count <= TAG_BYTES)):
                    m.d.comb += drop.eq(1)
            with m.Elif(absorbed):
                m.d.comb += [
                    self.o.payload.last.eq(1),
                    self.o.payload.err.eq(following.err),
                    self.o.payload.count.eq(size - TAG_BYTES + following.count),
                ]
