"""Bad input: a clear message that says where and what to do, its exit code, no POST, nothing written over."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.stories.world import World, at, gateway, jobs

NANO = {"id": "a", "model": "nano-banana-pro", "prompt": "a cube"}
GPT = {"id": "a", "model": "gpt-image-2", "prompt": "a cube"}


class Counting(HTTPServer):
    """A server that counts requests by method and knows nothing."""

    posts = 0
    gets = 0


class Handler(BaseHTTPRequestHandler):
    """Answers 404 to everything."""

    server: Counting

    def do_GET(self) -> None:
        """Count a question."""
        self.server.gets += 1
        self.send_error(404)

    def do_POST(self) -> None:
        """Count a purchase."""
        self.server.posts += 1
        self.send_error(404)

    def log_message(self, *args: Any) -> None:
        """Stay silent."""


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world of its own."""
    return World(tmp_path)


@contextmanager
def serving() -> Iterator[Counting]:
    """A counting server, until the end of the block."""
    counting = Counting(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=counting.serve_forever)
    thread.start()
    yield counting
    counting.shutdown()
    thread.join()
    counting.server_close()


@pytest.fixture
def server() -> Iterator[Counting]:
    """A counting server."""
    with serving() as counting:
        yield counting


def provider(server: Counting) -> dict[str, Any]:
    """The counting server as a provider."""
    return {"base_url": f"http://127.0.0.1:{server.server_port}", "api_key": "env:KEY"}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"jobs": [{**NANO, "promt": "x"}]}, "did you mean `prompt`"),
    "wrong type": ({"jobs": [{**NANO, "takes": "three"}]}, "takes"),
    "duplicate id": ({"jobs": [NANO, GPT]}, "`a`"),
    "missing reference": ({"jobs": [{**NANO, "references": ["nowhere.png"]}]}, "nowhere.png"),
    "a text named png": ({"jobs": [{**NANO, "references": ["text.png"]}]}, "a text file"),
    "a gif named png": ({"jobs": [{**NANO, "references": ["gif.png"]}]}, "a GIF picture"),
    "an empty file": ({"jobs": [{**NANO, "references": ["empty.png"]}]}, "empty"),
    "a folder": ({"jobs": [{**NANO, "references": ["outputs"]}]}, "outputs"),
    "a way out": ({"jobs": [{**NANO, "references": ["../x.png"]}]}, "../x.png"),
    "an odd reference URL": ({"jobs": [{**NANO, "references": ["ftp://a.example/x.png"]}]}, "http"),
    "edge 26: auto with 2K": ({"jobs": [{**GPT, "aspect_ratio": "auto", "resolution": "2K"}]}, "aspect_ratio auto"),
    "edge 26: unset with 2K": ({"jobs": [{**GPT, "resolution": "2K"}]}, "aspect_ratio unset"),
    "edge 26: 1:1 with 4K": (
        {"jobs": [{**GPT, "aspect_ratio": "1:1", "resolution": "4K"}]},
        "4K with aspect_ratio 1:1",
    ),
    "edge 26: format on gpt": ({"jobs": [{**GPT, "output_format": "png"}]}, "does not take output_format"),
    "edge 26: jpeg": ({"jobs": [{**NANO, "output_format": "jpeg"}]}, "did you mean `jpg`"),
    "edge 26: lower case 2k": ({"jobs": [{**NANO, "resolution": "2k"}]}, "did you mean `2K`"),
    "edge 26: 9 references": ({"jobs": [{**NANO, "references": ["ok.png"] * 9}]}, "at most 8 references"),
    "edge 26: 17 references": ({"jobs": [{**GPT, "references": ["ok.png"] * 17}]}, "at most 16 references"),
    "unknown model": ({"jobs": [{**NANO, "model": "nano-banana-por"}]}, "nano-banana-pro"),
    "a key in the manifest": ({"jobs": [NANO], "provider": {"api_key": "sk_xeno_0123456789abcdef"}}, "env:"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_manifests(case: str, world: World, server: Counting) -> None:
    """Each mistake in a manifest is named with file, line and column, ends 2, and sends and writes nothing."""
    keys, said = BAD[case]
    for name, data in (("text.png", b"hello"), ("empty.png", b""), ("gif.png", b"GIF89a\x01\x00\x01\x00\x00\x00\x00;")):
        (world.root / name).write_bytes(data)
    Image.new("RGB", (8, 8)).save(world.root / "ok.png")
    world.write(**{"provider": provider(server), **keys})
    done = world.type("run", "m.yaml", KEY="k" * 20)
    assert done.code == 2, done.text
    assert said in done.text
    assert "m.yaml:1:" in done.text
    assert "safe to run again: yes, nothing was sent" in done.text
    assert "sk_xeno_0123" not in done.text
    assert server.posts == 0
    assert list((world.root / "outputs").iterdir()) == []


def test_all_problems_at_once(world: World) -> None:
    """A manifest with several mistakes has all of them named in one go."""
    (world.root / "m.yaml").write_text(
        "batchgen: 1\nname: story\nprovider: local\njobs:\n"
        "  - {id: a, model: nano-banana-pro, prompt: x, resolution: 8K}\n"
        "  - {id: b, model: gpt-image-2, prompt: y, output_format: png}\n"
    )
    done = world.type("plan", "m.yaml")
    assert done.code == 2
    assert "m.yaml:5:" in done.text
    assert "m.yaml:6:" in done.text
    assert "^" in done.err


def test_no_credential(world: World, server: Counting) -> None:
    """Without a credential the run ends 2 and says where to put it."""
    world.write(provider=provider(server), jobs=[NANO])
    done = world.type("run", "m.yaml")
    assert (done.code, "environment variable KEY" in done.text) == (2, True), done.text
    assert server.posts == 0


def test_no_manifest(world: World) -> None:
    """A manifest that is not there is a mistake in the command, not a crash."""
    done = world.type("run")
    assert done.code == 2
    assert "batchgen.yaml" in done.text


@pytest.mark.skipif(not os.path.exists("/proc/self/mounts"), reason="needs a read-only mount, as Linux has under /proc")
def test_unwritable_folder(world: World, server: Counting) -> None:
    """A folder that cannot be written ends the run with 2 before anything is sent, and is named."""
    world.write(provider=provider(server), jobs=[NANO])
    done = world.type("run", "m.yaml", "--outputs", "/proc/nowhere", KEY="k" * 20)
    assert done.code == 2, done.text
    assert "/proc/nowhere" in done.text
    assert server.posts == 0


def test_a_file_in_place_of_the_folder(world: World, server: Counting) -> None:
    """A file where the batch folder should be is left alone and named."""
    (world.root / "outputs/story").write_text("mine")
    world.write(provider=provider(server), jobs=[NANO])
    done = world.type("run", "m.yaml", KEY="k" * 20)
    assert done.code == 2, done.text
    assert (world.root / "outputs/story").read_text() == "mine"
    assert server.posts == 0


def test_unreachable_server(world: World) -> None:
    """A server that is not there ends the run with 75 after a few probes; nothing is in doubt."""
    world.write(provider={"base_url": "http://127.0.0.1:9", "api_key": "env:KEY"}, jobs=jobs(12))
    done = world.type("run", "m.yaml", KEY="k" * 20)
    assert done.code == 75, done.text
    assert "out of reach" in done.text
    assert world.batch().kinds() == {"Planned": 12}


def test_wrong_address(world: World, server: Counting) -> None:
    """A server that knows no such endpoint stops the run with 4 after the submits that were already under way."""
    world.write(provider=provider(server), jobs=jobs(20))
    done = world.type("run", "m.yaml", KEY="k" * 20)
    assert done.code == 4, done.text
    assert server.posts <= 8
    assert world.batch().kinds() == {"Planned": 20}


def test_journal_of_another_provider(world: World, tmp_path: Path, server: Counting) -> None:
    """A batch with work under way at one provider is not continued at another: exit 5, no POST, nothing changed."""
    with gateway(tmp_path / "gw", "--pace", "1000") as first:
        keys = at(first)
        keys["limits"]["give_up_waiting"] = "1s"
        world.write(jobs=jobs(2), **keys)
        assert world.type("run", "m.yaml", XENODIA_API_KEY=first.key).code == 75
        before = world.batch().heads()
        world.write(jobs=jobs(2), provider={"base_url": "https://api.example.com"})
        done = world.type(
            "run", "m.yaml", "--max-pictures", "2", XENODIA_API_KEY="k" * 20, HTTPS_PROXY="http://127.0.0.1:9"
        )
        assert done.code == 5, done.text
        assert "loopback" in done.text
        assert world.batch().heads() == before


def test_money_is_asked_for(world: World) -> None:
    """Unattended, a provider that costs money needs --max-pictures, and for a new batch it must cover all of it."""
    world.write(jobs=jobs(3), provider={"base_url": "https://api.example.com"})
    key, nowhere = "k" * 20, "http://127.0.0.1:9"
    for options, said in (((), "--max-pictures 3"), (("--max-pictures", "2"), "covers all of it")):
        done = world.type("run", "m.yaml", *options, XENODIA_API_KEY=key, HTTPS_PROXY=nowhere)
        assert (done.code, said in done.text) == (2, True), done.text
    assert list((world.root / "outputs").iterdir()) == []


def test_nothing_is_written_over(world: World, tmp_path: Path) -> None:
    """A stranger's file under a picture's name stays as it is; the picture goes beside it and is found there."""
    (world.root / "outputs/story").mkdir()
    (world.root / "outputs/story/job000.jpg").write_text("a stranger's")
    with gateway(tmp_path / "gw") as server:
        world.write(jobs=jobs(1), **at(server))
        assert world.type("run", "m.yaml", XENODIA_API_KEY=server.key).code == 0
        assert (world.root / "outputs/story/job000.jpg").read_text() == "a stranger's"
        (name,) = world.batch().whole()
        assert name.startswith("job000~")
        assert world.type("run", "m.yaml", XENODIA_API_KEY=server.key).code == 0
        assert len(server.paid()) == 1


def test_newer_and_damaged_journals_are_refused(world: World, tmp_path: Path) -> None:
    """A journal that is not whole is refused with exit 5 before anything is owed or sent; nothing in it is mended."""
    with gateway(tmp_path / "gw") as server:
        world.write(jobs=jobs(2), **at(server))
        assert world.type("run", "m.yaml", XENODIA_API_KEY=server.key).code == 0
        journal = world.batch().folder / ".batchgen/journal.db"
        data = bytearray(journal.read_bytes())
        data[len(data) // 2 : len(data) // 2 + 200] = b"\xff" * 200
        journal.write_bytes(bytes(data))
        world.write(jobs=jobs(4), **at(server))
        done = world.type("run", "m.yaml", XENODIA_API_KEY=server.key)
        assert done.code == 5, done.text
        assert b"\xff" * 200 in journal.read_bytes()
        assert len(server.paid()) == 2
        assert json.loads((world.batch().folder / "report.json").read_text())["counts"]["stored"] == 2
