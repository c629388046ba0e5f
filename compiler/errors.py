"""What can go wrong -> one exception family, each naming section, instruction and source line."""

from dataclasses import dataclass

LONGEST_LINE = 80
"""Characters of a source line that a diagnostic shows."""


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of the user's program, as BTF or DWARF names it."""

    file: str
    line: int
    text: str = ""

    def __str__(self) -> str:
        text = self.text.strip()
        if len(text) > LONGEST_LINE:
            text = f"{text[:LONGEST_LINE]}..."
        return f"{self.file}:{self.line}{f': {text}' if text else ''}"


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a program; parts that are unknown are left out of the text."""

    section: str | None = None
    insn: int | None = None
    line: SourceLine | None = None

    def __str__(self) -> str:
        parts = []
        if self.section is not None:
            parts.append(f"section {self.section}")
        if self.insn is not None:
            parts.append(f"instruction {self.insn}")
        if self.line is not None:
            parts.append(str(self.line))
        return ", ".join(parts)


class RxgateError(Exception):
    """A problem in what the user gave us; the command line prints it and exits with 2.

    `state` says what was known at that place: the registers that matter and what they hold.
    """

    def __init__(self, message: str, where: Where | None = None, state: str = "") -> None:
        self.message = message
        self.where = where or Where()
        self.state = state
        place = f"{self.where}: " if str(self.where) else ""
        super().__init__(f"{place}{message}{f' [{state}]' if state else ''}")


class InputError(RxgateError):
    """A file or option cannot be used: missing, corrupt, or not what it says it is."""


class ToolError(RxgateError):
    """A tool that rxgate calls is missing or failed."""


class ElfError(InputError):
    """An object file is malformed, or does not hold the program that was asked for."""


class DecodeError(RxgateError):
    """Bytes that are no valid instruction of RFC 9669."""


class VerifyError(RxgateError):
    """The program is unsafe; the kernel would refuse it too."""


class Unsupported(RxgateError):
    """The program is legal BPF, but beyond a limit of ours, which the message names."""


class IrError(AssertionError):
    """An invariant of the intermediate form broke: a defect of rxgate, naming the pass."""
