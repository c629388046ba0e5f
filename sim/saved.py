"""A compiled program <-> JSON with all that its golden model needs, and no compiler."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import Enum
from typing import Any

from ..compiler import insn as instructions
from ..compiler.errors import InputError
from ..compiler.insn import Imm, Insn, Program, Reg, Variable
from ..compiler.tunables import registers_of
from ..ctx_map import verdicts
from ..ctx_map.context import CONTEXTS
from ..ctx_map.nics import Nic
from ..ctx_map.verdicts import VerdictRule
from ..hdl.config import GateConfig, OnDrop
from .golden import Golden

_CONTEXTS = {context.name: context for context in CONTEXTS}
_RULES = {rule.name: rule for rule in vars(verdicts).values() if isinstance(rule, VerdictRule)}


@dataclass(frozen=True, slots=True)
class Saved:
    """A program, and the gate around it; `inputs` are the names that its pipeline takes."""

    program: Program
    config: GateConfig
    inputs: tuple[str, ...]
    prandom_seed: int
    hash_key: bytes

    @property
    def reads_time(self) -> bool:
        """Whether the gate has the ports ktime_ns, trace_valid and trace_ktime."""
        return "ktime" in self.inputs

    def golden(self) -> Golden:
        """The model, as after a reset."""
        return Golden(
            self.program, self.config, prandom_seed=self.prandom_seed, hash_key=self.hash_key
        )


def dump(saved: Saved) -> str:
    """The JSON text; the same input gives the same text."""
    program = saved.program
    gate = asdict(saved.config) | {"on_drop": saved.config.on_drop.value}
    del gate["tunables"]
    record = {
        "name": program.name,
        "section": program.section,
        "context": program.context.name,
        "verdicts": program.context.verdicts.name,
        "insns": [None if i is None else _flat(i) for i in program.insns],
        "functions": {str(slot): name for slot, name in sorted(program.functions.items())},
        "data": {name: content.hex() for name, content in sorted(program.data.items())},
        "nic": {f.name: _value(program.nic, f.name) for f in fields(Nic)},
        "tunables": {name: asdict(program.variables[name]) for name in program.tunables},
        "gate": gate,
        "inputs": list(saved.inputs),
        "prandom_seed": saved.prandom_seed,
        "hash_key": saved.hash_key.hex(),
    }
    lines = ",\n".join(f" {json.dumps(k)}: {_text(k, v)}" for k, v in record.items())
    return f"{{\n{lines}\n}}\n"


def _text(key: str, value: Any) -> str:
    if key != "insns":
        return json.dumps(value)
    return "[\n" + ",\n".join(f"  {json.dumps(insn)}" for insn in value) + "\n ]"


def _flat(insn: Insn) -> dict[str, Any]:
    return {"is": type(insn).__name__} | {f.name: _value(insn, f.name) for f in fields(insn)}


def _value(holder: Insn | Nic, name: str) -> Any:
    value = getattr(holder, name)
    match value:
        case Reg(n):
            return {"r": n}
        case Imm(constant):
            return {"imm": constant}
        case Enum():
            return value.name
    return value


def load(text: str) -> Saved:
    """What `dump` wrote.

    Raises
    ------
    InputError
        The text is not of that form.
    """
    try:
        record = json.loads(text)
        gate = record["gate"]
        gate |= {"on_drop": OnDrop(gate["on_drop"]), "stream_fields": tuple(gate["stream_fields"])}
        variables = {name: Variable(**v) for name, v in record["tunables"].items()}
        program = Program(
            record["name"],
            record["section"],
            replace(_CONTEXTS[record["context"]], verdicts=_RULES[record["verdicts"]]),
            tuple(None if i is None else _insn(i) for i in record["insns"]),
            {int(slot): name for slot, name in record["functions"].items()},
            {name: bytes.fromhex(content) for name, content in record["data"].items()},
            variables=variables,
            tunables=tuple(variables),
            nic=Nic(**_typed(Nic, record["nic"])),
        )
        gate["tunables"] = registers_of(program)
        return Saved(
            program,
            GateConfig(**gate),
            tuple(record["inputs"]),
            record["prandom_seed"],
            bytes.fromhex(record["hash_key"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"this is no program saved by rxgate: {error!r}") from None


def _insn(record: Mapping[str, Any]) -> Insn:
    kind = getattr(instructions, record["is"])
    return kind(**_typed(kind, record))


def _typed(kind: type, record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a dataclass, from what `_value` made of them."""
    values = {}
    for field in fields(kind):
        value = record[field.name]
        if isinstance(value, dict):
            value = Reg(value["r"]) if "r" in value else Imm(value["imm"])
        elif isinstance(field.type, type) and issubclass(field.type, Enum):
            value = field.type[value]
        values[field.name] = value
    return values
