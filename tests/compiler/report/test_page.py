"""report.html is whole, escaped, bounded, and what it links is there."""

from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rxgate.compiler.driver import Design, compile_program
from rxgate.compiler.insn import Program
from rxgate.compiler.options import Options
from rxgate.compiler.report import render, svg
from rxgate.compiler.source import read_expression, read_program

EXAMPLES = Path(__file__).parents[3] / "examples"
VOID = {"meta", "input"}
HOSTILE = """#include <rxgate/phys_dev.h>
/* </script><script>alert("1")</script> <img src=x onerror=alert(2)> */
SEC("phys_dev")
int hostile(struct xdp_metadata *ctx)
{
	return ctx->len < 60 && load_byte(ctx, 12) > 8; /* "quoted" </td></table> &amp; */
}
"""


class Page(HTMLParser):
    """Collects elements; tags must close in the order that they open in."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, {k: v or "" for k, v in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, {k: v or "" for k, v in attrs}))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] not in (["style"], ["script"]):
            self.text += data

    def words(self, name: str, kind: str | None = None) -> set[str]:
        """The values of a data attribute, of elements of one kind."""
        return {
            word for _, attrs in self.elements if kind in (None, attrs.get("data-t"))
            for word in attrs.get(f"data-{name}", "").split()
        }


@cache
def example(name: str) -> Program:
    return read_program(str(EXAMPLES / f"{name}.c"))


def design(program: str, **options) -> Design:
    return compile_program(example(program), Options(**options))


@pytest.fixture(scope="module", params=["dns_guard", "xdp_port_filter", "drop_by_length", "expression",
                                        "hexadecimal", "hash_sampler", "folded"])
def text(request) -> str:
    match request.param:
        case "expression":
            return render(compile_program(read_expression("udp port 53"), Options()))
        case "hexadecimal":
            return render(compile_program(read_program("b700000001000000 9500000000000000"), Options()))
        case "folded":
            return render(design("xdp_p4_parser", width=64))
    return render(design(request.param))


def test_page_is_whole_and_needs_nothing(text):
    page = Page(text)
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    for name in ("src", "href", "action", "data-src"):
        assert not [tag for tag, attrs in page.elements if name in attrs]
    assert not {tag for tag, _ in page.elements} & {"link", "img", "iframe", "object", "image", "use"}
    assert "url(" not in text
    assert "@import" not in text
    assert "://" not in text
    policies = [a["content"] for t, a in page.elements if "http-equiv" in a]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"]


def test_what_is_linked_is_there(text):
    page = Page(text)
    assert page.words("k") <= page.words("k", "line")
    assert page.words("s") <= page.words("s", "insn")
    assert page.words("e") <= page.words("b", "box")
    assert page.words("g", "box") <= page.words("g", "stage") | {"-1"}
    assert page.words("y") <= page.words("y", "byte")


def test_labels_have_what_they_label(text):
    page = Page(text)
    ids = {attrs["id"] for _, attrs in page.elements if "id" in attrs}
    for _, attrs in page.elements:
        for name in ("for", "aria-labelledby"):
            assert attrs.get(name, "h-code") in ids


def test_the_pipeline_is_drawn():
    drawn = design("dns_guard")
    page = Page(render(drawn))
    stages = {str(k) for k in range(drawn.schedule.latency)}
    assert page.words("g", "stage") == stages
    assert page.words("g", "box") == stages | {"-1"}
    assert "svg" in {tag for tag, _ in page.elements}
    lines = [a for _, a in page.elements if a.get("data-t") == "line"]
    assert len(lines) == len({a["data-k"] for a in lines})


def test_the_same_design_gives_the_same_page():
    assert render(design("xdp_port_filter")) == render(design("xdp_port_filter"))


def test_source_is_escaped_and_no_path_is_named(tmp_path):
    path = tmp_path / "hostile.c"
    path.write_text(HOSTILE)
    text = render(compile_program(read_program(str(path)), Options()))
    page = Page(text)
    assert 'alert("1")' in page.text
    assert [tag for tag, _ in page.elements].count("script") == 1
    assert "<img" not in text
    assert str(tmp_path) not in text
    assert str(EXAMPLES.parent) not in text
    for line in HOSTILE.splitlines():
        assert line.strip() in page.text


def test_without_graphviz_there_is_a_profile(monkeypatch):
    monkeypatch.setattr(svg, "find_spec", lambda name: None)
    text = render(design("dns_guard"))
    page = Page(text)
    assert "pygraphviz is not installed" in page.text
    assert "svg" not in {tag for tag, _ in page.elements}
    assert page.words("g", "stage")


def test_large_programs_are_folded_and_bounded():
    """2,005 instructions: every byte that is loaded changes what is shifted into the result."""
    body = "".join(
        f"30000000{n % 60:02x}000000 0f07000000000000 a7070000{n % 251:02x}000000 6f78000000000000"
        for n in range(500)
    )
    code = f"bf16000000000000 b707000000000000 b708000001000000 {body} bf70000000000000 9500000000000000"
    compiled = compile_program(read_program(code), Options())
    text = render(compiled)
    page = Page(text)
    assert len(text) < 1_500_000
    assert len(page.words("s", "insn")) == 2005
    assert "would be too many to follow" in page.text
    assert "are left out" in page.text
    assert page.words("g", "stage") == {str(k) for k in range(compiled.schedule.latency)}
