"""A program that is no program, or no safe one, is refused with section, instruction, line, reason."""

import itertools
import random
import struct

import pytest
from rxgate.compiler.encode import encode
from rxgate.compiler.source import read_program

EXIT = "95 00 0000 00000000"
OK = "b7 00 0000 01000000"


def hexadecimal(*slots: str) -> str:
    """One program, as an argument."""
    return " ".join(slots)


UNDECODABLE = {
    "arithmetic opcode": ("d7 00 0000 11000000", "a byte swap has 16, 32 or 64 bits, not 17"),
    "no such operation": ("e7 00 0000 00000000", "unknown arithmetic opcode 0xe7"),
    "register swap": ("df 00 0000 10000000", "unknown opcode 0xdf"),
    "neg of a register": ("8f 00 0000 00000000", "unknown opcode 0x8f"),
    "register 11": ("b7 0b 0000 00000000", "there is no register r11"),
    "source register 12": ("bf c0 0000 00000000", "there is no register r12"),
    "reserved immediate": ("bf 10 0000 05000000", "reserved field `imm` of opcode 0xbf is not zero"),
    "reserved source": ("b7 10 0000 05000000", "reserved field `src` of opcode 0xb7 is not zero"),
    "reserved offset": ("07 00 0100 05000000", "reserved field `off` of opcode 0x07 is not zero"),
    "movsx of 7 bits": ("bf 10 0700 00000000", "a sign-extending move has no 7-bit form"),
    "movsx32 of 32 bits": ("bc 10 2000 00000000", "a sign-extending move has no 32-bit form"),
    "jump opcode": ("f5 00 0000 00000000", "unknown jump opcode 0xf5"),
    "call32": ("86 00 0000 05000000", "unknown jump opcode 0x86"),
    "exit with a value": ("95 00 0000 01000000", "reserved field `imm` of opcode 0x95 is not zero"),
    "kind of call": ("85 30 0000 00000000", "unknown kind of call 3"),
    "atomic operation": ("db 0a f8ff 30000000", "unknown atomic operation 0x30"),
    "atomic byte": ("d3 0a f8ff 00000000", "unknown load or store opcode 0xd3"),
    "8-byte packet load": ("38 00 0000 00000000", "unknown load or store opcode 0x38"),
    "sign-extending 8 bytes": ("99 10 0000 00000000", "unknown load or store opcode 0x99"),
    "cut off": ("18 00 0000 00000000", "a 64-bit load is cut off after its first half"),
    "jump out": ("05 00 0700 00000000", "the target, slot 8, is not an instruction"),
    "jump before": ("05 00 feff 00000000", "the target, slot -1, is not an instruction"),
}


@pytest.mark.parametrize("name", UNDECODABLE)
def test_no_instruction(refused, name):
    slot, reason = UNDECODABLE[name]
    words = (slot,) if name == "cut off" else (slot, EXIT)
    text = refused("check", hexadecimal(*words))
    shown = bytes.fromhex(slot).hex(" ")
    assert text.startswith("rxgate: section hex, instruction 0, hex:1")
    assert text.endswith(f"{reason} (bytes {shown})")


def test_jump_into_an_instruction(refused):
    words = ("05 00 0100 00000000", "18 00 0000 00000000", "00 00 0000 00000000", EXIT)
    assert "the target, slot 2, is not an instruction" in refused("check", hexadecimal(*words))


UNSAFE = {
    "unset register": ((EXIT,), 0, "r0 is read, but was never written"),
    "returned address": (("bf 10 0000 00000000", EXIT), 1,
                         "r0 is returned, but holds a context pointer +0; return a number"),
    "frame pointer": (("b7 0a 0000 00000000", OK, EXIT), 0, "the frame pointer r10 is read-only"),
    "address times 2": (("27 01 0000 02000000", OK, EXIT), 0, "an address can only be copied"),
    "address compared": (("15 01 0000 05000000", OK, EXIT), 0,
                         "addresses can only be compared with 0"),
    "number as address": (("b7 02 0000 00000000", "61 20 0000 00000000", EXIT), 1,
                          "r2 is used as an address, but holds the number 0"),
    "outside the context": (("61 10 2000 00000000", EXIT), 0,
                            "byte 32 is outside struct xdp_metadata, which has 32 bytes"),
    "part of a field": (("69 10 0000 00000000", EXIT), 0, "4"),
    "store to the context": (("62 01 0000 00000000", OK, EXIT), 0,
                             "a store to the context, which is read-only"),
    "atomic on the context": (("b7 02 0000 00000000", "c3 21 0000 00000000", OK, EXIT), 1,
                              "an atomic operation on the context, which is read-only"),
    "unset stack": (("79 a0 f8ff 00000000", EXIT), 0, "stack"),
    "below the stack": (("7a 0a f8fd 00000000", OK, EXIT), 0, "stack"),
    "above the stack": (("7a 0a 0000 00000000", OK, EXIT), 0, "stack"),
    "half an address stored": (("63 1a f8ff 00000000", OK, EXIT), 0,
                               "an address can only be stored whole"),
    "division by zero": ((OK, "37 00 0000 00000000", EXIT), 1, "division by the constant 0"),
    "shift too far": ((OK, "67 00 0000 40000000", EXIT), 1,
                      "shift of a 64-bit value by the constant 64"),
    "no context in r6": (("30 00 0000 00000000", EXIT), 0, "r6 is read, but was never written"),
    "after a packet load": (("bf 16 0000 00000000", "30 00 0000 00000000",
                             "bf 10 0000 00000000", EXIT), 2,
                            "r1 is read, but was destroyed by a call or a packet load"),
    "argument of a call": (("b7 02 0000 00000000", "b7 03 0000 00000000", "b7 04 0000 01000000",
                            "85 00 0000 1a000000", EXIT), 3,
                           "argument 3 of bpf_skb_load_bytes() must be"),
    "no helper": (("85 00 0000 ff000000", EXIT), 0, "there is no helper 255"),
    "falls off the end": ((OK,), 0, "control can fall off the end of the function"),
    "unreachable": ((OK, EXIT, EXIT), 2, "no path reaches this instruction"),
}
UNSUPPORTED = {
    "loop": (("05 00 ffff 00000000",), 0, "the loop back to slot 0 is not proven to end"),
    "may_goto": (("e5 00 0000 00000000", OK, EXIT), 0, "may_goto makes a loop"),
    "helper": (("85 00 0000 01000000", EXIT), 0, "helper bpf_map_lookup_elem() (1) is not"),
    "kernel function": (("85 20 0000 01000000", EXIT), 0, "kernel function with BTF id 1"),
    "map": (("18 11 0000 05000000", "00 00 0000 00000000", OK, EXIT), 0, "not supported yet"),
    "recursion": (("85 10 0000 ffffffff", EXIT), 0, "calls itself; a pipeline cannot recurse"),
    "deep in the packet": (("bf 16 0000 00000000", "30 00 0000 00010000", EXIT), 1,
                           "the packet load can reach byte 256, beyond the header window of 256"
                           " bytes; bound the offset in the program, or raise --max-window"),
    "anywhere in the packet": (("bf 16 0000 00000000", "61 12 0000 00000000",
                                "50 20 0000 00000000", EXIT), 2, "the packet load can reach"),
    "network header": (("bf 16 0000 00000000", "30 00 0000 0000f0ff", EXIT), 1,
                       "addresses relative to a network or link header"),
}


@pytest.mark.parametrize("name", UNSAFE | UNSUPPORTED)
@pytest.mark.parametrize("command", ["check", "run"])
def test_unsafe_or_unsupported(refused, name, command):
    slots, place, reason = (UNSAFE | UNSUPPORTED)[name]
    if command == "run" and name == "deep in the packet":
        slots = tuple(s.replace("00010000", "00100000") for s in slots)
        reason = "the packet load can reach byte 4096"
    text = refused(command, hexadecimal(*slots))
    assert text.startswith(f"rxgate: section hex, instruction {place}, hex:1")
    assert reason in text


def test_every_problem_is_told(refused):
    words = ("bf 20 0000 00000000", "27 01 0000 02000000", "7a 0a 0000 00000000", EXIT)
    text = refused("check", hexadecimal(*words))
    assert text.startswith("rxgate: section hex, instruction 0, hex:1")
    assert " (and 2 more: section hex, instruction 1, hex:1" in text
    assert "; section hex, instruction 2, hex:1" in text


def test_two_wrong_lines_of_c(refused, tmp_path):
    (tmp_path / "two.c").write_text(
        "#include <rxgate/phys_dev.h>\n"
        'SEC("phys_dev")\n'
        "int two(struct xdp_metadata *ctx)\n"
        "{\n"
        "\tif (load_byte(ctx, 300))\n"
        "\t\treturn 0;\n"
        "\treturn load_byte(ctx, 400);\n"
        "}\n"
    )
    text = refused("check", "two.c")
    assert text.startswith("rxgate: section phys_dev, instruction 1, two.c:5")
    assert "the packet load can reach byte 300" in text
    assert " (and 1 more: section phys_dev, instruction " in text
    assert "two.c:7" in text


SOURCES = {
    "syntax": ("x.c", "int f(void) { return", "x.c does not compile:\nx.c:1:"),
    "no header": ("x.c", '#include "none.h"\n', "'none.h' file not found"),
    "assembly": ("x.s", "r0 = = 1\n", "x.s does not compile:\nx.s:1:"),
    "empty C": ("x.c", "", "x.c holds no program: no global function in any code section"),
    "empty assembly": ("x.s", "", "x.s holds no program"),
    "empty object": ("x.o", "", "x.o is not an ELF file"),
    "empty hexadecimal": ("x.hex", "", "x.hex holds 0 bytes"),
    "half an instruction": ("x.hex", "b700\n", "x.hex holds 2 bytes"),
    "odd digits": ("x.hex", "b7 0\n", "x.hex:1: '0' is not a whole number of bytes"),
    "no kind": ("x.txt", "b7", "x.txt is neither C (.c), assembly (.s), an ELF object (.o) nor"),
    "state": (
        "x.c",
        "#include <rxgate/phys_dev.h>\nint seen;\n"
        'SEC("phys_dev") int f(struct xdp_metadata *c) { return seen++; }\n',
        "writable global variable seen"),
    "a map": (
        "x.c",
        "#include <rxgate/phys_dev.h>\n"
        'struct { int type; } counts SEC(".maps");\n'
        "static void *(*look)(void *, void *) = (void *)1;\n"
        'SEC("phys_dev") int f(struct xdp_metadata *c) { int k = 0; return !look(&counts, &k); }\n',
        "map `counts` is used; maps are not supported yet"),
    "a loop": (
        "x.c",
        "#include <rxgate/phys_dev.h>\n"
        'SEC("phys_dev") int f(struct xdp_metadata *c)\n'
        "{ int n = 0;\n#pragma clang loop unroll(disable)\n"
        "  for (__u32 i = 0; i < c->len; i++) n += load_byte(c, 20 + (i & 3));\n  return n & 1; }\n",
        "not proven to end within 256 iterations"),
    "an unknown function": (
        "x.c",
        "#include <rxgate/phys_dev.h>\nextern int strange(void) SEC(\".ksyms\");\n"
        'SEC("phys_dev") int f(struct xdp_metadata *c) { return strange(); }\n',
        "kernel function strange() is not available"),
    "an unset variable": (
        "x.c",
        "#include <rxgate/phys_dev.h>\n"
        'SEC("phys_dev") int f(struct xdp_metadata *c) { int n; return n + load_byte(c, 4); }\n',
        "variable 'n' is uninitialized when used here"),
    "no return": (
        "x.c",
        "#include <rxgate/phys_dev.h>\n"
        'SEC("phys_dev") int f(struct xdp_metadata *c) { if (load_byte(c, 4)) return 1; }\n',
        "does not return a value in all control paths"),
    "two programs": (
        "x.c",
        "#include <rxgate/phys_dev.h>\n"
        'SEC("phys_dev/a") int a(struct xdp_metadata *c) { return 0; }\n'
        'SEC("phys_dev/b") int b(struct xdp_metadata *c) { return 1; }\n',
        "x.c holds several programs: a (section phys_dev/a), b (section phys_dev/b). Choose one"
        " with --section or --function."),
}


@pytest.mark.parametrize("name", SOURCES)
def test_sources(refused, tmp_path, name):
    file, text, reason = SOURCES[name]
    (tmp_path / file).write_text(text)
    assert reason in refused("check", "--json", file)


@pytest.mark.parametrize("suffix", ["c", "s", "hex", "o", "", "txt"])
def test_junk(refused, tmp_path, suffix):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    (tmp_path / f"junk.{suffix}").write_bytes(random.Random(seed).randbytes(300))
    assert "junk" in refused("compile", f"junk.{suffix}", "-o", "out")


def test_places(refused, tmp_path):
    (tmp_path / "d.c").mkdir()
    assert refused("check", "none.c") == "rxgate: none.c cannot be read: No such file or directory."
    assert refused("check", "d.c") == "rxgate: d.c cannot be read: Is a directory."
    assert refused("check", "n\0ne.c") == "rxgate: n\0ne.c cannot be read: embedded null byte."
    assert "cannot be read: File name too long." in refused("check", "x" * 300)


def test_choice(refused, tmp_path):
    (tmp_path / "x.c").write_text(SOURCES["two programs"][1])
    told = "It has: a (section phys_dev/a), b (section phys_dev/b)."
    assert refused("check", "x.c", "--section", "c").endswith(f"section c. {told}")
    assert refused("check", "x.c", "--function", "c").endswith(f"function c. {told}")
    told = "rxgate: there is no context 'c'; there are xdp_metadata, "
    assert refused("check", "x.c", "--context", "c").startswith(told)


EXPRESSIONS = {
    "udp port": "can't parse filter expression: syntax error",
    "udp port 99999": "illegal port number 99999 > 65535",
    "host example.org": "names are not looked up",
    "ether[300] = 1": "the packet load can reach byte 300, beyond the header window of 256 bytes",
    "ether[len] = 1": "the packet load can reach bytes 0 to 4294967295",
    "ip protochain 6": "it contains a loop (`protochain` makes one)",
    "inbound": "packet type",
    "udp port 53 \u00fc": "contains characters other than ASCII text",
    "\udcff": "contains characters other than ASCII text",
    "(" * 3000: "... ((((",
}


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=lambda e: ascii(e[:20]))
def test_expressions(refused, expression):
    text = refused("check", "--filter", expression)
    assert EXPRESSIONS[expression] in text
    assert len(text) < 700


def test_random_instructions(rxgate, tmp_path):
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    opcodes = [o for o in range(256) if o & 7 in (0, 1, 2, 3, 4, 5, 6, 7)]
    for _ in range(150):
        slots = [
            struct.pack("<BBhi", rng.choice(opcodes), rng.choice((0, 1, 0x10, 0x0A, 0xA1, 0x60)),
                        rng.choice((0, 0, 1, -8, 4)), rng.choice((0, 1, 12, -1, 1 << 31 - 1)))
            for _ in range(rng.randint(1, 6))
        ]
        ended = rxgate("check", b"".join((*slots, bytes.fromhex(EXIT))).hex(" "))
        assert ended.status in (0, 2), ended
        assert bool(ended.err) == (ended.status == 2)


def test_mutated_example(rxgate, examples):
    """Bits of an example's instructions flipped, one at a time."""
    code = encode(read_program(str(examples / "fragment_filter.c"))).code
    seen = set()
    for at, bit in itertools.product(range(len(code)), range(8)):
        if (at * 8 + bit) % 29 == 0:
            damaged = bytearray(code)
            damaged[at] ^= 1 << bit
            ended = rxgate("check", damaged.hex(" "))
            assert bool(ended.err) == (ended.status == 2)
            seen.add(ended.status)
    assert seen == {0, 2}
