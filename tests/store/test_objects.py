"""Object stores under the judge of all stores, and what only they must do."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import obstore
import pytest

from batchgen.errors import Foreign, SettingsError
from batchgen.store import Slot
from batchgen.store.announced import PROOFS
from batchgen.store.bucket import Bucket, Seen
from batchgen.store.decode import Structure
from batchgen.store.objects import BucketStore, ListedShelf
from tests.contracts.store import BOTH, StoreContract, save, sha256
from tests.s3 import S3
from tests.store.buckets import BucketPlace, memory_place
from tests.store.pictures import picture

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]  # a server is started first

PREFIXES = itertools.count()


class TestInMemory(StoreContract):
    """Every promise of a store, on an object store in memory."""

    @pytest.fixture
    def place(self, tmp_path: Path) -> BucketPlace:
        return memory_place(tmp_path)


class TestS3(StoreContract):
    """Every promise of a store, on a server that speaks S3."""

    @pytest.fixture
    def place(self, s3: S3, tmp_path: Path) -> BucketPlace:
        prefix = f"judge/{next(PREFIXES)} ä"
        return BucketPlace(s3.store("judges", prefix), tmp_path, f"s3://judges/{prefix}")


class Restless(Bucket):
    """A bucket whose n-th request is the last of the process, before it is made or after."""

    def __init__(self, store: Any, last: int, *, after: bool) -> None:
        super().__init__("memory://restless", store)
        self._left, self._after = last, after

    async def create(self, name: str, data: bytes, *, media_type: str, sha256: str = "") -> bool:
        async with self._counted():
            return await super().create(name, data, media_type=media_type, sha256=sha256)

    async def look(self, name: str) -> Seen | None:
        async with self._counted():
            return await super().look(name)

    async def read(self, name: str) -> bytes | None:
        async with self._counted():
            return await super().read(name)

    async def remove(self, name: str) -> None:
        async with self._counted():
            await super().remove(name)

    @asynccontextmanager
    async def _counted(self) -> AsyncIterator[None]:
        self._left -= 1
        if self._left < 0 or (self._left == 0 and not self._after):
            raise Killed
        yield
        if self._left == 0:
            raise Killed


class Killed(BaseException):
    """The process ended here."""


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("machine", ["the same machine", "another machine"])
async def test_killed_at_every_request(tmp_path: Path, machine: str, after: bool) -> None:
    """Killed at any request of a save, the next run has or finds one whole picture, and leaves nothing else behind."""
    for last in range(1, 30):
        place = memory_place(tmp_path / f"{last}")
        store = BucketStore(Restless(place.objects, last, after=after), place.folder.root, Structure())
        done = False
        try:
            first = await save(store, picture(), Slot(7, "a/b", label=BOTH))
            done = True
        except Killed:
            pass
        if machine == "another machine":
            place = place.elsewhere(tmp_path / f"{last} elsewhere")
        store = place.open()
        saved = await store.find(7, "a/b", BOTH)
        assert len(saved) <= 1
        if "a/b.png" in place.names() or (machine == "the same machine" and place.folder.names()):
            assert saved, "what came up is found"
        saved = saved or (await save(store, picture(), Slot(7, "a/b", label=BOTH)),)
        await store.remove(saved[0].proof)
        assert place.objects_there() == {"a/b.png", "a/b.png.json"}
        assert sha256(place.read("a/b.png")) == saved[0].asset.sha256
        if done:
            assert saved[0] == first
            break
    assert last > 3


async def test_another_machine_finds_it(tmp_path: Path) -> None:
    """A picture that went up and was not recorded is found by a machine that never saw it, under the name it has."""
    place = memory_place(tmp_path / "here")
    place.write("a.png", b"mine")
    saved = await save(place.open(), picture(), Slot(7, "a"))
    there = place.elsewhere(tmp_path / "there")
    assert await there.open().find(7, "a") == (saved,)
    assert saved.asset.name.startswith("a~")
    await there.open().remove(saved.proof)
    assert await there.open().find(7, "a") == ()


async def test_several_of_two_machines(tmp_path: Path) -> None:
    """The pictures of one task are one set, wherever each of them was bought."""
    here = memory_place(tmp_path / "here")
    there = here.elsewhere(tmp_path / "there")
    first = await save(here.open(), picture(seed=1), Slot(7, "a", 1, 2))
    assert await there.open().find(7, "a") == ()
    second = await save(there.open(), picture(seed=2), Slot(7, "a", 2, 2))
    assert await there.open().find(7, "a") == (first, second)
    assert await here.open().find(7, "a") == (first, second)


async def test_an_announced_picture_that_never_came(tmp_path: Path) -> None:
    """What was announced and is not there under any of its names is no picture, and is forgotten."""
    place = memory_place(tmp_path / "here")
    saved = await save(place.open(), picture(), Slot(7, "a"))
    place.write("a.png", b"another's by now")
    there = place.elsewhere(tmp_path / "there")
    assert await there.open().find(7, "a") == ()
    assert saved.proof not in there.names()
    assert place.read("a.png") == b"another's by now"


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b'{"stem": "../x", "size": 1, "media_type": "image/png"}'])
async def test_a_foreign_announcement(tmp_path: Path, text: bytes) -> None:
    """What lies where announcements do and is none is removed, and leads nowhere."""
    place = memory_place(tmp_path)
    place.write(f"{PROOFS}/7/.7.{'0' * 64}.part", text)
    assert await place.open().find(7, "a") == ()
    assert place.objects_there() == set()


async def test_sweep_there(tmp_path: Path) -> None:
    """Announcements of stored jobs are swept, from whichever machine they came; those of others stay."""
    place = memory_place(tmp_path / "here")
    saved = [await save(place.open(), picture(seed=job), Slot(job, f"job{job}")) for job in (1, 2)]
    there = place.elsewhere(tmp_path / "there")
    assert await there.open().sweep(lambda job: job == 1) == 1
    assert await there.open().find(1, "job1") == ()
    assert await there.open().find(2, "job2") == (saved[1],)


async def test_media_type_and_hash_travel_along(tmp_path: Path) -> None:
    """An object says what it is and what its bytes are, so that a browser shows it and nobody must read it to know."""
    place = memory_place(tmp_path)
    saved = await save(place.open(), picture("JPEG"), Slot(7, "a"))
    said = obstore.get(place.objects, "a.jpg").attributes
    assert said["Content-Type"] == "image/jpeg"
    assert said["batchgensha256"] == saved.asset.sha256


async def test_a_name_that_no_object_can_have(tmp_path: Path) -> None:
    """A file name that is no text is refused in words."""
    with pytest.raises(SettingsError, match="name of an object"):
        await save(memory_place(tmp_path).open(), picture(), Slot(7, "a\udcff"))


async def test_the_place_is_of_one_journal(s3: S3) -> None:
    """A place belongs to the journal that claimed it first; another is told whose it is."""
    bucket = Bucket("s3://judges/claimed", s3.store("judges", "claimed"))
    for _ in range(2):
        await bucket.claim("ab" * 16)
    with pytest.raises(Foreign, match=f"s3://judges/claimed belong to another journal .batch {'ab' * 16}"):
        await bucket.claim("cd" * 16)


async def test_a_listed_shelf(tmp_path: Path) -> None:
    """A shelf that was listed once says what one says that asks for each picture."""
    place = memory_place(tmp_path)
    await save(place.open(), picture(), Slot(7, "a/b"))
    shelf = ListedShelf(Bucket(place.url, place.objects))
    assert shelf.stat("a/b.png") == len(picture())
    assert shelf.open("a/b.png").read() == picture()
    assert shelf.stat("a") is None
    with pytest.raises(FileNotFoundError):
        shelf.open("a/c.png")
    with pytest.raises(SettingsError):
        shelf.stat("../x")
