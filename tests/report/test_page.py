"""The page as a file: what it holds, what cannot leave its place in it, and how it is written."""

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from batchgen.journal.record import SqliteRecord
from batchgen.report.facts import Asked, headline
from batchgen.report.gallery import relative_url, script_json
from batchgen.report.page import Made, files_of, make, relative_to
from batchgen.report.summary import Summary
from batchgen.report.thumbnails import Thumbnails
from tests.report.batches import build, manifest, picture
from tests.report.made import run

HOSTILE = "</script><img src=x onerror=alert(1)><!-- \u2028 \u202e \x1b[31m & \ud7ff"


def fate(number: int) -> Any:
    """Most are pictures, one is refused, one in doubt."""
    return {1: "refused", 2: None}.get(number, picture(number))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A batch of eight with a hostile prompt."""
    prompts = {"front": f"{{{{ sku }}}} {HOSTILE}", "side": "{{ colour }}"}
    return build(manifest(tmp_path_factory.mktemp("page"), 4, prompts=prompts), fate)


def made(folder: Path, target: Path, **more: Any) -> Made:
    """Make the page."""
    with SqliteRecord(str(folder / ".batchgen/journal.db")) as record, Thumbnails(folder, 1) as thumbnails:
        asked = Asked(str(folder), str(target), 1_790_000_100.0, ("/abs/m.yaml",), **more)
        return make(record, asked, thumbnails)


def block(text: str, name: str) -> Any:
    """The data in a script element of the page."""
    (found,) = re.findall(rf'<script type="application/json" id="{name}">(.*?)</script>', text, re.DOTALL)
    return json.loads(found)


def test_what_it_holds(folder: Path) -> None:
    """Every job is there with its prompt, row, axes, file and thumbnail, and the sums are those of the journal."""
    done = made(folder, folder / "report.html", budget_micro_usd=5_000_000)
    assert (done.jobs, done.pictures, done.missing) == (8, 6, 0)
    text = (folder / "report.html").read_text()
    shared, jobs = block(text, "shared"), block(text, "jobs")
    found = [dict(zip(shared["columns"], line, strict=True)) for line in jobs]
    assert [each["state"] for each in found].count("stored") == 6
    first = found[0]
    assert (first["id"], first["prompt"]) == ("00000/front/pro", f"00000 {HOSTILE}")
    assert dict(shared["axes"][first["axes"]])["prompt"] == "front"
    assert dict(shared["rows"][first["row"]][2])["colour"] == "red"
    (file,) = [dict(zip(shared["fileColumns"], each, strict=True)) for each in first["files"]]
    assert (folder / file["href"]).read_bytes() == picture(0)
    assert (folder / file["thumb"]).read_bytes()[:2] == b"\xff\xd8"
    words = html.unescape(re.sub(r"\s+", " ", text))
    assert "<dd>$0.804 <small>of $5.00</small></dd>" in words
    assert re.search(r'<th scope="row" class="number">1</th>.*<td class="number">\$0.804</td>', text)
    assert "batchgen run /abs/m.yaml --redo refused" in words
    assert "batchgen resolve /abs/m.yaml" in words
    assert shared["redo"] == "batchgen run /abs/m.yaml --redo"


def test_nothing_from_outside_is_markup(folder: Path) -> None:
    """A prompt that ends scripts and begins pictures stays one text; the page has the elements that it should have."""
    made(folder, folder / "report.html")
    text = (folder / "report.html").read_text()
    assert text.count("</script>") == text.count("<script") == 3
    assert "<img" not in text.replace('make("img"', "")
    assert not {"\u2028", "\u202e", "\x1b"} & set(text)
    assert not re.search(r"\son\w+=|\sstyle=", re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL))


def test_the_policy_allows_what_is_there_and_nothing_else(folder: Path) -> None:
    """Style and script are allowed by their hashes; no other address than the folder's own may be asked."""
    made(folder, folder / "report.html")
    text = (folder / "report.html").read_text()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    for name in ("style", "script"):
        (found,) = re.findall(rf"<{name}>(.*?)</{name}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(found.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in html.unescape(policy)
    assert policy.startswith("default-src &#39;none&#39;")
    assert not re.search(r"(src|href)=\"?https?:", text)


def test_made_again(folder: Path, tmp_path: Path) -> None:
    """A page that is made again is the same, leaves no parts, and takes away thumbnails that nobody shows."""
    made(folder, folder / "report.html")
    before = (folder / "report.html").read_bytes()
    stale = folder / "report_files/thumbs/00" / f"{'0' * 64}.jpg"
    mine = folder / "report_files/thumbs/mine.jpg"
    for each in (stale, mine):
        each.parent.mkdir(exist_ok=True)
        each.write_bytes(b"x")
    made(folder, folder / "report.html")
    assert (folder / "report.html").read_bytes() == before
    assert (stale.exists(), mine.exists()) == (False, True)
    mine.unlink()
    assert [path.name for path in folder.rglob("*") if ".part" in path.name or path.name.endswith(".jobs")] == []


def test_elsewhere(folder: Path, tmp_path: Path) -> None:
    """A page outside of the batch finds its pictures from there, and has its thumbnails beside it."""
    made(folder, tmp_path / "my page.html")
    text = (tmp_path / "my page.html").read_text()
    shared, (first, *_) = block(text, "shared"), block(text, "jobs")
    (file,) = [dict(zip(shared["fileColumns"], each, strict=True)) for each in first[shared["columns"].index("files")]]
    assert (tmp_path / file["href"]).resolve() == (folder / "00000/front/pro.jpg").resolve()
    assert file["thumb"].startswith("my%20page_files/thumbs/")
    assert list((tmp_path / "my page_files/thumbs").glob("*/*.jpg"))


def test_a_torn_thumbnail(folder: Path, tmp_path: Path) -> None:
    """What a power cut left of a thumbnail beside the page is replaced when the page is made again."""
    made(folder, tmp_path / "r.html")
    beside = sorted((tmp_path / "r_files/thumbs").rglob("*.jpg"))
    whole = [each.read_bytes() for each in beside]
    for each in beside:
        each.unlink()
        each.write_bytes(b"\xff\xd8 torn")
    made(folder, tmp_path / "r.html")
    assert [each.read_bytes() for each in beside] == whole


def test_a_picture_that_is_gone(folder: Path) -> None:
    """A picture that is not in the folder any more is counted, and not linked to."""
    gone = folder / "00003/front/pro.jpg"
    data = gone.read_bytes()
    gone.unlink()
    try:
        assert made(folder, folder / "report.html").missing == 1
        assert "1 picture of the journal is not in the folder any more" in (folder / "report.html").read_text()
    finally:
        gone.write_bytes(data)


def test_a_place_that_cannot_be_written(folder: Path) -> None:
    """Where nothing can be written the error is that of the place."""
    with pytest.raises(OSError, match=r"No such file|Not a directory"):
        made(folder, folder / "report.html/report.html")


@pytest.mark.parametrize("text", ["</script>", "<!--", "\u2028", "&", "\ud800", '"\\'])
def test_data_stays_in_its_element(text: str) -> None:
    """Whatever the text, its JSON has no sign of markup and says the same."""
    told = script_json([text])
    assert told.isascii()
    assert not set("<>&") & set(told)
    assert json.loads(told) == [text]


@pytest.mark.parametrize(
    ("name", "url"), [("a b.png", "a%20b.png"), ("ä/#1?.png", "%C3%A4/%231%3F.png"), ("\udcff.png", "%FF.png")]
)
def test_names_as_addresses(name: str, url: str) -> None:
    """A name with any signs, even bytes that are no text, is one address."""
    assert relative_url(name) == url


def test_the_way_to_the_pictures() -> None:
    """The way from a page to its pictures never begins with what could be a scheme."""
    assert relative_to("/a/b", "/a/b/report.html") == "."
    assert relative_to("/a/x:y", "/a/report.html") == "./x:y"
    assert relative_to("/a/b", "/a/c/r.html") == "../b"
    assert files_of("/a/report.html") == "report_files"


@pytest.mark.parametrize(
    ("live", "code", "told"),
    [
        (True, None, "a run is going on"),
        (False, None, "cut off"),
        (False, 0, "complete, the picture is there"),
        (False, 4, "stopped; a person must act: no funds"),
    ],
)
def test_the_headline(live: bool, code: int | None, told: str) -> None:
    """The first words are those of the last run's end; a killed one, or one that is going on, says so."""
    from dataclasses import replace

    last = replace(run(2, exit_code=code), reason="no funds")
    found = Summary("a", "/a", {"stored": 1}, runs=(replace(last, number=3, verb="resolve"), last), live=live)
    assert headline(found).startswith(told)
