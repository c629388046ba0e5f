"""An eBPF object file -> one linked program: the chosen function and all that it calls.

Relocations: kernel, Documentation/bpf/llvm_reloc.rst. Addends are implicit: they stand in the
instruction's immediate.
"""

from collections import Counter
from dataclasses import dataclass, field

from ...ctx_map.context import Context
from ...ctx_map.kfuncs import METADATA
from ..errors import ElfError, SourceLine, Unsupported, Where
from ..insn import Variable
from .btf import Btf, read_btf
from .image import WRITE, Image, Reloc, Section, Symbol, read_image
from .lines import Lines, read_lines
from .raw import SLOT, RawProgram
from .select import Function, choose, context_of, functions_of, programs_of

_R_64_64 = 1
_R_64_32 = 10
_LDDW = 0x18
_CALL = 0x85
_LOCAL, _KERNEL = 1, 2
"""Source register of a call: a function of the program, a function of the kernel."""
_CALLBACK = 4
"""Source register of a load of a function's address."""


def list_elf(blob: bytes, name: str) -> list[tuple[str, str]]:
    """(section, function) of every program of the object `blob`."""
    image = read_image(blob, name)
    programs = programs_of(image, functions_of(image, name))
    return [(image.sections[f.section].name, f.name) for f in programs]


def load_elf(
    blob: bytes,
    name: str,
    section: str | None = None,
    function: str | None = None,
    context: Context | None = None,
) -> RawProgram:
    """Link one program of the object `blob`; `name` is the file's, for diagnostics."""
    image = read_image(blob, name)
    functions = functions_of(image, name)
    entry = choose(image, functions, name, section, function)
    btf = read_btf(image)
    home = image.sections[entry.section].name
    chosen = context or context_of(home, btf.parameters.get(entry.name, ""))
    return _Linker(image, name, functions, read_lines(image, blob), btf).link(entry, chosen)


@dataclass(slots=True)
class _Linker:
    """Collects functions in the order in which they are first called, then fixes the calls."""

    image: Image
    file: str
    functions: tuple[Function, ...]
    debug: Lines
    btf: Btf
    code: bytearray = field(default_factory=bytearray)
    placed: dict[Function, int] = field(default_factory=dict)
    calls: list[tuple[int, Function]] = field(default_factory=list)
    callbacks: list[tuple[int, Function]] = field(default_factory=list)
    data: dict[str, bytes] = field(default_factory=dict)
    data_refs: dict[int, tuple[str, int]] = field(default_factory=dict)
    externs: dict[int, str] = field(default_factory=dict)
    maps: dict[int, str] = field(default_factory=dict)
    lines: dict[int, SourceLine] = field(default_factory=dict)

    def link(self, entry: Function, context: Context) -> RawProgram:
        todo = [entry]
        while todo:
            function = todo.pop(0)
            if function not in self.placed:
                calls, callbacks = len(self.calls), len(self.callbacks)
                self._place(function)
                todo.extend(f for _, f in self.calls[calls:] + self.callbacks[callbacks:])
        for slot, target in self.calls + self.callbacks:
            self._set_imm(slot, self.placed[target] - slot - 1)
        return RawProgram(
            name=entry.name,
            section=self.image.sections[entry.section].name,
            context=context,
            code=bytes(self.code),
            functions={slot: f.name for f, slot in self.placed.items()},
            data=self.data,
            data_refs=self.data_refs,
            externs=self.externs,
            maps=self.maps,
            lines=self.lines,
            variables=self._variables(),
        )

    def _place(self, f: Function) -> None:
        base = len(self.code) // SLOT
        self.placed[f] = base
        home = self.image.sections[f.section]
        body = home.data[f.start : f.start + f.size]
        self.code += body
        for offset, line in sorted(self.debug.get(home.name, {}).items()):
            if f.start <= offset < f.start + f.size:
                self.lines[base + (offset - f.start) // SLOT] = line
        relocs = {
            r.offset - f.start: r
            for r in self.image.relocs.get(f.section, ())
            if f.start <= r.offset < f.start + f.size
        }
        at, line = 0, None
        while at < len(body):
            slot, reloc = base + at // SLOT, relocs.pop(at, None)
            line = self.lines.get(slot, line)
            where = Where(home.name, (f.start + at) // SLOT, line)
            if body[at] == _LDDW:
                if reloc is not None:
                    self._address(slot, reloc, where)
                at += SLOT
            elif body[at] == _CALL and (reloc is not None or body[at + 1] >> 4 == _LOCAL):
                self._call(slot, f, at, reloc, where)
            elif reloc is not None:
                raise ElfError(
                    f"{self.file} has a relocation (type {reloc.kind}) on an instruction that "
                    "neither loads an address nor calls. Build it again.", where,
                )
            at += SLOT
        if relocs:
            raise ElfError(
                f"{self.file} has a relocation at byte {f.start + min(relocs)}, inside an "
                "instruction. Build it again.", Where(home.name),
            )

    def _call(
        self, slot: int, caller: Function, at: int, reloc: Reloc | None, where: Where
    ) -> None:
        section, target = caller.section, caller.start + at + (self._imm(slot) + 1) * SLOT
        if reloc is not None:
            self._expect(reloc, _R_64_32, where)
            if reloc.symbol.section == "SHN_UNDEF":
                self.externs[slot] = self._kernel_function(reloc, where)
                self.code[slot * SLOT + 1] = _KERNEL << 4
                self._set_imm(slot, 0)
                return
            home = self._home(reloc, where)
            section = home.index
            target = reloc.symbol.value + reloc.addend + (self._imm(slot) + 1) * SLOT
        self.calls.append((slot, self._function_at(section, target, where)))

    def _function_at(self, section: int, start: int, where: Where) -> Function:
        for f in self.functions:
            if (f.section, f.start) == (section, start):
                return f
        raise ElfError(
            f"{self.file} calls byte {start} of section {self.image.sections[section].name}, "
            "where no function begins. In assembly, mark functions with .type NAME, @function.",
            where,
        )

    def _kernel_function(self, reloc: Reloc, where: Where) -> str:
        name = self._name(reloc, where)
        if name in _LIBRARY:
            raise Unsupported(
                f"{name}() of the C library is called, which no packet program has. Give"
                f" __builtin_{name}() a small size that is constant, and compile with -O2, so that"
                " clang makes loads and stores of it; or write the loop.", where,
            )
        if self.btf.known and name not in self.btf.kernel:
            raise Unsupported(
                f"{name}() is called, but the object does not define it. Link it with the object "
                'that does (bpftool gen object); a kernel function is declared with SEC(".ksyms").',
                where,
            )
        return name

    def _address(self, slot: int, reloc: Reloc, where: Where) -> None:
        self._expect(reloc, _R_64_64, where)
        if reloc.symbol.section == "SHN_UNDEF":
            name = self._name(reloc, where)
            if name in self.btf.kernel:
                self._set_imm(slot, name in METADATA)
                return
            raise Unsupported(
                f"the program takes the address of {name}, which the object does not define. Define "
                "it in the same file, as a constant.", where,
            )
        if reloc.symbol.section == "SHN_COMMON":
            raise Unsupported(_WRITABLE.format("common", self._name(reloc, where)), where)
        home = self._home(reloc, where)
        offset = reloc.symbol.value + reloc.addend + self._imm(slot)
        label = self._label(reloc, home, offset)
        if home.name == "maps" or home.name.startswith(".maps"):
            self.maps[slot] = label
        elif home.is_code:
            self.callbacks.append((slot, self._function_at(home.index, offset, where)))
            self.code[slot * SLOT + 1] |= _CALLBACK << 4
        elif home.flags & WRITE or not home.data:
            raise Unsupported(_WRITABLE.format(home.name, label), where)
        else:
            self._read_only(slot, home, offset, where)
        self._set_imm(slot, 0)

    def _read_only(self, slot: int, home: Section, offset: int, where: Where) -> None:
        start, end = self._object(home, offset)
        if any(start <= r.offset < end for r in self.image.relocs.get(home.index, ())):
            raise Unsupported(
                f"the program uses constants in section {home.name} that are addresses; constants "
                "can only be plain numbers. Use indices instead of pointers.", where,
            )
        if self.data.setdefault(home.name, home.data) != home.data:
            raise ElfError(
                f"{self.file} has two different sections {home.name}. Link them with ld -r.", where
            )
        self.data_refs[slot] = (home.name, offset)

    def _object(self, home: Section, offset: int) -> tuple[int, int]:
        """First byte, and first byte beyond, of the constant at an address; else of its section."""
        for s in self.image.symbols:
            inside = s.value <= offset < s.value + s.size
            if s.section == home.index and s.kind == "STT_OBJECT" and inside:
                return s.value, s.value + s.size
        return 0, len(home.data)

    def _variables(self) -> dict[str, Variable]:
        """What symbols name in the sections of data. Where several variables have a name, it is that
        of the global one, and the place follows the name of the static ones."""
        found: list[tuple[Symbol, Variable]] = []
        for s in self.image.symbols:
            home = self.image.of(s)
            if home is None or s.kind != "STT_OBJECT" or self.data.get(home.name) != home.data:
                continue
            if s.size and s.value + s.size <= len(home.data) and not s.name.startswith(".L"):
                found.append((s, Variable(home.name, s.value, s.size)))
        found.sort(key=lambda pair: (pair[1].section, pair[1].offset))
        times = Counter(s.name for s, _ in found)
        return {
            s.name if s.is_global or times[s.name] == 1 else f"{s.name}@{v.section}+{v.offset}": v
            for s, v in found
        }

    def _expect(self, reloc: Reloc, kind: int, where: Where) -> None:
        if reloc.kind != kind:
            raise ElfError(
                f"{self.file} has relocation type {reloc.kind} where type {kind} belongs. "
                "Build it again.", where,
            )

    def _home(self, reloc: Reloc, where: Where) -> Section:
        home = self.image.of(reloc.symbol)
        if home is None:
            raise ElfError(
                f"{self.file} refers to symbol {reloc.symbol.name!r}, which lies in no section. "
                "Build it again.", where,
            )
        return home

    def _name(self, reloc: Reloc, where: Where) -> str:
        if not reloc.symbol.name:
            raise ElfError(
                f"{self.file} refers to an undefined symbol without a name. Build it again.", where
            )
        return reloc.symbol.name

    def _label(self, reloc: Reloc, home: Section, offset: int) -> str:
        """The symbol at an address, for a map's name and for diagnostics."""
        if reloc.symbol.name and reloc.symbol.kind != "STT_SECTION":
            return reloc.symbol.name
        for s in self.image.symbols:
            inside = s.value <= offset < s.value + max(s.size, 1)
            if s.section == home.index and inside and s.kind != "STT_SECTION":
                return s.name
        return f"{home.name}+{offset}"

    def _imm(self, slot: int) -> int:
        return int.from_bytes(self.code[slot * SLOT + 4 : slot * SLOT + 8], "little", signed=True)

    def _set_imm(self, slot: int, value: int) -> None:
        self.code[slot * SLOT + 4 : slot * SLOT + 8] = value.to_bytes(4, "little", signed=True)


_WRITABLE = (
    "the program uses the writable global variable {1} (section {0}), which outlives a packet; "
    "programs keep no state yet. What only the host sets is `const volatile`: --set gives it a value, "
    "--tunable keeps it as a register. What one packet needs is a local variable."
)
_LIBRARY = frozenset(("memcmp", "memcpy", "memmove", "memset", "bcmp", "strlen", "strcmp", "strncmp"))
"""Functions that clang calls where it does not expand its builtins."""
