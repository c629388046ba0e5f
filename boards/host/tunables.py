"""NAME=VALUE and what a build says of its tunables -> words to write, and one commit."""

import json
from collections.abc import Sequence
from pathlib import Path

from ...compiler.errors import InputError
from ...ctx_map.registers import WORD_BYTES
from .client import Client


def read_layout(directory: Path) -> dict[str, tuple[int, int]]:
    """Name -> (offset, bytes) of the tunables of a build, from its build.json."""
    path = directory / "build.json"
    try:
        found = json.loads(path.read_text())["tunables"]
        return {t["name"]: (int(t["offset"]), int(t["bytes"])) for t in found}
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path} is not the build.json of a build.") from None


def value_bytes(name: str, text: str, size: int) -> bytes:
    """A number, or as many bytes as the variable has in hexadecimal, as `x` and digits."""
    try:
        if text.startswith("x"):
            value = bytes.fromhex(text[1:])
            if len(value) != size:
                raise ValueError
            return value
        number = int(text, 0)
        return number.to_bytes(size, "little", signed=number < 0)
    except (ValueError, OverflowError):
        raise InputError(
            f"{name} has {size} bytes, and {text!r} is neither a number of that size nor x with"
            f" {2 * size} hexadecimal digits."
        ) from None


def write(client: Client, layout: dict[str, tuple[int, int]], settings: Sequence[str]) -> None:
    """Writes all, then lets packets see all of them at once."""
    writes: list[tuple[int, bytes]] = []
    for word in settings:
        name, equals, text = word.partition("=")
        if not equals:
            raise InputError(f"{word!r} is not NAME=VALUE.")
        if name not in layout:
            known = ", ".join(layout) or "none"
            raise InputError(f"there is no tunable {name!r} in this build; there are {known}.")
        offset, size = layout[name]
        writes.append((offset, value_bytes(name, text, size)))
    for offset, value in writes:
        for at in range(0, len(value), WORD_BYTES):
            part = value[at : at + WORD_BYTES].ljust(WORD_BYTES, b"\0")
            client.write_word(offset + at, int.from_bytes(part, "little"))
    client.command("commit")
