"""Design -> what the report says, as plain data.

A *key* is the number of a source line in the report; programs without source have none.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ..delay import model as delay_model
from ..disasm import text as instruction_text
from ..driver import Design
from ..errors import SourceLine
from ..insn import Program
from ..placement import duration
from ..wires import reads
from .cost import accounts, luts, readers
from .held import Held, held, reading_stages
from .names import Names, operand_bits
from .timing import Chain, timing

NOT_SOURCE = "hex"
"""The section of programs in hexadecimal: their lines are only instructions again."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a line or instruction takes: operations, estimated look-up tables, register bits."""

    operations: int = 0
    luts: float = 0.0
    bits: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A source line; `slots` are its instructions. Lines that became nothing have no key."""

    file: str
    number: int
    text: str
    slots: tuple[int, ...]
    cost: Cost
    key: int | None


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction, `key` that of its line."""

    slot: int
    text: str
    function: str
    key: int | None
    cost: Cost


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation in the pipeline; `bits` is the width of what it works on.

    `ns` is what it adds to a chain, `cycles` what a unit takes; `read_in` are stages.
    """

    n: int
    kind: str
    label: str
    text: str
    bits: int
    stage: int
    slot: int
    key: int | None
    luts: float
    ns: float
    cycles: int
    critical: bool
    read_in: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage, and the row of registers behind it."""

    number: int
    operations: tuple[int, ...]
    chain: Chain
    live_bits: int
    held: tuple[Held, ...]
    keys: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Byte:
    """A byte of the header window: how many operations read it, in which stages, for which lines."""

    number: int
    bits: int
    readers: int
    stages: tuple[int, ...]
    slots: tuple[int, ...]
    keys: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """All of it; `operations` by node, `lines` in the order of files and numbers.

    `key_of` has the keys by instruction; `unaccounted` is what none of these asked for.
    """

    operations: dict[int, Operation]
    stages: tuple[Stage, ...]
    lines: tuple[Line, ...]
    instructions: tuple[Instruction, ...]
    window: tuple[Byte, ...]
    unaccounted: Cost
    key_of: dict[int, int]

    def keys(self, slots: Iterable[int]) -> tuple[int, ...]:
        """The keys of instructions' lines."""
        return _sorted(self.key_of.get(slot) for slot in slots)


def model(design: Design) -> Model:
    """What the report says of a design."""
    schedule, program = design.schedule, design.program
    function = schedule.function
    read, by = reads(function), readers(schedule)
    names = Names(function, tuple(
        f"{t.name}[{i}]" for t in design.config.tunables for i in range(t.size)
    ), program.sources.values())
    stages_of = reading_stages(schedule, by)
    books = accounts(schedule, by)
    rows = held(schedule, names, stages_of, books)
    model = delay_model(design.options.target, design.options.clock_mhz)
    timed = timing(schedule, model, design.stage_ns)
    critical = {n for chain in timed.chains for n in chain.operations}
    cost = _costs(design, books)
    key_of = _keys(program, cost)
    operations = {}
    for n in read:
        node = function.nodes[n]
        operations[n] = Operation(
            n, node.op, names.label(n), names.text(n), operand_bits(function, n),
            schedule.stage[n], node.origin, key_of.get(node.origin), luts(function, n),
            timed.adds[n], duration(node), n in critical, stages_of.get(n, ()),
        )
    stages = tuple(
        Stage(
            k, schedule.rows[k], timed.chains[k], schedule.live_bits(k), rows[k],
            _sorted(operations[n].key for n in schedule.rows[k]),
        )
        for k in range(schedule.latency)
    )
    return Model(
        operations, stages, _lines(program, cost, key_of), _instructions(program, cost, key_of),
        _window(design, by, stages_of, key_of), cost.get(-1, Cost()), key_of,
    )


def _sorted(keys: Iterable[int | None]) -> tuple[int, ...]:
    return tuple(sorted({k for k in keys if k is not None}))


def _costs(design: Design, books: list[dict[int, int]]) -> dict[int, Cost]:
    """By slot; -1 for what no instruction asked for."""
    schedule = design.schedule
    count: dict[int, int] = {}
    area: dict[int, float] = {}
    bits: dict[int, int] = {}
    for row in schedule.rows:
        for n in row:
            slot = schedule.function.nodes[n].origin
            count[slot] = count.get(slot, 0) + 1
            area[slot] = area.get(slot, 0.0) + luts(schedule.function, n)
    for cut, slots in zip(schedule.cuts, books, strict=True):
        for n, mask in cut.items():
            bits[slots[n]] = bits.get(slots[n], 0) + mask.bit_count()
    return {
        slot: Cost(count.get(slot, 0), area.get(slot, 0.0), bits.get(slot, 0))
        for slot in sorted({*count, *bits})
    }


def _sum(costs: Iterable[Cost]) -> Cost:
    found = list(costs)
    return Cost(
        sum(c.operations for c in found), sum(c.luts for c in found), sum(c.bits for c in found)
    )


def _places(program: Program) -> dict[int, SourceLine]:
    """The source line of every instruction that has one."""
    if program.section == NOT_SOURCE:
        return {}
    found: dict[int, SourceLine] = {}
    here: SourceLine | None = None
    for slot, insn in enumerate(program.insns):
        if slot in program.functions:
            here = None
        here = program.lines.get(slot, here)
        if insn is not None and here is not None:
            found[slot] = here
    return found


def _order(program: Program, line: SourceLine) -> tuple[bool, str, int]:
    """Files at hand first."""
    return line.file not in program.sources, line.file, line.line


def _keys(program: Program, cost: dict[int, Cost]) -> dict[int, int]:
    """The key of each instruction's line: lines are numbered in the order that they are shown in."""
    places = _places(program)
    shown = sorted({_order(program, line) for line in places.values()})
    key = {place: n for n, place in enumerate(shown)}
    return {slot: key[_order(program, line)] for slot, line in places.items()}


def _lines(program: Program, cost: dict[int, Cost], key_of: dict[int, int]) -> tuple[Line, ...]:
    """Every line of the files that are at hand, and of others those with instructions."""
    places = _places(program)
    slots: dict[tuple[str, int], list[int]] = {}
    texts: dict[tuple[str, int], str] = {}
    for slot, line in places.items():
        slots.setdefault((line.file, line.line), []).append(slot)
        texts[line.file, line.line] = line.text
    if not places:
        return ()
    for file, text in program.sources.items():
        for n, content in enumerate(text.splitlines(), 1):
            texts[file, n] = content
    found = []
    for (file, n), text in texts.items():
        mine = slots.get((file, n), [])
        found.append(Line(
            file, n, text, tuple(mine), _sum(cost.get(s, Cost()) for s in mine),
            key_of[mine[0]] if mine else None,
        ))
    return tuple(sorted(found, key=lambda line: _order(program, SourceLine(line.file, line.number))))


def _instructions(
    program: Program, cost: dict[int, Cost], key_of: dict[int, int]
) -> tuple[Instruction, ...]:
    found, function = [], ""
    for slot, insn in enumerate(program.insns):
        function = program.functions.get(slot, function)
        if insn is not None:
            found.append(Instruction(
                slot, instruction_text(insn), function, key_of.get(slot), cost.get(slot, Cost())
            ))
    return tuple(found)


def _window(
    design: Design, by: dict[int, list[int]], stages_of: dict[int, tuple[int, ...]],
    key_of: dict[int, int],
) -> tuple[Byte, ...]:
    """Every byte of the window, also those that nothing reads."""
    function = design.schedule.function
    nodes = {
        node.source[1]: n for n, node in enumerate(function.nodes)
        if node.op == "input" and node.source[0] == "window"
    }
    found = []
    for i in range(design.config.window):
        readers_ = by.get(nodes.get(i, -2), [])
        slots = sorted({function.nodes[n].origin for n in readers_ if n >= 0} - {-1})
        found.append(Byte(
            i, 8 if readers_ else 0, len(readers_), stages_of.get(nodes.get(i, -2), ()),
            tuple(slots), _sorted(key_of.get(s) for s in slots),
        ))
    return tuple(found)
