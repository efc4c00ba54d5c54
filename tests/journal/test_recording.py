"""What the writer remembers of jobs, and when it believes it no longer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import apsw
import pytest

from batchgen.errors import Damaged, NoHeadroom, Superseded
from batchgen.job import Job, Request
from batchgen.journal import Caps, Entry, Progress
from batchgen.journal.codec import seal
from batchgen.journal.recording import Recorder
from batchgen.lifecycle import Accepted, IllegalMilestone, Planned, Started
from tests.journal.desks import SqliteDesk

STAMP = (1, 1_700_000_000.0)
CAPS = Caps(batch=100_000)
JOB = Job(1, "a", "f", 1, Request("gpt-image-2", "a shoe"), "a")


def started(job: int) -> list[Entry]:
    """The first attempt of a job, at 40,000."""
    return [Entry(job, 1, Started(1, f"bg-{job}", 40_000, STAMP[1]))]


@contextmanager
def transaction(connection: apsw.Connection, recorder: Recorder) -> Iterator[None]:
    """As the writer makes one."""
    connection.execute("BEGIN IMMEDIATE")
    recorder.begin(connection)
    yield
    recorder.settle(connection)
    connection.execute("COMMIT")


@pytest.fixture
def connection(tmp_path: object) -> Iterator[apsw.Connection]:
    """A journal that owes three jobs."""
    import anyio

    from tests.contracts.journal import owed

    desk = SqliteDesk(str(tmp_path))

    async def made() -> None:
        async with desk.open() as journal:
            await owed(journal, "a", "b", "c")

    anyio.run(made)
    found = apsw.Connection(desk.path)
    found.create_scalar_function("seal", seal, deterministic=True)
    yield found
    found.close()


def test_a_cap_counts_what_is_not_yet_written(connection: apsw.Connection) -> None:
    """Within one transaction the third purchase meets the cap that the first two have used up, and leaves no trace."""
    recorder = Recorder()
    with transaction(connection, recorder):
        recorder.take(connection, started(1), CAPS, STAMP)
        recorder.take(connection, started(2), CAPS, STAMP)
        with pytest.raises(NoHeadroom):
            recorder.take(connection, started(3), CAPS, STAMP)
    assert connection.execute("SELECT count(*), sum(head) FROM jobs WHERE kind = 'Started'").fetchone() == (2, 2)
    reserved = "SELECT amount FROM totals WHERE what = 'money:reserved'"
    assert connection.execute(reserved).get == 80_000


def test_all_or_none_of_one_piece(connection: apsw.Connection) -> None:
    """When the second of two milestones is refused the first is not recorded either."""
    recorder = Recorder()
    with transaction(connection, recorder), pytest.raises(IllegalMilestone):
        recorder.take(connection, [*started(1), Entry(1, 2, Accepted(2, "t", 40_000))], None, STAMP)
    assert connection.execute("SELECT kind, head FROM jobs WHERE number = 1").fetchone() == ("Planned", 0)


def test_what_another_connection_wrote_is_seen(connection: apsw.Connection) -> None:
    """What is remembered of a job is believed only as long as nobody else has written the file."""
    mine, other = Recorder(partial(connection.pragma, "data_version")), apsw.Connection(connection.filename)
    other.create_scalar_function("seal", seal, deterministic=True)
    with transaction(connection, mine):
        mine.take(connection, started(1), None, STAMP)
    accepted, theirs = [Entry(1, 2, Accepted(1, "t", 40_000))], Recorder()
    with transaction(other, theirs):
        theirs.take(other, accepted, None, STAMP)
    other.close()
    with transaction(connection, mine), pytest.raises(Superseded):
        mine.take(connection, accepted, None, STAMP)


def test_milestones_of_one_job_may_come_one_by_one(connection: apsw.Connection) -> None:
    """A milestone follows what was taken before it in the same transaction, written or not."""
    recorder = Recorder()
    with transaction(connection, recorder):
        recorder.take(connection, started(1), None, STAMP)
        recorder.take(connection, [Entry(1, 2, Accepted(1, "t", 40_000))], None, STAMP)
    assert connection.execute("SELECT kind, head FROM jobs WHERE number = 1").fetchone() == ("Accepted", 2)


def test_a_job_that_was_read_before_others_wrote_is_not_believed(connection: apsw.Connection) -> None:
    """What a reader tells of a job counts only if nothing was forgotten since it began to read."""
    recorder, other = Recorder(partial(connection.pragma, "data_version")), Recorder()
    with transaction(connection, recorder):
        pass
    known, read = recorder.known, Progress(JOB, 0, Planned(0), STAMP[1], 1)
    theirs = apsw.Connection(connection.filename)
    theirs.create_scalar_function("seal", seal, deterministic=True)
    with transaction(theirs, other):
        other.take(theirs, started(1), None, STAMP)
    theirs.close()
    with transaction(connection, recorder):
        recorder.know(read, known)
        with pytest.raises(Superseded):
            recorder.take(connection, started(1), None, STAMP)


def test_a_job_that_was_read_need_not_be_read_again(connection: apsw.Connection) -> None:
    """The head that a reader has told is the one that a milestone is held against, if it is the one before it."""
    recorder = Recorder()
    with transaction(connection, recorder):
        recorder.know(Progress(JOB, 4, Planned(0), STAMP[1], 1), recorder.known)
        recorder.take(connection, [replace(started(1)[0], position=5)], None, STAMP)
        with pytest.raises(Superseded, match="milestone 5"):
            recorder.take(connection, started(1), None, STAMP)


def test_a_job_that_others_moved_on_is_read_again(connection: apsw.Connection) -> None:
    """A milestone that does not follow the remembered head is held against the file before it is refused."""
    recorder = Recorder()
    with transaction(connection, recorder):
        recorder.know(Progress(JOB, 4, Planned(0), STAMP[1], 1), recorder.known)
        recorder.take(connection, started(1), None, STAMP)


def test_totals_go_on_from_what_the_file_says(connection: apsw.Connection) -> None:
    """Totals are the same whether one writer remembers them or each transaction has a new one."""
    recorder, amounts = Recorder(), "SELECT amount FROM totals WHERE what = 'money:reserved'"
    for job in (1, 2):
        with transaction(connection, recorder):
            recorder.take(connection, started(job), None, STAMP)
    fresh = Recorder()
    with transaction(connection, fresh):
        fresh.take(connection, started(3), None, STAMP)
    assert connection.execute(amounts).get == 120_000
    assert (
        connection.execute("SELECT count(*) FROM totals WHERE seal IS NOT seal(model, standing, what, amount)").get == 0
    )


def test_a_damaged_total_is_not_sealed_anew(connection: apsw.Connection) -> None:
    """A total that is not as it was written ends the writing; its damage is not covered by a new seal."""
    connection.execute("UPDATE totals SET amount = amount + 1 WHERE what = 'jobs:queued'")
    recorder = Recorder()
    connection.execute("BEGIN IMMEDIATE")
    recorder.begin(connection)
    recorder.take(connection, started(1), None, STAMP)
    with pytest.raises(Damaged):
        recorder.settle(connection)
    connection.execute("ROLLBACK")
