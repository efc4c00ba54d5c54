"""A page of a real Chromium that hears every error and reaches nothing but this machine; fixtures for all tests.

While its browser runs, no other event loop can run in the same process: serve what it looks at from another one.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # ships no types
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

PATIENCE = 60_000
"""Milliseconds that anything on a page may take: a busy machine is no failure."""

SERIOUS = {"serious", "critical"}

FLAGS = [
    "--no-sandbox",  # as root there is none
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


@dataclass
class Visitor:
    """Somebody who looks at pages; `troubles` are errors of the console, of scripts and of loading."""

    page: Page
    troubles: list[str] = field(default_factory=list)

    def listen(self) -> "Visitor":
        """Begin to write troubles down."""
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        self.page.on("requestfailed", lambda request: self._failed(request.url, request.failure))
        return self

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.troubles.append(f"console: {message.text}")

    def _failed(self, url: str, failure: str | None) -> None:
        if failure != "net::ERR_ABORTED":  # the page itself let go of it: a stream at the page's end
            self.troubles.append(f"loading: {url} {failure}")

    def faults(self) -> list[str]:
        """What axe-core finds serious or critical on the page as it stands."""
        found: list[dict[str, Any]] = Axe().run(self.page).response["violations"]
        return [f"{each['id']}: {each['help']}" for each in found if each["impact"] in SERIOUS]

    def wear(self, scheme: Literal["dark", "light"], width: int = 1280, height: int = 800) -> None:
        """Change the colour scheme and the size of the window."""
        self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        self.page.set_viewport_size({"width": width, "height": height})

    def picture(self, path: Path) -> None:
        """Take a screenshot of what is in the window."""
        self.page.screenshot(path=str(path))


def chromium() -> str | None:
    """Where Chromium is on this machine."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    return found or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for the tests of one module; without one they are skipped, under CI they fail."""
    place = chromium()
    if place is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no Chromium here; .ci/test installs Debian's")
        pytest.skip("no Chromium here: install Debian's package chromium, or set CHROMIUM to a path")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=place, args=FLAGS, timeout=PATIENCE)
        expect.set_options(timeout=PATIENCE)
        yield found
        found.close()


@pytest.fixture
def visitor(browser: Browser) -> Iterator[Visitor]:
    """A visitor with a fresh page, who fails the test at its end if anything was amiss on it."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    found = Visitor(context.new_page()).listen()
    yield found
    context.close()
    assert found.troubles == []
