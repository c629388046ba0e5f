"""The control port under a host that delays everything: answers, snapshots, commands."""

import pytest
from amaranth.hdl import Elaboratable, Module, ResetInserter, Signal
from amaranth.sim import Simulator
from rxgate.ctx_map.registers import (
    BY_NAME,
    COUNTERS,
    MAGIC,
    REGIONS,
    REGISTERS,
    Access,
    ProgramId,
    identification,
    place_tunables,
)
from rxgate.ctx_map.verdicts import Verdict
from rxgate.hdl.axil import SLVERR
from rxgate.hdl.control import Control
from rxgate.hdl.counters import Counters

VALUES = identification(
    ProgramId("drop_all", bytes(range(0xF0, 0xF8)), "1.2.3"),
    width=512, window=34, max_frame=9216, latency=13, flags=["strip_vlan"],
)  # fmt: skip
WORDS = {
    r.offset + 4 * n: VALUES[r.name] >> 32 * n & 0xFFFF_FFFF
    for r in REGISTERS if r.name in VALUES for n in range(r.words)
}  # fmt: skip
MAPPED = {r.offset + 4 * n: r for r in REGISTERS for n in range(r.words)}
SCRATCH, COMMAND = BY_NAME["scratch"].offset, BY_NAME["command"].offset
COMMITS = BY_NAME["commits"].offset
SNAPSHOT, CLEAR, COMMIT = 1, 2, 4
LIMIT = 1000


class Host:
    """Reads and writes; waits up to `delay` cycles before whatever it does on any channel."""

    def __init__(self, port, rng, delay):
        self.port, self.rng, self.delay = port, rng, delay

    async def pause(self, ctx):
        for _ in range(self.rng.randint(0, self.delay)):
            await ctx.tick()

    async def send(self, ctx, channel, **payload):
        """One transfer to the port."""
        await self.pause(ctx)
        for name, value in payload.items():
            ctx.set(getattr(self.port, name), value)
        valid, ready = (getattr(self.port, f"{channel}{n}") for n in ("valid", "ready"))
        ctx.set(valid, 1)
        for _ in range(LIMIT):
            taken = ctx.get(ready)
            await ctx.tick()
            if taken:
                break
        else:
            raise AssertionError(f"{channel} is not taken")
        ctx.set(valid, 0)
        for name in payload:
            ctx.set(getattr(self.port, name), self.rng.getrandbits(4))

    async def receive(self, ctx, channel, *names):
        """One transfer from the port, which must not change while it waits."""
        valid, ready = (getattr(self.port, f"{channel}{n}") for n in ("valid", "ready"))
        early = self.rng.random() < 0.5
        ctx.set(ready, early)
        for _ in range(LIMIT):
            if ctx.get(valid):
                break
            await ctx.tick()
        else:
            raise AssertionError(f"no answer on {channel}")
        payload = [ctx.get(getattr(self.port, name)) for name in names]
        for _ in range(0 if early else self.rng.randint(0, self.delay)):
            await ctx.tick()
            assert ctx.get(valid)
            assert [ctx.get(getattr(self.port, name)) for name in names] == payload
        ctx.set(ready, 1)
        await ctx.tick()
        ctx.set(ready, 0)
        assert not ctx.get(valid)
        return payload

    async def read(self, ctx, address):
        """rresp, rdata."""
        await self.send(ctx, "ar", araddr=address)
        return tuple(await self.receive(ctx, "r", "rresp", "rdata"))


def host_of_writes(sim, host, writes):
    """Adds three testbenches, since the channels of a write are independent; bresp of each."""
    answers = []

    async def address(ctx):
        for where, _, _ in writes:
            await host.send(ctx, "aw", awaddr=where)

    async def data(ctx):
        for _, value, strobe in writes:
            await host.send(ctx, "w", wdata=value, wstrb=strobe)

    async def response(ctx):
        for _ in writes:
            answers.extend(await host.receive(ctx, "b", "bresp"))

    for bench in (address, data, response):
        sim.add_testbench(bench)
    return answers


async def write(host, ctx, address, value, strobe=15):
    """A write by one testbench, in one of both orders."""
    parts = [("aw", {"awaddr": address}), ("w", {"wdata": value, "wstrb": strobe})]
    if host.rng.random() < 0.5:
        parts.reverse()
    for channel, payload in parts:
        await host.send(ctx, channel, **payload)
    return (await host.receive(ctx, "b", "bresp"))[0]


async def read_counters(host, ctx):
    """What the last snapshot took, read in any order."""
    totals = dict.fromkeys(COUNTERS, 0)
    words = [(name, n) for name in COUNTERS for n in (0, 1)]
    host.rng.shuffle(words)
    for name, n in words:
        response, value = await host.read(ctx, BY_NAME[name].offset + 4 * n)
        assert response == 0
        totals[name] |= value << 32 * n
    return totals


def simulator(unit):
    sim = Simulator(unit)
    sim.add_clock(1e-8)
    return sim


@pytest.mark.parametrize("delay", [0, 1, 6])
def test_reads_and_writes_at_the_same_time(rng, delay):
    """Constants read the same, bytes go where they belong, all else is SLVERR and without effect."""
    unit = Control(VALUES)
    addresses = [a + rng.randint(0, 3) for a in MAPPED]
    addresses += [r.end - 4 for r in REGIONS] + [r.offset for r in REGIONS[3:]]
    addresses += [COMMAND + 4, COMMAND + 8, SCRATCH - 4, 0x240, 0x60, 0x3C]
    addresses += [rng.randrange(1 << 16) for _ in range(20)]
    reads = rng.sample(addresses, len(addresses))
    places = [SCRATCH] * 40 + [COMMAND] + [a for a in addresses if a & ~3 != COMMAND]
    rng.shuffle(places)
    writes = [(a, rng.getrandbits(32), rng.getrandbits(4)) for a in places]
    sim = simulator(unit)
    answers = host_of_writes(sim, Host(unit, rng, delay), writes)
    seen, final = [], []

    async def reader(ctx):
        host = Host(unit, rng, delay)
        for address in reads:
            seen.append((address, *await host.read(ctx, address)))
        while len(answers) < len(writes):
            await ctx.tick()
        final.append(await host.read(ctx, SCRATCH))

    sim.add_testbench(reader)
    sim.run()

    scratch, states = 0, {0}
    wanted = []
    for address, value, strobe in writes:
        register = MAPPED.get(address & ~3)
        if register is BY_NAME["scratch"]:
            mask = sum(0xFF << 8 * n for n in range(4) if strobe >> n & 1)
            scratch = scratch & ~mask | value & mask
            states.add(scratch)
        wanted.append(SLVERR if register is None or register.access is Access.READ else 0)
    assert answers == wanted
    for address, response, value in seen:
        register = MAPPED.get(address & ~3)
        assert response == (0 if register else SLVERR), f"{address:#x}"
        if register is BY_NAME["scratch"]:
            assert value in states
        else:
            assert value == WORDS.get(address & ~3, 0), f"{address:#x}"
    assert WORDS[0] == MAGIC
    assert final == [(0, scratch)]


def test_neither_direction_waits_for_the_other(rng):
    """With a response that is never taken, the other direction goes on; and both take turns."""
    for stuck in ("b", "r"):
        unit = Control(VALUES)
        host = Host(unit, rng, 2)

        async def bench(ctx, unit=unit, host=host, stuck=stuck):
            if stuck == "b":
                await host.send(ctx, "aw", awaddr=SCRATCH)
                await host.send(ctx, "w", wdata=7, wstrb=15)
                for _ in range(20):
                    assert await host.read(ctx, 0) == (0, MAGIC)
                    assert ctx.get(unit.bvalid)
            else:
                await host.send(ctx, "ar", araddr=0)
                for n in range(20):
                    assert await write(host, ctx, SCRATCH, n) == 0
                assert (ctx.get(unit.rvalid), ctx.get(unit.rdata)) == (1, MAGIC)

        sim = simulator(unit)
        sim.add_testbench(bench)
        sim.run()


def test_reads_are_not_starved(rng):
    """Reads end long before writes that come without a pause do."""
    unit = Control(VALUES)
    sim = simulator(unit)
    answers = host_of_writes(sim, Host(unit, rng, 0), [(SCRATCH, n, 15) for n in range(100)])
    written = []

    async def reader(ctx):
        for _ in range(50):
            await Host(unit, rng, 0).read(ctx, 0)
        written.append(len(answers))

    sim.add_testbench(reader)
    sim.run()
    assert written[0] < 90


@pytest.mark.parametrize("delay", [0, 5])
def test_a_snapshot_is_of_one_cycle(rng, delay):
    """All totals change in every cycle, and carry from low to high words; none is torn."""
    unit = Control(VALUES)
    history = []
    sim = simulator(unit)

    async def counting(ctx):
        totals = [(rng.randrange(1, 9) << 32) - rng.randint(0, 3000) for _ in COUNTERS]
        while True:
            for n, name in enumerate(COUNTERS):
                totals[n] = totals[n] + rng.randint(1, 5)
                ctx.set(getattr(unit, f"i_{name}"), totals[n])
            history.append(dict(zip(COUNTERS, totals, strict=True)))
            await ctx.tick()

    async def bench(ctx):
        host, last = Host(unit, rng, delay), -1
        for _ in range(8):
            assert await write(host, ctx, COMMAND, SNAPSHOT) == 0
            answered = len(history)
            taken = await read_counters(host, ctx)
            at = history.index(taken)
            assert last < at < answered
            assert await read_counters(host, ctx) == taken
            # Without the strobe, or with other bits, it is no snapshot.
            assert await write(host, ctx, COMMAND, 0xFFFF_FFFF, 0b1110) == 0
            assert await write(host, ctx, COMMAND, 0xFFFF_FFFC) == 0
            assert await read_counters(host, ctx) == taken
            assert not ctx.get(unit.o_clear)
            last = answered - 1

    sim.add_testbench(counting, background=True)
    sim.add_testbench(bench)
    sim.run()


class Counting(Elaboratable):
    """Counters with their registers, as in the gate."""

    def __init__(self):
        self.counters = Counters(clear=True)
        self.control = Control(VALUES)

    def elaborate(self, platform):
        m = Module()
        m.submodules.counters = self.counters
        m.submodules.control = self.control
        m.d.comb += self.counters.i_clear.eq(self.control.o_clear)
        for name in COUNTERS:
            total = getattr(self.counters, f"o_{name}")
            m.d.comb += getattr(self.control, f"i_{name}").eq(total)
        return m


@pytest.mark.parametrize("busy", [0.5, 1])
def test_a_clear_loses_no_event(rng, busy):
    """What all snapshots and clears together have taken is what has happened."""
    unit = Counting()
    sim = simulator(unit)
    happened = dict.fromkeys(COUNTERS, 0)
    state = {"on": True}

    async def events(ctx):
        counters = unit.counters
        while True:
            received, done, overflow = (state["on"] and rng.random() < busy for _ in range(3))
            bad = rng.random() < 0.3
            verdict = rng.choice(list(Verdict))
            ctx.set(counters.i_received, received)
            ctx.set(counters.i_overflow, overflow)
            ctx.set(counters.i_done, done)
            ctx.set(counters.i_bad, bad)
            ctx.set(counters.i_verdict, verdict)
            happened["received"] += received
            happened["overflow"] += overflow
            if done:
                happened["bad" if bad else verdict.name.lower()] += 1
            await ctx.tick()

    async def bench(ctx):
        host = Host(unit.control, rng, 4)
        found = dict.fromkeys(COUNTERS, 0)
        for turn in range(13):
            if turn == 12:
                state["on"] = False
                await ctx.tick().repeat(5)
            assert await write(host, ctx, COMMAND, SNAPSHOT | CLEAR) == 0
            for name, total in (await read_counters(host, ctx)).items():
                found[name] += total
        assert found == happened
        assert all(found.values())
        await write(host, ctx, COMMAND, SNAPSHOT)
        assert not any((await read_counters(host, ctx)).values())

    sim.add_testbench(events, background=True)
    sim.add_testbench(bench)
    sim.run()


def test_an_event_in_the_cycle_of_a_clear_counts_as_one():
    for pause in range(1, 4):
        unit = Counters(clear=True)
        sim = simulator(unit)

        async def bench(ctx, unit=unit, pause=pause):
            ctx.set(unit.i_received, 1)
            await ctx.tick().repeat(10)
            assert ctx.get(unit.o_received) == 9
            ctx.set(unit.i_received, 0)
            if pause > 1:
                await ctx.tick().repeat(pause - 1)
                assert ctx.get(unit.o_received) == 10
            ctx.set(unit.i_clear, 1)
            await ctx.tick()
            ctx.set(unit.i_clear, 0)
            # The last event reaches the total two edges after it was given.
            assert ctx.get(unit.o_received) == (1 if pause == 1 else 0)
            await ctx.tick().repeat(3)
            assert ctx.get(unit.o_received) == (1 if pause == 1 else 0)

        sim.add_testbench(bench)
        sim.run()


def test_a_reset_forgets_what_was_under_way(rng):
    control, reset = Control(VALUES), Signal()
    sim = simulator(ResetInserter(reset)(control))

    async def bench(ctx):
        host = Host(control, rng, 0)
        for cycles in range(1, 8):
            await write(host, ctx, SCRATCH, 99)
            ctx.set(control.awvalid, 1)
            ctx.set(control.wvalid, cycles % 2)
            ctx.set(control.arvalid, 1)
            await ctx.tick().repeat(cycles)
            ctx.set(reset, 1)
            await ctx.tick()
            for name in ("awvalid", "wvalid", "arvalid"):
                ctx.set(getattr(control, name), 0)
            await ctx.tick()
            for name in ("bvalid", "rvalid", "awready", "wready", "arready"):
                assert not ctx.get(getattr(control, name)), name
            ctx.set(reset, 0)
            await ctx.tick().repeat(6)
            assert not ctx.get(control.bvalid)
            assert not ctx.get(control.rvalid)
            assert await host.read(ctx, SCRATCH) == (0, 0)

    sim.add_testbench(bench)
    sim.run()


TUNABLES = place_tunables(
    [("a", bytes.fromhex("01020304")), ("long", bytes(range(9, 22))), ("b", b"\x07" * 8), ("c", b"z")]
)


class Written:
    """What the host has written to the tunables, by bytes."""

    def __init__(self):
        self.values = {t.name: bytearray(t.initial) for t in TUNABLES}
        self.words = [(t, n) for t in TUNABLES for n in range(t.words)]

    def write(self, tunable, word, value, strobe):
        content = self.values[tunable.name]
        for n in range(4):
            if strobe >> n & 1 and 4 * word + n < tunable.size:
                content[4 * word + n] = value >> 8 * n & 0xFF

    def word(self, tunable, word):
        return int.from_bytes(self.values[tunable.name][4 * word : 4 * word + 4], "little")

    @property
    def image(self):
        return int.from_bytes(b"".join(self.values.values()), "little")


@pytest.mark.parametrize("delay", [0, 4])
def test_a_commit_changes_all_tunables_at_once(rng, delay):
    """Words are written by bytes and in any order; what packets see changes with commits only."""
    unit = Control(VALUES, TUNABLES)
    sim = simulator(unit)
    seen = []

    async def watch(ctx):
        while True:
            now = ctx.get(unit.o_commits), ctx.get(unit.o_tunables)
            if not seen or seen[-1] != now:
                seen.append(now)
            await ctx.tick()

    async def bench(ctx):
        host, model, images = Host(unit, rng, delay), Written(), []
        images.append(model.image)
        for _ in range(15):
            for tunable, word in rng.choices(model.words, k=rng.randint(0, 8)):
                value, strobe = rng.getrandbits(32), rng.getrandbits(4)
                address = tunable.offset + 4 * word
                assert await write(host, ctx, address, value, strobe) == 0
                model.write(tunable, word, value, strobe)
                assert await host.read(ctx, address) == (0, model.word(tunable, word))
            # No commit: without the strobe, and with the other bits.
            assert await write(host, ctx, COMMAND, COMMIT, 0b1110) == 0
            assert await write(host, ctx, COMMAND, 0xFFFF_FFFF & ~COMMIT) == 0
            assert ctx.get(unit.o_tunables) == images[-1]
            assert await write(host, ctx, COMMAND, COMMIT) == 0
            images.append(model.image)
            assert ctx.get(unit.o_tunables) == images[-1]
            assert await host.read(ctx, COMMITS) == (0, len(images) - 1)
        for tunable, word in model.words:
            found = await host.read(ctx, tunable.offset + 4 * word)
            assert found == (0, model.word(tunable, word))
        used = {t.offset + 4 * n for t, n in model.words}
        for address in range(0x1000, 0x1040, 4):
            if address not in used:
                assert await host.read(ctx, address) == (SLVERR, 0)
                assert await write(host, ctx, address, 1) == SLVERR
        await ctx.tick().repeat(3)
        assert seen == list(enumerate(images))

    sim.add_testbench(watch, background=True)
    sim.add_testbench(bench)
    sim.run()


def test_a_reset_brings_tunables_back(rng):
    control, reset = Control(VALUES, TUNABLES), Signal()
    sim = simulator(ResetInserter(reset)(control))

    async def bench(ctx):
        host, first = Host(control, rng, 0), Written().image
        for committed in (True, False):
            await write(host, ctx, 0x1000, 0xFFFF_FFFF)
            await write(host, ctx, COMMAND, COMMIT * committed)
            assert (ctx.get(control.o_tunables) != first) == committed
            ctx.set(reset, 1)
            await ctx.tick()
            ctx.set(reset, 0)
            assert ctx.get(control.o_tunables) == first
            assert ctx.get(control.o_commits) == 0
            assert await host.read(ctx, 0x1000) == (0, 0x04030201)
            await write(host, ctx, COMMAND, COMMIT)
            assert ctx.get(control.o_tunables) == first

    sim.add_testbench(bench)
    sim.run()


def test_without_tunables_there_is_nothing_to_commit(rng):
    unit = Control(VALUES)
    sim = simulator(unit)

    async def bench(ctx):
        host = Host(unit, rng, 2)
        assert await write(host, ctx, COMMAND, COMMIT) == 0
        assert await host.read(ctx, COMMITS) == (0, 0)
        assert await host.read(ctx, 0x1000) == (SLVERR, 0)

    sim.add_testbench(bench)
    sim.run()
