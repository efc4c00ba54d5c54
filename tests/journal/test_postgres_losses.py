"""What PostgreSQL may do to a run: go away in a commit, come back, have another run; and what a hand may do to it."""

import os
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import pytest

from batchgen.errors import Damaged, Foreign, HeldElsewhere, JournalError, SettingsError
from batchgen.journal import Progress
from batchgen.lifecycle import Accepted, Started
from tests.contracts.journal import handed_out, owed, walk
from tests.postgres import Cluster, cluster, missing

if missing() and not os.environ.get("CI"):
    pytest.skip(missing(), allow_module_level=True)

import psycopg

from batchgen.journal.postgres.connection import PostgresConnection, Target
from batchgen.journal.postgres.journal import PostgresJournal
from batchgen.journal.postgres.target import named, target
from tests.journal.postgres_desk import PostgresDesk

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def judge() -> Iterator[Cluster]:
    """A server that may be stopped."""
    with cluster() as made:
        yield made


class Wire:
    """A wire to the server that can be cut when the answer to a COMMIT is on its way."""

    def __init__(self, folder: str, server: str) -> None:
        self.cuts = 0
        self.armed = False
        self._server = server
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{folder}/.s.PGSQL.5432")
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more connections, and end those there are."""
        _end(self._listener)
        self._thread.join()
        for each in self._ends:
            _end(each)
        for thread in self._threads:
            thread.join()
        for each in (*self._ends, self._listener):
            each.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._server)
            cut = threading.Event()
            self._ends += client, server
            for pump, ends in ((self._up, (client, server)), (self._down, (server, client))):
                self._threads.append(threading.Thread(target=pump, args=(*ends, cut), daemon=True))
                self._threads[-1].start()

    def _up(self, client: socket.socket, server: socket.socket, cut: threading.Event) -> None:
        try:
            while data := client.recv(65536):
                if self.armed and b"COMMIT\0" in data:
                    self.armed = False
                    cut.set()
                server.sendall(data)
        except OSError:
            pass
        _end(server)

    def _down(self, server: socket.socket, client: socket.socket, cut: threading.Event) -> None:
        try:
            while data := server.recv(65536):
                if cut.is_set():
                    self.cuts += 1
                    break
                client.sendall(data)
        except OSError:
            pass
        _end(client)
        _end(server)


def _end(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)


@asynccontextmanager
async def _one(desk: PostgresDesk) -> AsyncIterator[tuple[PostgresJournal, Progress]]:
    async with desk.open() as journal:
        (progress,) = await owed(journal, "a")
        yield journal, progress


def _kinds(desk: PostgresDesk) -> list[str]:
    with desk.record() as record:
        return [type(each.milestone).__name__ for each in record.life(1)]


async def test_a_lost_reply_to_a_commit_is_read_again(judge: Cluster, tmp_path: Path) -> None:
    """What the server kept is not recorded twice, and the run goes on."""
    with tempfile.TemporaryDirectory() as folder:
        wire = Wire(folder, f"{judge.folder}/.s.PGSQL.5432")
        desk = PostgresDesk(f"host={folder} port=5432 user=judge dbname=postgres", str(tmp_path))
        async with _one(desk) as (journal, progress):
            wire.armed = True
            started = await walk(journal, progress, Started)
            assert wire.cuts == 1
            await walk(journal, started, Accepted)
            await journal.end(0, "done")
        assert _kinds(desk) == ["Planned", "Started", "Accepted"]
        wire.close()


async def test_a_server_that_starts_again_loses_nothing(judge: Cluster, tmp_path: Path) -> None:
    """Milestones that meet a server that is gone wait for it, and are recorded once."""
    desk = PostgresDesk(judge.conninfo, str(tmp_path))
    async with _one(desk) as (journal, progress):
        started = await walk(journal, progress, Started)
        await anyio.to_thread.run_sync(judge.stop, "immediate")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(walk, journal, started, Accepted)
            await anyio.to_thread.run_sync(judge.start)
        assert (await journal.totals()).counts["running"] == 1
        await journal.end(0, "done")
    assert _kinds(desk) == ["Planned", "Started", "Accepted"]


async def test_the_end_of_a_run_waits_for_the_server(judge: Cluster, tmp_path: Path) -> None:
    """A run whose server was started again since it last wrote ends in order."""
    desk = PostgresDesk(judge.conninfo, str(tmp_path))
    async with _one(desk) as (journal, _):
        await anyio.to_thread.run_sync(judge.stop, "immediate")
        await anyio.to_thread.run_sync(judge.start)
        await journal.end(0, "done")
    with desk.record() as record:
        assert (record.runs[0].exit_code, record.runs[0].reason) == (0, "done")


async def test_a_reader_outlives_the_server(judge: Cluster, tmp_path: Path) -> None:
    """Whoever reads the journal goes on when the server was started again, and waits for it meanwhile."""
    desk = PostgresDesk(judge.conninfo, str(tmp_path))
    async with _one(desk) as (journal, progress):
        with desk.record() as record:
            assert record.totals().counts["queued"] == 1
            await anyio.to_thread.run_sync(judge.stop, "immediate")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(walk, journal, progress, Started)
                tasks.start_soon(anyio.to_thread.run_sync, judge.start)
                assert len(await anyio.to_thread.run_sync(lambda: list(record.entries()))) == 1
            assert record.totals().counts["running"] == 1


async def test_a_run_that_is_alive_keeps_others_out(judge: Cluster, tmp_path: Path) -> None:
    """A second run is told who has the batch, and changes nothing."""
    desk = PostgresDesk(judge.conninfo, str(tmp_path))
    async with _one(desk) as (journal, progress):
        with pytest.raises(HeldElsewhere, match=f"process {os.getpid()} of .* its hold ends at"):
            async with desk.open():
                pass
        await walk(journal, progress, Started)
        with desk.record() as record:
            assert record.live
    with desk.record() as record:
        assert not record.live


async def test_a_run_taken_for_dead_records_nothing_more(judge: Cluster, tmp_path: Path) -> None:
    """Once its lease is over another run goes on, and what the first still writes is refused."""
    desk = PostgresDesk(judge.conninfo, str(tmp_path))
    async with _one(desk) as (journal, progress):
        _say(judge, desk, "UPDATE holder SET beat = clock_timestamp() - interval '1 hour'")
        async with desk.open() as second:
            assert second.killed_before
            assert [each.job.id for each in await handed_out(second)] == ["a"]
            with pytest.raises(JournalError, match="taken for dead"):
                await walk(journal, progress, Started)
            await walk(second, progress, Started)
        assert _kinds(desk) == ["Planned", "Started"]


async def test_a_run_with_nothing_to_record_shows_that_it_lives(judge: Cluster, tmp_path: Path) -> None:
    """The heartbeat goes on by itself, however long nothing happens."""
    desk = PostgresDesk(judge.conninfo, str(tmp_path), lease_seconds=0.3)
    async with _one(desk):
        before = _ask(judge, desk, "SELECT writes FROM holder")
        with anyio.fail_after(60):
            while _ask(judge, desk, "SELECT writes FROM holder") < before + 3:  # noqa: ASYNC110  # the server has no event to wait for
                await anyio.sleep(0.02)


async def test_a_row_changed_by_hand_is_noticed(judge: Cluster, tmp_path: Path) -> None:
    """Every row carries a seal, and a milestone cannot be changed at all."""
    desk = PostgresDesk(judge.conninfo, str(tmp_path))
    async with _one(desk) as (journal, _):
        await journal.end(0, "done")
    with pytest.raises(psycopg.errors.RaiseException, match="never changed"):
        _say(judge, desk, "UPDATE milestones SET attempt = 7")
    _say(judge, desk, "UPDATE totals SET amount = amount + 1 WHERE what = 'jobs:queued'")
    with desk.record() as record, pytest.raises(Damaged, match="total"):
        record.totals()


async def test_a_database_put_back_from_an_old_copy_is_refused(judge: Cluster, tmp_path: Path) -> None:
    """A journal that has forgotten payments would make them again."""
    desk = PostgresDesk(judge.conninfo, str(tmp_path))
    async with _one(desk) as (journal, progress):
        await walk(journal, progress, Started)
    _say(judge, desk, f'DROP SCHEMA "{desk.target.schema}" CASCADE')
    with pytest.raises(Foreign, match="is gone"):
        async with desk.open():
            pass
    with pytest.raises(Foreign, match="nothing has been run"), desk.record():
        pass  # no new one was begun in its place


async def test_a_newer_version_is_left_alone(judge: Cluster, tmp_path: Path) -> None:
    """An older batchgen does not touch what it does not know."""
    desk = PostgresDesk(judge.conninfo, str(tmp_path))
    async with _one(desk) as (journal, _):
        await journal.end(0, "done")
    _say(judge, desk, "UPDATE version SET number = 99")
    with pytest.raises(Foreign, match="version 99"):
        async with desk.open():
            pass
    with pytest.raises(Foreign, match="version 99"), desk.record():
        pass


async def test_a_commit_is_durable_whatever_the_server_is_set_to(judge: Cluster, tmp_path: Path) -> None:
    """`synchronous_commit` is at least on in every transaction."""
    desk = PostgresDesk(f"{judge.conninfo} options='-c synchronous_commit=off'", str(tmp_path))
    connection = PostgresConnection(desk.target)
    connection.begin()
    assert connection.raw("SHOW synchronous_commit") == [("on",)]
    connection.close()


def test_a_password_does_not_stand_in_a_url() -> None:
    """It is refused without being shown, and what people read names neither user nor password."""
    with pytest.raises(SettingsError) as refused:
        target("postgresql://me:secret@host/db", "batch")
    assert "secret" not in str(refused.value)
    assert Target("host=h dbname=d user=me password=secret", "s").shown == "s in d on h"


def test_long_names_of_batches_stay_apart() -> None:
    """A schema has at most 63 bytes; what is cut off still tells two batches apart."""
    first, second = named("x" * 80), named("x" * 79 + "y")
    assert first != second
    assert max(len(first), len(second)) <= 63
    assert named("catalogue.local") == "batchgen_catalogue.local"


def _say(judge: Cluster, desk: PostgresDesk, words: str) -> None:
    with psycopg.connect(judge.conninfo, autocommit=True) as connection:
        connection.execute(f'SET search_path = "{desk.target.schema}"'.encode())
        connection.execute(words.encode())


def _ask(judge: Cluster, desk: PostgresDesk, words: str) -> int:
    with psycopg.connect(judge.conninfo, autocommit=True) as connection:
        connection.execute(f'SET search_path = "{desk.target.schema}"'.encode())
        row = connection.execute(words.encode()).fetchone()
        assert row is not None
        return int(row[0])
