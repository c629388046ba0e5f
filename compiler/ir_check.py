"""Dataflow graph -> nothing, or an IrError that names every broken rule.

The rules:
- arguments come earlier in the list, and there are as many as the operation takes;
- every width is positive; constants fit theirs;
- slice: the bits taken exist; concat: widths add up; sext: does not narrow;
- bitwise and arithmetic operations, shifts' first argument, mux arms, onehot and case values have
  the node's own width; comparisons have equal widths and one bit of result;
- conditions of mux and onehot have one bit; case keys are distinct, fit the key, one per value;
- outputs and results name nodes that exist.
"""

from .errors import IrError
from .ir import OPS, Function, Node

_ARGS = {"const": 0, "input": 0, "slice": 1, "sext": 1, "not": 1, "parity": 1, "mux": 3}
_SAME = frozenset({"and", "or", "xor", "add", "sub", "mul", "udiv", "urem", "not"})
_SHIFTS = frozenset({"shl", "lshr", "ashr"})
_COMPARES = frozenset({"eq", "ult", "slt"})


def _problem(node: Node, widths: list[int]) -> str | None:
    """What is wrong with one node whose arguments have `widths` bits."""
    op, width, attr = node.op, node.width, node.attr
    if width < 1:
        return "width is not positive"
    fixed = _ARGS.get(op, 2)
    if op not in ("concat", "onehot", "case") and len(widths) != fixed:
        return f"takes {fixed} arguments, has {len(widths)}"
    match op:
        case "const" if not isinstance(attr, int) or not 0 <= attr < 1 << width:
            return f"constant {attr!r} does not fit {width} bits"
        case "slice" if not isinstance(attr, int) or attr < 0 or attr + width > widths[0]:
            return f"takes bits {attr} to {attr}+{width} of {widths[0]}"
        case "concat" if sum(widths) != width or not widths:
            return f"parts have {sum(widths)} bits, not {width}"
        case "sext" if widths[0] >= width:
            return f"does not extend {widths[0]} bits"
        case "mux" if widths[0] != 1 or widths[1] != width or widths[2] != width:
            return f"widths {widths} of a {width}-bit mux"
        case "onehot":
            pairs = list(zip(widths[::2], widths[1::2], strict=False))
            if len(widths) % 2 or not pairs or any(p != (1, width) for p in pairs):
                return f"widths {widths} of a {width}-bit onehot"
        case "case":
            keys = attr if isinstance(attr, tuple) else ()
            if len(keys) != len(widths) - 1 or len(set(keys)) != len(keys) or not keys:
                return "needs one distinct key for each value"
            if any(not isinstance(k, int) or k >> widths[0] for k in keys):
                return f"a key does not fit {widths[0]} bits"
            if any(w != width for w in widths[1:]):
                return f"values have widths {widths[1:]}, not {width}"
    if op in _SAME and any(w != width for w in widths):
        return f"arguments have widths {widths}, not {width}"
    if op in _SHIFTS and widths[0] != width:
        return f"shifts {widths[0]} bits into {width}"
    if op in _COMPARES and (width != 1 or widths[0] != widths[1]):
        return f"compares widths {widths} into {width} bits"
    return None


def check(function: Function, after: str) -> None:
    """Raise IrError unless every rule holds; `after` names the pass that ran last."""
    broken = []
    for n, node in enumerate(function.nodes):
        if node.op not in OPS:
            broken.append(f"%{n}: unknown operation {node.op!r}")
        elif any(not 0 <= a < n for a in node.args):
            broken.append(f"%{n}: {node!r} uses a node that does not come before it")
        else:
            problem = _problem(node, [function.nodes[a].width for a in node.args])
            if problem:
                broken.append(f"%{n}: {node.op} {problem}")
    count = len(function.nodes)
    named = [*function.outputs.items(), *((str(k), n) for k, n in function.results.items())]
    broken += [f"{k} names node {n} of {count}" for k, n in named if not 0 <= n < count]
    if broken:
        raise IrError(f"after {after}: " + "; ".join(broken[:10]))
