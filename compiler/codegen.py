"""Schedule -> the program pipeline in hardware: one submodule per stage, one register row per cut."""

from collections.abc import Mapping
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..ctx_map.verdicts import VERDICT_BITS
from ..hdl.divider import Divider
from ..hdl.multiplier import Multiplier
from .codegen_registers import Held, carry, hold
from .ir import BYTEWISE, Node
from .schedule import Schedule

_CASES = 64
"""Cases of one switch: Amaranth looks at all pairs of them."""
_DENSE = 4
"""Values of a key for each that a table has, up to which it is dense."""


@dataclass(frozen=True, slots=True)
class TraceSlot:
    """Where a traced value stands: bits `offset` upward of the trace port hold the bits `mask` of
    node `node`, as they are in cut `cut` (that many cycles and one after the launch)."""

    cut: int
    node: int
    mask: int
    offset: int


def trace_layout(schedule: Schedule) -> tuple[TraceSlot, ...]:
    """Every live value of every cut, in order."""
    slots, offset = [], 0
    for k, cut in enumerate(schedule.cuts):
        for node, mask in cut.items():
            slots.append(TraceSlot(k, node, mask, offset))
            offset += mask.bit_count()
    return tuple(slots)


class _Stage:
    """One stage: its combinational operations, in module `m`, on the values readable there."""

    def __init__(
        self, m: Module, schedule: Schedule, held: Mapping[int, Held], values: Mapping[int, Value]
    ) -> None:
        self.m = m
        self.function = schedule.function
        self.held = held
        self.values = dict(values)

    def value(self, n: int) -> Value:
        """The value of any node in this stage; wiring is made where it is used."""
        if n not in self.values and n in self.held:
            self.values[n] = self.held[n].value()
        elif n not in self.values:
            node = self.function.nodes[n]
            match node.op:
                case "const":
                    made: Value = Const(node.number, node.width)
                case "slice":
                    made = self.bits(node.args[0], node.number, node.width)
                case "concat":
                    made = Cat(*(self.value(a) for a in node.args))
                case "sext":
                    inner = self.value(node.args[0])
                    made = Cat(inner, inner[-1].replicate(node.width - len(inner)))
                case _:
                    raise AssertionError(f"%{n} ({node.op}) is not readable in this stage")
            self.values[n] = made
        return self.values[n]

    def bits(self, n: int, low: int, width: int) -> Value:
        """Some bits of a node; of wiring only what they come from needs to be readable."""
        node = self.function.nodes[n]
        if n in self.values or n in self.held:
            return self.value(n)[low : low + width]
        match node.op:
            case "slice":
                return self.bits(node.args[0], node.number + low, width)
            case "concat":
                parts, at = [], 0
                for a in node.args:
                    end = at + self.function.nodes[a].width
                    first, last = max(low, at), min(low + width, end)
                    if first < last:
                        parts.append(self.bits(a, first - at, last - first))
                    at = end
                return Cat(*parts)
            case "sext":
                inner = self.function.nodes[node.args[0]].width
                own = max(0, min(low + width, inner) - low)
                sign = [] if own == width else [self.bits(node.args[0], inner - 1, 1)] * (width - own)
                return Cat(*([self.bits(node.args[0], low, own)] if own else []), *sign)
        return self.value(n)[low : low + width]

    def compute(self, n: int) -> None:
        """Add the operation n."""
        node = self.function.nodes[n]
        out = Signal(node.width, name=f"n{n}_{node.op}")
        args = [self.value(a) for a in node.args]
        if node.op == "case" and self.dense(node):
            table = dict(zip(node.keys, args[1:], strict=True))
            self.m.d.comb += out.eq(_selected(args[0], table, node.width))
        elif node.op == "case":
            self.switch(args[0], dict(zip(node.keys, args[1:], strict=True)), out)
        else:
            self.m.d.comb += out.eq(_operation(node, args))
        self.values[n] = out

    def dense(self, node: Node) -> bool:
        """Whether multiplexers by the key's bits take less than comparing it with every key."""
        key, *values = (self.function.nodes[a] for a in node.args)
        return _DENSE * len(values) >= 1 << key.width and any(v.op != "const" for v in values)

    def switch(self, key: Value, table: dict[int, Value], out: Signal) -> None:
        """`out` becomes the table's value for `key`; by the key's top bits first in large tables."""
        low = 0 if len(table) <= _CASES else max(0, len(key) - _CASES.bit_length() + 1)
        groups: dict[int, dict[int, Value]] = {}
        for k, value in table.items():
            groups.setdefault(k >> low, {})[k & (1 << low) - 1] = value
        with self.m.Switch(key[low:]):
            for top, group in groups.items():
                with self.m.Case(top):
                    if low:
                        self.switch(key[:low], group, out)
                    else:
                        self.m.d.comb += out.eq(group[0])

    def unit(self, n: int) -> Value:
        """Add a multi-cycle unit; its output is readable `latency` stages later."""
        node = self.function.nodes[n]
        a, b = (self.value(arg) for arg in node.args)
        if node.op == "mul":
            unit = Multiplier(node.width)
            out = unit.o
        else:
            unit = Divider(node.width)
            out = unit.o_quotient if node.op == "udiv" else unit.o_remainder
        self.m.submodules[f"n{n}_{node.op}"] = unit
        self.m.d.comb += [unit.i_a.eq(a), unit.i_b.eq(b)]
        return out


def _selected(key: Value, table: Mapping[int, Value], width: int) -> Value:
    """The table's value for `key`, 0 where it has none, by a tree of multiplexers."""
    if not table:
        return Const(0, width)
    if not len(key):
        return table[0]
    half = 1 << len(key) - 1
    low = {k: v for k, v in table.items() if k < half}
    high = {k - half: v for k, v in table.items() if k >= half}
    return Mux(
        key[-1], _selected(key[:-1], high, width), _selected(key[:-1], low, width)
    )


def _operation(node: Node, a: list[Value]) -> Value:
    match node.op:
        case "not":
            return ~a[0]
        case "and":
            return a[0] & a[1]
        case "or":
            return a[0] | a[1]
        case "xor":
            return a[0] ^ a[1]
        case "add":
            return (a[0] + a[1])[: node.width]
        case "sub":
            return (a[0] - a[1])[: node.width]
        case "shl":
            return (a[0] << a[1])[: node.width]
        case "lshr":
            return a[0] >> a[1]
        case "ashr":
            return a[0].as_signed() >> a[1]
        case "eq":
            return a[0] == a[1]
        case "ult":
            return a[0] < a[1]
        case "slt":
            return a[0].as_signed() < a[1].as_signed()
        case "parity":
            return a[0].xor()
        case "mux":
            return Mux(a[0], a[1], a[2])
        case "onehot":
            chosen = Const(0, node.width)
            for p, v in zip(a[::2], a[1::2], strict=True):
                chosen = chosen | (v & p.replicate(node.width))
            return chosen
    raise AssertionError(f"no hardware for {node!r}")


class ProgramPipeline(wiring.Component):
    """A program: registered launch state in, verdict `latency` cycles later, a packet per cycle.

    `window` and `tunables` are the bytes of these. `inputs` names what it takes (name -> bits); with
    `trace`, port `o_trace` shows every register
    of the pipeline as `trace_layout` tells.
    """

    i_valid: Signal
    i_tunables: Signal
    o_valid: Signal
    o_verdict: Signal
    o_trace: Signal

    def __init__(
        self, schedule: Schedule, window: int, *, tunables: int = 0, trace: bool = False
    ) -> None:
        self.schedule = schedule
        self.latency = schedule.latency
        self.window = window
        self.inputs = _inputs(schedule, window, tunables)
        self.trace_width = sum(schedule.live_bits(k) for k in range(self.latency)) if trace else 0
        ports = {"i_valid": In(1), "o_valid": Out(1), "o_verdict": Out(VERDICT_BITS)}
        ports |= {f"i_{name}": In(width) for name, width in self.inputs.items()}
        if self.trace_width:
            ports["o_trace"] = Out(self.trace_width)
        super().__init__(ports)

    def elaborate(self, platform) -> Module:
        m = Module()
        schedule, function = self.schedule, self.schedule.function
        valid = self.i_valid
        held: dict[int, Held] = {}
        fresh: dict[int, dict[int, Value]] = {0: self._launch_values()}
        traced: list[Value] = []
        for k, cut in enumerate(schedule.cuts):
            m.submodules[f"stage_{k}"] = row = Module()
            stage = _Stage(row, schedule, held, fresh.pop(k, {}))
            for n in schedule.operations(k):
                if function.nodes[n].op in ("mul", "udiv", "urem"):
                    fresh.setdefault(schedule.ready[n], {})[n] = stage.unit(n)
                else:
                    stage.compute(n)
            new = {n: hold(row, f"v{n}", stage.value(n), cut[n]) for n in cut if n not in held}
            held = carry(row, held, cut) | new
            traced += [held[n].packed for n in cut]
            following = Signal(name="valid")
            row.d.sync += following.eq(valid)
            valid = following
        outputs = _Stage(m, schedule, held, fresh.pop(self.latency, {}))
        m.d.comb += [
            self.o_valid.eq(valid), self.o_verdict.eq(outputs.value(function.outputs["verdict"]))
        ]
        if self.trace_width:
            m.d.comb += self.o_trace.eq(Cat(*traced))
        return m

    def _launch_values(self) -> dict[int, Value]:
        values: dict[int, Value] = {}
        for n, node in enumerate(self.schedule.function.nodes):
            if node.op == "input":
                name, index = node.source
                port = getattr(self, f"i_{name}")
                values[n] = port[8 * index : 8 * index + 8] if name in BYTEWISE else port
        return values


def _inputs(schedule: Schedule, window: int, tunables: int) -> dict[str, int]:
    """The inputs that the program reads, with their widths."""
    bits = {"window": 8 * window, "tunables": 8 * tunables}
    found: dict[str, int] = {}
    for node in schedule.function.nodes:
        if node.op == "input":
            name, _ = node.source
            found[name] = bits.get(name, node.width)
    return dict(sorted(found.items()))
