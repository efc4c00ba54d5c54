"""What jobs have in common, as a journal's readers see it."""

from dataclasses import replace
from pathlib import Path

import pytest

from batchgen.job import Draft, InputRow, Request, draft
from batchgen.journal import Entry
from batchgen.journal.facets import View
from batchgen.journal.record import SqliteRecord
from batchgen.lifecycle import Accepted, Generated, Milestone, Planned, Started, Stored
from tests.journal.desks import SqliteDesk
from tests.lives import asset

pytestmark = pytest.mark.anyio


def made(name: str, row: InputRow | None, take: int = 1, **axes: str) -> Draft:
    """A job of a row."""
    found = draft(name, Request("m", "a cube", take=take), name)
    return replace(found, row=row, axes=axes)


async def test_columns_and_views(tmp_path: Path) -> None:
    """Columns come as the table has them, views as the manifest has them, each once; jobs that are gone have no say."""
    desk = SqliteDesk(str(tmp_path))
    first, second = (
        InputRow(2, "a", {"sku": "1", "Title": "x"}),
        InputRow(3, "b", {"sku": "2", "also": "", "Title": ""}),
    )
    old = made("old", InputRow(2, "old", {"old": "1"}), view="old")
    views = [{"view": "front", "size": "s"}, {"view": "back", "size": "s"}]
    both = [made(f"{row.id}/{n}", row, 1, **view) for row in (first, second) for n, view in enumerate(views)]
    both += [made("b/0.t2", second, 2, **views[0]), made("alone", None)]
    async with desk.open() as journal:
        await journal.owe([old], "before")
        await journal.owe(both, "inputs")
        await journal.end(0, "owed")
    with SqliteRecord(desk.path) as record:
        assert record.columns() == ("sku", "Title", "also")
        assert record.views() == (View(views[0]), View(views[1]), View(views[0], 2), View({}))
        assert [each.name for each in record.views()] == ["front/s", "back/s", "front/s.t2", "picture"]


async def test_who_is_who(tmp_path: Path) -> None:
    """Jobs are found by id, the current one first, and by the bytes of any picture that they ever had."""
    desk = SqliteDesk(str(tmp_path))
    async with desk.open() as journal:
        await journal.owe([made("a", None), made("b", None)], "inputs")
        life: list[Milestone] = [Started(1, "bg-1", 1, 0.0), Accepted(1, "t", 1), Generated(1, "t", 1)]
        life += [Stored(1, "t", 1, (asset("a.png"),)), Planned(1)]
        for position, milestone in enumerate(life, start=1):
            await journal.append([Entry(1, position, milestone)])
        changed = draft("b", Request("m", "another cube"), "b")
        await journal.owe([made("a", None), changed], "others")
        await journal.end(0, "owed")
    with SqliteRecord(desk.path) as record:
        assert list(record.ids()) == ["a", "b"]
        assert (record.named("a"), record.named("b"), record.named("c")) == ([1], [3, 2], [])
        assert record.bought(asset("a.png").sha256) == record.bought(asset("a.png").sha256_received) == [1]
        assert record.bought("1234" * 16) == []
