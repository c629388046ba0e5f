"""What the user names (file, hexadecimal, tcpdump expression) -> a decoded program."""

from ..ctx_map.context import CONTEXTS, Context
from .decode import decode
from .errors import InputError
from .insn import Program
from .load import load_program
from .load.classic import translate
from .load.pcap_filter import compile_expression


def context_named(name: str) -> Context:
    """The context with this name or struct name.

    Raises
    ------
    InputError
        There is none.
    """
    for context in CONTEXTS:
        if name == context.name or name in context.structs:
            return context
    known = ", ".join(c.name for c in CONTEXTS)
    raise InputError(f"there is no context {name!r}; there are {known}")


def read_program(
    path: str,
    section: str | None = None,
    function: str | None = None,
    context: str | None = None,
    mcpu: str | None = None,
) -> Program:
    """Load and decode a program file, or a program given in hexadecimal."""
    chosen = context_named(context) if context else None
    return decode(load_program(path, section, function, chosen, mcpu))


def read_expression(expression: str, on_match: str = "pass") -> Program:
    """Compile a tcpdump expression; `on_match` is "pass" or "drop"."""
    return translate(compile_expression(expression), "filter", on_match)
