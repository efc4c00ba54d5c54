"""Commits: shared, durable, and nothing after one that failed."""

import asyncio
import shutil
import threading
from functools import partial
from pathlib import Path

import anyio
import apsw
import pytest

from batchgen.errors import Damaged, JournalError
from batchgen.journal import Entry
from batchgen.journal.commits import Commits
from batchgen.journal.transactions import SqliteTransactions
from batchgen.lifecycle import Accepted, Milestone, Started
from tests.contracts.journal import handed_out, manifest, owed, walk
from tests.journal.desks import SqliteDesk
from tests.journal.losing import losing
from tests.lives import SINCE, successor

pytestmark = pytest.mark.anyio


@pytest.fixture
async def folder(tmp_path: Path) -> str:
    """A journal with three jobs, closed."""
    async with SqliteDesk(str(tmp_path / "first")).open() as journal:
        await owed(journal, "a", "b", "c")
        await journal.end(0, "made")
    return str(tmp_path / "first")


async def test_what_arrives_during_a_commit_shares_the_next(tmp_path: Path) -> None:
    """Hundreds of appends at once need a handful of syncs, not hundreds."""
    folder = str(tmp_path)
    async with SqliteDesk(folder).open() as journal:
        await journal.owe(manifest({str(number): str(number) for number in range(300)}), "inputs")
    with losing(folder) as disk:
        async with SqliteDesk(folder, disk.name).open() as journal:
            jobs = await handed_out(journal)
            before = disk.syncs
            async with anyio.create_task_group() as group:
                for job in jobs:
                    group.start_soon(walk, journal, job, Started, Accepted)
            assert 2 <= disk.syncs - before <= 60
            assert (await journal.totals()).counts["running"] == 300


async def test_a_commit_alone_is_synced_too(folder: str) -> None:
    """Sharing never means waiting for others: each lone append is on the disk when it returns."""
    with losing(folder) as disk:
        async with SqliteDesk(folder, disk.name).open() as journal:
            for job in await handed_out(journal):
                before = disk.syncs
                await walk(journal, job, Started)
                assert disk.syncs > before


async def test_a_damaged_total_ends_the_run_instead_of_its_writer(folder: str) -> None:
    """Whoever waits for a commit that meets damage hears of it, and so does everybody after."""
    desk = SqliteDesk(folder)
    async with desk.open() as journal:
        jobs = await handed_out(journal)
        other = apsw.Connection(desk.path)
        other.execute("UPDATE totals SET amount = amount + 1 WHERE what = 'jobs:queued'")
        other.close()
        with anyio.fail_after(60):
            for job in jobs[:2]:
                with pytest.raises(Damaged):
                    await walk(journal, job, Started)


@pytest.mark.parametrize("error", [apsw.IOError, apsw.FullError])
async def test_a_failed_commit_fails_all_and_ends_the_writing(folder: str, error: type[apsw.Error]) -> None:
    """None of the waiting is recorded, and nothing after it either, even when the disk is well again."""
    failures: list[str] = []

    async def append(entry: Entry) -> None:
        with pytest.raises(JournalError) as failed:
            await journal.append([entry])
        failures.append(str(failed.value))

    with losing(folder) as disk:
        async with SqliteDesk(folder, disk.name).open() as journal:
            jobs = await handed_out(journal)
            entries = [job.then(Started(1, "bg-1", 40_000, SINCE)) for job in jobs]
            disk.error, disk.cut_at = error, disk.operations
            async with anyio.create_task_group() as group:
                for entry in entries[:2]:
                    group.start_soon(append, entry)
            disk.cut_at = None
            await append(entries[2])
            assert (await journal.totals()).counts["running"] == 0
    assert len(failures) == 3
    assert all("nothing more is recorded" in failure and "run again" in failure for failure in failures)
    async with SqliteDesk(folder).open() as journal:
        assert journal.killed_before
        assert [job.milestone for job in await handed_out(journal)] == [job.milestone for job in jobs]


async def test_nothing_is_appended_to_a_closed_journal(folder: str) -> None:
    """A worker that outlives the run is told, and does not wait for ever."""
    async with SqliteDesk(folder).open() as journal:
        [job, *_] = await handed_out(journal)
    with pytest.raises(JournalError, match="closed"):
        await journal.append([job.then(Started(1, "bg-1", 40_000, SINCE))])


@pytest.mark.parametrize("name", ["", "-wal"])
async def test_a_journal_that_was_taken_away_is_not_written_on(folder: str, name: str) -> None:
    """SQLite would go on with a file that has no name any more; here not even the next milestone is believed."""
    desk = SqliteDesk(folder)
    async with desk.open() as journal:
        first, second, *_ = await handed_out(journal)
        await walk(journal, first, Started)
        shutil.move(desk.path + name, desk.path + ".old")
        for job in (second, second):
            with pytest.raises(JournalError, match="removed or replaced"):
                await walk(journal, job, Started)


async def test_a_power_cut_loses_nothing_that_was_acknowledged(folder: str, tmp_path: Path) -> None:
    """At every single operation on the disk: whatever `append` returned from is there, and the journal opens."""
    steps: tuple[type[Milestone], ...] = (Started, Accepted)
    for cut in range(1, 1000):
        shutil.copytree(folder, here := str(tmp_path / f"{cut}"))
        acknowledged: dict[int, Milestone] = {}
        with losing(here) as disk:
            disk.cut_at = cut
            whole = await _carry(SqliteDesk(here, disk.name), steps, acknowledged)
            shutil.copytree(here, there := str(tmp_path / f"{cut}-after"), ignore=shutil.ignore_patterns("journal*"))
            disk.restore(there, cut)
        async with SqliteDesk(there).open() as journal:
            found = {job.job.number: job.milestone for job in await handed_out(journal)}
        for number, milestone in acknowledged.items():
            assert type(found[number]) in {type(milestone), Accepted}, f"cut at operation {cut}"
        shutil.rmtree(here)
        shutil.rmtree(there)
        if whole:
            break
    else:
        pytest.fail("the power was always cut")
    assert cut > 20
    assert [type(milestone) for milestone in acknowledged.values()] == [Accepted] * 3


async def _carry(desk: SqliteDesk, steps: tuple[type[Milestone], ...], acknowledged: dict[int, Milestone]) -> bool:
    """Carry all jobs along, note what was acknowledged, say whether it went to the end."""
    try:
        async with desk.open() as journal:
            for job in await handed_out(journal):
                milestone = job.milestone
                for index, kind in enumerate(steps, 1):
                    milestone = successor(milestone, kind)
                    await journal.append([Entry(job.job.number, index, milestone)])
                    acknowledged[job.job.number] = milestone
            await journal.end(0, "carried")
    except (JournalError, apsw.Error):
        return False
    return True


def slowly(gate: threading.Event, done: list[str], name: str, _: apsw.Connection) -> None:
    """A piece of work that waits until the test lets it go."""
    gate.wait(5)
    done.append(name)


async def _commits() -> Commits:
    return Commits(SqliteTransactions(apsw.Connection(":memory:")), lambda: None)


async def test_work_that_sqlite_refuses_ends_the_writing() -> None:
    """Its transaction may be gone, so neither it nor its neighbours are believed."""
    connection = apsw.Connection(":memory:")
    commits = Commits(SqliteTransactions(connection), lambda: None)
    with pytest.raises(JournalError, match="could not be written"):
        await commits.do(lambda connection: connection.execute("SELECT * FROM nowhere"))
    assert not connection.in_transaction
    with pytest.raises(JournalError, match="could not be written"):
        await commits.do(lambda _: None)
    await commits.close()


async def test_closing_waits_for_what_was_given() -> None:
    """The last milestones of a run are written before its journal is let go, one after the other."""
    commits, gate = await _commits(), threading.Event()
    done: list[str] = []

    async def give(number: int) -> None:
        await commits.do(partial(slowly, gate, done, str(number)))

    async with anyio.create_task_group() as group:
        for number in range(3):
            group.start_soon(give, number)
        await anyio.wait_all_tasks_blocked()
        group.start_soon(commits.close)
        await anyio.wait_all_tasks_blocked()
        gate.set()
    assert done == ["0", "1", "2"]


async def test_a_waiter_that_was_torn_away_disturbs_nobody() -> None:
    """Even a cancellation that heeds no shield leaves the work done and the others served."""
    commits, gate = await _commits(), threading.Event()
    done: list[str] = []
    torn = asyncio.ensure_future(commits.do(partial(slowly, gate, done, "torn")))
    await anyio.wait_all_tasks_blocked()
    other = asyncio.ensure_future(commits.do(lambda _: done.append("other")))
    await anyio.wait_all_tasks_blocked()
    torn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await torn
    gate.set()
    await other
    assert done == ["torn", "other"]
    await commits.close()
