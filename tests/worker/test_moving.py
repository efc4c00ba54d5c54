"""Pictures follow their paths: renamed, swapped, in the way of a stranger, or not there at all."""

from dataclasses import replace

import pytest

from batchgen.job import Draft, Request, draft
from batchgen.journal import Selection
from batchgen.journal.memory import MemoryRecord, open_memory
from batchgen.lifecycle import Stored
from batchgen.store.memory import MemoryStore
from batchgen.worker.moving import move_all
from tests.worker.rig import Rig

pytestmark = pytest.mark.anyio

MISPLACED = Selection(misplaced=True)


async def moved(rig: Rig, *paths: str) -> list[str]:
    """Ask for other paths, move, and return the names that the journal knows."""
    drafts = [replace(each, path=path) for each, path in zip(named(rig), paths, strict=True)]
    async with open_memory(rig.book, rig.identity, verb="run", clock=rig.clock) as journal:
        await journal.owe(drafts, "other inputs")
        await move_all(MemoryRecord(rig.book).entries(MISPLACED), journal, MemoryStore(rig.files))
        await journal.end(0, "moved")
    heads = [rig.head(number) for number in range(1, len(paths) + 1)]
    return [head.assets[0].name for head in heads if isinstance(head, Stored)]


def named(rig: Rig) -> list[Draft]:
    """The drafts of the rig's own jobs."""
    return [draft(f"job{n}", Request("nano-banana-pro", f"prompt {n}"), f"job{n}") for n in range(rig.jobs)]


async def test_a_new_path_moves_the_picture() -> None:
    """A changed output path renames the file, records it, and buys nothing."""
    rig = Rig(jobs=2)
    await rig.run()
    assert await moved(rig, "a/job0", "job1") == ["a/job0.png", "job1.png"]
    assert rig.pictures == ["a/job0.png", "job1.png"]
    assert len(rig.provider.orders) == 2


async def test_names_can_be_swapped() -> None:
    """Two pictures that want each other's names get them, and none is written over."""
    rig = Rig(jobs=3)
    await rig.run()
    before = dict(rig.files)
    assert await moved(rig, "job1", "job2", "job0") == ["job1.png", "job2.png", "job0.png"]
    assert rig.files["job1.png"] == before["job0.png"]
    assert rig.files["job2.png"] == before["job1.png"]
    assert rig.files["job0.png"] == before["job2.png"]
    assert len(rig.files) == 3


async def test_a_strangers_file_is_left_alone() -> None:
    """Where a stranger's file holds the new name, the picture stays where it is, and so do the rest of a chain."""
    rig = Rig(jobs=2)
    await rig.run()
    rig.files["z.png"] = b"a stranger's"
    assert await moved(rig, "z", "b") == ["job0.png", "b.png"]
    assert rig.files["z.png"] == b"a stranger's"


async def test_a_deleted_picture_is_not_missed() -> None:
    """A picture that somebody deleted is neither an error nor bought again."""
    rig = Rig(jobs=2)
    await rig.run()
    del rig.files["job0.png"]
    assert await moved(rig, "a", "b") == ["job0.png", "b.png"]
    assert len(rig.provider.orders) == 2
