"""Yosys' netlist of a device's cells -> how many there are, where they stand, how long paths are."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from .targets import ALL, Cell, Kind

_STAGE = re.compile(r"(?:^|\.)pipeline\.stage_(\d+)(?:\.|$)")
_LINE = re.compile(r"([^|:]+):(\d+)\.")
_RANGE = re.compile(r"([^|:]+):(\d+)\.\d+-(\d+)\.")


@dataclass(frozen=True, slots=True)
class Area:
    """Cells: look-up tables (those used as memory or shift register among them), flip-flops, block
    memories, multipliers, carry cells."""

    lut: float = 0
    ff: float = 0
    bram: float = 0
    dsp: float = 0
    carry: float = 0

    @staticmethod
    def total(areas: Iterable["Area"]) -> "Area":
        """The sum."""
        rows = list(areas)
        return Area(*(sum(getattr(row, f.name) for row in rows) for f in fields(Area)))

    def to_json(self) -> dict[str, float]:
        """Name -> count; whole numbers but for half a block memory."""
        counts = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: int(n) if n == int(n) else n for name, n in counts.items()}


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A part of the gate; within the program pipeline also the stage, otherwise -1."""

    part: str
    stage: int = -1


class Netlist:
    """A module of Yosys' JSON with the cells of a device; it does not look into others.

    Modules that were dissolved left the lines of their Verilog on registers and memories, and their
    name as a prefix. `gate` is the name that the gate had in this module, empty if it is the module.
    """

    def __init__(self, module: Mapping[str, Any], cells: Mapping[str, Cell], gate: str = "") -> None:
        self._gate = gate
        self._scopes = {
            name: _RANGE.search(cell["attributes"].get("module_src", ""))
            for name, cell in module["cells"].items() if cell["type"] == "$scopeinfo"
        }
        self._cells = {n: c for n, c in module["cells"].items() if c["type"] in cells}
        self._known = cells
        self._ports = module["ports"]
        self._nets = {
            name: net["bits"] for name, net in module.get("netnames", {}).items()
            if not net["hide_name"]
        }
        self.others = sorted(
            {cell["type"] for cell in module["cells"].values()} - set(cells) - {"$scopeinfo"}
        )

    def areas(self) -> dict[Place, Area]:
        """What stands where."""
        counts: dict[Place, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for name, cell in self._cells.items():
            known = self._known[cell["type"]]
            if known.kind is not Kind.NOTHING:
                counts[self._places[name]][known.kind.value] += known.size
        return {place: Area(**counts[place]) for place in sorted(counts)}

    def levels(self) -> dict[Place, int]:
        """The most look-up tables between registers (or ports), by where the path ends."""
        depth: dict[str, int] = {}
        for name in self._order:
            depth[name] = self._arrival(name, depth, through=True)
        ends = [(name, self._arrival(name, depth, through=False)) for name in self._cells]
        for port in self._ports.values():
            if port["direction"] == "output":
                drivers = [self._driver[bit] for bit in port["bits"] if bit in self._driver]
                ends += [(name, depth[name]) for name in drivers]
        longest: dict[Place, int] = defaultdict(int)
        for name, levels in ends:
            longest[self._places[name]] = max(longest[self._places[name]], levels)
        return {place: longest[place] for place in sorted(longest) if longest[place]}

    def place(self, name: str) -> Place:
        """Where a cell stands; the name may be one that a router derived from a cell's."""
        return self._places.get(name) or self._place_by_name(name)

    def signals(self, name: str) -> list[tuple[str, int]]:
        """The signals, as (name, bit), that a register drives, or that other cells are named after."""
        cell = self._cells.get(name)
        bits = []
        if cell and self._known[cell["type"]].kind is Kind.FF:
            bits = [bit for bit, driver in self._driver.items() if driver == name]
        named = re.split(rf"_(?:{'|'.join(self._known)})_", name)[0]
        return [alias for bit in bits or self._nets.get(named, ())[:1] for alias in self._aliases[bit]]

    @cached_property
    def _aliases(self) -> dict[Any, list[tuple[str, int]]]:
        """Net -> all its names."""
        found: dict[Any, list[tuple[str, int]]] = defaultdict(list)
        for name, bits in self._nets.items():
            for index, bit in enumerate(bits):
                found[bit].append((name, index))
        return found

    def _place(self, scope: str) -> Place:
        if self._gate and not f"{scope}.".startswith(f"{self._gate}."):
            return Place("harness")
        stage = _STAGE.search(scope)
        part = scope.removeprefix(self._gate).lstrip(".").split(".")[0]
        return Place(part or "gate", int(stage[1]) if stage else -1)

    @cached_property
    def _places(self) -> dict[str, Place]:
        """Registers and memories stand where their Verilog does, logic where its value is stored."""
        found: dict[str, Place] = {}
        for name, cell in self._cells.items():
            if self._known[cell["type"]].through != ALL:
                scope = self._scope_of_source(cell["attributes"].get("src", ""))
                found[name] = self._place(scope) if scope else self._place_by_name(name)
        users: dict[str, set[str]] = defaultdict(set)
        for name in self._cells:
            for _, bit in (*self._inputs(name, True), *self._inputs(name, False)):
                if bit in self._driver:
                    users[self._driver[bit]].add(name)
        for name in reversed(self._order):
            if name not in found:
                stored = [found[user] for user in users[name] if user in found]
                found[name] = min(stored) if stored else self._place_by_name(name)
        return found

    def _place_by_name(self, name: str) -> Place:
        within = [scope for scope in self._scopes if name.startswith(f"{scope}.")]
        return self._place(max(within, key=len, default=""))

    def _scope_of_source(self, source: str) -> str | None:
        """The dissolved module that holds a line of the Verilog."""
        line = _LINE.match(source)
        if line is None:
            return None
        inside = [
            name for name, found in self._scopes.items()
            if found and found[1] == line[1] and int(found[2]) <= int(line[2]) <= int(found[3])
        ]
        return max(inside, key=len, default=None)

    @cached_property
    def _driver(self) -> dict[Any, str]:
        """Net -> the cell whose output it is."""
        return {
            bit: name
            for name, cell in self._cells.items()
            for port, bits in cell["connections"].items()
            if cell["port_directions"][port] == "output"
            for bit in bits
        }

    def _inputs(self, name: str, through: bool) -> Iterator[tuple[str, Any]]:
        """Inputs of a cell that are no constants, as (port, net): those that reach outputs at once, or
        the others."""
        cell = self._cells[name]
        first = self._known[cell["type"]].through
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] == "input":
                if port.startswith(first) == through:
                    yield from ((port, bit) for bit in bits if not isinstance(bit, str))

    def _arrival(self, name: str, depth: Mapping[str, int], through: bool) -> int:
        """The most look-up tables up to and with this cell, by such inputs."""
        known = self._known[self._cells[name]["type"]]
        return max(
            (
                (depth[self._driver[bit]] if bit in self._driver else 0)
                + (known.level if through and port != known.chain else 0)
                for port, bit in self._inputs(name, through)
            ),
            default=0,
        )

    @cached_property
    def _order(self) -> list[str]:
        """All cells, each after those that it listens to without a clock."""
        order: list[str] = []
        begun: set[str] = set()
        done: set[str] = set()
        for start in self._cells:
            stack = [start]
            while stack:
                name = stack[-1]
                if name not in begun:
                    begun.add(name)
                    before = (self._driver.get(bit) for _, bit in self._inputs(name, True))
                    stack += [n for n in before if n is not None and n not in begun]
                    continue
                stack.pop()
                if name not in done:
                    done.add(name)
                    order.append(name)
        return order
