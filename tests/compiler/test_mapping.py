"""Stages mapped bit by bit: what bits compute, and how long their tables take."""

import random
from itertools import product

import pytest
from rxgate.compiler.bits import FALSE, TRUE, Bits
from rxgate.compiler.builder import Builder
from rxgate.compiler.delay import Model
from rxgate.compiler.delay_tables import ECP5_8
from rxgate.compiler.mapping import mapped_times
from rxgate.compiler.schedule import schedule

SLOW = Model(ECP5_8, 1.0)


def value(bits: Bits, literal: int, leaves: dict[int, bool]) -> bool:
    """What a literal is, by the functions that it was made of."""
    kinds = {made >> 1: key for key, made in bits.made.items() if key[0] < 3}
    known = {0: False} | leaves

    def of(x: int) -> bool:
        n = x >> 1
        if n not in known:
            kind, *args = kinds[n]
            match kind, [of(a) for a in args]:
                case 0, [a, b]:
                    known[n] = a and b
                case 1, [a, b]:
                    known[n] = a != b
                case 2, [c, a, b]:
                    known[n] = a if c else b
        return known[n] != bool(x & 1)

    return of(literal)


@pytest.mark.parametrize("seed", range(40))
def test_bits_compute_what_was_asked(seed):
    """Random functions of five bits, each with what it must be for all of their values."""
    rng = random.Random(seed)
    bits = Bits(ECP5_8, 3)
    rows = list(product((False, True), repeat=5))
    made = [(bits.leaf(rng.random()), tuple(row[k] for row in rows)) for k in range(5)]
    leaves = [x >> 1 for x, _ in made]
    made += [(FALSE, (False,) * 32), (TRUE, (True,) * 32)]
    for _ in range(40):
        chosen = [rng.choice(made) for _ in range(rng.choice((2, 3, 3, 6)))]
        if rng.random() < 0.4:
            chosen[0] = (chosen[0][0] ^ 1, tuple(not v for v in chosen[0][1]))
        given, truth = [x for x, _ in chosen], [t for _, t in chosen]
        match rng.choice(("all", "any", "xor", "mux", "parity", "select")):
            case "all":
                made.append((bits.all(given), tuple(map(all, zip(*truth, strict=True)))))
            case "any":
                made.append((bits.any(given), tuple(map(any, zip(*truth, strict=True)))))
            case "xor":
                found = tuple(a != b for a, b in zip(*truth[:2], strict=True))
                made.append((bits.xor(*given[:2]), found))
            case "mux" if len(given) > 2:
                found = tuple(a if c else b for c, a, b in zip(*truth[:3], strict=True))
                made.append((bits.mux(*given[:3]), found))
            case "parity":
                found = tuple(sum(v) % 2 == 1 for v in zip(*truth, strict=True))
                made.append((bits.parity(given), found))
            case "select" if len(given) > 2:
                table = dict(zip((1, 2), given[1:3], strict=True))
                key = [given[0], made[0][0]]
                found = tuple(
                    {1: a, 2: b}.get(c + 2 * k, False)
                    for c, a, b, k in zip(*truth[:3], made[0][1], strict=True)
                )
                made.append((bits.select(key, table), found))
    for literal, truth in made:
        got = tuple(value(bits, literal, dict(zip(leaves, row, strict=True))) for row in rows)
        assert got == truth


def length(make) -> float:
    """Nanoseconds behind the registers for a result that `make` builds."""
    b = Builder()
    placed = schedule(b.function({"verdict": make(b)}), SLOW)
    return max(mapped_times(placed, SLOW)) - ECP5_8.fixed


def test_whatever_four_bits_decide_is_a_table():
    def deep(b: Builder) -> int:
        x, y, z, w = (b.input(n, 1) for n in "xyzw")
        return b.mux(b.xor(x, y), b.and_(b.or_(x, z), w), b.xor(b.and_(z, w), x))

    alone = length(lambda b: b.and_(b.input("x", 1), b.input("y", 1)))
    assert length(deep) <= alone + 0.5 * ECP5_8.fan_out * 2


def test_what_every_bit_waits_for_is_joined_once():
    """A field that is 0 unless a condition holds, compared with a constant: the condition is a term."""
    def late(b: Builder) -> int:
        return b.parity(b.input("p", 32))

    def guarded(b: Builder) -> int:
        return b.eq(b.mux(late(b), b.input("x", 16), b.const(0, 16)), b.const(0x1234, 16))

    assert length(guarded) <= length(late) + 1.5 * ECP5_8.level


@pytest.mark.parametrize("op", ["add", "ult"])
def test_short_sums_are_logic_and_long_ones_chains(op):
    def of(width: int) -> float:
        return length(lambda b: getattr(b, op)(b.input("x", width), b.input("y", width)))

    assert of(2) < ECP5_8.carry
    assert of(8) < of(16) < of(32)


def test_a_wire_to_many_takes_longer():
    def of(width: int) -> float:
        return length(lambda b: b.mux(b.input("c", 1), b.input("x", width), b.input("y", width)))

    assert of(4) < of(64)


def test_large_programs_keep_the_figures_of_the_scheduler():
    b = Builder()
    x = b.input("x", 8)
    made = x
    for k in range(2_500):
        made = b.xor(b.add(made, x), b.const(k | 1, 8))
    placed = schedule(b.function({"verdict": made}), Model(ECP5_8, 100.0), minimise=False)
    assert mapped_times(placed, SLOW) == placed.stage_ns
