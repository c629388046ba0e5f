# amaranth: UnusedElaboratable=no
# A design is made for its error only.
"""A board with one port, at its pins: as a mirror it says of every frame what the interpreter does."""

import pytest
from click.testing import CliRunner
from rxgate.boards.reflector import ADDRESS, MIRROR
from rxgate.boards.top import Top
from rxgate.cli import cli
from rxgate.ctx_map.verdicts import Verdict
from rxgate.sim.golden import Frame, Golden
from rxgate.sim.packets import generate


@pytest.mark.rtl
def test_a_mirror_tells_every_verdict(board, rng):
    design = board.design_of("ip_protocol.c", mark_drops=True)
    frames = [f for f in generate(60, rng.getrandbits(32)) if 60 <= len(f) <= 1500]
    bad = board.on_wire(frames[0], fcs=1)
    phase = {"a": board.side([bad, *map(board.on_wire, frames)])}
    [seen] = board.simulate(design, board.KITS["ecpix5-45f"], [phase])
    golden = Golden(design.program, design.config)
    expected, verdicts = [], set()
    for data in frames:
        out = golden.judge(golden.send(Frame(data, ingress_ifindex=1))).out
        verdicts.add(out.verdict)
        addresses = data[ADDRESS : 2 * ADDRESS] + MIRROR[:-1] + bytes([out.verdict])
        expected.append(board.on_wire(addresses + data[2 * ADDRESS :]))
    assert verdicts == {Verdict.PASS, Verdict.DROP}
    assert [(data, error) for data, error, _, _ in seen["a"]] == [(data, False) for data in expected]


def test_between_two_ports_dropped_frames_stay(board, tmp_path):
    done = CliRunner().invoke(cli, [
        "build", "--filter", "udp", "--board", "versa-ecp5", "--mirror", "-o", str(tmp_path / "o"),
    ])
    assert done.exit_code == 2
    assert (
        "--mirror is for boards with one port; Lattice ECP5 Versa Development Board has two"
    ) in done.output
    assert not (tmp_path / "o").exists()
    gate = board.design_of("drop_by_length.c", mark_drops=True).gate
    with pytest.raises(ValueError, match=r"^Dropped frames cannot leave 'versa-ecp5', which filters"):
        Top(board.KITS["versa-ecp5"], (), gate, "rxgate")
