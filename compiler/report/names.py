"""Nodes of the dataflow graph -> how people call them: header bytes, symbols, constants."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..ir import WIRING, Function, Node

SYMBOLS = {
    "and": "&", "or": "|", "xor": "^", "not": "!", "add": "+", "sub": "−", "mul": "×", "udiv": "÷",
    "urem": "mod", "shl": "≪", "lshr": "≫", "ashr": "≫ₛ", "eq": "=", "ult": "<", "slt": "<ₛ",
    "parity": "⊕",
}
_MOST_PIECES = 4
"""Parts of a concatenation that a text shows."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Bits `low` to `low + width - 1` of node `n`; of a constant they are `value`."""

    n: int
    low: int
    width: int
    value: int | None = None


def pieces(function: Function, n: int) -> list[Piece]:
    """What a node is joined of, from the least significant bits up; wiring is looked through."""
    node = function.nodes[n]
    return _pieces(function, n, 0, node.width)


def _pieces(function: Function, n: int, low: int, width: int) -> list[Piece]:
    node = function.nodes[n]
    match node.op:
        case "const":
            return [Piece(n, 0, width, node.number >> low & (1 << width) - 1)]
        case "slice":
            return _pieces(function, node.args[0], node.number + low, width)
        case "sext":
            inner = function.nodes[node.args[0]].width
            first = _pieces(function, node.args[0], low, min(width, inner - low)) if low < inner else []
            over = low + width - max(low, inner)
            return first + _pieces(function, node.args[0], inner - 1, 1) * max(0, over)
        case "concat":
            found: list[Piece] = []
            at = 0
            for a in node.args:
                w = function.nodes[a].width
                first, last = max(low, at), min(low + width, at + w)
                if first < last:
                    found += _pieces(function, a, first - at, last - first)
                at += w
            return found
    return [Piece(n, low, width)]


class Names:
    """Calls the nodes of one function; `tunables` name the bytes of that input.

    Numbers that are decimal in one of the `sources` are so here.
    """

    def __init__(
        self, function: Function, tunables: tuple[str, ...] = (), sources: Iterable[str] = ()
    ) -> None:
        self.function = function
        self.tunables = tunables
        self.decimal = {
            int(word) for text in sources for word in re.findall(r"\b[1-9]\d{0,9}\b", text)
        }

    def byte(self, n: int) -> int | None:
        """The number of a window byte."""
        node = self.function.nodes[n]
        return node.source[1] if node.op == "input" and node.source[0] == "window" else None

    def value(self, n: int) -> str:
        """Any node as an operand."""
        found = pieces(self.function, n)
        while len(found) > 1 and found[-1].value == 0:
            found.pop()
        parts: list[str] = []
        run: list[Piece] = []
        for piece in [*found, None]:
            if piece is not None and self._continues(run, piece):
                run.append(piece)
                continue
            if run:
                parts.append(self._run(run))
            run = [piece] if piece is not None else []
        swapped = self._swapped(found)
        if swapped is not None:
            return f"swap {self.source(swapped)}"
        if len(parts) == 1:
            return parts[0]
        shown = list(reversed(parts))
        if len(shown) > _MOST_PIECES:
            shown = [*shown[: _MOST_PIECES - 1], "…"]
        return f"{{{', '.join(shown)}}}"

    def _continues(self, run: list[Piece], piece: Piece) -> bool:
        """Whether a whole byte follows on those before, in either order."""
        if not run:
            return False
        here, last = self.byte(piece.n), self.byte(run[-1].n)
        if here is None or last is None or piece.width != 8 or run[-1].width != 8:
            return False
        step = here - last
        return step in (1, -1) and (len(run) == 1 or step == last - (self.byte(run[-2].n) or 0))

    def _swapped(self, found: list[Piece]) -> int | None:
        """The operation of which these are the bytes in reverse order."""
        n, size = found[0].n, len(found)
        backwards = [(n, 8 * at, 8) for at in range(size - 1, -1, -1)]
        if size > 1 and [(p.n, p.low, p.width) for p in found] == backwards:
            return n if self.function.nodes[n].width == 8 * size else None
        return None

    def _run(self, run: list[Piece]) -> str:
        bytes_ = [self.byte(p.n) or 0 for p in run]
        if len(run) > 1:
            return f"bytes {min(bytes_)}–{max(bytes_)}"
        [piece] = run
        if piece.value is not None:
            return self.number(piece.value)
        name, whole = self.source(piece.n), self.function.nodes[piece.n].width
        if piece.width == whole:
            return name
        high = piece.low + piece.width - 1
        return f"{name}[{high}]" if piece.width == 1 else f"{name}[{high}:{piece.low}]"

    def source(self, n: int) -> str:
        """An operation or input."""
        node = self.function.nodes[n]
        if node.op != "input":
            return f"%{n}"
        name, index = node.source
        match name:
            case "window":
                return f"byte {index}"
            case "present":
                return "bytes present"
            case "tunables" if index < len(self.tunables):
                return self.tunables[index]
        return name

    def constant(self, n: int, beside: int) -> str | None:
        """A constant that is compared with `beside`, as it stands in the packet; None for others."""
        node = self.function.nodes[n]
        if node.op != "const":
            return None
        run = pieces(self.function, beside)
        indices = [self.byte(p.n) for p in run]
        first = indices[0]
        if (
            first is not None and len(run) > 1 and all(p.width == 8 for p in run)
            and indices == list(range(first, first + len(run)))
        ):
            return self.number(int.from_bytes(node.number.to_bytes(len(run), "little"), "big"))
        return self.number(node.number)

    def label(self, n: int) -> str:
        """An operation in a few characters, without its operands."""
        node = self.function.nodes[n]
        match node.op:
            case "mux":
                return "choose"
            case "onehot":
                return f"one of {len(node.args) // 2}"
            case "case" if self._table(node):
                return f"table {len(node.keys)}"
            case "case":
                return f"select {len(node.keys)}"
            case "parity":
                return "parity"
            case "eq" | "ult" | "slt" | "add" | "sub" | "and" | "or" | "xor":
                return self._binary(node)
        return SYMBOLS[node.op]

    def _table(self, node: Node) -> bool:
        return all(self.function.nodes[a].op == "const" for a in node.args[1:])

    def _binary(self, node: Node) -> str:
        a, b = node.args
        right, left = self.constant(b, a), self.constant(a, b)
        if node.op == "add" and self._negative(b) is not None:
            return f"− {self._negative(b)}"
        if right is not None:
            return f"{SYMBOLS[node.op]} {right}"
        if left is not None:
            return f"{SYMBOLS[node.op].replace('<', '>')} {left}"
        return SYMBOLS[node.op]

    def _negative(self, n: int) -> str | None:
        """A constant whose top bit is set, without its sign."""
        node = self.function.nodes[n]
        if node.op != "const" or not node.number >> node.width - 1:
            return None
        return self.number((1 << node.width) - node.number)

    def number(self, value: int) -> str:
        """Small ones, and those that the source has so, as people count; others in hexadecimal."""
        if value < 100 or value in self.decimal:
            return str(value)
        return f"0x{value:04x}" if value < 0x10000 else f"{value:#x}"

    def text(self, n: int) -> str:
        """An operation with its operands."""
        node = self.function.nodes[n]
        if node.op in WIRING:
            return self.value(n)
        match node.op, node.args:
            case "not" | "parity", (a,):
                return f"{SYMBOLS[node.op]}{self.value(a)}"
            case "mux", (c, a, b):
                return f"{self.value(c)} ? {self.value(a)} : {self.value(b)}"
            case "onehot", args:
                arms = [
                    f"{self.value(p)}: {self.value(v)}"
                    for p, v in zip(args[::2], args[1::2], strict=True)
                ]
                return f"one of {_few(arms)}"
            case "case", (key, *args):
                arms = [
                    f"{self.number(k)}: {self.value(v)}" for k, v in zip(node.keys, args, strict=True)
                ]
                kind = "table" if self._table(node) else "select"
                return f"{kind} by {self.value(key)} of {_few(arms)}"
            case "add", (a, b) if self._negative(b) is not None:
                return f"{self.value(a)} − {self._negative(b)}"
            case "ult" | "slt" | "eq", (a, b) if self.constant(a, b) is not None:
                return f"{self.value(b)} {SYMBOLS[node.op].replace('<', '>')} {self.constant(a, b)}"
            case _, (a, b):
                left = self.constant(a, b) or self.value(a)
                right = self.constant(b, a) or self.value(b)
                return f"{left} {SYMBOLS[node.op]} {right}"
        raise AssertionError(f"no text for {node!r}")


def _few(arms: list[str]) -> str:
    more = f", … {len(arms) - _MOST_PIECES} more" if len(arms) > _MOST_PIECES else ""
    return f"{{{', '.join(arms[:_MOST_PIECES])}{more}}}"


def operand_bits(function: Function, n: int) -> int:
    """The width that says how large an operation is: of what it compares, else of its result."""
    node = function.nodes[n]
    if node.op in ("eq", "ult", "slt", "parity"):
        return function.nodes[node.args[0]].width
    return node.width
