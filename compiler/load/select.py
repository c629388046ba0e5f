"""An object's sections and symbols -> its functions, the chosen one, and its context."""

from dataclasses import dataclass
from itertools import pairwise

from ...ctx_map.context import CONTEXTS, TC, XDP_MD, XDP_METADATA, Context
from ..errors import ElfError, InputError, Unsupported, Where
from .image import Image, Section
from .raw import SLOT


@dataclass(frozen=True, slots=True)
class Function:
    """A function: `size` bytes from byte `start` of section number `section`."""

    name: str
    section: int
    start: int
    size: int
    is_global: bool


def functions_of(image: Image, file: str) -> tuple[Function, ...]:
    """Every function, in section order. Assembly without symbols: the section is one function."""
    found = []
    for section in image.sections:
        if section.is_code and section.data:
            if len(section.data) % SLOT:
                raise ElfError(
                    f"{file} is damaged: {len(section.data)} bytes of code are no whole number of "
                    "8-byte instructions. Build it again.", Where(section.name),
                )
            found.extend(_functions_in(image, section, file))
    return tuple(found)


def _functions_in(image: Image, section: Section, file: str) -> list[Function]:
    symbols = [
        s for s in image.symbols
        if s.section == section.index
        and (s.kind == "STT_FUNC" or (s.kind == "STT_NOTYPE" and s.is_global))
    ]
    starts = {s.value: s for s in reversed(symbols)}
    ends = [*sorted(starts), len(section.data)]
    found = []
    if 0 not in starts:
        found.append(Function(section.name, section.index, 0, ends[0], True))
    for start, limit in pairwise(ends):
        symbol = starts[start]
        size = symbol.size or limit - start
        if start % SLOT or size % SLOT or size == 0 or start + size > len(section.data):
            raise ElfError(
                f"{file} is damaged: function {symbol.name!r} spans bytes {start} to "
                f"{start + size} of {len(section.data)}. Build it again.", Where(section.name),
            )
        found.append(
            Function(symbol.name or section.name, section.index, start, size, symbol.is_global)
        )
    return found


def programs_of(image: Image, functions: tuple[Function, ...]) -> list[Function]:
    """The global functions outside .text, or those in it when there are no others."""
    found = [
        f for f in functions
        if f.is_global and not f"{image.sections[f.section].name}.".startswith(".text.")
    ]
    return found or [f for f in functions if f.is_global]


def choose(
    image: Image,
    functions: tuple[Function, ...],
    file: str,
    section: str | None,
    function: str | None,
) -> Function:
    """The program that `section` and `function` name; the only one when neither is given."""
    programs = programs_of(image, functions)
    matching = [
        f for f in (functions if function else programs)
        if section in (None, image.sections[f.section].name) and function in (None, f.name)
    ]
    if len(matching) == 1:
        return matching[0]
    listing = ", ".join(f"{f.name} (section {image.sections[f.section].name})" for f in programs)
    if not programs:
        raise ElfError(
            f"{file} holds no program: no global function in any code section. Put the filter "
            'into a section, as in SEC("phys_dev").'
        )
    if not matching:
        asked = (("section", section), ("function", function))
        wanted = " and ".join(f"{kind} {name}" for kind, name in asked if name)
        raise InputError(f"{file} has no program with {wanted}. It has: {listing}.")
    raise InputError(
        f"{file} holds several programs: {listing}. Choose one with --section or --function."
    )


_FOREIGN = frozenset((
    "kprobe", "kretprobe", "uprobe", "uretprobe", "usdt", "ksyscall", "kretsyscall", "tracepoint",
    "tp", "raw_tracepoint", "raw_tp", "tp_btf", "fentry", "fexit", "fmod_ret", "freplace", "lsm",
    "lsm_cgroup", "iter", "syscall", "perf_event", "cgroup", "cgroup_skb", "lwt_in", "lwt_out",
    "lwt_xmit", "lwt_seg6local", "sk_msg", "sk_skb", "sk_lookup", "sk_reuseport", "sockops",
    "flow_dissector", "struct_ops", "netfilter", "lirc_mode2",
))
"""First words of section names that libbpf gives to programs that filter no received packets."""


def context_of(section: str, struct: str = "") -> Context:
    """The context of a program: by its section's name, else by the struct behind its parameter.

    A section `prog` is XDP, as iproute2 has it; what says nothing at all is PHYS_DEV.

    Raises
    ------
    Unsupported
        It is of a kind that filters no packets.
    InputError
        Its parameter is a struct of several contexts.
    """
    name = section.removeprefix("?")
    for context in CONTEXTS:
        if name.startswith(context.sections):
            return context
    if name.split("/")[0].split(".")[0] in _FOREIGN:
        raise Unsupported(
            f"a program in section {section} is no packet filter; what compiles lies in sections"
            f" {', '.join(s for c in CONTEXTS for s in c.sections)}. If it is one, say so with"
            " --context"
        )
    matching = [c for c in CONTEXTS if struct in c.structs]
    if TC in matching:
        raise InputError(
            f"section {section} does not say how the return value is read; choose with --context "
            + " or --context ".join(c.name for c in matching)
        )
    if matching:
        return matching[0]
    return XDP_MD if name == "prog" else XDP_METADATA
