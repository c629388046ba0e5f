"""Every example compiles for every instruction set, without a loop, and knows its source lines."""

from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from rxgate.compiler.decode import decode
from rxgate.compiler.insn import Exit, Goto, Jump, Program
from rxgate.compiler.load import load_program
from rxgate.ctx_map.context import XDP_METADATA

EXAMPLES = Path(__file__).parents[3] / "examples"
PROGRAMS = sorted(EXAMPLES.glob("*.c"))


def successors(program: Program, slot: int) -> set[int]:
    match program.insns[slot]:
        case Exit():
            return set()
        case Goto(target):
            return {target}
        case Jump(target=target):
            return {target, slot + 1}
    return {slot + (2 if program.insns[slot + 1] is None else 1)}


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
@pytest.mark.parametrize("mcpu", ["v1", "v3", "v4"])
def test_example(path, mcpu):
    raw = load_program(path, mcpu=mcpu)
    program = decode(raw)
    assert raw.context is XDP_METADATA
    assert raw.name == path.stem
    graph = {
        slot: successors(program, slot) for slot, i in enumerate(program.insns) if i is not None
    }
    TopologicalSorter(graph).prepare()  # raises CycleError on a loop
    assert all(program.line(slot) for slot in graph)


def test_the_readme_lists_every_example():
    text = (EXAMPLES / "README.md").read_text()
    assert [p.name for p in PROGRAMS if f"| [{p.name}]({p.name}) |" not in text] == []
    assert len(PROGRAMS) >= 11
    expressions = (EXAMPLES / "expressions.txt").read_text().splitlines()
    assert sum(bool(line) and not line.startswith("#") for line in expressions) >= 15
