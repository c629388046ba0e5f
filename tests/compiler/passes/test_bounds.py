"""Comparisons with constants become logic of nibbles, with the same result for every number."""

import pytest
from rxgate.compiler.builder import Builder
from rxgate.compiler.ir_check import check
from rxgate.compiler.ir_eval import evaluate_all
from rxgate.compiler.passes.bounds import Bounds
from rxgate.compiler.passes.dce import DeadCode


@pytest.mark.parametrize("op", ["ult", "slt"])
@pytest.mark.parametrize("width", [2, 4, 5, 7, 9])
def test_every_number_and_constant(op, width):
    numbers = [{("x", 0): n} for n in range(1 << width)]
    b = Builder()
    x = b.input("x", width)
    outputs = {}
    for k in range(1 << width):
        outputs[f"x {k}"] = getattr(b, op)(x, b.const(k, width))
        outputs[f"{k} x"] = getattr(b, op)(b.const(k, width), x)
    before = b.function(outputs)
    after = DeadCode().run(Bounds().run(before))
    check(after, "bounds")
    assert not {n.op for n in after.nodes} & {"ult", "slt"}
    wanted, found = evaluate_all(before, numbers), evaluate_all(after, numbers)
    for name, n in before.outputs.items():
        assert wanted[n] == found[after.outputs[name]], name


def test_wide_numbers_and_numbers_that_vary_are_subtracted():
    b = Builder()
    x, y = b.input("x", 32), b.input("y", 8)
    out = b.and_(b.ult(x, b.const(1001, 32)), b.ult(y, b.slice(x, 0, 8)))
    after = Bounds().run(b.function({"out": out}))
    assert [n.op for n in after.nodes].count("ult") == 2
