"""Every kind of operation, split for a fast clock, still means the same and fits its stages."""

import random

import pytest
from rxgate.compiler.builder import Builder
from rxgate.compiler.delay import Model, model
from rxgate.compiler.delay_tables import DELAYS
from rxgate.compiler.driver import compile_program
from rxgate.compiler.ir import Function
from rxgate.compiler.ir_check import check
from rxgate.compiler.ir_eval import evaluate
from rxgate.compiler.options import Objective, Options
from rxgate.compiler.passes.dce import DeadCode
from rxgate.compiler.passes.split import Split
from rxgate.compiler.placement import Clocked
from rxgate.ctx_map.context import CONTEXTS
from rxgate.sim.program_generator import random_program

FAST = Model(DELAYS["ecp5-8"], 280.0)


COMPARED = ("eq", "ult", "slt")
SHIFTS = ("shl", "lshr", "ashr")


def operations(width: int) -> dict[str, Function]:
    """A graph for each operation on values of `width` bits."""
    found = {}
    for op in ("add", "sub", *COMPARED, *SHIFTS, "parity", "onehot", "case", "list"):
        b = Builder()
        x, y = b.input("x", width), b.input("y", width)
        key = b.slice(y, 0, min(8, width))
        match op:
            case "parity":
                made = b.parity(x)
            case "shl" | "lshr" | "ashr":
                made = b.shift(op, x, b.slice(y, 0, width.bit_length()))
            case "onehot":
                arms = {k: b.xor(x, b.const(k * 77, width)) for k in range(70)}
                made = b.onehot([(b.eq(key, b.const(k, b.width(key))), v) for k, v in arms.items()])
            case "case":
                arms = {k: b.const(k * 0x9E3779B97F4A7C15 >> 7, width) for k in range(0, 1 << 8, 3)}
                made = b.case(key, arms)
            case "list":
                made = b.case(key, {k * 5: b.xor(x, b.const(k * 77, width)) for k in range(50)})
            case _:
                made = getattr(b, op)(x, y)
        found[op] = b.function({"out": made})
    return found


def same(before: Function, after: Function, seed: int, count: int = 20) -> None:
    rng = random.Random(seed)
    widths = {n.source: n.width for n in before.nodes if n.op == "input"}
    for _ in range(count):
        given = {}
        for source, width in widths.items():
            full = (1 << width) - 1
            value = rng.choice((0, full, 1, rng.getrandbits(width), rng.getrandbits(width)))
            if rng.random() < 0.2:
                value = rng.choice(list(given.values()) or [0]) & full
            given[source] = value
        found = [evaluate(f, given)[f.outputs["out"]] for f in (before, after)]
        assert found[0] == found[1], f"seed {seed}: {given}"


def too_slow(function: Function, by: Model) -> set[str]:
    """The kinds of operations that no stage has time for."""
    clocked = Clocked(function, by)
    slow = set()
    for n in clocked.read:
        clocked.place(n, n)
        if not by.fits(clocked.arrival[n].out):
            slow.add(function.nodes[n].op)
    return slow


@pytest.mark.parametrize("ripple", [False, True])
@pytest.mark.parametrize("width", [17, 64])
def test_what_is_split_means_the_same(width, ripple):
    for op, before in operations(width).items():
        after = DeadCode().run(Split(FAST, ripple).run(before))
        check(after, op)
        same(before, after, width)


@pytest.mark.parametrize("ripple", [False, True])
def test_what_is_split_fits(ripple):
    slow = set()
    for before in operations(64).values():
        slow |= too_slow(before, FAST)
        assert not too_slow(Split(FAST, ripple).run(before), FAST)
    assert slow == {"add", "sub", *COMPARED, *SHIFTS, "parity", "onehot", "case"}


def test_what_fits_stays():
    before = operations(64)["add"]
    assert Split(model("ecp5-8")).run(before) is before


@pytest.mark.parametrize("seed", range(12))
def test_programs_mean_the_same_at_a_fast_clock(seed):
    """The graph after splitting, and the schedule, against the graph before."""
    graphs: dict[str, Function] = {}
    options = Options(clock_mhz=520.0, objective=list(Objective)[seed % 2])
    program = random_program(seed, CONTEXTS[seed % len(CONTEXTS)], size=4)
    design = compile_program(program, options, graphs.__setitem__)
    before = Function(graphs["lift"].nodes, {"out": graphs["lift"].outputs["verdict"]})
    after = design.schedule.function
    rng = random.Random(seed)
    for _ in range(20):
        given = {
            source: rng.getrandbits(node.width)
            for node in before.nodes if node.op == "input" for source in [node.source]
        }
        given["present", 0] = design.config.window
        assert (
            evaluate(after, given)[after.outputs["verdict"]]
            == evaluate(before, given)[before.outputs["out"]]
        )
