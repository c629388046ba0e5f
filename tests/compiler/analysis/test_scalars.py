"""Abstract numbers: whatever the operands really are, the result is among the possible ones."""

from hypothesis import given
from hypothesis import strategies as st
from rxgate.compiler.analysis import scalars
from rxgate.compiler.analysis.scalars import Scalar
from rxgate.compiler.insn import AluOp, JumpOp
from rxgate.sim import semantics

U64 = (1 << 64) - 1
EDGES = [0, 1, 2, 31, 32, 63, 64, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 1 << 32, 1 << 63, U64]
numbers = st.one_of(
    st.sampled_from(EDGES), st.integers(0, 300), st.integers(0, U64), st.integers(U64 - 300, U64)
)


@st.composite
def abstracted(draw) -> tuple[int, Scalar]:
    """A number, and some of what may be known of it."""
    n = draw(numbers)
    match draw(st.integers(0, 4)):
        case 0:
            return n, scalars.constant(n)
        case 1:
            return n, scalars.one_of([n, *draw(st.lists(numbers, max_size=70))])
        case 2:
            return n, scalars.unknown()
        case 3:
            mask = draw(numbers)
            masked = scalars.apply(AluOp.AND, scalars.unknown(), scalars.constant(mask), 64)
            return n & mask, masked
    known = scalars.unknown()
    for _ in range(draw(st.integers(1, 3))):
        op, bound = draw(st.sampled_from(list(JumpOp))), draw(numbers)
        holds = semantics.condition(op, n, bound, 64)
        refined = scalars.refine(known, op, scalars.constant(bound), holds)
        assert refined is not None
        known = refined
    return n, known


@given(abstracted())
def test_what_is_known_is_true(pair):
    n, known = pair
    assert known.contains(n)
    assert known.low <= n <= known.high
    assert not (n ^ known.bits) & ~known.unknown & U64
    possible = known.possible(1000)
    assert possible is None or n in possible


@given(abstracted(), abstracted(), st.sampled_from(list(AluOp)), st.sampled_from([32, 64]))
def test_arithmetic(x, y, op, bits):
    result = scalars.apply(op, x[1], y[1], bits)
    assert result.contains(semantics.alu(op, x[0], y[0], bits))


@given(abstracted(), abstracted(), st.sampled_from(list(JumpOp)))
def test_branches(x, y, op):
    holds = semantics.condition(op, x[0], y[0], 64)
    refined = scalars.refine(x[1], op, y[1], holds)
    assert refined is not None
    assert refined.contains(x[0])
    if op in scalars.MIRRORED:
        refined = scalars.refine(y[1], scalars.MIRRORED[op], x[1], holds)
        assert refined is not None
        assert refined.contains(y[0])


@given(abstracted(), st.sampled_from([8, 16, 32, 64]), st.sampled_from([32, 64]))
def test_widths(x, from_bits, bits):
    n, known = x
    assert scalars.truncate(known, from_bits).contains(n & (1 << from_bits) - 1)
    if from_bits < bits:
        extended = semantics.signed(n, from_bits) & (1 << bits) - 1
        assert scalars.sign_extend(known, from_bits, bits).contains(extended)


@given(abstracted(), abstracted())
def test_join(x, y):
    joined = scalars.join(x[1], y[1])
    assert joined.contains(x[0])
    assert joined.contains(y[0])


def test_small_sets_are_exact():
    """The IPv4 header length: 16 places, 4 apart."""
    ihl = scalars.apply(AluOp.AND, scalars.unknown(8), scalars.constant(15), 64)
    assert ihl.possible(64) == list(range(16))
    length = scalars.apply(AluOp.LSH, ihl, scalars.constant(2), 64)
    assert length.possible(64) == list(range(0, 64, 4))
    at = scalars.apply(AluOp.ADD, length, scalars.constant(14), 32)
    assert at.possible(64) == list(range(14, 78, 4))


def test_a_contradiction_is_seen():
    small = scalars.refine(scalars.unknown(), JumpOp.LT, scalars.constant(5), True)
    assert small is not None
    assert small.possible(9) == [0, 1, 2, 3, 4]
    assert scalars.refine(small, JumpOp.GT, scalars.constant(4), True) is None
    assert scalars.refine(small, JumpOp.EQ, scalars.constant(7), True) is None


def test_division_bounds():
    a = scalars.unknown(8)
    ten = scalars.constant(10)
    assert scalars.apply(AluOp.DIV, a, ten, 64).high == 25
    assert scalars.apply(AluOp.MOD, a, ten, 64).high == 9
    assert scalars.apply(AluOp.MOD, a, scalars.unknown(), 64).high == 255
