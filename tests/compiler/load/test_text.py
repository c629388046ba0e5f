"""Hexadecimal text becomes the bytes it says, or a diagnostic."""

import pytest
from rxgate.compiler.errors import InputError, SourceLine
from rxgate.compiler.load import load_program
from rxgate.ctx_map.context import SK_BUFF, XDP_METADATA

CODE = bytes.fromhex("b700000001000000 9500000000000000")


@pytest.mark.parametrize(
    "text",
    [
        "b7000000010000009500000000000000",
        "b7 00 00 00 01 00 00 00 95 00 00 00 00 00 00 00",
        "0xb700000001000000\n0x9500000000000000",
        "0xB7 0x00 0x00 0x00 0x01 0x00 0x00 0x00\n9500 0000 0000 0000\n",
    ],
)
def test_all_spellings(text, tmp_path):
    assert load_program(text).code == CODE
    path = tmp_path / "prog.hex"
    path.write_text(f"# pass everything\n{text} // done\n; the end\n")
    raw = load_program(path, context=SK_BUFF)
    assert (raw.code, raw.context, raw.functions) == (CODE, SK_BUFF, {0: "main"})


def test_lines_and_context(tmp_path):
    path = tmp_path / "prog.hex"
    path.write_text("# r0 = 1\nb7000000 01000000 9500\n000000000000 # exit\n")
    raw = load_program(path)
    assert raw.context is XDP_METADATA
    assert raw.lines == {
        0: SourceLine("prog.hex", 2, "b7000000 01000000 9500"),
        1: SourceLine("prog.hex", 2, "b7000000 01000000 9500"),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "bad.hex holds 0 bytes; a program is one or more 8-byte instructions."),
        ("b700", "bad.hex holds 2 bytes; a program is one or more 8-byte instructions."),
        ("\nb7 0", "bad.hex:2: '0' is not a whole number of bytes in hexadecimal."),
        ("r0 = 1", "bad.hex:1: 'r0' is not a whole number of bytes in hexadecimal."),
        ("0x", "bad.hex:1: '0x' is not a whole number of bytes in hexadecimal."),
    ],
)
def test_other_text(text, message, tmp_path):
    (tmp_path / "bad.hex").write_text(text)
    with pytest.raises(InputError) as caught:
        load_program(tmp_path / "bad.hex")
    assert str(caught.value) == message
