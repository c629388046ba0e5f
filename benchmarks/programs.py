"""The examples and expressions of this repository -> named programs."""

from pathlib import Path

from rxgate.compiler.insn import Program
from rxgate.compiler.source import read_expression, read_program

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"


def expressions() -> list[str]:
    """The lines of examples/expressions.txt that are expressions."""
    lines = (EXAMPLES / "expressions.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def names() -> list[str]:
    """PHYS_DEV examples by the names of their files, expressions, XDP examples."""
    stems = sorted(path.stem for path in EXAMPLES.glob("*.c"))
    xdp = [s for s in stems if s.startswith("xdp_")]
    return [s for s in stems if s not in xdp] + expressions() + xdp


def program(name: str) -> Program:
    """The program with this name."""
    path = EXAMPLES / f"{name}.c"
    return read_program(str(path)) if path.exists() else read_expression(name)
