"""report.html in a headless Chromium: it loads alone, and pointing at things shows what belongs."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from rxgate.compiler.driver import compile_program
from rxgate.compiler.options import Options
from rxgate.compiler.report import render
from rxgate.compiler.source import read_program

api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install rxgate[browser]")

EXAMPLES = Path(__file__).parents[3] / "examples"
INSTALLED = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def browser():
    """Playwright's own Chromium, or the one that is installed."""
    found = [path for name in INSTALLED if (path := shutil.which(name))]
    args = ["--no-sandbox"] if os.geteuid() == 0 else []
    with api.sync_playwright() as playwright:
        for path in (None, *found):
            try:
                chromium = playwright.chromium.launch(executable_path=path, args=args)
            except api.Error:
                continue
            yield chromium
            chromium.close()
            return
        pytest.skip("needs a Chromium: apt-get install chromium-headless-shell, or playwright install")


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> Path:
    design = compile_program(read_program(str(EXAMPLES / "xdp_port_filter.c")), Options())
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(design))
    return path


@pytest.fixture
def page(browser, report) -> Iterator:
    """The page, wide; it must not complain or ask for anything."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    yield page
    page.wait_for_timeout(50)
    page.close()
    assert said == []
    assert asked == [report.as_uri()]


def lit(page, selector: str) -> list[str]:
    """The data attributes of what is shown as belonging together."""
    return page.eval_on_selector_all(f"{selector}.on", "all => all.map(e => e.dataset.k || '')")


def line_of(page, text: str) -> str:
    row = page.locator("#source tr.has", has_text=text).first
    return row.get_attribute("data-k")


def test_pointing_at_a_line_shows_its_hardware(page):
    key = line_of(page, "switch (eth->h_proto)")
    page.hover(f"#source tr[data-k='{key}']")
    boxes = lit(page, ".box")
    assert boxes
    assert all(key in keys.split() for keys in boxes)
    of_line = page.locator(f".box[data-k~='{key}']").count()
    assert len(boxes) == of_line < page.locator(".box").count()
    assert lit(page, "#source tr") == [key]
    assert lit(page, "#insns tr")
    assert lit(page, ".byte")
    assert "switch (eth->h_proto)" in page.inner_text("#inspect")


def test_pointing_at_a_box_shows_its_line(page):
    box = page.locator(".box.compare").first
    keys = box.get_attribute("data-k").split()
    box.hover()
    assert set(lit(page, "#source tr")) == set(keys)
    assert box.evaluate("e => e.classList.contains('on')")
    assert page.locator(".edges path.on").count() > 0
    row = page.locator("#source tr.on").first.bounding_box()
    panel = page.locator("#source").bounding_box()
    assert panel["y"] <= row["y"] <= panel["y"] + panel["height"]
    assert "stage 0" in page.inner_text("#inspect")
    assert "LUT6" in page.inner_text("#inspect")


def test_pointing_at_a_stage_shows_its_lines(page):
    band = page.locator(".band[data-g='1']")
    keys = band.get_attribute("data-k").split()
    band.hover(position={"x": 6, "y": 6})
    assert set(lit(page, "#source tr")) == set(keys)
    assert set(page.eval_on_selector_all(".box.on", "all => all.map(e => e.dataset.g)")) == {"1"}
    assert page.locator(".stages tr.on").count() == 1


def test_pointing_at_a_byte_shows_its_lines(page):
    page.hover(".byte[data-y='12']")
    assert line_of(page, "switch (eth->h_proto)") in lit(page, "#source tr")
    page.mouse.move(1, 1)
    assert lit(page, "*") == []


def test_a_click_keeps_and_escape_lets_go(page):
    row = page.locator("#source tr.has").nth(2)
    row.click()
    page.mouse.move(1, 1)
    assert lit(page, "#source tr") == [row.get_attribute("data-k")]
    page.keyboard.press("Escape")
    assert lit(page, "*") == []


def test_arrows_move_where_tab_stops(page):
    page.focus("#t-source")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    third = page.locator("#source tr.has").nth(2).get_attribute("data-k")
    assert lit(page, "#source tr") == [third]
    page.keyboard.press("Home")
    assert lit(page, "#source tr") == [page.locator("#source tr.has").first.get_attribute("data-k")]


def test_a_tap_shows_and_hides(browser, report):
    context = browser.new_context(has_touch=True, viewport={"width": 400, "height": 800})
    page = context.new_page()
    page.goto(report.as_uri())
    row = page.locator("#source tr.has").first
    row.tap()
    assert lit(page, "#source tr") == [row.get_attribute("data-k")]
    row.tap()
    assert lit(page, "*") == []
    context.close()


@pytest.mark.parametrize("width", [360, 400, 768, 1024, 1400, 1920])
def test_no_window_is_too_narrow(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_paper_has_source_and_instructions(page):
    page.emulate_media(media="print")
    assert page.is_visible("#source")
    assert page.is_visible("#insns")
    assert page.is_visible("svg")
    assert not page.is_visible("#inspect")


def test_instructions_are_a_tab(page):
    assert not page.is_visible("#insns")
    page.click("label[for='t-insns']")
    assert page.is_visible("#insns")
    assert not page.is_visible("#source")
    row = page.locator("#insns tr.has", has_text="goto").first
    row.hover()
    slot = row.get_attribute("data-s")
    slots = page.eval_on_selector_all(".box.on", "all => all.map(e => e.dataset.s)")
    assert all(slot in s.split() for s in slots)


def test_dark(browser, report):
    def brightness(scheme: str) -> int:
        page = browser.new_page(color_scheme=scheme)
        page.goto(report.as_uri())
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.close()
        return sum(int(part) for part in colour[4:-1].split(","))

    assert brightness("dark") < 150 < 600 < brightness("light")
