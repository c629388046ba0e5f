"""Program and gate parameters -> the golden model of the gate as native code, compiled once and kept.

The same model as sim/golden.py, hundreds of times as fast. The program is translated from its decoded
instructions; descriptor, verdict and fate are in sim/native.h. sim/harness_judge.h asks it.
"""

from pathlib import Path

from ..compiler.expand import expand
from ..compiler.insn import MAX_FRAMES, STACK_SIZE, Program
from ..ctx_map.context import Context, Field, PacketEnd
from ..ctx_map.hash_types import HashType
from ..ctx_map.helpers import EFAULT, EINVAL
from ..ctx_map.models import MAX_TAGS, MICROSOFT_KEY
from ..ctx_map.prandom import ROTATE_LEFT, ROTATE_RIGHT, ROUND_CONSTANTS
from ..ctx_map.verdicts import Verdict
from ..hdl.config import GateConfig, OnDrop
from . import tools
from .interp import PACKET_ADDRESS
from .model import HARNESS, identity, kept
from .probes import COUNTERS
from .translate import function, operators

_FLAGS = ("-std=c++20", "-O2", "-w", "-shared", "-fPIC", "-fno-exceptions")
_HEADERS = ("native.h", "native_abi.h")


def build_native(
    program: Program,
    config: GateConfig,
    *,
    prandom_seed: int = 0,
    hash_key: bytes = MICROSOFT_KEY,
) -> Path:
    """The shared object, whose symbol `rxgate_native` is what sim/native_abi.h says."""
    source = native_source(program, config, prandom_seed=prandom_seed, hash_key=hash_key)
    headers = [(HARNESS / name).read_text() for name in _HEADERS]

    def make(scratch: Path) -> Path:
        (scratch / "native.cpp").write_text(source)
        tools.cxx().run(*_FLAGS, "-I", HARNESS, "native.cpp", "-o", "native.so", cwd=scratch)
        return scratch / "native.so"

    return kept("natives", (source, *headers, *_FLAGS, *identity()), make, suffix=".so")


def native_source(
    program: Program, config: GateConfig, *, prandom_seed: int, hash_key: bytes
) -> str:
    """The C++ text of the model."""
    program = expand(program)
    sections, data = {}, b""
    for name, content in program.data.items():
        sections[name] = len(data)
        data += content
    tunables = [sections[section] + offset for section, offset in program.tunable_places()]
    parts = (
        "#include <stdint.h>",
        _constants(program, config, prandom_seed, hash_key),
        _array("uint8_t", "data", data),
        '#include "native.h"',
        "namespace {",
        operators(),
        _context(program.context),
        function(program, sections),
        _verdicts(program.context),
        _tuser(config),
        _array("uint32_t", "tunables", tunables),
        "void tune(const uint8_t* image) {",
        f"for (unsigned i = 0; i < {len(tunables)}; ++i) data[tunables[i]] = image[i];",
        "}",
        "}",
        'extern "C" const Native rxgate_native = {',
        f"{-(-config.s_tuser_width // 8)}, receive, tuser, tune, judge}};",
    )
    return "\n".join(parts) + "\n"


def _constants(program: Program, config: GateConfig, prandom_seed: int, hash_key: bytes) -> str:
    """The names that sim/native.h takes for granted."""
    numbers = {
        "STRIP_VLAN": config.strip_vlan,
        "STORE_AND_FORWARD": config.store_and_forward,
        "MARKS": config.on_drop is OnDrop.MARK,
        "MAX_FRAME": config.max_frame,
        "MAX_TAGS": MAX_TAGS,
        "CONTEXT_SIZE": program.context.size,
        "DATA_SIZE": sum(map(len, program.data.values())),
        "PACKET_ADDRESS": PACKET_ADDRESS,
        "STACK_SIZE": STACK_SIZE,
        "MAX_FRAMES": MAX_FRAMES,
        "PRANDOM_SEED": prandom_seed,
        "ROTATE_LEFT": ROTATE_LEFT,
        "ROTATE_RIGHT": ROTATE_RIGHT,
        "EFAULT": EFAULT,
        "EINVAL": EINVAL,
        "COUNTER_BAD": COUNTERS.index("bad"),
    } | {kind.name: int(kind) for kind in HashType}
    lines = [f"constexpr int64_t {name} = {int(value)};" for name, value in numbers.items()]
    lines += [
        _array("const uint8_t", "HASH_KEY", hash_key),
        _array("const uint32_t", "ROUND_CONSTANTS", ROUND_CONSTANTS),
        _array("const uint8_t", "COUNTER_OF", [COUNTERS.index(v.name.lower()) for v in Verdict]),
        _array("const bool", "DROPS", [int(v.drops) for v in Verdict]),
    ]
    return "\n".join(lines)


def _array(kind: str, name: str, values: bytes | list[int] | tuple[int, ...]) -> str:
    return f"static {kind} {name}[{len(values) or 1}] = {{{', '.join(map(str, values))}}};"


def _context(context: Context) -> str:
    """The words of the context: all its fields have 4 bytes and lie at multiples of 4."""
    cases = "".join(f"case {f.offset // f.SIZE}: return {_field(f)};\n" for f in context.fields)
    return (
        "uint32_t context_word(const Descriptor& d, uint64_t n) {\n"
        f"switch (n) {{\n{cases}}}\nreturn 0;\n}}"
    )


def _field(field: Field) -> str:
    match field.points_to:
        case PacketEnd.START:
            return "PACKET_ADDRESS"
        case PacketEnd.END:
            return "PACKET_ADDRESS + d.p.size"
    value = f"d.{field.signal}()"
    if field.flag:
        return f"{value} != 0"
    return f"swapped(uint16_t({value}))" if field.network_order else value


def _verdicts(context: Context) -> str:
    rule = context.verdicts
    cases = "".join(f"case {r0}u: return {int(v)};\n" for r0, v in rule.exact.items())
    return (
        "uint8_t verdict_of(uint32_t r0) {\n"
        f"switch (r0) {{\n{cases}}}\nreturn {int(rule.otherwise)};\n}}"
    )


def _tuser(config: GateConfig) -> str:
    puts = "".join(
        f"put_bits(to, {offset}, d.{name}());\n"
        for name, (offset, _) in config.s_tuser.items() if name != "err"
    )
    return f"void tuser(const Packet* p, uint8_t* to) {{\nconst Descriptor d{{*p}};\n{puts}}}"
