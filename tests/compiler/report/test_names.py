"""Operations are called what people call them."""

import pytest
from rxgate.compiler.builder import Builder
from rxgate.compiler.report.names import Names


@pytest.fixture
def b() -> Builder:
    return Builder()


def window(b: Builder, *numbers: int) -> int:
    return b.concat(*(b.input("window", 8, n) for n in numbers))


def names(b: Builder, *sources: str) -> Names:
    return Names(b.function({}), ("limit[0]",), sources)


def test_constants_stand_as_in_the_packet(b):
    little = b.eq(window(b, 12, 13), b.const(0x0008, 16))
    big = b.eq(window(b, 13, 12), b.const(0x0800, 16))
    assert names(b).text(little) == "bytes 12–13 = 0x0800"
    assert names(b).text(big) == "bytes 12–13 = 0x0800"
    assert names(b).label(little) == "= 0x0800"


def test_numbers_are_decimal_where_the_source_has_them_so(b):
    port = b.eq(window(b, 37, 36), b.const(1900, 16))
    assert names(b).label(port) == "= 0x076c"
    assert names(b, "case 1900: return XDP_DROP;").label(port) == "= 1900"


def test_constants_on_the_left_turn_around(b):
    above = b.ult(b.const(50, 8), b.input("window", 8, 3))
    assert names(b).text(above) == "byte 3 > 50"
    assert names(b).label(above) == "> 50"


def test_sums_with_large_constants_are_differences(b):
    n = b.add(b.input("len", 16), b.const(0x10000 - 15, 16))
    assert names(b).text(n) == "len − 15"


def test_parts_of_values(b):
    nibble = b.slice(b.input("window", 8, 14), 0, 4)
    bit, wide = b.slice(b.input("window", 8, 14), 7, 1), b.zext(nibble, 32)
    mixed = b.concat(b.input("present", 4), b.const(3, 4), b.input("tunables", 8, 0))
    assert names(b).value(nibble) == names(b).value(wide) == "byte 14[3:0]"
    assert names(b).value(bit) == "byte 14[7]"
    assert names(b).value(mixed) == "{limit[0], 3, bytes present}"


def test_swapped_operations(b):
    n = b.xor(window(b, 0, 1), window(b, 2, 3))
    swapped = b.swap_bytes(n)
    assert names(b).value(swapped) == f"swap %{n}"


def test_every_operation_has_text_and_label(b):
    x, y, c = window(b, 0, 1), window(b, 2, 3), b.slice(b.input("window", 8, 9), 0, 1)
    key = b.input("window", 8, 4)
    made = [
        *(b.bitwise(op, x, y) for op in ("and", "or", "xor")), b.not_(x), b.add(x, y), b.sub(x, y),
        b.mul(x, y), b.udiv(x, y), b.urem(x, y), b.shift("shl", x, key), b.shift("ashr", x, key),
        b.eq(x, y), b.ult(x, y), b.slt(x, y), b.parity(x), b.mux(c, x, y),
        b.onehot([(b.eq(key, b.const(1, 8)), x), (b.eq(key, b.const(2, 8)), y)]),
        b.case(key, {1: x, 2: y, 3: b.const(5, 16)}), b.case(key, {1: b.const(3, 2)}),
    ]
    said = names(b)
    for n in made:
        assert said.text(n)
        assert said.value(n)
    for n, node in enumerate(b.nodes):
        if node.op not in ("const", "input", "slice", "concat", "sext"):
            assert len(said.label(n)) <= 24
