"""The PHY of boards/wire.cpp does at every edge what cocotbext-eth's does, and sees what that sees."""

import pytest
from rxgate.boards.wire import Burst, Idle, Stop, simulate, up
from rxgate.sim.packets import generate

pytestmark = pytest.mark.rtl


def carried(taken: bytes) -> bytes:
    """From the first edge with a carrier to the last."""
    with_carrier = [n for n, wires in enumerate(taken) if wires & 16]
    return taken[with_carrier[0] : with_carrier[-1] + 1]


@pytest.mark.parametrize(("speed", "count", "gap"), [(1000, 12, 5), (100, 5, 12)])
def test_both_are_the_same_on_the_wires(board, rng, speed, count, gap):
    design, kit = board.design_of("xdp_tx_echo.c"), board.KITS["versa-ecp5"]
    frames = [f for f in generate(200, rng.getrandbits(32)) if 60 <= len(f) <= 300][:count]
    sides = {letter: [(board.on_wire(f), ()) for f in frames] for letter in "ab"}
    spoiled = sides["a"][1][0]
    sides["a"][1] = spoiled, (3, 20, len(spoiled) - 1)
    sides["b"][2] = board.on_wire(frames[2], fcs=1), ()
    [other] = board.simulate(
        design, kit, [{n: board.side(s, speed, gap=gap) for n, s in sides.items()}], trace=True
    )
    ours = simulate(
        board.wires("xdp_tx_echo.c"),
        *([*up(speed), *(Burst(data, frozenset(errors), gap) for data, errors in sides[letter])]
          for letter in "ab"),
        trace=True,
    )
    assert carried(ours.taken) == carried(other["taken"])
    for letter, sent in (("a", ours.a), ("b", ours.b)):
        assert [s.data for s in sent] == [data for data, *_ in other[letter]]
        assert not any(s.bad for s in sent)
    assert len(ours.b) > count // 4


def test_what_is_special_about_it(board):
    """A clock that stands still, a carrier that is none, the state of the link between frames."""
    taken = simulate(
        board.wires("vlan_allow.c"),
        [*up(1000, idle=0xD), Burst(b"\x12\x34", frozenset({1}), gap=2),
         Burst(b"\x56", frozenset({0}), carrier=False), Stop(500), Idle(3)],
        [],
        trace=True,
    ).taken
    at = taken.index(0b11_0010)
    assert taken[at - 4 : at + 10] == bytes(
        [0x2D, 0x0D, 0x2D, 0x0D, 0x32, 0x11, 0x34, 0x03, 0x2D, 0x0D, 0x2D, 0x0D, 0x26, 0x15]
    )
