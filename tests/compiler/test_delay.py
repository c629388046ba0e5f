"""What the delay model says of small graphs, and what clock and target make of programs."""

import pytest
from rxgate.compiler.builder import Builder
from rxgate.compiler.delay import AT_ONCE, NEVER, Argument, Arrival, Model, model
from rxgate.compiler.delay_tables import DELAYS, ECP5_8
from rxgate.compiler.driver import compile_program
from rxgate.compiler.ir import Function, Node
from rxgate.compiler.manifest import manifest
from rxgate.compiler.options import Objective, Options
from rxgate.compiler.placement import Clocked
from rxgate.compiler.schedule import schedule
from rxgate.ctx_map.context import CONTEXTS
from rxgate.sim.program_generator import random_program

ECP5 = model("ecp5-8")
LEVEL = ECP5_8.level


def arrival(function: Function, by: Model = ECP5) -> Arrival:
    """Of the verdict, when everything is one stage."""
    clocked = Clocked(function, by)
    for n in clocked.read:
        clocked.place(n, 0)
    return clocked.arrival[function.outputs["verdict"]]


def bits(b: Builder, count: int) -> list[int]:
    x = b.input("x", count)
    return [b.slice(x, n, 1) for n in range(count)]


@pytest.mark.parametrize(("inputs", "levels"), [(2, 1), (4, 1), (5, 2), (16, 2), (17, 3)])
def test_a_chain_is_the_tree_that_mapping_makes_of_it(inputs, levels):
    b = Builder()
    first, *rest = bits(b, inputs)
    for bit in rest:
        first = b.and_(first, bit)
    assert arrival(b.function({"verdict": first})).out == pytest.approx(levels * LEVEL)


def test_a_table_takes_in_what_leads_to_it():
    b = Builder()
    w, x, y, z = bits(b, 4)
    found = b.mux(b.xor(w, x), y, z)
    assert arrival(b.function({"verdict": found})).out == pytest.approx(LEVEL)
    v = b.input("v", 1)
    found = b.mux(b.xor(w, x), b.xor(y, v), z)
    assert arrival(b.function({"verdict": found})).out == pytest.approx(2 * LEVEL)


def test_what_comes_late_is_last_in_a_tree():
    b = Builder()
    early = bits(b, 15)
    late = b.ult(b.input("p", 32), b.input("q", 32))
    found = b.all_of([late, *early])
    alone = arrival(b.function({"verdict": late})).out
    assert arrival(b.function({"verdict": found})).out == pytest.approx(alone + LEVEL)


def test_complements_cost_nothing():
    b = Builder()
    w, x, y, z = bits(b, 4)
    found = b.not_(b.and_(b.not_(b.or_(w, x)), b.and_(y, z)))
    assert arrival(b.function({"verdict": found})).out == pytest.approx(LEVEL)


def test_wider_is_slower():
    for op in ("add", "ult", "eq", "shl"):
        found = []
        for width in (8, 16, 32, 64):
            args = [Argument(width, 0, AT_ONCE), Argument(width.bit_length(), 0, AT_ONCE)]
            out = 1 if op in ("eq", "ult") else width
            second = args[1] if op == "shl" else args[0]
            found.append(ECP5.arrival(Node(op, out), [args[0], second]).out)
        assert found == sorted(found)
        assert found[0] < found[-1]


def test_constants_take_no_inputs():
    variable, constant = Argument(8, 0, AT_ONCE), Argument(0, 0, NEVER)
    equal = Node("eq", 1)
    assert ECP5.arrival(equal, [variable, constant]).out == pytest.approx(2 * LEVEL)
    assert ECP5.arrival(equal, [Argument(4, 0, AT_ONCE), constant]).out == pytest.approx(LEVEL)
    assert ECP5.arrival(equal, [variable, variable]).out == pytest.approx(2 * LEVEL)


def test_a_unit_needs_its_operands_in_time():
    b = Builder()
    x, y = b.input("x", 16), b.input("y", 16)
    total = b.add(b.add(x, y), b.input("z", 16))
    placed = schedule(b.function({"verdict": b.mul(total, y)}), ECP5)
    assert [placed.stage[n] for n, node in enumerate(placed.function.nodes) if node.op == "mul"] == [1]


def compiled(seed: int, **options):
    return compile_program(random_program(seed, CONTEXTS[seed % 2], size=4), Options(**options))


@pytest.mark.parametrize("seed", range(6))
def test_without_a_target_stages_are_those_of_the_device_it_stands_for(seed):
    generic = compiled(seed).schedule
    ecp5 = compiled(seed, target="ecp5-8", clock_mhz=156.25).schedule
    assert generic.rows == ecp5.rows
    assert [ns * 1.6 for ns in generic.stage_ns] == pytest.approx(ecp5.stage_ns)


@pytest.mark.parametrize("target", DELAYS)
@pytest.mark.parametrize("seed", range(4))
def test_stages_meet_the_clock(seed, target):
    for clock in (50.0, DELAYS[target].clock_mhz):
        placed = compiled(seed, target=target, clock_mhz=clock).schedule
        for k, ns in enumerate(placed.stage_ns):
            kinds = {placed.function.nodes[n].op for n in placed.operations(k)}
            assert ns <= 1000 / clock + 1e-6 or kinds & {"mul", "udiv", "urem"}


def test_a_faster_clock_takes_more_stages():
    stages = [compiled(3, clock_mhz=mhz).schedule.latency for mhz in (50.0, 250.0, 450.0)]
    assert stages == sorted(set(stages))


@pytest.mark.parametrize("seed", range(12))
def test_area_takes_no_more_bits(seed):
    def carried(objective: Objective) -> int:
        placed = compiled(seed, objective=objective).schedule
        return sum(map(placed.live_bits, range(placed.latency)))

    assert carried(Objective.AREA) <= carried(Objective.LATENCY)


def test_patience_saves_bits():
    """Two wide values wait for a comparison, unless there is time to choose in between."""
    b = Builder()
    x = b.input("x", 64)
    key = b.input("key", 16)
    late = b.add(b.add(b.add(key, key), b.slice(x, 0, 16)), b.slice(x, 16, 16))
    found = b.parity(b.shift("lshr", x, b.slice(late, 3, 6)))
    function = b.function({"verdict": found})
    hasty, patient = schedule(function, ECP5), schedule(function, ECP5, patient=True)
    assert sum(map(patient.live_bits, range(patient.latency))) <= sum(
        map(hasty.live_bits, range(hasty.latency))
    )


def test_the_manifest_tells_lengths_and_what_lives():
    options = Options(target="ecp5-6", clock_mhz=100.0, objective=Objective.AREA)
    design = compile_program(random_program(5, CONTEXTS[1], size=4), options)
    told, placed = manifest(design), design.schedule
    assert (told["target"], told["clock_mhz"], told["objective"]) == ("ecp5-6", 100.0, "area")
    assert [s["ns"] for s in told["stages"]] == [round(ns, 3) for ns in design.stage_ns]
    assert told["clock_expected_mhz"] == round(1000 / max(design.stage_ns), 2)
    for stage in told["stages"]:
        assert sum(value["bits"] for value in stage["live"]) == stage["live_bits"]
        for value in stage["live"]:
            assert placed.cuts[stage["stage"]][value["node"]] == int(value["mask"], 16)
            assert value["width"] == placed.function.nodes[value["node"]].width
