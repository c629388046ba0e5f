"""Accesses of the host through AXI4-Lite, running totals -> identification, snapshots, commands.

A tunable has two registers: what the host has written, and what packets see. A commit copies all of
them in one cycle, so that no packet sees a part of what belongs together.
"""

from collections.abc import Iterator, Mapping, Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..ctx_map.registers import (
    BY_NAME,
    COMMANDS,
    COUNTERS,
    REGISTERS,
    WORD_BITS,
    WORD_BYTES,
    Access,
    Register,
    Tunable,
)
from .axil import CHANNELS, AxiLite, connect_channels
from .counters import COUNTER_BITS

ROW_BITS = 4
ROW = 1 << ROW_BITS
"""Words of which one is chosen in a cycle."""


class Control(wiring.Component):
    """The registers of ctx_map/registers.py; `constants` are the values of identification.

    `i_<counter>` are the totals. In a cycle in which `o_clear` is high they are cleared, and a
    snapshot that the same write asked for takes what they were then. A command has acted before its
    write is answered. `o_tunables` has the bytes of all tunables, as of the last of `o_commits`
    commits; both change in the same cycle.
    """

    o_clear: Signal
    o_commits: Signal
    o_tunables: Signal

    def __init__(self, constants: Mapping[str, int], tunables: Sequence[Tunable] = ()) -> None:
        self.constants = dict(constants)
        self.tunables = tuple(tunables)
        ports = {
            **CHANNELS,
            **{f"i_{name}": In(COUNTER_BITS) for name in COUNTERS},
            "o_clear": Out(1),
        }
        if self.tunables:
            size = sum(tunable.size for tunable in self.tunables)
            ports |= {"o_commits": Out(BY_NAME["commits"].width), "o_tunables": Out(8 * size)}
        super().__init__(ports)

    def elaborate(self, platform) -> Module:
        m = Module()
        m.submodules.axil = axil = AxiLite()
        connect_channels(m, axil, self)

        values: dict[str, Value] = {n: Const(v, BY_NAME[n].width) for n, v in self.constants.items()}
        snapshot = Signal()
        for name in COUNTERS:
            values[name] = taken = Signal(COUNTER_BITS, name=f"taken_{name}")
            with m.If(snapshot):
                m.d.sync += taken.eq(getattr(self, f"i_{name}"))
        values["scratch"] = scratch = Signal(WORD_BITS)
        values["command"] = Const(0, WORD_BITS)
        written = {at: w for t in self.tunables for at, w in self._written(m, axil, t)}
        commit = Signal()
        values["commits"] = self._commit(m, commit, Cat(*written.values()))

        words = {a: values[r.name].word_select(n, WORD_BITS) for a, r, n in _words()} | written
        writable = {a for a, r, _ in _words() if r.access is not Access.READ} | set(written)
        # The address stays while the word is looked for: first in each row of words, then among rows.
        rows = {}
        for row in sorted({address // ROW for address in words}):
            rows[row] = chosen = Signal(WORD_BITS, name=f"row_{row}", reset_less=True)
            found = {a % ROW: word for a, word in words.items() if a // ROW == row}
            m.d.sync += chosen.eq(_chosen(found, axil.o_address[:ROW_BITS]))
        readable, error = Signal(), Signal()
        m.d.sync += [
            readable.eq(axil.o_address.matches(*words)),
            error.eq(
                Mux(
                    axil.o_write,
                    ~axil.o_address.matches(*writable),
                    ~axil.o_address.matches(*words),
                )
            ),
            axil.i_data.eq(Mux(readable, _chosen(rows, axil.o_address[ROW_BITS:]), 0)),
            axil.i_error.eq(error),
        ]
        self._commands(m, axil, {"snapshot": snapshot, "clear": self.o_clear, "commit": commit})
        _write(m, axil, BY_NAME["scratch"].offset, scratch)
        return m

    def _written(
        self, m: Module, axil: AxiLite, tunable: Tunable
    ) -> Iterator[tuple[int, Signal]]:
        """What the host has written to a tunable: words, the last with its bytes only, by address."""
        for at in range(0, tunable.size, WORD_BYTES):
            initial, offset = tunable.initial[at : at + WORD_BYTES], tunable.offset + at
            word = Signal(
                8 * len(initial),
                init=int.from_bytes(initial, "little"),
                name=f"written_{offset:04x}",
            )
            _write(m, axil, offset, word)
            yield offset // WORD_BYTES, word

    def _commit(self, m: Module, commit: Signal, written: Value) -> Value:
        """What packets see, and how often that was changed."""
        if not self.tunables:
            return Const(0, BY_NAME["commits"].width)
        initial = b"".join(tunable.initial for tunable in self.tunables)
        shown = Signal(8 * len(initial), init=int.from_bytes(initial, "little"))
        commits = Signal(BY_NAME["commits"].width)
        with m.If(commit):
            m.d.sync += [shown.eq(written), commits.eq(commits + 1)]
        m.d.comb += [self.o_tunables.eq(shown), self.o_commits.eq(commits)]
        return commits

    def _commands(self, m: Module, axil: AxiLite, commands: dict[str, Signal]) -> None:
        """What is written to `command`; each signal is high for a cycle."""
        for bit in COMMANDS:
            strobe = axil.o_strobe[bit.position // 8]
            hit = axil.o_write & (axil.o_address == BY_NAME["command"].offset // WORD_BYTES)
            m.d.sync += commands[bit.name].eq(hit & strobe & axil.o_data[bit.position])


def _write(m: Module, axil: AxiLite, offset: int, register: Value) -> None:
    """Writes to the word at `offset`, of which `register` holds the lowest bytes."""
    with m.If(axil.o_write & (axil.o_address == offset // WORD_BYTES)):
        for n in range(len(register) // 8):
            with m.If(axil.o_strobe[n]):
                m.d.sync += register[8 * n : 8 * n + 8].eq(axil.o_data[8 * n : 8 * n + 8])


def _words() -> Iterator[tuple[int, Register, int]]:
    """Every word: its address in words, the register, and which word of it this is."""
    for register in REGISTERS:
        for word in range(register.words):
            yield register.offset // WORD_BYTES + word, register, word


def _chosen(words: Mapping[int, Value], address: Value) -> Value:
    """The word at `address`; any of them where there is none. A tree of choices by one bit of the
    address each takes 40 % of the look-up tables of comparisons with all addresses."""
    if len(words) == 1:
        return next(iter(words.values()))
    bit = len(address) - 1
    low, high = ({a: w for a, w in words.items() if a >> bit & 1 == side} for side in (0, 1))
    if not low or not high:
        return _chosen(low or high, address[:bit])
    return Mux(address[bit], _chosen(high, address[:bit]), _chosen(low, address[:bit]))
