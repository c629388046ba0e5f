"""Frames made for a program take all its branches, but for those that no frame can take."""

from pathlib import Path

import pytest
from rxgate.compiler.decode import decode
from rxgate.compiler.insn import LoadPacket, Program
from rxgate.compiler.load import load_program
from rxgate.compiler.load.classic import translate
from rxgate.compiler.load.pcap_filter import compile_expression
from rxgate.sim.coverage import END, Branch, branches, walk
from rxgate.sim.directed import Search, arrival, directed
from rxgate.sim.interp import Interpreter

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.c"))
RARE = (
    "xdp_block_list", "xdp_five_tuple", "xdp_hash_sampler", "xdp_ipv6_ext", "xdp_p4_parser",
    "xdp_quic_guard",
)
"""Some branches take 14 bytes at once that a table holds, four that lie in a number, or three headers
in a row; or what the program knows of a packet, a table holds or a NIC answers excludes them."""
EXPRESSIONS = [
    "udp port 53 and not vlan",
    "vlan 5 and tcp port 80",
    "mpls 100 and mpls 200 and host 10.0.0.1",
    "vlan and mpls 3 and ip6",
    "ether host 02:00:00:00:00:01 and len - 14 > 1500",
    "port 1 or 2 or 3 or 5 or 7 or 11 or 13 or 17 or 19 or 23 or 29 or 31 or 37",
    "tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420",
    "ip[4:2] / ip[1] = 3",
    "ifindex 3 and ip6 host 2001:db8::99",
]


def filter_program(expression: str) -> Program:
    return translate(compile_expression(expression), "filter")


def impossible(program: Program, missing: dict[Branch, None]) -> set[Branch]:
    """Loads that cannot be outside the frame: by an offset no larger than one loaded before."""
    static = [i for i in program.insns if isinstance(i, LoadPacket) and i.index is None]
    deepest = max((i.off + i.size for i in static), default=0)
    found = set()
    for slot, following in missing:
        insn = program.insns[slot]
        if following == END and isinstance(insn, LoadPacket):
            if insn.index is not None or insn.off + insn.size <= deepest:
                found.add((slot, following))
    return found


@pytest.mark.parametrize("path", [p for p in EXAMPLES if p.stem not in RARE], ids=lambda p: p.stem)
def test_every_branch_of_the_examples(path: Path) -> None:
    program = decode(load_program(path))
    search = Search(program, seed=1)
    search.run(2000)
    assert set(search.missing) == impossible(program, search.missing)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_branch_of_expressions(expression: str) -> None:
    program = filter_program(expression)
    search = Search(program, seed=1)
    search.run(2000)
    assert set(search.missing) == impossible(program, search.missing)


def test_frames_repeat_and_reach_the_branches_again() -> None:
    program = filter_program("vlan 5 and tcp port 80")
    frames = directed(program, 3000, seed=2)
    assert frames == directed(program, 3000, seed=2)
    interpreter, taken = Interpreter(program), set()
    for frame in frames:
        seen = arrival(frame)
        taken |= {s.branch for s in walk(interpreter, seen.frame, seen.descriptor)}
    search = Search(program, seed=2)
    search.run(2000)
    assert branches(program) - set(search.missing) <= taken


def test_a_program_without_branches() -> None:
    program = filter_program("")
    assert branches(program) == frozenset()
    assert len(directed(program, 10, seed=1)) == 10


def test_walk_names_reads_and_what_a_jump_depends_on() -> None:
    program = filter_program("ip[0] & 0xf = ip[9]")
    frame = bytes(12) + b"\x08\x00\x46" + bytes(8) + b"\x06" + bytes(30)
    last = list(walk(Interpreter(program), frame, arrival(frame).descriptor))[-1]
    assert last.reads == ((12, 2), (14, 1), (23, 1))
    assert last.sources == ((14, 1), (23, 1))
    assert (last.left, last.right) == (6, 6)
