"""A file with programs -> a row for each: what it would cost, or why it does not compile."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .decode import decode
from .driver import compile_program
from .errors import RxgateError
from .load import open_object
from .options import Options
from .source import context_named
from .tunables import with_values


@dataclass(frozen=True, slots=True)
class Compiled:
    """A program that compiles: pipeline stages, cycles from first beat to first beat, bytes."""

    section: str
    function: str
    stages: int
    latency_cycles: int
    header_window: int
    compiles: bool = True


@dataclass(frozen=True, slots=True)
class Refused:
    """A program that does not: the diagnostic, and as `place` the line of the source, if known."""

    section: str
    function: str
    kind: str
    place: str
    reason: str
    compiles: bool = False

    @property
    def is_defect(self) -> bool:
        """Whether rxgate is to blame: it failed where it should have judged."""
        return self.kind == DEFECT


DEFECT = "defect of rxgate"
Row = Compiled | Refused


def row_json(row: Row) -> dict[str, Any]:
    """A row as plain values."""
    return asdict(row)


def survey(
    path: str,
    options: Options,
    context: str | None = None,
    mcpu: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Row]:
    """Judge every program of a C, assembly or ELF file; `settings` gives variables other values.

    Raises
    ------
    InputError, ToolError
        The file cannot be read, or is no object.
    """
    chosen = context_named(context) if context else None
    file = open_object(path, mcpu)
    for section, function in file.programs():
        try:
            program = with_values(decode(file.load(section, function, chosen)), settings or {})
            design = compile_program(program, options)
        except RxgateError as error:
            line = error.where.line
            place = f"{line.file}:{line.line}" if line else ""
            yield Refused(section, function, type(error).__name__, place, error.message)
        except Exception as error:  # a defect in one program must not hide what the others give
            yield Refused(section, function, DEFECT, "", f"{type(error).__name__}: {error}")
        else:
            yield Compiled(
                section, function, design.schedule.latency, design.gate.latency,
                design.config.window,
            )
