"""A journal in PostgreSQL that several processes write for one run."""

import json
import multiprocessing
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import anyio
import pytest

from batchgen.errors import JournalError, NoHeadroom, Superseded
from batchgen.journal import Caps, Journal
from batchgen.lifecycle import Accepted, Planned
from tests.contracts.sharing import DRAFTS, SharingContract, Way, job, started
from tests.postgres import drop, missing, server

if missing() and not os.environ.get("CI"):
    pytest.skip(missing(), allow_module_level=True)

import psycopg

from batchgen.journal.postgres import holding
from batchgen.journal.postgres.connection import PostgresConnection
from batchgen.journal.postgres.joining import Joined
from batchgen.journal.postgres.journal import PostgresJournal
from tests.journal.postgres_desk import PostgresDesk


@pytest.fixture(scope="module")
def conninfo() -> Iterator[str]:
    """A server."""
    assert not missing(), missing()
    with server() as found:
        yield found


class _Joining:
    """A schema of its own, and folders for those who join."""

    def __init__(self, desk: PostgresDesk, folder: Path) -> None:
        self.desk = desk
        self._folder = folder

    def head(self) -> AbstractAsyncContextManager[Journal]:
        return self.desk.open()

    @asynccontextmanager
    async def share(self, journal: Journal) -> AsyncIterator[Way]:
        assert isinstance(journal, PostgresJournal)
        yield partial(journal.joined(), str(self._folder / "elsewhere"))


@pytest.fixture
def counter(conninfo: str, tmp_path: Path) -> Iterator[_Joining]:
    """A schema of its own."""
    desk = PostgresDesk(conninfo, str(tmp_path / "batch" / ".batchgen"))
    yield _Joining(desk, tmp_path)
    drop(conninfo, desk.target.schema)


class TestJoined(SharingContract):
    """Every promise, on a server."""


async def _begin_all(joined: Joined, folder: str, caps: Caps) -> None:
    async with joined(folder) as journal:

        async def begin(number: int) -> None:
            known = await job(journal, number)
            if isinstance(known.milestone, Planned):
                with suppress(NoHeadroom, Superseded):  # somebody was faster
                    await journal.append([known.then(started())], caps)

        async with anyio.create_task_group() as group:
            for number in range(1, len(DRAFTS) + 1):
                group.start_soon(begin, number)


def _race(joined: Joined, folder: str, caps: Caps) -> None:
    anyio.run(_begin_all, joined, folder, caps)


@pytest.mark.anyio
async def test_processes_race_for_the_last_picture(counter: _Joining, tmp_path: Path) -> None:
    """Four processes that begin every job at once begin as many as the cap allows, and each job once."""
    async with counter.desk.open() as journal:
        await journal.owe(DRAFTS, "inputs")
        joined, caps = journal.joined(), Caps(batch=13 * 40_000)
        spawn = multiprocessing.get_context("spawn")
        racers = [spawn.Process(target=_race, args=(joined, str(tmp_path / "there"), caps)) for _ in range(4)]
        for each in racers:
            each.start()
        for each in racers:
            await anyio.to_thread.run_sync(each.join)
        assert [each.exitcode for each in racers] == [0] * 4
        totals = await journal.totals()
        assert (totals.counts["running"], totals.money.reserved) == (13, 13 * 40_000)
        await journal.end(0, "done")
    with counter.desk.record() as record:
        assert record.runs[0].started == 13
    assert _noted(counter) == _ask(counter, "SELECT count(*) FROM milestones")


@pytest.mark.anyio
async def test_a_commit_that_was_not_kept_is_not_taken_for_one_of_others(counter: _Joining, tmp_path: Path) -> None:
    """Whoever lost a commit with the server knows its own by a number that nobody else counts."""
    async with counter.desk.open() as journal, journal.joined()(str(tmp_path / "there")) as there:
        await journal.owe(DRAFTS, "inputs")
        connection = PostgresConnection(counter.desk.target)
        with connection:
            hold = holding.join(connection, _epoch(counter))
        connection.begin()
        lost = holding.fence(connection, hold)
        connection.roll_back()
        for each in (there, journal):
            await each.append([(await job(each, 1 if each is there else 2)).then(started())])
        with connection:
            assert not holding.was_kept(connection, hold, lost)
        with connection:
            kept = holding.fence(connection, hold)
        assert (kept.ours, kept.others > lost.others) == (1, True)
        with connection:
            assert holding.was_kept(connection, hold, kept)
        connection.close()


@pytest.mark.anyio
async def test_a_run_that_was_taken_over_has_no_workers_either(counter: _Joining, tmp_path: Path) -> None:
    """Once another run has the batch, a process that carried jobs for the one before records nothing more."""
    async with counter.desk.open() as journal:
        await journal.owe(DRAFTS, "inputs")
        joined = journal.joined()
        async with joined(str(tmp_path / "there")) as there:
            known = await job(there)
            await there.append([known.then(started())])
            _say(counter, "UPDATE holder SET beat = clock_timestamp() - interval '1 hour'")
            async with counter.desk.open() as second:
                with pytest.raises(JournalError, match="taken for dead"):
                    await there.append([(await job(there)).then(Accepted(1, "task-1", 40_000))])
                with pytest.raises(JournalError, match="taken for dead"):
                    async with joined(str(tmp_path / "late")):
                        pass
                assert (await job(second)).position == 1


@pytest.mark.anyio
async def test_only_the_head_shows_that_the_run_lives(counter: _Joining, tmp_path: Path) -> None:
    """A run whose head is gone can be taken over, however busy its workers are."""
    async with counter.desk.open() as journal, journal.joined()(str(tmp_path / "there")) as there:
        await journal.owe(DRAFTS, "inputs")
        _say(counter, "UPDATE holder SET beat = clock_timestamp() - interval '1 hour'")
        await there.append([(await job(there)).then(started())])
        with counter.desk.record() as record:
            assert not record.live


def test_a_transaction_that_stands_still_is_ended_by_the_server(counter: _Joining) -> None:
    """A process that freezes in a commit does not keep the others waiting for longer than this."""
    connection = PostgresConnection(counter.desk.target)
    connection.begin()
    assert connection.raw("SHOW idle_in_transaction_session_timeout") == [("15s",)]
    connection.close()


@pytest.mark.anyio
async def test_whoever_leaves_is_forgotten(counter: _Joining, tmp_path: Path) -> None:
    """Processes that joined leave nothing behind, and a new run begins without those of the last one."""
    async with counter.desk.open() as journal:
        async with journal.joined()(str(tmp_path / "there")):
            assert _ask(counter, "SELECT count(*) FROM writers") == 2
        assert _ask(counter, "SELECT count(*) FROM writers") == 1
        _say(counter, "INSERT INTO writers VALUES ('killed', 7)")
    async with counter.desk.open():
        assert _ask(counter, "SELECT count(*) FROM writers") == 1


def _noted(counter: _Joining) -> int:
    """How many milestones the run's own machine knows of."""
    return int(json.loads(Path(counter.desk.folder, "epoch").read_text())["milestones"])


def _epoch(counter: _Joining) -> int:
    return _ask(counter, "SELECT epoch FROM holder")


def _say(counter: _Joining, words: str) -> None:
    with psycopg.connect(counter.desk.target.conninfo, autocommit=True) as connection:
        connection.execute(f'SET search_path = "{counter.desk.target.schema}"'.encode())
        connection.execute(words.encode())


def _ask(counter: _Joining, words: str) -> int:
    with psycopg.connect(counter.desk.target.conninfo, autocommit=True) as connection:
        connection.execute(f'SET search_path = "{counter.desk.target.schema}"'.encode())
        row = connection.execute(words.encode()).fetchone()
        assert row is not None
        return int(row[0])
