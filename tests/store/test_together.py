"""Pictures that become durable together: fewer syncs, and nobody suffers for another."""

import errno
import os
import threading
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import anyio
import pytest

from batchgen.errors import BadAsset
from batchgen.store import Saved, Slot
from batchgen.store.decode import Structure
from batchgen.store.disk import RealDisk
from batchgen.store.folder import Folder
from batchgen.store.local import LocalStore
from batchgen.store.parts import Part
from batchgen.store.publishing import SLOW_SECONDS, Piece, Syncs
from batchgen.store.together import MOST, Together
from tests.contracts.store import PARTS, chunks, finals
from tests.store.pictures import picture
from tests.store.places import FolderPlace

pytestmark = pytest.mark.anyio


class CountingDisk(RealDisk):
    """Notes which folders are synced, and cannot sync those that end in one of `broken`."""

    def __init__(self, *broken: str) -> None:
        self.broken = broken
        self.folders: list[str] = []

    def sync_dir(self, path: str) -> None:
        self.folders.append(os.path.basename(path))
        if path.endswith(self.broken):
            raise OSError(errno.EIO, os.strerror(errno.EIO), path)
        super().sync_dir(path)


async def opened(root: Path, disk: CountingDisk) -> LocalStore:
    """A store whose folders are all there."""
    store = LocalStore(root, Structure(), disk=disk)
    await store.ready()
    for name in ("a", "b"):
        (root / name).mkdir()
    broken, disk.broken = disk.broken, ()
    await save_all(store, ["a/first", "b/first"], first=90)
    disk.broken = broken
    disk.folders.clear()
    return store


async def save_all(store: LocalStore, stems: Sequence[str], *, first: int = 1) -> dict[str, Saved | Exception]:
    """What became of pictures that were all on their way at once."""
    became: dict[str, Saved | Exception] = {}
    under_way = anyio.Event()

    async def one(number: int, stem: str) -> None:
        async def source() -> AsyncIterator[bytes]:
            await under_way.wait()
            yield b"<html>" if "bad" in stem else picture("png", number)

        try:
            became[stem] = await store.save(Slot(number, stem), source())
        except (OSError, BadAsset) as error:
            became[stem] = error

    async with anyio.create_task_group() as group:
        for number, stem in enumerate(stems, first):
            group.start_soon(one, number, stem)
        await anyio.wait_all_tasks_blocked()
        under_way.set()
    return became


async def test_pictures_that_come_together_share_the_syncs_of_folders(tmp_path: Path) -> None:
    """Four pictures in two folders: the folder of parts is synced once, and so is each of the two."""
    disk = CountingDisk()
    store = await opened(tmp_path / "batch", disk)
    stems = ["a/1", "b/2", "a/3", "b/4"]
    became = await save_all(store, stems)
    assert {each.asset.name for each in became.values() if isinstance(each, Saved)} == {f"{s}.png" for s in stems}
    assert sorted(disk.folders) == ["a", "b", "parts"]


async def test_a_bad_picture_hurts_nobody_beside_it(tmp_path: Path) -> None:
    """One of them is no picture: it alone is refused, and nothing of it is left behind."""
    place = FolderPlace(tmp_path / "batch")
    store = await opened(place.root, CountingDisk())
    became = await save_all(store, ["a/1", "a/bad", "a/3"])
    assert isinstance(became["a/bad"], BadAsset)
    assert {"a/1.png", "a/3.png"} <= finals(place)
    assert len([name for name in place.names() if name.startswith(PARTS)]) == 4


async def test_a_folder_that_cannot_be_synced_takes_back_its_names_alone(tmp_path: Path) -> None:
    """Pictures of that folder fail, each with an error of its own, and are found again by their proofs."""
    place, disk = FolderPlace(tmp_path / "batch"), CountingDisk("/b")
    store = await opened(place.root, disk)
    became = await save_all(store, ["a/1", "b/2", "b/3"])
    assert isinstance(became["a/1"], Saved)
    errors = [became["b/2"], became["b/3"]]
    assert all(isinstance(each, OSError) and each.errno == errno.EIO for each in errors)
    assert errors[0] is not errors[1]
    assert {"b/2.png", "b/3.png"}.isdisjoint(finals(place))
    disk.broken = ()
    (found,) = await store.find(2, "b/2")
    assert found.asset.name == "b/2.png"


async def test_proofs_that_are_not_durable_publish_nothing(tmp_path: Path) -> None:
    """If the folder of parts cannot be synced no picture gets a name."""
    place, disk = FolderPlace(tmp_path / "batch"), CountingDisk("/parts")
    store = await opened(place.root, disk)
    before = finals(place)
    became = await save_all(store, ["a/1", "b/2"])
    assert all(isinstance(each, OSError) for each in became.values())
    assert finals(place) == before
    assert disk.folders == ["parts"]


async def test_whoever_is_alone_need_not_wait_for_others(tmp_path: Path) -> None:
    """A picture that nobody else is on its way beside is saved at once, and again the same is adopted."""
    store = await opened(tmp_path / "batch", CountingDisk())
    saved = await store.save(Slot(1, "a/1"), chunks(picture("png", 1)))
    assert (await store.save(Slot(1, "a/1"), chunks(picture("png", 1)))).asset == saved.asset


async def test_a_crowd_is_divided(tmp_path: Path) -> None:
    """No thread is given more than so many, and everybody is served."""
    groups: list[int] = []
    together: Together[int] = Together(lambda pieces: groups.append(len(pieces)))
    async with anyio.create_task_group() as group:
        for number in range(MOST + 1):
            group.start_soon(together.done, number)
    assert sorted(groups) == [1, MOST]


async def test_a_bug_in_the_work_reaches_whoever_waits() -> None:
    """What the work should never have raised is not swallowed, and leaves nobody waiting."""

    def broken(_: Sequence[int]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Together(broken).done(1)


async def test_a_cancellation_waits_for_what_is_being_done() -> None:
    """A piece that was handed in is done, whoever is cancelled meanwhile."""
    done: list[int] = []
    together: Together[int] = Together(done.extend)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await together.done(7)
    assert done == [7]


class SlowDisk(RealDisk):
    """Takes its time for the first file; the others are synced only when four are asked for at once."""

    def __init__(self) -> None:
        self.met = threading.Barrier(4)
        self.synced = 0

    def sync(self, fd: int) -> None:
        self.synced += 1
        if self.synced == 1:
            time.sleep(2 * SLOW_SECONDS)
        elif self.met.wait(timeout=60) == 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().sync(fd)


def test_a_slow_disk_is_asked_for_several_syncs_at_once(tmp_path: Path) -> None:
    """Where the first sync takes long, those of the others are made side by side, and one that fails fails alone."""
    folder = Folder(str(tmp_path), SlowDisk())
    folder.create()
    folder.make(PARTS)
    pieces = [Piece(Slot(number, "a"), Part(folder, number)) for number in range(5)]
    for piece in pieces:
        assert piece.part is not None
        piece.part.hold(b"bytes")
        piece.part.write_rest()
    Syncs().finish(pieces)
    assert [type(piece.error) for piece in pieces].count(OSError) == 1
    assert len(os.listdir(tmp_path / PARTS)) == 4
