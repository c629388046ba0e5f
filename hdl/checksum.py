"""Accepted beats -> the 16-bit one's complement sum of each frame behind its Ethernet header."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .stream import counted_layout

SKIP = 14
"""Bytes of a frame before the first that is summed."""
RADIX = 4
"""Words added per register."""


class Checksum(wiring.Component):
    """RFC 1071: 16-bit big-endian words of bytes 14 to the end, folded and not inverted.

    An odd last byte is padded with a zero to its right. `o_csum` is valid `latency` cycles after
    the last beat, for one cycle.
    """

    i_valid: Signal
    i_beat: data.View
    o_csum: Signal

    def __init__(self, width: int, max_frame: int) -> None:
        self.width = width
        self.max_frame = max_frame
        self.levels = 1
        words = -(-width // 16)
        while words > RADIX:
            words = -(-words // RADIX)
            self.levels += 1
        self.latency = self.levels + 3
        super().__init__(
            {"i_valid": In(1), "i_beat": In(counted_layout(width, {})), "o_csum": Out(16)}
        )

    def elaborate(self, platform) -> Module:
        m = Module()
        first, last, valid = self.i_beat.first, self.i_beat.last, self.i_valid
        terms = self._words(m)
        for level in range(self.levels):
            groups = [terms[n : n + RADIX] for n in range(0, len(terms), RADIX)]
            terms = []
            for n, group in enumerate(groups):
                added = sum(group[1:], group[0])
                term = Signal(len(Value.cast(added)), name=f"sum_{level}_{n}", reset_less=True)
                m.d.sync += term.eq(added)
                terms.append(term)
            early, (first, last, valid) = (first, last, valid), (
                Signal(name=f"{name}_{level}") for name in ("first", "last", "valid")
            )
            m.d.sync += [late.eq(s) for late, s in zip((first, last, valid), early, strict=True)]

        (total,) = terms
        words = -(-self.max_frame // 2) + 1
        running = Signal(range(words * 0xFFFF + 1), reset_less=True)
        folded = Signal(18, reset_less=True)
        with m.If(valid):
            m.d.sync += running.eq(Mux(first, 0, running) + total)
        m.d.sync += [
            folded.eq(running[:16] + running[16:]),
            self.o_csum.eq(folded[:16] + folded[16:]),
        ]
        return m

    def _words(self, m: Module) -> list[Value]:
        """The beat's words, with zeros in place of the Ethernet header."""
        size = self.width // 8
        beats = -(-SKIP // size)
        index = Signal(range(beats + 1))
        here = Signal(range(beats + 1))
        odd = Signal()
        m.d.comb += here.eq(Mux(self.i_beat.first, 0, index))
        with m.If(self.i_valid):
            m.d.sync += [
                index.eq(here + (here != beats)),
                odd.eq(self.i_beat.first | ~odd),
            ]
        data = self.i_beat.data
        if size == 1:
            # SKIP is even, so a byte at an even place is the upper half of its word.
            byte = Mux(here == beats, data, 0)
            return [Mux(~self.i_beat.first & odd, byte, byte << 8)]
        words = []
        for n in range(0, size, 2):
            word = Cat(data.word_select(n + 1, 8), data.word_select(n, 8))
            skipped = -(-(SKIP - n) // size) if n < SKIP else 0
            words.append(Mux(here >= skipped, word, 0) if skipped else word)
        return words
