"""What the writer remembers of jobs, and when it believes it no longer."""

from collections.abc import Iterator
from contextlib import contextmanager

import apsw
import pytest

from batchgen.errors import NoHeadroom, Superseded
from batchgen.journal import Caps, Entry
from batchgen.journal.codec import seal
from batchgen.journal.recording import Recorder
from batchgen.lifecycle import Accepted, IllegalMilestone, Started
from tests.journal.desks import SqliteDesk

STAMP = (1, 1_700_000_000.0)
CAPS = Caps(batch=100_000)


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
    mine, other = Recorder(), apsw.Connection(connection.filename)
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
