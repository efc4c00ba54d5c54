"""A report in a real Chromium, from its file: opened, searched, judged, and what was rejected bought again.

`PAINT_DOCS=1 python -m pytest -n 0 tests/stories/test_report.py -k documentation` paints docs/report.jpg;
`python -m pytest -n 0 -m slow tests/stories/test_report.py` does all with 10,000 jobs, and holds it to its time.
"""

import io
import json
import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.chromium import Visitor
from tests.report.batches import build, manifest, picture
from tests.stories.world import HERE, World, ended

HOSTILE = "</script><img src=x onerror=alert(1)> \u202egnp\x1b[31m"


def fate(number: int) -> Any:
    """One in a hundred is refused, the eighth payment is in doubt."""
    if number == 7:
        return None
    return "refused" if number % 100 == 9 else picture(number)


def made(root: Path, rows: int, told: Callable[[int], Any] = fate, **keys: Any) -> Path:
    """A batch of twice so many jobs with its report."""
    folder = build(manifest(root, rows, **keys), told)
    done = World(root).type("report", "m.yaml")
    assert done.code == 0, done.text
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A batch of 400."""
    return made(tmp_path_factory.mktemp("report"), 200)


def opened(visitor: Visitor, folder: Path, hash_: str = "") -> Page:
    """The report in the browser, its first pictures there."""
    visitor.page.goto((folder / "report.html").as_uri() + hash_)
    visitor.page.wait_for_selector(".tile", state="attached")
    return visitor.page


def count(page: Page) -> str:
    """How many the page says it shows."""
    return page.locator("#count").inner_text()


def judged_and_bought(visitor: Visitor, folder: Path, jobs: int, tmp_path: Path) -> None:
    """Filter, reject three and accept one, save the picks, and run them; what comes again has thumbnails at once."""
    page = opened(visitor, folder)
    assert count(page) == f"{jobs:,} in all"
    assert page.locator(".tile").count() < 300
    page.fill("#text", "left side, number 0001")
    page.wait_for_function("() => document.querySelector('#count').textContent.startsWith('10 of')")
    page.locator(".tile").first.focus()
    page.keyboard.press("r")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("R")
    page.keyboard.press("Enter")
    page.wait_for_selector("#box[open]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("a")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("r")
    page.keyboard.press("Escape")
    assert page.locator("#verdict-count").inner_text() == "1 accepted, 3 rejected"
    page.reload()
    page.wait_for_selector("#verdicts:not([hidden])")
    assert page.locator("#verdict-count").inner_text() == "1 accepted, 3 rejected"
    with page.expect_download() as download:
        page.click("#save")
    picks = tmp_path / "picks.json"
    download.value.save_as(picks)
    asked = json.loads(picks.read_text())
    rejected = [each["id"] for each in asked["picks"]]
    assert rejected == ["00010/side/pro", "00011/side/pro", "00014/side/pro"]
    assert asked["accepted"] == [{"id": "00013/side/pro", "attempt": 1}]
    command = page.locator("#verdict-command").inner_text()
    assert command == f"batchgen run {folder.parent.parent}/m.yaml --redo autumn-picks.json"
    world = World(folder.parent.parent)
    done = world.type("run", "m.yaml", "--redo", str(picks))
    assert done.code in {1, 3}, done.text
    heads = world.batch("autumn.local").heads()
    twice = [job for job, (kind, _) in heads.items() if kind == "Stored" and _attempts(world, job) == 2]
    assert sorted(twice) == sorted(rejected)
    digests = [heads[job][1]["assets"][0]["sha256"] for job in rejected]
    assert all((folder / f".batchgen/thumbs/{each[:2]}/{each}.jpg").stat().st_size > 200 for each in digests)
    paid = [json.loads(line) for line in (folder / ".batchgen/gateway/paid.jsonl").read_text().splitlines()]
    assert len([each for each in paid if each["token"] != "bg-8"]) == 3  # that is the doubt, asked again by its token


def _attempts(world: World, job: str) -> int:
    (found,) = world.batch("autumn.local")._rows(f"SELECT number FROM jobs WHERE id = '{job}'")
    (most,) = world.batch("autumn.local")._rows(f"SELECT max(attempt) FROM milestones WHERE job = {found[0]}")
    return int(most[0])


def test_filters_are_in_the_address(visitor: Visitor, folder: Path) -> None:
    """State, axis and text narrow what is shown, stand in the address, and a link to it shows the same."""
    page = opened(visitor, folder)
    page.click('.chip[data-state="failed"]')
    assert count(page) == "4 of 400 shown"
    assert page.locator(".tile .blank").first.inner_text() == "the provider's content policy said no"
    page.select_option('[data-filter="axis.prompt"]', "front")
    assert count(page) == "0 of 400 shown"
    assert page.locator("#nothing").is_visible()
    page.click("#clear")
    page.select_option('[data-filter="axis.prompt"]', "front")
    page.fill("#text", "GOLD")
    page.wait_for_function("() => location.hash.includes('GOLD')")
    said, link = count(page), page.url
    assert said == "34 of 400 shown"
    page.goto("about:blank")
    page.goto(link)
    assert count(page) == said


def test_the_wall_is_walked_by_keys(visitor: Visitor, folder: Path) -> None:
    """Arrows, End and Home reach every picture, though only those in the window are in the document."""
    page = opened(visitor, folder)
    page.locator(".tile").first.focus()
    page.keyboard.press("End")
    page.wait_for_function("() => document.activeElement.getAttribute('aria-label').startsWith('00199/side/pro')")
    assert page.locator(".tile").count() < 150
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.activeElement.getAttribute('aria-label').startsWith('00000/side/pro')")
    page.keyboard.press("?")
    page.wait_for_selector("#help[open]")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "text"


def test_the_box_tells_all(visitor: Visitor, folder: Path) -> None:
    """One picture has its prompt, settings, row, cost, task and hash; what failed has its reason; zoom shows pixels."""
    page = opened(visitor, folder)
    page.locator(".tile").first.click()
    told = page.locator("#facts").inner_text()
    size = "48 \N{MULTIPLICATION SIGN} 48"
    for words in (size, "A red boot from the front", "nano-banana-pro", "task_1", "$0.134", "0.50", "Row 2"):
        assert words in told, words
    page.wait_for_function("() => document.querySelector('#stage img').complete")
    page.keyboard.press("z")
    page.wait_for_selector("#stage[data-zoomed]")
    page.keyboard.press("+")
    assert page.evaluate("document.querySelector('#stage img').getBoundingClientRect().width") == pytest.approx(64, 0.1)
    page.keyboard.press("z")
    assert page.locator("#stage[data-zoomed]").count() == 0
    page.keyboard.press("Escape")
    page.click('.chip[data-state="in_doubt"]')
    page.locator(".tile").first.click()
    assert "request sent, no answer" in page.locator("#facts").inner_text()
    assert page.locator("#accept").is_hidden()


def test_the_matrix_has_a_line_per_row(visitor: Visitor, folder: Path) -> None:
    """One line per input row, one column per value; a cell opens its picture."""
    page = opened(visitor, folder, "#as=matrix&across=prompt")
    assert page.locator("#matrix thead th").all_inner_texts() == ["row", "front", "side"]
    assert page.locator("#matrix tbody tr:not(.space)").count() < 40
    page.evaluate("document.querySelector('#matrix').scrollTop = 1e7")
    page.wait_for_function("() => document.querySelector('#matrix tbody').textContent.includes('00199')")
    last = page.locator("#matrix tbody tr:not(.space)").last
    assert "row 201" in last.inner_text()
    last.locator(".tile").nth(1).click()
    assert page.locator("#box-id").inner_text() == "00199/side/pro"


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nobody_is_shut_out(visitor: Visitor, folder: Path, scheme: Any, width: int) -> None:
    """In dark and light, wide and on a phone, axe finds nothing serious on the wall, the matrix and one picture."""
    page = opened(visitor, folder)
    visitor.wear(scheme, width=width, height=844)
    assert visitor.faults() == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.click("#as-matrix")
    assert visitor.faults() == []
    page.click("#as-wall")
    page.locator(".tile").first.click()
    page.keyboard.press("a")
    assert visitor.faults() == []
    page.keyboard.press("Escape")
    assert visitor.faults() == []


def test_hostile_texts_are_texts(visitor: Visitor, tmp_path: Path) -> None:
    """A prompt that would be markup, script and escape is read as it was written; moved, all is still there."""
    prompts = {"front": f"{{{{ sku }}}} {HOSTILE}"}
    folder = made(tmp_path / "one", 3, picture, prompts=prompts, models={"a<b>": {"model": "nano-banana-pro"}})
    moved = tmp_path / "moved #1 ü?"
    shutil.move(folder, moved)
    page = opened(visitor, moved)
    page.wait_for_function("() => [...document.images].every((each) => each.complete && each.naturalWidth)")
    page.locator(".tile").first.click()
    told = page.locator("#facts").inner_text()
    assert "00000 </script><img src=x onerror=alert(1)> \\u202egnp\\u001b[31m" in told
    assert "a<b>" in told
    page.wait_for_function("() => document.querySelector('#stage img').naturalWidth === 48")


def test_picks_are_bought_again(visitor: Visitor, tmp_path: Path) -> None:
    """What was rejected in the page is bought once more by `run --redo` with the saved picks, and nothing else is."""
    judged_and_bought(visitor, made(tmp_path / "w", 40), 80, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_thousand(visitor: Visitor, tmp_path: Path) -> None:
    """A report of 10,000 jobs takes under 20 s of CPU when a run has left thumbnails, and under 2 s to open."""
    painted = [_painted(number) for number in range(6)]

    def large(number: int) -> Any:
        found = fate(number)
        return painted[number % 6] + b"%d" % number if isinstance(found, bytes) else found

    folder = build(manifest(tmp_path, 5_000), large)
    scratch, ready = _reporting(tmp_path), _reporting(tmp_path)
    page = opened(visitor, folder)
    client = page.context.new_cdp_session(page)
    client.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.reload()
    page.wait_for_selector(".tile img")
    figures = {each["name"]: each["value"] for each in client.send("Performance.getMetrics")["metrics"]}
    opening = figures["TaskDuration"]  # seconds of CPU of the page's main thread
    assert (ready < 20, opening < 2) == (True, True), f"{scratch:.0f} s, then {ready:.1f} s; {opening:.2f} s to open"
    assert visitor.faults() == []
    judged_and_bought(visitor, folder, 10_000, tmp_path)


def _reporting(root: Path) -> float:
    """Seconds of CPU that a report takes, made as if for the first time."""
    shutil.rmtree(root / "outputs/autumn.local/report_files", ignore_errors=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = ended(World(root).start("report", "m.yaml"), 900)
    assert done.code == 0, done.text
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _painted(number: int) -> bytes:
    out = io.BytesIO()
    noise = Image.effect_noise((128, 128), 20 + number).resize((1024, 1024))
    whole = Image.merge("RGB", (noise, noise.rotate(90), Image.linear_gradient("L").resize((1024, 1024))))
    whole.save(out, "PNG" if number % 2 else "JPEG")
    return out.getvalue()


def test_documentation(visitor: Visitor, tmp_path: Path) -> None:
    """The picture in the documentation is this page; it is painted when PAINT_DOCS is set."""
    if not os.environ.get("PAINT_DOCS"):
        assert (HERE / "docs/report.jpg").stat().st_size > 10_000
        return
    world = World(tmp_path)
    shutil.copytree(HERE / "manifests", tmp_path / "manifests")
    assert world.type("run", "manifests/quickstart.yaml").code == 0
    assert world.type("report", "manifests/quickstart.yaml").code == 0
    opened(visitor, tmp_path / "outputs/quickstart.local")
    pictures = []
    for scheme in ("light", "dark"):
        visitor.wear(scheme, width=1100, height=1100)
        visitor.page.evaluate("document.activeElement.blur()")
        visitor.page.wait_for_function(
            "() => [...document.images].every((each) => each.complete || each.loading === 'lazy')"
        )
        visitor.picture(tmp_path / f"{scheme}.png")
        pictures.append(Image.open(tmp_path / f"{scheme}.png").convert("RGB"))
        if scheme == "light":
            visitor.page.locator(".tile").nth(1).click()
    whole = Image.new("RGB", (2216, 1100), "white")
    whole.paste(pictures[0], (0, 0))
    whole.paste(pictures[1], (1116, 0))
    whole.resize((1662, 825)).save(HERE / "docs/report.jpg", quality=84, optimize=True)
