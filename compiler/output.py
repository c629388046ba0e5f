"""Texts -> files in a directory, each written whole or not at all."""

import contextlib
import errno
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
    made: list[Path] = []
    staged: list[tuple[Path, Path]] = []
    try:
        _make(directory, made)
        for name, content in files.items():
            path = directory / name
            _make(path.parent, made)
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, f"{path} is a directory")
            handle, temporary = tempfile.mkstemp(prefix=".", dir=path.parent)
            staged.append((Path(temporary), path))
            with os.fdopen(handle, "wb") as f:
                f.write(content.encode() if isinstance(content, str) else content)
            Path(temporary).chmod(0o644)
        for temporary, path in staged:
            temporary.replace(path)
    except BaseException as error:
        for temporary, _ in staged:
            temporary.unlink(missing_ok=True)
        for path in reversed(made):
            with contextlib.suppress(OSError):
                path.rmdir()
        if not isinstance(error, OSError | ValueError):
            raise
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{directory} cannot be written: {reason}.") from None
    return [path for _, path in staged]


def _make(directory: Path, made: list[Path]) -> None:
    """Make a directory and those above it that are missing; adds each to `made`."""
    missing = [d for d in (directory, *directory.parents) if not d.exists()]
    for d in reversed(missing):
        d.mkdir()
        made.append(d)
    if not directory.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "it is a file, not a directory")
