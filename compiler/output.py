"""Texts -> files in a directory, each written whole or not at all."""

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from .errors import InputError


def write_files(directory: Path, files: Mapping[str, str | bytes]) -> list[Path]:
    """Write `files` (name -> content) below `directory`, which is made if need be.

    Everything is written under temporary names first; nothing is replaced unless all of it could
    be written. Returns the paths.

    Raises
    ------
    InputError
        The directory cannot be made or written.
    """
    made = not directory.exists()
    staged: list[tuple[Path, Path]] = []
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=".", dir=path.parent)
            staged.append((Path(temporary), path))
            with os.fdopen(handle, "wb") as f:
                f.write(content.encode() if isinstance(content, str) else content)
            Path(temporary).chmod(0o644)
        for temporary, path in staged:
            temporary.replace(path)
    except OSError as error:
        for temporary, _ in staged:
            temporary.unlink(missing_ok=True)
        if made:
            with contextlib.suppress(OSError):
                directory.rmdir()
        raise InputError(f"{directory} cannot be written: {error.strerror or error}") from None
    return [path for _, path in staged]
