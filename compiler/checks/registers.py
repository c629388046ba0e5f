"""A broken rule, and what all rules share: reading and writing abstract registers."""


from ..analysis import scalars
from ..analysis.scalars import Scalar
from ..analysis.state import (
    Abstract,
    Pointer,
    State,
    Unreadable,
)
from ..facts import Access, Place
from ..insn import (
    FP,
    Imm,
    Operand,
    Program,
    Reg,
)


class Problem(Exception):
    """A rule that one instruction breaks; `unsupported` when only we refuse it.

    `registers` says what the instruction's registers hold.
    """

    def __init__(self, message: str, unsupported: bool = False) -> None:
        super().__init__(message)
        self.unsupported = unsupported
        self.registers = ""


def count_bytes(count: int) -> str:
    """A number of bytes in words."""
    return "1 byte" if count == 1 else f"{count} bytes"


class Registers:
    """Access to registers, and to what the rules collect: the current place is (block, slot)."""

    def __init__(self, program: Program, max_window: int) -> None:
        self.program, self.max_window = program, max_window
        self.accesses: dict[Place, Access] = {}
        self.window = 0
        self.place: Place = (0, 0)

    def read(self, n: int, state: State) -> Scalar | Pointer:
        value = state.regs[n]
        if isinstance(value, Unreadable):
            raise Problem(f"r{n} is read, but {value.reason}")
        return value

    def number(self, n: int, state: State, what: str) -> Scalar:
        value = self.read(n, state)
        if isinstance(value, Pointer):
            raise Problem(f"r{n} holds a {value}, which cannot be {what}")
        return value

    def operand(self, src: Operand, state: State) -> Abstract:
        return state.regs[src.n] if isinstance(src, Reg) else scalars.constant(src.value)

    def operand_readable(self, src: Operand, state: State) -> Scalar | Pointer:
        if isinstance(src, Imm):
            return scalars.constant(src.value)
        return self.read(src.n, state)

    def write(self, state: State, n: int, value: Scalar | Pointer) -> None:
        if n == FP:
            raise Problem("the frame pointer r10 is read-only")
        state.regs[n] = value

    def refuse_null(self, pointer: Pointer, what: str, unsupported: bool = False) -> None:
        """Refuse to use a pointer that has not been compared with 0."""
        if pointer.nullable:
            raise Problem(f"a {pointer} is {what}; compare it with 0 first", unsupported)
