"""Dataflow graph -> for each node, the mask of bits that some output depends on."""

from ..ir import Function, Node


def _spread(node: Node, mask: int, widths: list[int]) -> list[int]:
    """The bits of each argument that bits `mask` of the node depend on."""
    full = [(1 << w) - 1 for w in widths]
    up_to = (1 << mask.bit_length()) - 1
    match node.op:
        case "slice":
            return [mask << node.number]
        case "concat":
            masks, shift = [], 0
            for w in widths:
                masks.append(mask >> shift & (1 << w) - 1)
                shift += w
            return masks
        case "sext":
            sign = 1 << widths[0] - 1
            return [(mask & full[0]) | (sign if mask >> widths[0] else 0)]
        case "and" | "or" | "xor" | "not":
            return [mask] * len(widths)
        case "add" | "sub" | "mul":
            return [up_to, up_to]
        case "shl":
            return [up_to, full[1]]
        case "mux":
            return [1, mask, mask]
        case "onehot":
            return [1, mask] * (len(widths) // 2)
        case "case":
            return [full[0]] + [mask] * (len(widths) - 1)
    return full


def demanded(function: Function) -> list[int]:
    """Masks by node number; outputs demand all of their bits."""
    masks = [0] * len(function.nodes)
    for n in function.outputs.values():
        masks[n] = (1 << function.nodes[n].width) - 1
    for n in range(len(function.nodes) - 1, -1, -1):
        node = function.nodes[n]
        if masks[n]:
            widths = [function.nodes[a].width for a in node.args]
            for a, mask in zip(node.args, _spread(node, masks[n], widths), strict=True):
                masks[a] |= mask
    return masks
