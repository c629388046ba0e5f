"""`rxgate host` on a serial port with a simulated board behind it."""

import json
import os
import pty
import threading
import time
import tty

import pytest
from click.testing import CliRunner
from rxgate.boards.host.simulated import Registers, SimulatedBoard
from rxgate.cli import cli
from rxgate.compiler.errors import InputError
from rxgate.ctx_map.registers import ProgramId, Tunable, identification

TUNABLES = (Tunable("limit", 0x1000, b"\x01\0\0\0"), Tunable("mac", 0x1008, bytes(6)))


@pytest.fixture
def board():
    """A board on a pseudo terminal: (its device file, its registers)."""
    facts = identification(
        ProgramId("dns_guard", bytes(range(8)), "1.2.3"), width=8, window=34, max_frame=1996,
        latency=9, flags=["tunables"],
    )
    registers = Registers(facts, TUNABLES)
    registers.totals |= {"received": 10, "pass": 7, "drop": 3}
    model = SimulatedBoard(registers, {"links": 0x56, "returned": 5})
    ours, theirs = pty.openpty()
    tty.setraw(ours)
    stop = threading.Event()

    def serve():
        while not stop.is_set():
            try:
                data = os.read(ours, 4096)
            except OSError:
                return
            os.write(ours, model.hear(data, time.monotonic()))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield os.ttyname(theirs), registers
    stop.set()
    os.close(theirs)
    os.close(ours)


def invoke(*words):
    return CliRunner().invoke(cli, ["host", *words])


def test_status(board):
    done = invoke("--port", board[0], "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert (told["program"], told["rxgate_version"]) == ("dns_guard", "1.2.3")
    assert told["links_mbps"] == {"a": 1000, "b": 100}
    assert told["a_to_b"]["received"] == 10
    assert told["b_to_a"] == {"passed": 5, "bad": 0, "overflow": 0}


def test_a_table_for_people(board):
    done = invoke("--port", board[0])
    assert "dns_guard, digest 0001020304050607, rxgate 1.2.3" in done.output
    assert "port A 1000 Mb/s, port B 100 Mb/s" in done.output


def test_tunables_change_together(board, tmp_path):
    port, registers = board
    layout = [{"name": t.name, "offset": t.offset, "bytes": t.size} for t in TUNABLES]
    (tmp_path / "build.json").write_text(json.dumps({"tunables": layout}))
    done = invoke("--port", port, "--build", str(tmp_path), "--set", "limit=0x1234",
                  "--set", "mac=x0a0b0c0d0e0f")
    assert done.exit_code == 0, done.output
    assert registers.shown == {"limit": b"\x34\x12\0\0", "mac": b"\x0a\x0b\x0c\x0d\x0e\x0f"}
    assert registers.read(0x108) == 1


def test_clear(board):
    port, registers = board
    assert invoke("--port", port, "--clear").exit_code == 0
    assert set(registers.totals.values()) == {0}


@pytest.mark.parametrize(("setting", "message"), [
    ("limit=256000000000", "limit has 4 bytes, and '256000000000' is neither a number"),
    ("mac=x00", "mac has 6 bytes, and 'x00' is neither"),
    ("other=1", "there is no tunable 'other' in this build; there are limit, mac."),
    ("limit", "'limit' is not NAME=VALUE."),
])
def test_settings_that_cannot_be(board, tmp_path, setting, message):
    port, registers = board
    layout = [{"name": t.name, "offset": t.offset, "bytes": t.size} for t in TUNABLES]
    (tmp_path / "build.json").write_text(json.dumps({"tunables": layout}))
    done = invoke("--port", port, "--build", str(tmp_path), "--set", setting)
    assert isinstance(done.exception, InputError)
    assert message in str(done.exception)
    assert registers.writes == []


def test_a_port_that_is_not_there():
    done = invoke("--port", "/dev/nothing")
    assert str(done.exception) == (
        "the serial port /dev/nothing cannot be used: No such file or directory."
    )
