"""What was paid for and could not be recorded: kept elsewhere, and brought in by the next run."""
# ruff: noqa: ASYNC240  # a test may look at a small file

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw
import pytest

from batchgen.errors import Damaged, JournalError
from batchgen.journal import Entry, unrecorded
from batchgen.journal.record import SqliteRecord
from batchgen.lifecycle import Accepted, Generated, InDoubt, Planned, Started
from tests.contracts.journal import ME, handed_out, lines, owed, walk
from tests.journal.desks import SqliteDesk
from tests.journal.losing import losing

pytestmark = pytest.mark.anyio


@pytest.fixture
def desk(tmp_path: Path) -> SqliteDesk:
    """A fresh folder."""
    return SqliteDesk(str(tmp_path / "batch"))


def room(desk: SqliteDesk) -> bytes:
    """What the file holds."""
    return Path(desk.folder, unrecorded.NAME).read_bytes()


async def fill(desk: SqliteDesk, *kinds: type[Started | Accepted | Planned | InDoubt | Generated]) -> None:
    """A job that has come so far when the disk is full."""
    async with desk.open() as journal:
        [job] = await owed(journal, "a")
        await walk(journal, job, *kinds)


async def test_what_cannot_be_recorded_is_kept_and_brought_in(desk: SqliteDesk) -> None:
    """A disk that is full at the commit of a 202 costs nothing: the run names the file, the next records it."""
    await fill(desk)
    with losing(desk.folder) as disk:
        disk.error = apsw.FullError
        async with SqliteDesk(desk.folder, disk.name).open() as journal:
            [job] = await handed_out(journal)
            job = await walk(journal, job, Started)
            disk.cut_at = disk.operations + 1
            with pytest.raises(JournalError, match=r"kept in .*unrecorded; the next run records it"):
                await walk(journal, job, Accepted)
            disk.cut_at = None
    assert room(desk).count(b"\n") == 1
    async with desk.open() as journal:
        [found] = await handed_out(journal)
        assert found.milestone == Accepted(1, "task-1", 40_000)
        assert journal._milestones == 3
    assert room(desk) == bytes(unrecorded.ROOM_BYTES)


async def test_what_another_machine_kept_is_brought_in(desk: SqliteDesk, tmp_path: Path) -> None:
    """Lines that a worker elsewhere kept are written down here as they are, by several at once, and recorded once."""
    await fill(desk, Started)
    there = tmp_path / "there"
    there.mkdir()
    assert unrecorded.lines(str(there)) == []
    unrecorded.keep(str(there), ME.batch_id, [Entry(1, 2, Accepted(1, "task-1", 40_000))])
    [line] = unrecorded.lines(str(there))
    unrecorded.keep_room(desk.folder)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: unrecorded.add(desk.folder, [line]), range(24)))
    assert unrecorded.lines(desk.folder) == [line] * 24
    async with desk.open() as journal:
        [found] = await handed_out(journal)
        assert found.milestone == Accepted(1, "task-1", 40_000)
        assert found.position == 2


async def test_only_payments_are_kept(desk: SqliteDesk) -> None:
    """Whatever else cannot be recorded is asked for again, free of charge."""
    await fill(desk, Started, Accepted)
    with losing(desk.folder) as disk:
        async with SqliteDesk(desk.folder, disk.name).open() as journal:
            [job] = await handed_out(journal)
            disk.cut_at = disk.operations + 1
            with pytest.raises(JournalError, match="could not be written"):
                await walk(journal, job, Generated)
            disk.cut_at = None
    assert not room(desk).strip(b"\0")


@pytest.mark.parametrize("newest", [(Started,), (Started, InDoubt)])
async def test_it_is_brought_in_once(desk: SqliteDesk, newest: tuple[type[Started | InDoubt], ...]) -> None:
    """After a crash between recording and forgetting it is known; a doubt that came meanwhile is cleared up by it."""
    await fill(desk, *newest)
    with SqliteRecord(desk.path) as record:
        [job] = record.entries()
    unrecorded.keep(desk.folder, ME.batch_id, [job.then(Accepted(1, "task-9", 40_000))])
    kept = room(desk)
    for _ in range(2):
        async with desk.open() as journal:
            [found] = await handed_out(journal)
            assert (found.milestone, found.position) == (Accepted(1, "task-9", 40_000), len(newest) + 1)
        Path(desk.folder, unrecorded.NAME).write_bytes(kept)
    with SqliteRecord(desk.path) as record:
        assert [line.kind for line in lines(record)] == ["Accepted"]


async def test_what_fits_no_job_is_said_and_kept(desk: SqliteDesk, caplog: pytest.LogCaptureFixture) -> None:
    """A payment whose job was decided otherwise meanwhile is named each time, and never thrown away."""
    await fill(desk, Started, Planned)
    with SqliteRecord(desk.path) as record:
        [job] = record.entries()
    unrecorded.keep(desk.folder, ME.batch_id, [job.then(Accepted(1, "task-9", 40_000))])
    for _ in range(2):
        caplog.clear()
        async with desk.open() as journal:
            assert (await journal.totals()).counts["queued"] == 1
        assert [each.levelno for each in caplog.records] == [logging.CRITICAL]
        assert "job 1 is task task-9" in caplog.text


@pytest.mark.parametrize("content", ["{not a payment\n", '["cd", 1, "Accepted", 1, "{}", "00"]\n', "7\n"])
async def test_a_payment_that_cannot_be_read_is_damage(desk: SqliteDesk, content: str) -> None:
    """The run ends before anything is bought, and shows what it found."""
    await fill(desk)
    Path(desk.folder, unrecorded.NAME).write_text(content)
    with pytest.raises(Damaged, match="a payment that cannot be read"):
        async with desk.open():
            pytest.fail("a torn payment was ignored")


async def test_the_room_is_there_before_it_is_needed(desk: SqliteDesk) -> None:
    """The file has its size from the first opening on, and keeps it."""
    await fill(desk)
    assert os.path.getsize(f"{desk.folder}/{unrecorded.NAME}") == unrecorded.ROOM_BYTES
    assert os.stat(f"{desk.folder}/{unrecorded.NAME}").st_blocks * 512 >= unrecorded.ROOM_BYTES
