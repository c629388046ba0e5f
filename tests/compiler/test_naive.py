"""The naive mode schedules what lifting wrote down, and nothing simpler."""

import random

import pytest
from rxgate.compiler.codegen import ProgramPipeline
from rxgate.compiler.driver import compile_program
from rxgate.compiler.ir import Function
from rxgate.compiler.ir_eval import evaluate
from rxgate.compiler.options import Options, Scheduler
from rxgate.compiler.passes.dce import DeadCode
from rxgate.hdl.verilog import to_verilog
from rxgate.sim.program_generator import random_program

NAIVE = Options(narrow=False, scheduler=Scheduler.ASAP)


@pytest.mark.parametrize("seed", range(6))
def test_nothing_is_simplified_behind_lifting(seed):
    design = compile_program(random_program(seed, size=4), NAIVE)
    lifted = design.lifted
    plain = DeadCode().run(Function(lifted.nodes, {"verdict": lifted.outputs["verdict"]}))
    scheduled = design.schedule.function
    assert scheduled.nodes == plain.nodes


@pytest.mark.parametrize("seed", range(6))
def test_the_same_verdict_in_hardware_that_is_wider(seed):
    program = random_program(seed, size=4)
    naive, best = compile_program(program, NAIVE).schedule, compile_program(program).schedule
    assert to_verilog(ProgramPipeline(naive, window=256), "naive")
    rng = random.Random(seed)
    for _ in range(30):
        inputs = {
            source: rng.getrandbits(8 if source[0] == "window" else 64)
            for source in naive.function.inputs()
        }
        inputs["present", 0] = 256
        one, two = (
            evaluate(s.function, inputs)[s.function.outputs["verdict"]] for s in (naive, best)
        )
        assert one == two
    assert sum(map(naive.live_bits, range(naive.latency))) >= sum(
        map(best.live_bits, range(best.latency))
    )
