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
    """Every example by the name of its file, then every expression."""
    return [path.stem for path in sorted(EXAMPLES.glob("*.c"))] + expressions()


def program(name: str) -> Program:
    """The program with this name."""
    path = EXAMPLES / f"{name}.c"
    return read_program(str(path)) if path.exists() else read_expression(name)
