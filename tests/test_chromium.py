"""The browser that the tests look through hears what it should."""

from pathlib import Path

from playwright.sync_api import Browser

from tests.chromium import Visitor


def test_troubles_are_heard(browser: Browser, tmp_path: Path) -> None:
    """An error of a script, one of the console, a picture that is missing and a fault that axe knows are all told."""
    page = tmp_path / "page.html"
    page.write_text("<title>x</title><img src=gone.png><script>console.error('oh'); throw new Error('no')</script>")
    context = browser.new_context()
    visitor = Visitor(context.new_page()).listen()
    visitor.page.goto(page.as_uri())
    faults = visitor.faults()
    context.close()
    assert {each.partition(":")[0] for each in visitor.troubles} == {"console", "script", "loading"}
    assert any(each.startswith("image-alt") for each in faults)


def test_a_sound_page_is_quiet(visitor: Visitor, tmp_path: Path) -> None:
    """A page without a fault gives none."""
    page = tmp_path / "page.html"
    page.write_text("<!doctype html><html lang=en><title>x</title><main><h1>Hello</h1></main></html>")
    visitor.page.goto(page.as_uri())
    assert visitor.faults() == []
