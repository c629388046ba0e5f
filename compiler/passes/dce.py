"""Dead code elimination.

    %0 = input.8 window[0]        %0 = input.8 window[0]
    %1 = add.8 %0, %0        ->   output verdict = %0
    output verdict = %0
"""

from dataclasses import dataclass
from typing import ClassVar

from ..ir import Function, Node


@dataclass(frozen=True, slots=True)
class DeadCode:
    """Keeps what outputs depend on, numbered densely."""

    name: ClassVar[str] = "dce"

    def run(self, function: Function) -> Function:
        live = function.live(function.outputs.values())
        new: dict[int, int] = {}
        nodes: list[Node] = []
        for n, node in enumerate(function.nodes):
            if live[n]:
                new[n] = len(nodes)
                args = tuple(new[a] for a in node.args)
                nodes.append(Node(node.op, node.width, args, node.attr, node.origin))
        outputs = {name: new[n] for name, n in function.outputs.items()}
        results = {place: new[n] for place, n in function.results.items() if n in new}
        return Function(tuple(nodes), outputs, results)
