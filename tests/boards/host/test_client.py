"""The host reads and writes what it means to, however bad the line is."""

import random

import pytest
from rxgate.boards.host.client import Client, HostError
from rxgate.boards.host.protocol import Reply, Request, find_reply
from rxgate.boards.host.simulated import Noise, NoisyLine, Registers, SimulatedBoard
from rxgate.boards.host.status import Identity, Status, to_json
from rxgate.ctx_map import link
from rxgate.ctx_map.link import Operation
from rxgate.ctx_map.registers import BY_NAME, COUNTERS, MAGIC, MAP_VERSION, Tunable


@pytest.fixture
def rng():
    seed = random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    return random.Random(seed)


def registers(**values):
    tunables = (Tunable("limit", 0x1000, b"\x01\x02\x03\x04\x05\x06"),)
    return Registers({"magic": MAGIC, "map_version": MAP_VERSION} | values, tunables)


def connect(found, rng, **noise):
    line = NoisyLine(SimulatedBoard(found, {"returned": 77}), Noise(rng, **noise))
    return Client(line, line.clock)


def test_registers(rng):
    found = registers(width=8)
    client = connect(found, rng)
    assert (client.read("width"), client.board("returned")) == (8, 77)
    found.totals |= {"received": 1 << 40, "pass": 5}
    assert client.counters() == dict.fromkeys(COUNTERS, 0) | {"received": 1 << 40, "pass": 5}
    client.write_word(0x1000, 0xDEADBEEF)
    assert found.shown["limit"] == b"\x01\x02\x03\x04\x05\x06"
    client.command("commit")
    assert found.shown["limit"] == b"\xef\xbe\xad\xde\x05\x06"
    assert client.retries == 0


def test_a_board_with_one_port(rng):
    line = NoisyLine(SimulatedBoard(registers(), {"links": 0xE, "returned": 3}), Noise(rng))
    client = Client(line, line.clock)
    told = to_json(Identity.read(client), Status.read(client))
    assert told["links_mbps"] == {"a": 1000}
    assert told["in_at_a"] == dict.fromkeys(COUNTERS, 0)
    assert told["back_at_a"] == {"passed": 3, "bad": 0, "overflow": 0}


@pytest.mark.parametrize("kind", ["flip", "lose", "repeat"])
def test_noise_costs_time_and_nothing_else(rng, kind):
    """Every write acts once, in order, with its value; no other is made."""
    found = registers()
    client = connect(found, rng, **{kind: 0.02})
    wanted = []
    scratch = BY_NAME["scratch"].offset
    for _ in range(300):
        value = rng.getrandbits(32)
        client.write_word(scratch, value)
        wanted.append((scratch, value))
        assert client.read_word(scratch) == value
    assert found.writes == wanted
    assert client.retries > 0


def test_a_counter_is_not_lost_when_a_clear_is_repeated(rng):
    """The reply gets lost, the command is sent again: it must not act twice."""
    found = registers()
    client = connect(found, rng, lose=0.02)
    seen = 0
    for _ in range(60):
        found.totals["received"] += 3
        client.command("snapshot", "clear")
        seen += client.read("received")
    assert seen == 180
    assert client.retries > 0


def test_garbage_writes_nothing(rng):
    found = registers()
    board = SimulatedBoard(found)
    for n in range(2000):
        request = bytearray(Request(Operation.WRITE, n % 256, 0x100, rng.getrandbits(32)).encode())
        good = bytes(request)
        for _ in range(rng.randint(1, 4)):
            request[rng.randrange(1, len(request))] ^= 1 << rng.randrange(8)
        if request != good:
            assert board.hear(bytes(request), float(n)) == b""
    assert found.writes == []


def test_a_dead_line_is_told(rng):
    line = NoisyLine(SimulatedBoard(registers()), Noise(rng, lose=1.0))
    with pytest.raises(HostError, match=r"^the board does not answer \(20 requests\); is the port"):
        Client(line, line.clock)


def test_something_else_behind_the_line(rng):
    with pytest.raises(HostError, match=r"^behind the line is no gate of rxgate: .* is 0x7$"):
        connect(registers(magic=7), rng)


def test_registers_of_another_version(rng):
    with pytest.raises(HostError, match=r"^the board's registers are those of version 9, "):
        connect(registers(map_version=9 << 16), rng)


def test_a_refusal_is_told(rng):
    client = connect(registers(), rng)
    with pytest.raises(HostError, match=r"^the board refuses to write 0x0000$"):
        client.write_word(0, 1)
    with pytest.raises(HostError, match=r"^the board refuses to read 0x2000$"):
        client.read_word(0x2000)


def test_replies_are_found_between_other_bytes(rng):
    reply = Reply(5, link.Status.DONE, 0x5A5A5A5A)
    text = b"\x5a\x00\x5a" + reply.encode() + b"\x5a\x01"
    assert find_reply(text) == (reply, b"\x5a\x01")
    assert find_reply(text[:-4]) == (None, text[2:-4])  # what begins at 0 is whole, and wrong
