"""What nextpnr reports is read as clock and path."""

from typing import Any

import pytest
from rxgate.boards.route import Hop, read_report
from rxgate.compiler.errors import ToolError

CLOCK = "$glbnet$clk"
EDGE = f"posedge {CLOCK}"


def step(kind: str, cell: str, to: str, delay: float, net: str = "") -> dict[str, Any]:
    named = {"net": net, "sources": []} if net else {}
    return {"type": kind, "delay": delay, "from": {"cell": cell, "loc": [1, 2], "port": "Q"},
            "to": {"cell": to, "loc": [3, 4], "port": "A"}, **named}


def report(*paths: tuple[str, str, list[dict[str, Any]]], **clocks: float) -> dict[str, Any]:
    return {
        "critical_paths": [{"from": a, "to": b, "path": path} for a, b, path in paths],
        "fmax": {name: {"achieved": mhz, "constraint": 250} for name, mhz in clocks.items()},
        "utilization": {},
    }


def test_the_path_of_the_clock_is_taken():
    slow = [step("clk-to-q", "pin", "pin", 9.0)]
    path = [step("clk-to-q", "a", "a", 0.5), step("routing", "a", "b", 1.25, "n"),
            step("logic", "b", "b", 0.25), step("setup", "b", "b", 0.0)]
    text = report(("<async>", EDGE, slow), (EDGE, EDGE, path), **{CLOCK: 512.3})
    found = read_report(text, 7)
    assert (found.seed, found.fmax_mhz) == (7, 512.3)
    assert found.path == (
        Hop("a", 0.5), Hop("b", 1.25), Hop("b", 0.25), Hop("b", 0.0),
    )


def test_a_second_clock_is_an_error():
    with pytest.raises(ToolError, match=r"^nextpnr reports 2 clocks where the design has one\.$"):
        read_report(report(**{CLOCK: 100.0, "other": 200.0}), 1)
