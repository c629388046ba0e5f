"""Every example compiles for every instruction set, is proven safe, and knows its source lines."""

from pathlib import Path

import pytest
from rxgate.compiler.cfg import build_cfg
from rxgate.compiler.decode import decode
from rxgate.compiler.load import load_program
from rxgate.compiler.verify import verify
from rxgate.ctx_map.context import XDP_MD, XDP_METADATA

EXAMPLES = Path(__file__).parents[3] / "examples"
PROGRAMS = sorted(EXAMPLES.glob("*.c"))
TUNNELS = {"vxlan_inner": 82, "gre_inner": 100}
"""Header window that looking inside a tunnel takes, bytes."""


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
@pytest.mark.parametrize("mcpu", ["v1", "v3", "v4"])
def test_example(path, mcpu):
    raw = load_program(path, mcpu=mcpu)
    program = decode(raw)
    assert raw.context is (XDP_MD if path.stem.startswith("xdp_") else XDP_METADATA)
    assert raw.name == path.stem
    assert all(program.line(slot) for slot, i in enumerate(program.insns) if i is not None)
    window = verify(build_cfg(program)).window
    assert window <= (119 if path.stem.startswith("xdp_") else 100)
    assert window == TUNNELS.get(path.stem, window)


def test_the_readme_lists_every_example():
    text = (EXAMPLES / "README.md").read_text()
    assert [p.name for p in PROGRAMS if f"| [{p.name}]({p.name}) |" not in text] == []
    assert len(PROGRAMS) >= 11
    expressions = (EXAMPLES / "expressions.txt").read_text().splitlines()
    assert sum(bool(line) and not line.startswith("#") for line in expressions) >= 15
