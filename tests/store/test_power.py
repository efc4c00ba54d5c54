"""Power cuts and failing disks: a picture is there whole or not at all, and a journaled one is there."""

import contextlib
import errno
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from batchgen.job import Asset
from batchgen.label import embedded, read_sidecar
from batchgen.store import Slot
from tests.contracts.store import BOTH, FACTS, finals, save, sha256
from tests.store.disks import Cuts, FailingDisk, LosingDisk
from tests.store.pictures import KINDS, picture
from tests.store.places import FolderPlace

pytestmark = pytest.mark.anyio

STEM = "shoes/red/a"


@pytest.fixture
def losing(tmp_path: Path) -> Iterator[LosingDisk]:
    (tmp_path / "live").mkdir()
    disk = LosingDisk(tmp_path / "live")
    yield disk
    disk.close()


@pytest.fixture
def cuts(losing: LosingDisk, tmp_path: Path) -> Cuts:
    (tmp_path / "cuts").mkdir()
    return Cuts(losing, tmp_path / "cuts")


def whole_or_absent(place: FolderPlace, data: bytes) -> None:
    """No final name holds anything but the whole picture."""
    assert {place.read(name) for name in finals(place)} <= {data}


async def test_cut_while_saving(losing: LosingDisk, cuts: Cuts) -> None:
    """Cut at any moment of a save, there is the whole picture or none, and it can be saved again."""
    await save(FolderPlace(losing.root, disk=losing).open(), picture(), Slot(7, STEM))
    found = []
    for left in cuts.left:
        place = FolderPlace(left)
        whole_or_absent(place, picture())
        saved = await place.open().find(7, STEM)
        found.append(bool(saved))
        if not saved:
            assert place.names() == set()
            saved = (await save(place.open(), picture(), Slot(7, STEM)),)
        assert saved[0].asset.name == f"{STEM}.png"
        assert place.read(f"{STEM}.png") == picture()
    assert len(cuts.left) > 40
    assert set(found) == {True, False}


async def test_cut_after_saving(losing: LosingDisk, cuts: Cuts) -> None:
    """Cut at any moment after a save has returned, the picture is found, and is under its name already."""
    store = FolderPlace(losing.root, disk=losing).open()
    saved = await save(store, picture(), Slot(7, STEM))
    cuts.left.clear()
    cuts.cut()
    await save(store, picture(seed=8), Slot(8, "shoes/other"))
    cuts.cut()
    for left in cuts.left:
        place = FolderPlace(left)
        assert place.read(saved.asset.name) == picture()
        assert await place.open().find(7, STEM) == (saved,)


async def test_cut_after_stored(losing: LosingDisk, cuts: Cuts) -> None:
    """Cut at any moment after the proof was removed, the picture is whole under its name."""
    store = FolderPlace(losing.root, disk=losing).open()
    saved = await save(store, picture(), Slot(7, STEM))
    await store.remove(saved.proof)
    cuts.left.clear()
    cuts.cut()
    await save(store, picture(seed=8), Slot(8, STEM))
    cuts.cut()
    for left in cuts.left:
        assert FolderPlace(left).read(saved.asset.name) == picture()


async def test_cut_while_finding(tmp_path: Path) -> None:
    """Cut while a run recovers from a cut, nothing is lost either; what it found is durable."""
    (tmp_path / "first").mkdir()
    (tmp_path / "cuts").mkdir()
    disk = LosingDisk(tmp_path / "first")
    first = Cuts(disk, tmp_path / "cuts")
    await save(FolderPlace(disk.root, disk=disk).open(), picture(), Slot(7, STEM))
    disk.close()
    recovered = 0
    for number, left in enumerate(first.left):
        again = LosingDisk(left)
        (tmp_path / str(number)).mkdir()
        second = Cuts(again, tmp_path / str(number))
        store = FolderPlace(left, disk=again).open()
        saved = await store.find(7, STEM)
        during = list(second.left)
        if saved:
            recovered += 1
            await store.remove(saved[0].proof)
            second.cut()
            for each in second.left[len(during) :]:
                assert FolderPlace(each).read(saved[0].asset.name) == picture()
            for each in during:
                assert await FolderPlace(each).open().find(7, STEM) == saved
        again.close()
    assert recovered > 10


async def test_killed_and_then_cut(tmp_path: Path) -> None:
    """What a killed run had linked and not synced, the next run makes durable before it calls it saved."""
    found = 0
    for n in itertools.count(1):
        (tmp_path / str(n)).mkdir()
        disk = LosingDisk(tmp_path / str(n))
        disk.at_every_moment = countdown(n)
        place = FolderPlace(disk.root, disk=disk)
        try:
            await save(place.open(), picture(), Slot(7, STEM))
            break
        except Killed:
            disk.at_every_moment = lambda: None
        store = place.open()
        saved = await store.find(7, STEM)
        found += len(saved)
        saved = saved or (await save(store, picture(), Slot(7, STEM)),)
        await store.remove(saved[0].proof)
        disk.cut(tmp_path / f"{n}-cut", lambda: False)
        disk.close()
        assert FolderPlace(tmp_path / f"{n}-cut").read(f"{STEM}.png") == picture()
    assert found > 3


class Killed(BaseException):
    """The process ended here."""


def countdown(n: int) -> Callable[[], None]:
    """Kill at the n-th moment."""
    moments = itertools.count(1)

    def moment() -> None:
        if next(moments) == n:
            raise Killed

    return moment


async def test_cut_while_labelling(losing: LosingDisk, cuts: Cuts) -> None:
    """Cut at any moment of a save with a label in and beside, all of it is there after the next try, and only that."""
    whole, _ = embedded(picture(), "image/png", FACTS)
    saved = await save(FolderPlace(losing.root, disk=losing).open(), picture(), Slot(7, STEM, label=BOTH))
    cuts.cut()
    found = []
    for left in cuts.left:
        place = FolderPlace(left)
        store = place.open()
        assert {place.read(name) for name in finals(place) if name.endswith(".png")} <= {whole}
        assert {name for name in finals(place) if name.endswith(".json")} <= {f"{STEM}.png.json"}
        again = await store.find(7, STEM, BOTH)
        found.append(bool(again))
        await store.sweep(lambda _: False)
        again = again or (await save(store, picture(), Slot(7, STEM, label=BOTH)),)
        assert again == (saved,)
        await store.remove(saved.proof)
        assert place.names() == {f"{STEM}.png", f"{STEM}.png.json"}
        assert (read_sidecar(place.read(f"{STEM}.png.json")) or {})["sha256"] == sha256(whole)
    assert set(found) == {True, False}


async def test_labelled_and_then_cut(losing: LosingDisk, cuts: Cuts) -> None:
    """Once a save has returned, a cut takes neither the picture nor what stands beside it; nor once it was moved."""
    store = FolderPlace(losing.root, disk=losing).open()
    saved = await save(store, picture(), Slot(7, STEM, label=BOTH))
    await store.remove(saved.proof)
    cuts.left.clear()
    cuts.cut()
    moved = await store.move(saved.asset, "b/c")
    before = len(cuts.left)
    cuts.cut()
    await store.remove(moved.proof)
    for number, left in enumerate(cuts.left):
        place = FolderPlace(left)
        assert f"{STEM}.png.json" in place.names()
        if number >= before:
            assert {"b/c.png", "b/c.png.json"} <= place.names()
        assert await place.open().move(saved.asset, "b/c") == moved
        assert (read_sidecar(place.read("b/c.png.json")) or {})["sha256"] == saved.asset.sha256


async def test_cut_among_several(losing: LosingDisk, cuts: Cuts) -> None:
    """Cut while the pictures of one task are saved, all are found or none, and each is whole."""
    store = FolderPlace(losing.root, disk=losing).open()
    for index, kind in enumerate(KINDS, 1):
        await save(store, picture(kind), Slot(7, "a", index, 3))
    for left in cuts.left:
        place = FolderPlace(left)
        saved = await place.open().find(7, "a")
        assert [sha256(place.read(each.asset.name)) for each in saved] in (
            [],
            [sha256(picture(kind)) for kind in KINDS],
        )


async def test_cut_while_moving(losing: LosingDisk, cuts: Cuts) -> None:
    """Cut at any moment of a move, the picture is under one of its names, and the move can be made again."""
    store = FolderPlace(losing.root, disk=losing).open()
    saved = await save(store, picture(), Slot(7, "a"))
    await store.remove(saved.proof)
    cuts.left.clear()
    moved = await store.move(saved.asset, "b/c")
    before = len(cuts.left)
    cuts.cut()
    await store.remove(moved.proof)
    cuts.cut()
    for number, left in enumerate(cuts.left):
        place = FolderPlace(left)
        whole_or_absent(place, picture())
        if number >= before:
            assert place.read("b/c.png") == picture()
        assert await place.open().move(saved.asset, "b/c") == moved
        assert place.read("b/c.png") == picture()


async def test_adopted_file_is_made_durable(losing: LosingDisk, cuts: Cuts) -> None:
    """A file of the same bytes that somebody wrote and never synced survives once it is ours."""
    source = losing.root / "a.png"
    with source.open("wb", buffering=0) as file:
        losing.write(file.fileno(), picture())
    store = FolderPlace(losing.root, disk=losing).open()
    saved = await save(store, picture(), Slot(7, "a"))
    assert saved.asset.name == "a.png"
    await store.remove(saved.proof)
    cuts.left.clear()
    cuts.cut()
    for left in cuts.left:
        assert FolderPlace(left).read("a.png") == picture()


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
async def test_every_operation_fails_once(tmp_path: Path, number: int) -> None:
    """Whichever disk operation of a save fails, it says so, leaves nothing under the final name, and goes on."""
    failed = []
    for n in range(1, 100):
        place = FolderPlace(tmp_path / str(n))
        disk = FailingDisk(n, number)
        store = FolderPlace(place.root, disk=disk).open()
        with contextlib.suppress(OSError):
            await save(store, picture(), Slot(7, STEM))
        if disk.failed is None:
            break
        failed.append(disk.failed)
        with pytest.raises(OSError, match=os.strerror(number)):
            await save(
                FolderPlace(tmp_path / f"{n}-again", disk=FailingDisk(n, number)).open(), picture(), Slot(7, STEM)
            )
        assert finals(place) == set()
        assert len(place.names()) <= 1
        saved = await store.find(7, STEM) or (await save(store, picture(), Slot(7, STEM)),)
        assert place.read(saved[0].asset.name) == picture()
        await store.remove(saved[0].proof)
        assert place.names() == {f"{STEM}.png"}
        assert not disk.synced_after_failure
        disk.close()
    assert set(failed) == {"write", "sync", "link", "sync_dir"}
    assert len(failed) > 8


async def test_every_operation_of_a_move_fails_once(tmp_path: Path) -> None:
    """Whichever disk operation of a move fails, the old name stays, and the move can be made again."""
    failed = []
    for n in range(1, 100):
        place = FolderPlace(tmp_path / str(n))
        place.write("a.png", picture())
        digest = sha256(picture())
        asset = Asset("a.png", len(picture()), digest, digest, "image/png", 48, 32)
        disk = FailingDisk(n)
        store = FolderPlace(place.root, disk=disk).open()
        try:
            await store.move(asset, STEM)
        except OSError:
            assert finals(place) == {"a.png"}
        if disk.failed is None:
            break
        failed.append(disk.failed)
        await store.move(asset, STEM)
        assert place.read(f"{STEM}.png") == picture()
    assert set(failed) == {"link", "sync_dir"}
