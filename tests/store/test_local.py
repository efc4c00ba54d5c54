"""The local folder under the judge, and what only a folder can do wrong."""

import contextlib
import errno
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import ClassVar

import anyio
import pytest
from blockbuster import blockbuster_ctx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchgen.errors import BadAsset, SettingsError
from batchgen.picture import Picture
from batchgen.store import Slot
from batchgen.store.decode import Structure
from batchgen.store.disk import RealDisk
from batchgen.store.local import LocalStore
from tests.contracts.store import PARTS, StoreContract, chunks, finals, save, sha256
from tests.store.pictures import picture
from tests.store.places import FolderPlace

pytestmark = pytest.mark.anyio

ODD = st.text(st.sampled_from(list("ab./\\~ -\0\n:*?\u00e9\u202e\U0001f600\ud800'\"$%")), max_size=30)


@pytest.fixture
def place(tmp_path: Path) -> FolderPlace:
    return FolderPlace(tmp_path / "outputs" / "batch")


class TestLocalStore(StoreContract):
    """Every promise of a store."""


class LinklessDisk(RealDisk):
    """A file system without hard links."""

    def link(self, source: str, target: str) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), source)


class FullDisk(RealDisk):
    """A disk on which nothing can be written."""

    def write(self, fd: int, data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Unsure:
    """A check that never comes to a judgement."""

    def __init__(self) -> None:
        self.asked = anyio.Event()

    async def check(self, path: str) -> Picture:
        self.asked.set()
        await anyio.sleep_forever()
        raise AssertionError


async def test_ready(place: FolderPlace) -> None:
    """Getting ready creates the folder and leaves nothing in it but our own."""
    store = place.open()
    await store.ready()
    assert place.names() == set()
    assert os.listdir(place.root) == [".batchgen"]
    await store.ready()


@pytest.mark.parametrize(
    ("disk", "reason"), [(FullDisk(), "cannot write into .*batch.*No space"), (LinklessDisk(), "hard link")]
)
async def test_unusable(tmp_path: Path, disk: RealDisk, reason: str) -> None:
    """A folder that cannot be written, or has no hard links, is refused by name before anything is bought."""
    place = FolderPlace(tmp_path / "batch", disk=disk)
    with pytest.raises(SettingsError, match=reason):
        await place.open().ready()
    assert place.names() == set()


async def test_file_in_place_of_the_folder(tmp_path: Path) -> None:
    """A file where the folder should be is refused by name."""
    (tmp_path / "batch").write_bytes(b"")
    with pytest.raises(SettingsError, match=r"cannot write into .*batch"):
        await FolderPlace(tmp_path / "batch").open().ready()


async def test_links_fail_late(place: FolderPlace) -> None:
    """When links turn out impossible at a save, the message says so, and the proof is still good elsewhere."""
    with pytest.raises(SettingsError, match="hard link"):
        await save(FolderPlace(place.root, disk=LinklessDisk()).open(), picture(), Slot(7, "a"))
    assert finals(place) == set()
    (saved,) = await place.open().find(7, "a")
    assert place.read(saved.asset.name) == picture()


async def test_permissions(place: FolderPlace) -> None:
    """A picture gets the permissions of any new file of this user, and one name when its proof is gone."""
    before = os.umask(0o027)
    try:
        store = place.open()
        saved = await save(store, picture(), Slot(7, "a"))
        await store.remove(saved.proof)
    finally:
        os.umask(before)
    found = (place.root / "a.png").stat()
    assert stat.S_IMODE(found.st_mode) == 0o640
    assert found.st_nlink == 1


async def test_cancelled(place: FolderPlace) -> None:
    """A save that is cancelled leaves nothing behind."""
    check = Unsure()
    store = FolderPlace(place.root, check=check).open()
    async with anyio.create_task_group() as group:
        group.start_soon(save, store, picture(), Slot(7, "a"))
        await check.asked.wait()
        assert len(place.names()) == 1
        group.cancel_scope.cancel()
    assert place.names() == set()


@pytest.mark.parametrize("target", ["outside", "nowhere"])
async def test_link_out(place: FolderPlace, tmp_path: Path, target: str) -> None:
    """A symbolic link that leads out of the folder is refused, even one planted in the middle of a run."""
    (tmp_path / "outside").mkdir()
    store = place.open()
    await save(store, picture(), Slot(1, "a/b/c"))
    (place.root / "a" / "b").rename(place.root / "a" / "was")
    (place.root / "a" / "b").symlink_to(tmp_path / target)
    for attempt in (store, place.open()):
        with pytest.raises(SettingsError, match="symbolic link"):
            await save(attempt, picture(), Slot(2, "a/b/x"))
        with pytest.raises(SettingsError, match="symbolic link"):
            await attempt.remove("a/b/c.png")
        with pytest.raises(SettingsError, match="symbolic link"):
            attempt.open("a/b/c.png")
        with pytest.raises(SettingsError, match="symbolic link"):
            attempt.stat("a/b/c.png")
    assert list((tmp_path / "outside").iterdir()) == []
    assert not (tmp_path / "nowhere").exists()


async def test_parts_linked_out(place: FolderPlace, tmp_path: Path) -> None:
    """Our own folder may not lead out either."""
    (tmp_path / "outside").mkdir()
    place.root.mkdir(parents=True)
    (place.root / ".batchgen").symlink_to(tmp_path / "outside")
    with pytest.raises(SettingsError, match="symbolic link"):
        await save(place.open(), picture(), Slot(7, "a"))
    assert list((tmp_path / "outside").iterdir()) == []


async def test_link_within(place: FolderPlace, tmp_path: Path) -> None:
    """A symbolic link that stays inside is followed, and so is one to the folder itself."""
    (place.root / "real").mkdir(parents=True)
    (place.root / "alias").symlink_to("real")
    (tmp_path / "entry").symlink_to(place.root)
    await save(FolderPlace(tmp_path / "entry").open(), picture(), Slot(7, "alias/a"))
    assert place.read("real/a.png") == picture()


@pytest.mark.parametrize("what", ["link to a file", "link to nothing", "folder", "pipe"])
async def test_odd_things_under_the_name(place: FolderPlace, tmp_path: Path, what: str) -> None:
    """A link, a folder or a pipe under the final name is left alone, and nobody waits for it."""
    place.root.mkdir(parents=True)
    target = place.root / "a.png"
    victim = tmp_path / "victim"
    victim.write_bytes(picture())
    match what:
        case "link to a file":
            target.symlink_to(victim)
        case "link to nothing":
            target.symlink_to(tmp_path / "nothing")
        case "folder":
            target.mkdir()
        case _:
            os.mkfifo(target)
    before = target.lstat()
    store = place.open()
    saved = await save(store, picture(), Slot(7, "a"))
    assert saved.asset.name == f"a~{sha256(picture())[:8]}.png"
    assert target.lstat().st_ino == before.st_ino
    assert store.stat("a.png") is None
    assert not (tmp_path / "nothing").exists()


async def test_file_in_place_of_a_parent(place: FolderPlace) -> None:
    """A file where a folder is needed is an error of the place, and stays."""
    place.write("a", b"mine")
    with pytest.raises(OSError, match="Not a directory"):
        await save(place.open(), picture(), Slot(7, "a/b"))
    assert place.read("a") == b"mine"


async def test_folder_removed(place: FolderPlace) -> None:
    """A folder that somebody removes in the middle of a run is made again."""
    store = place.open()
    await save(store, picture(), Slot(1, "a/b"))
    (place.root / "a" / "b.png").unlink()
    (place.root / "a").rmdir()
    await save(store, picture(), Slot(2, "a/c"))
    assert finals(place) == {"a/c.png"}


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(stem=ODD)
def test_odd_stems(tmp_path: Path, stem: str) -> None:
    """Whatever the stem, a picture lands inside the folder or the stem is refused."""
    place = FolderPlace(tmp_path / "outputs" / "batch")
    around = {path for path in tmp_path.rglob("*") if not path.is_relative_to(place.root)}

    async def attempt() -> None:
        store = place.open()
        saved = await save(store, picture(), Slot(7, stem))
        assert (place.root / saved.asset.name).resolve().is_relative_to(place.root.resolve())
        await store.remove(saved.asset.name)
        await store.remove(saved.proof)

    with contextlib.suppress(SettingsError, NotADirectoryError):
        anyio.run(attempt)
    after = {path for path in tmp_path.rglob("*") if not path.is_relative_to(place.root)}
    assert after - around <= {tmp_path / "outputs"}


async def test_sweep(place: FolderPlace) -> None:
    """Sweeping removes torn parts and the proofs of stored jobs, and nothing that is still needed or not ours."""
    store = place.open()
    kept = await save(store, picture(seed=1), Slot(1, "a"))
    gone = await save(store, picture(seed=2), Slot(2, "b"))
    for name in (".1.0123456789abcdef.part", ".3.0123456789abcdef.part"):
        place.write(f"{PARTS}/{name}", b"torn")
    place.write(f"{PARTS}/notes.txt", b"mine")
    store = place.open()
    assert await store.sweep(lambda job: job == 2) == 3
    assert place.names() == {"a.png", "b.png", kept.proof, f"{PARTS}/notes.txt"}
    assert gone.proof not in place.names()
    assert await store.find(1, "a") == (kept,)
    assert await store.sweep(lambda job: job == 2) == 0


async def test_damaged_proof_that_hashes(place: FolderPlace) -> None:
    """A part that hashes to its name but is no picture is not published."""
    page = b"<html>" * 10
    place.write(f"{PARTS}/.7.{sha256(page)}.part", page)
    assert await place.open().find(7, "a") == ()
    assert place.names() == set()


async def test_two_answers_for_one_number(place: FolderPlace) -> None:
    """Two different pictures saved for one job are both kept, and one of them is found."""
    for seed in (1, 2):
        await save(place.open(), picture(seed=seed), Slot(7, "a"))
    (saved,) = await place.open().find(7, "a")
    assert place.read(saved.asset.name) in {picture(seed=1), picture(seed=2)}
    assert len(finals(place)) == 2


async def test_event_loop_is_free(place: FolderPlace) -> None:
    """Nothing but the writing of small chunks blocks the event loop."""
    store = place.open()
    with blockbuster_ctx("batchgen") as blockbuster:
        blockbuster.functions["os.write"].can_block_in("batchgen/store/disk.py", {"write"})
        await store.ready()
        saved = await save(store, picture(), Slot(7, "a/b"))
        assert await store.find(7, "a/b") == (saved,)
        moved = await store.move(saved.asset, "c/d")
        await store.remove(moved.proof)
        await store.sweep(lambda job: True)
        with pytest.raises(BadAsset):
            await save(store, b"<html>", Slot(8, "x"))


async def test_large_chunks(tmp_path: Path) -> None:
    """Chunks too large for the event loop arrive whole as well."""
    data = picture("PNG", 900, 700, compress_level=0)
    store = LocalStore(tmp_path, Structure())

    async def at_once() -> AsyncIterator[bytes]:
        yield data

    assert len(data) > 1024 * 1024
    await store.save(Slot(7, "a"), at_once())
    assert (tmp_path / "a.png").read_bytes() == data


async def test_silent_source(place: FolderPlace) -> None:
    """A download without a single chunk is an empty file."""
    with pytest.raises(BadAsset, match="empty"):
        await place.open().save(Slot(7, "a"), chunks(b""))


async def test_a_new_folder_is_durable_before_anything_is_bought(tmp_path: Path) -> None:
    """Every folder made on the way to the batch is synced into the one above it: none can vanish with its journal."""

    class Noting(RealDisk):
        synced: ClassVar[set[str]] = set()

        def sync_dir(self, path: str) -> None:
            self.synced.add(path)
            super().sync_dir(path)

    await LocalStore(tmp_path / "outputs/shop", Structure(), disk=Noting()).ready()
    assert {str(tmp_path), str(tmp_path / "outputs"), str(tmp_path / "outputs/shop")} <= Noting.synced
