"""The live page in a real browser: a run watched from before its beginning to after its end."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.chromium import Visitor
from tests.stories.world import HERE, PATIENCE, Batch, World, at, ended, gateway, jobs

pytestmark = pytest.mark.timeout(900)

JOBS = 300
REFUSED_EVERY = 75
LONG = 5 * PATIENCE
"""Seconds that a whole run may take where others run beside it."""

SECONDS = 1000 * PATIENCE
"""How long a page may take, in Playwright's milliseconds; a busy machine is no failure."""

SHOWN = "[...document.querySelectorAll('.tile img')].slice(0, {}).every(one => one.naturalWidth > 0)"
"""That the first few thumbnails are there, and are pictures."""

PICTURES = "DOCS_PICTURES"
"""Set in the environment: the picture in the documents is made anew."""

SCRIPT = "</script><img src=x onerror=alert(1)>"
TERMINAL = "\x1b[2J\x1b]0;title\x07 \u202eevil\u2066 and\nanother line"


@dataclass
class Sight:
    """A batch that is watched: the page's address, and the processes of server and run."""

    world: World
    manifest: Path
    url: str
    server: "subprocess.Popen[str]"
    key: str
    started: "list[subprocess.Popen[str]]" = field(default_factory=list)

    def run(self) -> "subprocess.Popen[str]":
        """Buy all of it."""
        consent = ("--max-pictures", str(2 * JOBS), "--max-usd", "1000")
        self.started.append(self.world.start("run", str(self.manifest), *consent, XENODIA_API_KEY=self.key))
        return self.started[-1]


def asked() -> list[dict[str, Any]]:
    """300 jobs, two of which mean no good."""
    found = jobs(JOBS)
    found[5]["prompt"], found[6]["prompt"] = SCRIPT, TERMINAL
    return found


@pytest.fixture
def sight(tmp_path: Path) -> Iterator[Sight]:
    """A batch that has not begun, its page, and a gateway that refuses a few and loses one answer."""
    faults = tmp_path / "faults.yaml"
    tasks = f"tasks:\n  - {{every: {REFUSED_EVERY}, task: refused}}\n"
    faults.write_text(f"faults: 1\nseed: 7\nsubmit:\n  - {{at: 23, after: cut}}\n{tasks}")
    painter = "builtin" if PICTURES in os.environ else "tests.gateway.own_painter:paint"
    with gateway(tmp_path / "gateway", "--faults", str(faults), "--painter", painter) as sold:
        world = World(tmp_path / "world")
        manifest = world.write(**at(sold), jobs=asked())
        server = world.start("view", manifest.name, "--port", "0", "--no-open", "--json")
        assert server.stdout is not None
        sight = Sight(world, manifest, json.loads(server.stdout.readline())["url"], server, sold.key)
        try:
            yield sight
        finally:
            for process in (server, *sight.started):
                process.kill()  # nothing, to one that has ended
                process.wait()
                for pipe in (process.stdout, process.stderr):
                    if pipe is not None:
                        pipe.close()


def settled(page: Page, state: str, jobs: int) -> None:
    """Wait until a tab says this."""
    expect(page.locator(f"#n-{state}")).to_have_text(str(jobs), timeout=SECONDS)


def test_a_run_watched_live(sight: Sight, visitor: Visitor) -> None:
    """Counts and pictures arrive without a reload; a search narrows the wall and can be shared; a failed job explains
    itself; no text is obeyed; axe finds nothing serious in any dress; Ctrl-C ends the server though pages are open.
    """
    page = visitor.page
    page.goto(sight.url)
    page.evaluate("window.never = 'reloaded'")
    expect(page.get_by_text("No run has begun here yet")).to_be_visible()
    run = sight.run()
    page.wait_for_selector(".tile img", timeout=SECONDS)
    done = ended(run, LONG)
    assert done.code == 3, done.text
    kinds = Batch(sight.world.root / "outputs/story").kinds()
    for state, kind in (("stored", "Stored"), ("failed", "JobFailed"), ("in_doubt", "InDoubt"), ("queued", "Planned")):
        settled(page, state, kinds[kind])
    assert (kinds["JobFailed"], kinds["InDoubt"]) == (JOBS // REFUSED_EVERY, 1)
    expect(page.locator(".tile img")).to_have_count(60, timeout=SECONDS)
    page.wait_for_function(SHOWN.format(1), timeout=SECONDS)
    assert page.evaluate("window.never") == "reloaded"
    expect(page.locator(".pace")).to_contain_text("no run goes on", timeout=SECONDS)
    _search(page, sight)
    _a_failed_job(page, sight)
    _hostile(page, sight)
    _by_keys(page, sight)
    _in_every_dress(visitor, sight)
    _portrait(visitor, sight)
    _the_end(visitor, sight)


def _the_end(seen: Visitor, sight: Sight) -> None:
    """Ctrl-C ends the server while a page listens; the page says so, and what the browser says of it is expected."""
    seen.page.goto(sight.url)
    _arrived(seen.page, "#wall .tile")
    expect(seen.page.locator("#lost")).to_be_hidden()
    known = list(seen.troubles)
    sight.server.send_signal(signal.SIGINT)
    closed = ended(sight.server)
    assert closed.code == 0, closed.text
    expect(seen.page.locator("#lost")).to_be_visible(timeout=SECONDS)
    seen.page.goto("about:blank")
    seen.troubles[:] = known


def _search(page: Page, sight: Sight) -> None:
    page.fill("#q", "NUMBER 24")
    expect(page.locator(".tile")).to_have_count(11, timeout=SECONDS)  # 24 and 240 to 249
    expect(page).to_have_url(f"{sight.url}?q=NUMBER+24", timeout=SECONDS)
    page.reload()
    assert page.locator(".tile").count() == 11
    assert page.input_value("#q") == "NUMBER 24"
    page.go_back()
    expect(page.locator(".tile")).to_have_count(60, timeout=SECONDS)
    page.click("text=Older")
    page.wait_for_url(lambda url: "before=" in url, timeout=SECONDS)
    expect(page.locator(".tile")).to_have_count(60, timeout=SECONDS)


def _a_failed_job(page: Page, sight: Sight) -> None:
    page.goto(sight.url)
    page.click(".tabs a[data-state=failed]")
    expect(page.locator(".tile")).to_have_count(JOBS // REFUSED_EVERY, timeout=SECONDS)
    name = page.locator(".tile .name").first.text_content()
    page.locator(".tile").first.click()
    expect(page.locator("h1")).to_have_text(name or "")
    notice = page.locator("#life .notice")
    expect(notice).to_contain_text("the content violates the usage policy")
    expect(notice.locator("code", has_text="batchgen run")).to_have_text(
        f"batchgen run {sight.manifest.name} --redo {name}"
    )
    page.click("#ask-values")
    expect(page.locator("#values")).to_contain_text("line 1, column", timeout=SECONDS)
    expect(page.locator(".life")).to_contain_text("JobFailed")
    _arrived(page, "#life")
    page.keyboard.press("Escape")
    expect(page.locator(".tile")).to_have_count(JOBS // REFUSED_EVERY, timeout=SECONDS)


def _hostile(page: Page, sight: Sight) -> None:
    page.goto(f"{sight.url}jobs/6")
    assert page.locator(".prompt").text_content() == SCRIPT
    assert page.locator("img[src='x']").count() == 0
    page.goto(f"{sight.url}jobs/7")
    shown = page.locator(".prompt").text_content() or ""
    assert shown == "\\x1b[2J\\x1b]0;title\\x07 \\u202eevil\\u2066 and\nanother line"
    page.goto(f"{sight.url}?state=all&q=onerror")
    assert page.locator(".tile .under").text_content() == SCRIPT


def _by_keys(page: Page, sight: Sight) -> None:
    page.goto(sight.url)
    _arrived(page, "#wall .tile")
    for key in ("j", "j", "k"):
        page.keyboard.press(key)
    first = page.locator(".tile").first
    expect(first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(first).not_to_be_focused()
    page.keyboard.press("Enter")
    _arrived(page, "#life")
    before = page.url
    page.keyboard.press("j")
    page.wait_for_url(lambda url: url != before, timeout=SECONDS)
    _arrived(page, "#life")
    page.keyboard.press("Escape")
    _arrived(page, "#wall")
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()


def _arrived(page: Page, selector: str) -> None:
    """Wait until another page is there, and hears keys."""
    page.wait_for_selector(selector, timeout=SECONDS)
    page.wait_for_load_state(timeout=SECONDS)


def _in_every_dress(seen: Visitor, sight: Sight) -> None:
    """Dark and light, wide and on a phone; nothing is wider than the window."""
    places = ("", "jobs/75", "?state=failed", "jobs/1", "runs")
    for scheme, width, height in (("dark", 1280, 800), ("light", 390, 844), ("dark", 390, 844), ("light", 1280, 800)):
        seen.wear(scheme, width=width, height=height)  # type: ignore[arg-type]
        for place in places if width > 1000 else places[:2]:
            seen.page.goto(sight.url + place)
            assert seen.faults() == [], (scheme, width, place)
            assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (width, place)


def _portrait(seen: Visitor, sight: Sight) -> None:
    if PICTURES not in os.environ:
        return
    from PIL import Image

    shot = sight.world.root / "view.png"
    seen.wear("light", width=1280, height=860)
    seen.page.goto(sight.url)
    seen.page.wait_for_function(SHOWN.format(12), timeout=SECONDS)
    seen.picture(shot)
    Image.open(shot).convert("RGB").save(HERE / "docs/view.jpg", quality=84, optimize=True)


def test_a_script_that_comes_late_is_waited_for(sight: Sight, visitor: Visitor) -> None:
    """A page whose scripts come one long after the other hears of what happens, like any other."""
    page = visitor.page
    page.route("**/hx-sse.min.js", late)
    page.goto(sight.url)
    assert ended(sight.run(), LONG).code == 3
    settled(page, "stored", Batch(sight.world.root / "outputs/story").kinds()["Stored"])


def late(route: Route) -> None:
    """Answer after a while."""
    time.sleep(0.3)
    route.continue_()


def test_what_is_new_waits_while_somebody_reads(sight: Sight, browser: Browser, visitor: Visitor) -> None:
    """Far down the wall nothing moves when pictures come; a button says that there are new ones and shows them. Many
    pages at once are one reader, and none keeps a connection when it is closed.
    """
    page = visitor.page
    assert ended(sight.run(), LONG).code == 3
    others = [browser.new_page() for _ in range(3)]
    for each in others:
        each.goto(sight.url)
    page.goto(sight.url)
    last = page.locator(".tile").last
    last.scroll_into_view_if_needed()
    top = page.locator(".tile").first.get_attribute("href")
    again = sight.world.type(
        *("run", str(sight.manifest), "--redo", "job00*", "--max-usd", "1000"), XENODIA_API_KEY=sight.key
    )
    assert again.code == 3, again.text
    expect(page.locator("#pill")).to_be_visible(timeout=SECONDS)
    assert page.locator(".tile").first.get_attribute("href") == top
    page.click("#pill")
    expect(page.locator(".tile .name").first).to_have_text(re.compile("job00."), timeout=SECONDS)
    expect(page.locator("#pill")).to_be_hidden()
    for each in others:
        expect(each.locator(".tile .name").first).to_have_text(re.compile("job00."), timeout=SECONDS)
        each.close()
    assert _journals(sight.server.pid) == 1


def _journals(pid: int) -> int:
    """How often a process has the journal open."""
    return sum(_place(f"/proc/{pid}/fd/{each}").endswith("/journal.db") for each in os.listdir(f"/proc/{pid}/fd"))


def _place(descriptor: str) -> str:
    try:
        return os.readlink(descriptor)
    except FileNotFoundError:  # closed meanwhile
        return ""
