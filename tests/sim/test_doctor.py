"""The report names every tool, there or not, and says what to do about those missing."""

import sys
from collections.abc import Iterator

import pytest
from rxgate.sim import doctor, kernel, tools

NAMES = [
    "Python", "Yosys for Amaranth", "clang", "libpcap", "Verilator", "C++ compiler", "libpython",
    "zlib.h", "make", "perl", "Yosys", "nextpnr", "bpf(2)",
]


@pytest.fixture(autouse=True)
def _forget_tools() -> Iterator[None]:
    """What was found is remembered, and tests change what there is."""
    found = (tools.clang, tools.cxx, tools.verilator, tools.yosys, tools.nextpnr)
    for find in found:
        find.cache_clear()
    yield
    for find in found:
        find.cache_clear()


def test_what_a_working_environment_has() -> None:
    findings = {f.name: f for f in doctor.report()}
    assert list(findings) == NAMES
    assert findings["Python"].path == sys.executable
    for name in ("Python", "Yosys for Amaranth", "clang", "libpcap"):
        assert findings[name].found
        assert findings[name].version[0].isdigit()
        assert findings[name].path
    for finding in findings.values():
        assert finding.purpose
        assert bool(finding.hint) != finding.found


def test_what_is_missing_comes_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.delenv("RXGATE_CLANG", raising=False)
    monkeypatch.setattr(tools, "_package", lambda name: None)
    monkeypatch.setattr(doctor, "find_libpython", lambda: None)
    monkeypatch.setattr(kernel, "available", lambda: "bpf(2) is not permitted")
    findings = {f.name: f for f in doctor.report()}
    missing = {name: f.hint for name, f in findings.items() if not f.found}
    there = ("Python", "Yosys for Amaranth", "libpcap")
    assert list(missing) == [name for name in NAMES if name not in there]
    assert missing["clang"].startswith("clang is missing. `pip install ziglang`")
    assert missing["make"] == "apt-get install make"
    assert missing["libpython"] == "apt-get install libpython{}.{}".format(*sys.version_info)
    assert missing["bpf(2)"] == "bpf(2) is not permitted"
