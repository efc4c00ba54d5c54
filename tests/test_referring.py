"""References go from the machine that has their files to workers that have none."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from batchgen.batch.referring import share, shared_preparer
from batchgen.errors import Unfinished
from batchgen.job import FileReference, Job, Reference, Request
from batchgen.store.references import FolderReferences
from tests.store.pictures import picture

pytestmark = pytest.mark.anyio


def job(number: int, *references: Reference) -> Job:
    """A job with these references."""
    request = Request("nano-banana-pro", "a cup", references=references)
    return Job(number, f"job{number}", "f" * 64, 1, request, f"job{number}")


def reference(root: Path, name: str, seed: int = 0) -> FileReference:
    """A reference file."""
    data = picture(seed=seed)
    (root / name).write_bytes(data)
    return FileReference(name, hashlib.sha256(data).hexdigest(), len(data), "image/png")


async def each(*jobs: Job) -> AsyncIterator[Job]:
    for one in jobs:
        yield one


async def test_a_worker_elsewhere_sends_the_same_bytes(tmp_path: Path) -> None:
    """An order built from shared references is the order that the machine with the files would have built."""
    (tmp_path / "here").mkdir()
    cup = reference(tmp_path / "here", "cup.png")
    shelter = FolderReferences(str(tmp_path / "store"))
    assert await share(each(job(1, cup), job(2, cup)), tmp_path / "here", shelter) == 1
    (tmp_path / "here/cup.png").unlink()
    order = await shared_preparer(FolderReferences(str(tmp_path / "store")))(job(2, cup), "token")
    assert picture() in order.body


async def test_a_changed_file_is_not_shared(tmp_path: Path) -> None:
    """A file that is not what was planned goes nowhere, and the others are shared."""
    cup = reference(tmp_path, "cup.png")
    (tmp_path / "cup.png").write_bytes(picture(seed=5))
    pot, shelter = reference(tmp_path, "pot.png", seed=7), FolderReferences(str(tmp_path / "store"))
    assert await share(each(job(1, cup), job(2, pot)), tmp_path, shelter) == 1
    assert await shelter.read(pot.sha256) == picture(seed=7)
    with pytest.raises(FileNotFoundError):
        await shelter.read(cup.sha256)


async def test_what_was_never_shared_ends_the_run_and_fails_no_job(tmp_path: Path) -> None:
    """A worker that misses a reference says which, as something to run again."""
    cup = reference(tmp_path, "cup.png")
    with pytest.raises(Unfinished, match=r"`cup\.png`.*not in the store"):
        await shared_preparer(FolderReferences(str(tmp_path / "store")))(job(1, cup), "token")
