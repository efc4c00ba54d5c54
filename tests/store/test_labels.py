"""Labels of a folder of pictures where something is in the way."""

import hashlib
import logging
import os
from pathlib import Path

import pytest

from batchgen.label import read, read_sidecar
from batchgen.picture import Picture
from batchgen.store import Slot
from batchgen.store.disk import Disk, RealDisk
from batchgen.store.folder import Folder
from batchgen.store.labels import Labels
from batchgen.store.names import PARTS
from batchgen.store.parts import Part
from tests.contracts.store import BOTH, INSIDE, save
from tests.store.disks import FailingDisk
from tests.store.pictures import picture
from tests.store.places import FolderPlace

pytestmark = pytest.mark.anyio

IS = Picture("image/png", "png", 48, 32)


def part_of(folder: Folder) -> Part:
    """A finished part with a picture."""
    folder.create()
    folder.make(PARTS)
    part = Part(folder, 7)
    part.hold(picture())
    part.finish()
    return part


def a_folder(root: Path, disk: Disk | None = None) -> Folder:
    """A folder on this disk."""
    return Folder(str(root), disk or RealDisk())


def test_a_picture_that_would_not_be_whole_stays_as_it_was(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What does not read as the same picture with its label in it is kept without one, and that is said once."""
    folder = a_folder(tmp_path)
    labels = Labels(folder)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            part = part_of(folder)
            assert labels.inscribe(part, 7, INSIDE, Picture("image/png", "png", 1, 1)) is part
            assert Path(part.path).read_bytes() == picture()
            part.discard()
    assert os.listdir(tmp_path / PARTS) == []
    assert [each.message for each in caplog.records] == [
        "a picture would not have been whole any more; the journal has all that would have been said"
    ]


def test_a_disk_that_fails_while_labelling(tmp_path: Path) -> None:
    """A label that cannot be written is an error of the disk; the part as it was received stays for whoever made it."""
    part = part_of(a_folder(tmp_path))
    with pytest.raises(OSError, match="put"):
        Labels(a_folder(tmp_path, FailingDisk(1))).inscribe(part, 7, INSIDE, IS)
    assert os.listdir(tmp_path / PARTS) == [os.path.basename(part.path)]


async def test_every_operation_of_a_labelled_save_fails_once(tmp_path: Path) -> None:
    """Whichever disk operation fails while a picture is labelled, the next try ends with picture, words and sidecar."""
    failed = []
    for n in range(1, 100):
        place, disk = FolderPlace(tmp_path / str(n)), FailingDisk(n)
        store = FolderPlace(place.root, disk=disk).open()
        try:
            await save(store, picture(), Slot(7, "a", label=BOTH))
        except OSError:
            failed.append(disk.failed)
        disk.close()
        store = place.open()
        found = await store.find(7, "a", BOTH) or (await save(store, picture(), Slot(7, "a", label=BOTH)),)
        await store.sweep(lambda _: True)
        assert place.names() == {"a.png", "a.png.json"}
        stored = place.read("a.png")
        digest = hashlib.sha256(stored).hexdigest()
        assert (found[0].asset.sha256, (read(stored) or {})["id"]) == (digest, "a")
        assert (read_sidecar(place.read("a.png.json")) or {})["sha256"] == digest
        if disk.failed is None:
            break
    assert len(failed) > 12
