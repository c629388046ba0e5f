"""BPF C or assembly -> an object file, by the clang that the ziglang wheel brings.

RXGATE_CLANG in the environment names another clang. The compiler runs in the source's directory and
gets its bare name, so that debug information holds no path of this machine.
"""

import importlib.util
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from ..errors import InputError, ToolError

INCLUDE = Path(__file__).resolve().parents[2] / "ctx_map" / "include"
"""Holds rxgate/phys_dev.h."""
DEFAULT_CPU = "v4"
"""Instruction set version: the first with signed division, sign-extending loads and long jumps."""
_REFUSED = tuple(
    f"-Werror={w}" for w in ("uninitialized", "sometimes-uninitialized", "return-type")
)
"""Warnings that refuse a source: clang would compile something, and nobody knows what."""
_LIKE_CLANG = ("-fhosted", "-fbuiltin", "-mllvm", "-disable-loop-idiom-all")
"""memcmp() of a constant size becomes loads, as with a plain clang; loops stay loops, not memset()."""
_SECONDS = 120
_TEXT_LINES = 30


def compile_source(path: Path, mcpu: str | None = None) -> bytes:
    """The object file of a .c or .s file; `mcpu` is v1, v2, v3 or v4."""
    kernel, library = _headers()
    with tempfile.TemporaryDirectory(prefix="rxgate-") as scratch:
        out = Path(scratch) / "program.o"
        command = [
            *_compiler(), "-O2", "-g", f"-mcpu={mcpu or DEFAULT_CPU}", "-fno-jump-tables",
            "-Wall", "-Wno-unused-function", "-Wno-unused-command-line-argument", *_REFUSED,
            "-fdebug-compilation-dir=.", f"-fdebug-prefix-map={INCLUDE}{os.sep}=", f"-I{INCLUDE}",
            *(f"-isystem{d}" for d in kernel), *(f"-idirafter{d}" for d in library),
            "-c", path.name, "-o", str(out),
        ]
        env = os.environ | {"ZIG_LOCAL_CACHE_DIR": scratch, "ZIG_GLOBAL_CACHE_DIR": scratch}
        try:
            done = subprocess.run(
                command, cwd=path.absolute().parent, env=env, capture_output=True, text=True,
                errors="replace", stdin=subprocess.DEVNULL, timeout=_SECONDS, check=False,
            )
        except OSError as e:
            raise ToolError(
                f"the C compiler cannot be run: {command[0]}: {e.strerror}. Install the ziglang "
                "wheel, or set RXGATE_CLANG to a clang that has the BPF target."
            ) from e
        except subprocess.TimeoutExpired as e:
            raise InputError(f"{path.name}: the C compiler gave up after {_SECONDS} s.") from e
        if done.returncode or not out.exists():
            raise InputError(f"{path.name} does not compile:\n{_trim(done.stderr, scratch)}")
        return out.read_bytes()


def _compiler() -> list[str]:
    if clang := os.environ.get("RXGATE_CLANG"):
        return [clang, "-target", "bpf"]
    return [sys.executable, "-m", "ziglang", "cc", "-target", "bpfel-freestanding", *_LIKE_CLANG]


def _headers() -> tuple[list[Path], list[Path]]:
    """Directories in the wheel: the kernel's user-space headers, and those of a C library.

    Some of the former include the latter (linux/icmp.h: sys/socket.h).
    """
    spec = importlib.util.find_spec("ziglang")
    if spec is None or spec.origin is None:
        return [], []
    include = Path(spec.origin).parent / "lib" / "libc" / "include"
    machine = "aarch64" if platform.machine() in ("aarch64", "arm64") else "x86"
    processor = "aarch64" if machine == "aarch64" else "x86_64"
    return (
        [include / "any-linux-any", include / f"{machine}-linux-any"],
        [include / f"{processor}-linux-musl", include / "generic-musl"],
    )


def _trim(text: str, scratch: str) -> str:
    lines = [line for line in text.replace(scratch, "").splitlines() if line.strip()]
    more = [f"... and {len(lines) - _TEXT_LINES} more lines"] if len(lines) > _TEXT_LINES else []
    return "\n".join(lines[:_TEXT_LINES] + more) or "the compiler gave no reason."
