"""The pages as they are answered, without a server."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from batchgen.job import FileReference, Request, UrlReference, draft
from batchgen.view.app import HEADERS, STATIC
from batchgen.view.pages import PAGE
from tests.view.sights import Sight, asked, doubted, looked_at, refused, stored

pytestmark = pytest.mark.anyio
VENDORED = Path(__file__).parent.parent.parent / "batchgen/view/static"

SCRIPT = "</script><img src=x onerror=alert(1)>"
TERMINAL = "\x1b[2J\x1b]0;title\x07 \u202eevil\u2066 and\nanother line"


@pytest.fixture
def sight(tmp_path: Path) -> Sight:
    """An empty batch folder."""
    return Sight(tmp_path / "batch")


@contextmanager
def page(sight: Sight, source: str = "") -> Iterator[httpx.AsyncClient]:
    """A client alone."""
    with looked_at(sight, source) as (client, _):
        yield client


def tiles(text: str) -> list[str]:
    """The ids on a wall."""
    return re.findall(r'<span class="name">([^<]*)</span>', text)


async def test_the_page_before_the_first_run(sight: Sight) -> None:
    """It says that it waits, where, and what begins the batch."""
    with page(sight) as client:
        text = (await client.get("/")).text
    assert "No run has begun here yet" in text
    assert str(sight.folder) in text
    assert "batchgen run m.yaml" in text


async def test_the_whole_page(sight: Sight) -> None:
    """Figures, the causes with their commands, the tabs with counts, and the newest pictures first."""
    jobs = [asked(each) for each in "abcd"]
    await sight.run(
        jobs, a=stored(sight.picture("a.png")), b=stored(sight.picture("b.png")), c=refused(), d=doubted(), exit_code=1
    )
    with page(sight) as client:
        text = (await client.get("/")).text
    assert tiles(text) == ["b", "a"]
    assert re.search(r"<strong>2</strong> <span>of 4 pictures", text)
    assert "content policy" in text
    assert "batchgen run m.yaml --redo refused" in text
    assert "batchgen resolve m.yaml" in text
    assert "$0.08" in text
    assert re.search(r'id="n-failed">1<', text)


async def test_the_wall_is_paged_by_marks(sight: Sight) -> None:
    """Older and newer lead through all jobs, none twice, and back to the first page."""
    names = [f"j{number:03}" for number in range(2 * PAGE + 10)]
    await sight.run([asked(each) for each in names])
    with page(sight) as client:
        seen: list[list[str]] = []
        at = "/?state=all"
        while at:
            text = (await client.get(at)).text
            seen.append(tiles(text))
            older = re.search(r'rel="next" href="([^"]*)"', text)
            newer = re.search(r'rel="prev" href="([^"]*)"', text)
            at = older[1].replace("&amp;", "&") if older else ""
        assert newer is not None
        back = (await client.get(newer[1].replace("&amp;", "&"))).text
    assert [len(each) for each in seen] == [PAGE, PAGE, 10]
    assert sorted(name for each in seen for name in each) == names
    assert tiles(back) == seen[1]


async def test_the_wall_is_narrowed(sight: Sight) -> None:
    """By state, model, axis and text; a search tells the browser the address that says so."""
    jobs = [asked("cat"), asked("dog", "A Cat's friend"), asked("cow", model="gpt-image-2")]
    await sight.run(jobs, cow=stored(sight.picture("cow.png")))
    with page(sight) as client:

        async def shown(query: str) -> list[str]:
            return tiles((await client.get(f"/wall?{query}")).text)

        assert await shown("state=all&q=CAT") == ["dog", "cat"]
        assert await shown("state=all&model=gpt-image-2") == ["cow"]
        assert await shown("") == ["cow"]
        assert await shown("state=all&axis.view=front") == []
        said = await client.get("/wall?state=all&q=cat&model=", headers={"HX-Source": "form#filter"})
        assert said.headers["hx-push-url"] == "/?state=all&q=cat"
        assert "hx-push-url" not in (await client.get("/wall?q=cat")).headers
        assert "No job is like that" in (await client.get("/?q=nothing")).text


async def test_a_job_explains_itself(sight: Sight) -> None:
    """Prompt, settings, its life step by step, why it failed and the command that does it again; its neighbours."""
    await sight.run([asked("a", "one\ntwo"), asked("b[1]"), asked("c")], {"b[1]": refused("no <b>"), "a": refused()})
    with page(sight) as client:
        text = (await client.get("/jobs/2?state=failed")).text
        assert "no &lt;b&gt;" in text
        assert "batchgen run m.yaml --redo &#39;b[[]1]&#39;" in text
        assert re.findall(r"<strong>(\w+)</strong>", text) == [
            "Planned",
            "Started",
            "Accepted",
            "AttemptFailed",
            "JobFailed",
        ]
        assert 'rel="prev" href="/jobs/1?state=failed"' in text
        assert 'rel="next"' not in text
        assert "one\ntwo" in (await client.get("/jobs/1")).text
        part = (await client.get("/jobs/1", headers={"HX-Request": "true"})).text
        assert part.lstrip().startswith("<article")
        assert (await client.get("/jobs/99")).status_code == 404
        assert "Not there" in (await client.get("/nowhere")).text


async def test_where_values_come_from(sight: Sight, tmp_path: Path) -> None:
    """With its manifest a job says which line set each value; without, that nothing more is known."""
    manifest = tmp_path / "m.yaml"
    lines = (
        "batchgen: 1\nname: sight\nbudget: {max_usd: 12}\njobs:\n  - {id: a, model: nano-banana-pro, prompt: a cube}\n"
    )
    _write(manifest, lines)
    await sight.run([asked("a")])
    with page(sight, str(manifest)) as client:
        text = (await client.get("/jobs/1/values")).text
        assert "nano-banana-pro" in text
        assert "line 5" in text or "m.yaml:5" in text
        assert "of $12.00" in (await client.get("/")).text
        assert (await client.get("/jobs/9/values")).status_code == 404
    _write(manifest, "batchgen: 1\nname: [")
    with page(sight, str(manifest)) as client:
        assert "cannot be read" in (await client.get("/jobs/1/values")).text
        assert (await client.get("/")).status_code == 200
    with page(sight) as client:
        assert "does not say any more" in (await client.get("/jobs/1/values")).text


async def test_runs_are_listed(sight: Sight) -> None:
    """Each run with its end, its exit code and what it committed; a killed one says so."""
    await sight.run([asked("a")], exit_code=None)
    await sight.run([asked("a")], a=stored(sight.picture("a.png")))
    with page(sight) as client:
        text = (await client.get("/runs")).text
    assert "was killed, or its machine went down" in text
    assert "as told" in text
    assert "$0.04" in text


async def test_hostile_texts_stay_texts(sight: Sight) -> None:
    """Markup in ids, prompts, reasons and models is shown and not obeyed; escapes and bidi marks are spelled out."""
    jobs = [asked("a/<b>", SCRIPT, model="<i>"), asked("b", TERMINAL)]
    await sight.run(jobs, b=refused(SCRIPT + TERMINAL), exit_code=1)
    with page(sight) as client:
        texts = [(await client.get(each)).text for each in ("/?state=all", "/jobs/1", "/jobs/2", "/?state=failed")]
    for text in texts:
        assert "<img src=x" not in text
        assert "<b>" not in text
        assert "<i>" not in text
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text)
    assert "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;" in texts[1]
    assert "\\x1b[2J" in texts[2]
    assert "\\u202eevil\\u2066 and\nanother line" in texts[2]


async def test_every_answer_is_guarded(sight: Sight) -> None:
    """A strict policy without anything inline, no sniffing, no referrer, nothing for other origins; on errors too."""
    await sight.run([asked("a")])
    with page(sight) as client:
        answers = [await client.get(each) for each in ("/", "/jobs/1", "/nowhere", "/static/view.js", "/thumbs/1/0/x")]
        answers.append(await client.get("/", headers={"Host": "evil.example"}))
        answers.append(await client.get("/", headers={"Origin": "http://evil.example"}))
    for answer in answers:
        for name, value in HEADERS:
            assert answer.headers[name.decode()] == value.decode()
        assert "access-control-allow-origin" not in answer.headers
        assert (
            not re.search(r"<script>|<style|style=|\son\w+=", answer.text)
            or "javascript" in answer.headers["content-type"]
        )
    assert [each.status_code for each in answers] == [200, 200, 404, 200, 404, 403, 403]
    policy = answers[0].headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_it_only_reads(sight: Sight, method: str) -> None:
    """There is nothing to be sent to it, and looking leaves the journal as it was."""
    await sight.run([asked("a")])
    before = _bytes(sight.journal.path)
    with page(sight) as client:
        for place in ("/", "/wall", "/jobs/1"):
            assert (await client.request(method, place)).status_code == 405
            await client.get(place)
    assert _bytes(sight.journal.path) == before


async def test_pictures_are_those_of_the_journal(sight: Sight) -> None:
    """A thumbnail and the picture itself, for ever; a wrong hash, a wrong number and a lost file are not there."""
    asset = sight.picture("deep/a.png")
    await sight.run([asked("a")], a=stored(asset))
    with page(sight) as client:
        small = await client.get(f"/thumbs/1/0/{asset.sha256}")
        assert (small.headers["content-type"], small.content[:3]) == ("image/jpeg", b"\xff\xd8\xff")
        assert "immutable" in small.headers["cache-control"]
        whole = await client.get(f"/pictures/1/0/{asset.sha256}")
        assert hashlib.sha256(whole.content).hexdigest() == asset.sha256
        for place in (f"/pictures/1/1/{asset.sha256}", f"/pictures/2/0/{asset.sha256}", f"/pictures/1/0/{'0' * 64}"):
            assert (await client.get(place)).status_code == 404
        os.unlink(sight.folder / "deep/a.png")
        assert (await client.get(f"/pictures/1/0/{asset.sha256}")).status_code == 404


async def test_a_missing_picture_has_a_placeholder(sight: Sight) -> None:
    """Where a thumbnail cannot be made something stands in its place, and is not kept by the browser."""
    asset = sight.picture("a.png")
    await sight.run([asked("a")], a=stored(asset))
    os.unlink(sight.folder / "a.png")
    with page(sight) as client:
        found = await client.get(f"/thumbs/1/0/{asset.sha256}")
    assert (found.status_code, found.headers["cache-control"]) == (200, "no-store")
    assert found.headers["content-type"] == "image/svg+xml"


async def test_no_name_leads_out_of_the_folder(sight: Sight, tmp_path: Path) -> None:
    """A journal from somewhere else cannot make the page show files of this machine, by name or by link."""
    secret = Sight(tmp_path).picture("secret.png")
    os.symlink(tmp_path / "secret.png", sight.folder / "link.png")
    names = ("../secret.png", str(tmp_path / "secret.png"), "link.png")
    lives = {f"j{at}": stored(replace(secret, name=name)) for at, name in enumerate(names)}
    await sight.run([asked(each) for each in lives], lives)
    with page(sight) as client:
        for number in (1, 2, 3):
            assert (await client.get(f"/pictures/{number}/0/{secret.sha256}")).status_code == 404
            small = await client.get(f"/thumbs/{number}/0/{secret.sha256}")
            assert small.headers["content-type"] == "image/svg+xml"


async def test_references_beside_the_result(sight: Sight, tmp_path: Path) -> None:
    """A reference file is shown as long as it is the one that was sent; an address is named and never fetched."""
    asset = Sight(tmp_path).picture("shoe.png")
    _write(tmp_path / "m.yaml", "batchgen: 1\nname: sight\njobs: [{id: a, model: nano-banana-pro, prompt: a}]\n")
    files = [FileReference(name, asset.sha256, asset.size, "image/png") for name in ("shoe.png", "../shoe.png")]
    request = Request("nano-banana-pro", "a shoe", references=(*files, UrlReference("https://x.example/a.png?key=1")))
    await sight.run([draft("a", request, "a")])
    with page(sight, str(tmp_path / "m.yaml")) as client:
        await client.get("/")
        text = (await client.get("/jobs/1")).text
        assert "https://x.example/a.png" in text
        assert "key=1" not in text
        assert 'src="https:' not in text
        assert (await client.get(f"/references/1/0/{asset.sha256}")).content == _bytes(tmp_path / "shoe.png")
        assert (await client.get(f"/references/1/1/{asset.sha256}")).status_code == 404
        assert (await client.get(f"/references/1/2/{asset.sha256}")).status_code == 404
        _write(tmp_path / "shoe.png", "another")
        assert (await client.get(f"/references/1/0/{asset.sha256}")).status_code == 404


async def test_what_is_not_ours_is_as_it_came() -> None:
    """The vendored files have the hashes that their page names, and everything that is served lies there."""
    table = re.findall(r"`([\w.-]+\.js)` .*`([0-9a-f]{64})`", _text(VENDORED / "README.md"))
    assert {name for name, _ in table} == {"htmx.min.js", "hx-sse.min.js"}
    for name, digest in table:
        assert hashlib.sha256(_bytes(VENDORED / name)).hexdigest() == digest
    assert "Zero-Clause BSD" in _text(VENDORED / "LICENSE.htmx")
    assert set(STATIC) <= set(os.listdir(VENDORED))


async def test_static_files(sight: Sight) -> None:
    """Scripts and styles come from here, with their types; nothing else does."""
    with page(sight) as client:
        for name, kind in (*STATIC.items(), ("base.css", "text/css")):
            found = await client.get(f"/static/{name}")
            assert (found.status_code, found.headers["content-type"].partition(";")[0]) == (200, kind)
        for name in ("README.md", "..%2fpages.py", "nothing"):
            assert (await client.get(f"/static/{name}")).status_code == 404


async def test_a_journal_that_cannot_be_read(sight: Sight) -> None:
    """The page stands, and says what is wrong with the journal."""
    sight.spoil()
    with page(sight) as client:
        found = await client.get("/")
        assert found.status_code == 200
        assert "The journal cannot be read" in found.text
        assert (await client.get("/jobs/1")).status_code == 404


def _write(path: Path, text: str) -> None:
    path.write_text(text)


def _text(path: Path) -> str:
    return path.read_text()


def _bytes(path: str | Path) -> bytes:
    return Path(path).read_bytes()
