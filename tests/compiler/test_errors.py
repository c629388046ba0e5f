"""A diagnostic is one line: place, source text, reason, and the registers that matter."""

from rxgate.compiler.errors import SourceLine, VerifyError, Where


def test_one_line_says_it_all():
    where = Where("xdp", 7, SourceLine("p.c", 12, "\treturn *p;  "))
    assert str(VerifyError("no.", where, "r1 = 5")) == (
        "section xdp, instruction 7, p.c:12: return *p;: no. [r1 = 5]"
    )
    assert str(VerifyError("no.", where)).endswith(": no.")
    assert str(VerifyError("no.")) == "no."


def test_long_source_lines_are_cut():
    assert str(SourceLine("p.c", 1, "x" * 80)) == "p.c:1: " + "x" * 80
    assert str(SourceLine("p.c", 1, "x" * 81)) == "p.c:1: " + "x" * 80 + "..."
