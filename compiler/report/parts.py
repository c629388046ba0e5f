"""Values of a cut -> a short list of them for people."""

from collections.abc import Sequence
from dataclasses import dataclass

from .held import Held
from .model import Model


@dataclass(frozen=True, slots=True)
class Part:
    """`bits` bits that the stages `read_in` read; `keys` name the line that computes them."""

    bits: int
    text: str
    read_in: tuple[int, ...]
    keys: tuple[int, ...]
    slots: tuple[int, ...]


def summed(found: Model, groups: Sequence[Held]) -> list[Part]:
    """What a cut holds, in the order of bits: conditions of one line are one part."""
    together: dict[tuple[tuple[int, ...], tuple[int, ...]], list[Held]] = {}
    parts = []
    for group in groups:
        keys = found.keys(group.slots)
        node = found.operations.get(group.nodes[0])
        if node is not None and group.bits == 1 and "%" in group.text:
            together.setdefault((keys, group.read_in), []).append(group)
        else:
            parts.append(Part(group.bits, group.text, group.read_in, keys if node else (), group.slots))
    for (keys, read_in), same in together.items():
        text = "condition" if len(same) == 1 else "conditions"
        slots = tuple(sorted({s for group in same for s in group.slots}))
        parts.append(Part(len(same), text, read_in, keys, slots))
    return sorted(parts, key=lambda p: (-p.bits, p.text, p.keys, p.read_in))
