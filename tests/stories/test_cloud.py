"""A batch whose pictures are kept in an object store: killed in the middle, gone on with, held against the journal."""

import hashlib
import json
import re
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import obstore
import pytest

from tests.s3 import S3
from tests.stories.warm import Command, Starter, quick_gateway, wait_for, warm
from tests.stories.world import Batch, Done, Gateway, World, at, ended, jobs

pytestmark = pytest.mark.timeout(300)  # a server is started first

COUNT = 30


class Cloud:
    """A world whose batches keep their pictures in a bucket of their own."""

    def __init__(self, s3: S3, root: Path, starter: Starter, server: Gateway) -> None:
        self.world, self.starter, self.server, self.s3 = World(root), starter, server, s3
        self.bucket = f"story-{hashlib.sha256(str(root).encode()).hexdigest()[:16]}"
        s3.bucket(self.bucket)
        self.url = f"s3://{self.bucket}/nights"
        self.objects = s3.store(self.bucket, "nights/story")
        self.environ = {"XENODIA_API_KEY": server.key, **s3.environ}

    def write(self, asked: list[dict[str, Any]]) -> None:
        """Ask for these jobs."""
        self.world.write(jobs=asked, output={"check": "structure"}, **at(self.server, idempotency="replay"))

    def start(self, *words: str) -> Command:
        """Type a command and do not wait."""
        return self.starter.start(self.world, *words, **self.environ)

    def type(self, *words: str) -> Done:
        """Type a command."""
        return self.start(*words).ended()

    def names(self) -> set[str]:
        """The names of all objects of the batch."""
        return {each["path"] for each in obstore.list(self.objects).collect()}

    def assets(self) -> list[dict[str, Any]]:
        """What the journal says is stored."""
        heads = Batch(self.world.root / "outputs/story").heads()
        assert {kind for kind, _ in heads.values()} == {"Stored"}
        return [asset for _, body in heads.values() for asset in body["assets"]]

    def read(self, name: str) -> bytes:
        """The bytes of an object."""
        return bytes(obstore.get(self.objects, name).bytes())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Gateway]:
    """A provider that honours tokens."""
    with quick_gateway(tmp_path / "gw", "replay") as found:
        yield found


@pytest.fixture
def cloud(s3: S3, tmp_path: Path, server: Gateway) -> Iterator[Cloud]:
    """A world with a bucket."""
    with warm(tmp_path / "warm") as starter:
        yield Cloud(s3, tmp_path / "world", starter, server)


def test_killed_in_the_middle(cloud: Cloud) -> None:
    """Killed and run again: all pictures are in the bucket, whole; none was paid twice, and nothing else is there."""
    cloud.write(jobs(COUNT))
    for goal in (5, 15, 22):
        run = cloud.start("run", "m.yaml", "--store", cloud.url)
        wait_for(lambda: len(cloud.server.paid()) >= goal or not run.running(), 60)  # noqa: B023  # in this turn only
        run.send(signal.SIGKILL)
        run.ended()
    done = cloud.type("run", "m.yaml", "--store", cloud.url)
    assert done.code == 0, done.text
    assert f"{COUNT} pictures in {cloud.url}/story" in done.text
    assert len(cloud.server.paid()) == COUNT
    assets = cloud.assets()
    assert len(assets) == COUNT
    for asset in assets:
        assert hashlib.sha256(cloud.read(asset["name"])).hexdigest() == asset["sha256"]
    assert cloud.names() == {asset["name"] for asset in assets} | {".batchgen/owner"}
    assert not list((cloud.world.root / "outputs/story/.batchgen/parts").iterdir())


def test_a_batch_in_a_bucket(cloud: Cloud) -> None:
    """Whoever reads the batch finds its pictures without being told where; damage is found, and mended for nothing."""
    cloud.write(jobs(4))
    planned = cloud.type("plan", "m.yaml", "--store", cloud.url)
    assert f"pictures in {cloud.url}/story" in planned.out, planned.text
    assert cloud.type("run", "m.yaml", "--store", cloud.url).code == 0
    assert cloud.type("verify", "m.yaml", "--read-data").code == 0

    status = json.loads(cloud.type("status", "m.yaml", "--json").out)
    assert status["store"] == f"{cloud.url}/story"
    explained = cloud.type("explain", "m.yaml", f"{cloud.url}/story/job002.png")
    assert "job002: stored" in explained.text, explained.text

    made = cloud.type("report", "m.yaml", "--base-url", "https://cdn.example.com/nights/story")
    assert made.code == 0, made.text
    page = (cloud.world.root / "outputs/story/report.html").read_text()
    assert page.count("https://cdn.example.com/nights/story/job00") == 4
    assert f"{cloud.url}/story" in page
    thumbs = cloud.world.root / "outputs/story/report_files/thumbs"
    assert len(list(thumbs.rglob("*.jpg"))) == 4

    unread = cloud.starter.type(cloud.world, "verify", "m.yaml", **(cloud.s3.environ | {"AWS_ACCESS_KEY_ID": "nobody"}))
    assert (unread.code, "refuses this credential" in unread.text) == (2, True), unread.text

    elsewhere = cloud.type("run", "m.yaml", "--store", f"s3://{cloud.bucket}/other")
    assert elsewhere.code == 2
    assert f"kept in {cloud.url}/story" in elsewhere.text

    obstore.put(cloud.objects, "job001.png", b"somebody's")
    obstore.delete(cloud.objects, "job003.png")
    damaged = cloud.type("verify", "m.yaml", "--json")
    assert {each["path"]: each["flaw"] for each in json.loads(damaged.out)["damaged"]} == {
        "job001.png": "size",
        "job003.png": "missing",
    }
    mended = cloud.type("verify", "m.yaml", "--repair")
    assert mended.code == 0, mended.text
    assert len(cloud.server.paid()) == 4
    for asset in cloud.assets():
        assert hashlib.sha256(cloud.read(asset["name"])).hexdigest() == asset["sha256"]


def test_watched_in_a_bucket(cloud: Cloud) -> None:
    """The live page shows pictures from the bucket byte for byte, and small ones that it makes of them."""
    cloud.write(jobs(3))
    assert cloud.type("run", "m.yaml", "--store", cloud.url).code == 0
    words = ("view", "m.yaml", "--port", "0", "--no-open", "--json")
    server = cloud.world.start(*words, cwd=None, **cloud.environ)
    try:
        assert server.stdout is not None
        origin = json.loads(server.stdout.readline())["url"].rstrip("/")
        page = _fetched(f"{origin}/").decode()
        shown = re.findall(r"/thumbs/(\d+/0/([0-9a-f]{64}))", page)
        kept = {asset["sha256"]: asset["name"] for asset in cloud.assets()}
        assert {sha256 for _, sha256 in shown} == set(kept)
        for place, sha256 in shown:
            assert _fetched(f"{origin}/thumbs/{place}")[:3] == b"\xff\xd8\xff"
            assert hashlib.sha256(_fetched(f"{origin}/pictures/{place}")).hexdigest() == sha256
        obstore.delete(cloud.objects, kept[shown[0][1]])
        with pytest.raises(urllib.error.HTTPError, match="404") as gone:
            _fetched(f"{origin}/pictures/{shown[0][0]}")
        gone.value.close()
    finally:
        server.terminate()
        ended(server)


def _fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:
        found: bytes = answer.read()
        return found


def test_renamed_and_pruned_in_a_bucket(cloud: Cloud) -> None:
    """Pictures follow their names in a bucket too, and what nobody asks for any more leaves when told to."""
    asked = jobs(3)
    cloud.write(asked)
    assert cloud.type("run", "m.yaml", "--store", cloud.url).code == 0
    cloud.write([{**asked[0], "id": "renamed/one"}, asked[1]])
    assert cloud.type("run", "m.yaml").code == 0
    assert cloud.names() == {"renamed/one.png", "job001.png", "job002.png", ".batchgen/owner"}
    assert "job002.png" in cloud.type("prune", "m.yaml").text
    assert cloud.type("prune", "m.yaml", "--delete").code == 0
    assert cloud.names() == {"renamed/one.png", "job001.png", ".batchgen/owner"}
    assert len(cloud.server.paid()) == 3


def test_nothing_is_bought_for_a_place_that_cannot_hold_it(cloud: Cloud) -> None:
    """No such bucket, no right to write, no such place: exit 2 with its name, and nothing is paid."""
    cloud.write(jobs(2))
    missing = cloud.type("run", "m.yaml", "--store", "s3://nowhere-at-all/x")
    assert (missing.code, "s3://nowhere-at-all/x/story: there is no such bucket" in missing.text) == (2, True)
    cloud.environ["AWS_SECRET_ACCESS_KEY"] = "wrong-and-secret"
    examined = cloud.type("doctor", "m.yaml", "--store", cloud.url)
    assert (examined.code, f"{cloud.url}/story refuses this credential" in examined.text) == (2, True), examined.text
    refused = cloud.type("run", "m.yaml", "--store", cloud.url)
    assert (refused.code, "refuses this credential" in refused.text) == (2, True), refused.text
    assert "wrong-and-secret" not in refused.text
    assert cloud.type("run", "m.yaml", "--store", "ftp://x/y").code == 2
    assert cloud.server.paid() == []


def test_in_another_folder(cloud: Cloud, tmp_path: Path) -> None:
    """With file:// pictures land in another folder of this machine, and everything else goes as ever."""
    cloud.write(jobs(2))
    done = cloud.type("run", "m.yaml", "--store", f"file://{tmp_path}/share")
    assert done.code == 0, done.text
    assert sorted(path.name for path in (tmp_path / "share/story").glob("*.png")) == ["job000.png", "job001.png"]
    assert not list((cloud.world.root / "outputs/story").glob("*.png"))
    assert cloud.type("verify", "m.yaml", "--read-data").code == 0
