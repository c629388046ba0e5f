"""Each pass, text before -> text after."""

from rxgate.compiler.analysis.demand import demanded
from rxgate.compiler.ir import Function, Node
from rxgate.compiler.passes import DEFAULT, run_passes
from rxgate.compiler.passes.dce import DeadCode
from rxgate.compiler.passes.narrow import Narrow
from rxgate.compiler.passes.replay import replay


def function(*nodes: Node, **outputs: int) -> Function:
    return Function(nodes, outputs or {"verdict": len(nodes) - 1})


def given(name: str, width: int) -> Node:
    return Node("input", width, (), (name, 0))


def narrowed(*nodes: Node) -> str:
    return str(DeadCode().run(Narrow().run(function(*nodes))))


def test_dead_code_goes():
    before = function(given("x", 8), Node("add", 8, (0, 0)), given("y", 8), verdict=2)
    assert str(DeadCode().run(before)) == "%0 = input.8 y\noutput verdict = %0\n"


def test_dead_code_keeps_results_that_live():
    nodes = (given("x", 8), given("y", 8), Node("add", 8, (0, 1)))
    before = Function(nodes, {"verdict": 1}, {(0, 3, 1): 1, (0, 4, 2): 2})
    after = DeadCode().run(before)
    assert dict(after.results) == {(0, 3, 1): 0}


def test_a_sum_is_as_wide_as_its_use():
    assert narrowed(
        given("x", 64), given("y", 64), Node("add", 64, (0, 1)), Node("slice", 16, (2,), 0)
    ) == (
        "%0 = input.64 x\n%1 = input.64 y\n%2 = slice.16 %0, 0\n%3 = slice.16 %1, 0\n"
        "%4 = add.16 %2, %3\noutput verdict = %4\n"
    )


def test_logic_is_cut_on_both_sides():
    assert narrowed(
        given("x", 64), given("y", 64), Node("xor", 64, (0, 1)), Node("slice", 8, (2,), 24)
    ) == (
        "%0 = input.64 x\n%1 = input.64 y\n%2 = slice.8 %0, 24\n%3 = slice.8 %1, 24\n"
        "%4 = xor.8 %2, %3\noutput verdict = %4\n"
    )


def test_bits_between_that_nobody_reads_are_left_out():
    text = narrowed(
        given("x", 8), given("y", 8), Node("or", 8, (0, 1)), Node("slice", 2, (2,), 0),
        Node("slice", 1, (2,), 6), Node("concat", 3, (3, 4)),
    )
    assert "or.3" in text
    assert text.count("slice") == 4


def test_a_choice_is_cut_but_not_its_condition():
    assert narrowed(
        given("c", 1), given("x", 64), given("y", 64), Node("mux", 64, (0, 1, 2)),
        Node("slice", 4, (3,), 8),
    ) == (
        "%0 = input.1 c\n%1 = input.64 x\n%2 = input.64 y\n%3 = slice.4 %1, 8\n"
        "%4 = slice.4 %2, 8\n%5 = mux.4 %0, %3, %4\noutput verdict = %5\n"
    )


def test_a_right_shift_keeps_its_upper_bits():
    text = narrowed(
        given("x", 64), given("n", 6), Node("lshr", 64, (0, 1)), Node("slice", 4, (2,), 0)
    )
    assert "%2 = lshr.64 %0, %1\n" in text


def test_an_amount_may_reach_beyond_a_narrowed_shift():
    text = narrowed(
        given("x", 64), given("n", 6), Node("shl", 64, (0, 1)), Node("slice", 4, (2,), 0)
    )
    assert "shl.4" in text


def test_what_nobody_reads_is_not_computed():
    """Of the concatenation only the lower part is used; the product disappears at once."""
    text = narrowed(
        given("x", 8), Node("mul", 8, (0, 0)), Node("concat", 16, (0, 1)),
        Node("not", 16, (2,)), Node("slice", 8, (3,), 0),
    )
    assert text == "%0 = input.8 x\n%1 = not.8 %0\noutput verdict = %1\n"


def test_demand():
    f = function(
        given("x", 8), given("y", 8), Node("add", 8, (0, 1)), Node("sext", 16, (2,)),
        Node("slice", 4, (3,), 10), Node("slice", 2, (2,), 1), Node("concat", 6, (4, 5)),
    )
    assert [hex(m) for m in demanded(f)] == [
        "0xff", "0xff", "0x86", "0x3c00", "0xf", "0x3", "0x3f",
    ]


def test_passes_leave_their_input_alone():
    before = function(
        given("x", 64), given("y", 64), Node("add", 64, (0, 1)), Node("slice", 3, (2,), 0)
    )
    text = str(before)
    seen = []
    run_passes(before, lambda name, _: seen.append(name))
    assert str(before) == text
    assert seen == [p.name for p in DEFAULT]


def test_replay_is_idempotent():
    once = replay(function(
        given("x", 64), given("y", 64), Node("const", 64, (), 0xFF), Node("and", 64, (0, 2)),
        Node("add", 64, (3, 1)), Node("const", 64, (), 3), Node("mul", 64, (4, 5)),
    ))
    assert str(DeadCode().run(replay(once))) == str(DeadCode().run(once))
