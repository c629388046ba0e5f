"""The dataflow graph: one acyclic list of bit-vector operations per program.

A node yields an unsigned number of `width` bits. Arguments are numbers of earlier nodes, so the list
is in topological order. There is no control flow and no memory: branches have become predicates,
the stack has become values, packet bytes are inputs.

    const        attr = value
    input        attr = (name, index); index is the byte number for those in BYTEWISE, else 0
    slice        args[0], bits attr upward
    concat       args from the least significant upward
    sext         args[0] sign-extended
    not and or xor            bitwise
    add sub mul               modulo 2**width
    udiv urem                 x / 0 = 0, x % 0 = x (RFC 9669 section 4.1)
    shl lshr ashr             args[1] is the amount; from `width` on, nothing of args[0] is left but
                              ashr's copies of its sign
    eq ult slt                1 bit; slt reads both sides as signed
    parity                    1 bit: exclusive or of all bits of args[0]
    mux          args = (condition, if 1, if 0)
    onehot       args = (p0, v0, p1, v1, ...): the v whose p is 1; at most one is; 0 if none
    case         args = (key, v0, v1, ...), attr = (k0, k1, ...): the v whose k equals key; 0 if none
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import cast

Attr = int | tuple[str, int] | tuple[int, ...] | None

WIRING = frozenset({"const", "input", "slice", "concat", "sext"})
"""Operations that cost no logic."""
BYTEWISE = ("window", "tunables")
"""Inputs of which each byte is a node."""
OPS = WIRING | {
    "not", "and", "or", "xor", "add", "sub", "mul", "udiv", "urem", "shl", "lshr", "ashr",
    "eq", "ult", "slt", "parity", "mux", "onehot", "case",
}


@dataclass(frozen=True, slots=True)
class Node:
    """One operation. `origin` is the slot that asked for it, or -1 for descriptor logic."""

    op: str
    width: int
    args: tuple[int, ...] = ()
    attr: Attr = None
    origin: int = -1

    @property
    def number(self) -> int:
        """The value of a const, the lowest bit of a slice."""
        assert isinstance(self.attr, int)
        return self.attr

    @property
    def source(self) -> tuple[str, int]:
        """What an input is: (name, index)."""
        assert isinstance(self.attr, tuple)
        return cast(tuple[str, int], self.attr)

    @property
    def keys(self) -> tuple[int, ...]:
        """The keys of a case."""
        assert isinstance(self.attr, tuple)
        return cast(tuple[int, ...], self.attr)


@dataclass(frozen=True, slots=True)
class Function:
    """A dataflow graph. `outputs` names the nodes that leave it.

    `results` maps (block, slot, register) to the node that holds what the instruction wrote, for
    comparing with the interpreter; passes keep it up to date where the node survives.
    """

    nodes: tuple[Node, ...]
    outputs: Mapping[str, int]
    results: Mapping[tuple[int, int, int], int] = field(default_factory=lambda: MappingProxyType({}))

    def inputs(self) -> list[tuple[str, int]]:
        """(name, index) of every input in use, sorted."""
        return sorted({n.source for n in self.nodes if n.op == "input"})

    def live(self, roots: Iterable[int]) -> list[bool]:
        """For each node, whether one of `roots` depends on it."""
        marks = [False] * len(self.nodes)
        for r in roots:
            marks[r] = True
        for n in range(len(self.nodes) - 1, -1, -1):
            if marks[n]:
                for a in self.nodes[n].args:
                    marks[a] = True
        return marks

    def readers(self) -> list[int]:
        """For each node, how many arguments and outputs it is; 0 where no output depends on it."""
        live = self.live(self.outputs.values())
        counts = [0] * len(self.nodes)
        for n, node in enumerate(self.nodes):
            for a in node.args if live[n] else ():
                counts[a] += 1
        for n in self.outputs.values():
            counts[n] += 1
        return counts

    def __str__(self) -> str:
        lines = [f"%{n} = {text(node)}" for n, node in enumerate(self.nodes)]
        lines += [f"output {name} = %{n}" for name, n in self.outputs.items()]
        return "\n".join(lines) + "\n"


def text(node: Node) -> str:
    """One node in the form `op.width arguments`."""
    args = [f"%{a}" for a in node.args]
    match node.op:
        case "const":
            args.append(f"{node.number:#x}")
        case "slice":
            args.append(str(node.number))
        case "input":
            name, index = node.source
            args.append(f"{name}[{index}]" if name in BYTEWISE else name)
        case "case":
            args[1:] = [f"{k:#x}: {v}" for k, v in zip(node.keys, args[1:], strict=True)]
    origin = f"  ; slot {node.origin}" if node.origin >= 0 else ""
    return f"{node.op}.{node.width} {', '.join(args)}{origin}"
