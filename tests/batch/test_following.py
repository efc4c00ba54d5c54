"""What a head sees of jobs that are carried elsewhere: each end once, and who is how fast."""

from collections.abc import Sequence
from typing import Any

import pytest

from batchgen import watch
from batchgen.batch.asked import Observer
from batchgen.batch.following import PAGE, Follower, Rates
from batchgen.errors import Damaged, JournalError
from batchgen.job import Job, Request, draft
from batchgen.journal import Mark, Progress, Selection
from batchgen.lifecycle import JobFailed, Stored

pytestmark = pytest.mark.anyio

REQUEST = Request("nano-banana-pro", "x")


class FakeRecord:
    """Ends of jobs, in whatever order they became visible."""

    def __init__(self) -> None:
        self.ends: list[Progress] = []
        self.failures: list[JournalError | None] = []

    def end(self, number: int, at: float, *, failed: bool = False) -> None:
        """A job has ended."""
        made = draft(f"job{number}", REQUEST, f"job{number}")
        job = Job(number, made.id, made.fingerprint, made.recipe, REQUEST, made.path)
        milestone = JobFailed(1, "refused", "no") if failed else Stored(1, f"task-{number}", 1, ())
        self.ends.append(Progress(job, 4, milestone, at, 1))

    def newest(self, over: Selection, most: int, mark: Mark, *, newer: bool) -> Sequence[Progress]:
        """Those after the mark, the oldest first."""
        if self.failures and (failure := self.failures.pop(0)):
            raise failure
        assert newer
        assert over.run == 1
        return sorted((each for each in self.ends if each.mark > mark), key=lambda each: each.mark)[:most]


class Seeing(Observer):
    """Counts what it is shown."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def finished(self, progress: Progress) -> None:
        self.numbers.append(progress.job.number)


async def test_each_end_is_shown_once() -> None:
    """Ends are shown once each, those too that become visible some seconds after the time they name."""
    record, seeing, tally = FakeRecord(), Seeing(), watch.Tally()
    given: Any = record
    follower = Follower(given, 1, seeing, tally)
    await follower.look()
    assert seeing.numbers == []
    record.end(1, 100.0)
    record.end(2, 101.0, failed=True)
    await follower.look()
    await follower.look()
    record.end(3, 99.0)
    record.end(4, 103.0)
    await follower.look()
    assert seeing.numbers == [1, 2, 3, 4]
    assert tally.failures == {("refused", "no"): 1}


async def test_many_ends_at_once() -> None:
    """More ends than a page holds are all shown, those of one moment too."""
    record, seeing = FakeRecord(), Seeing()
    given: Any = record
    follower = Follower(given, 1, seeing, watch.Tally())
    for number in range(1, 3 * PAGE):
        record.end(number, 100.0 + number // (2 * PAGE))
    await follower.look()
    await follower.look()
    assert seeing.numbers == list(range(1, 3 * PAGE))


async def test_a_look_that_fails_is_made_up_for() -> None:
    """When the journal cannot be read for a while, ends are shown later, each once; damage is raised."""
    record, seeing = FakeRecord(), Seeing()
    given: Any = record
    follower = Follower(given, 1, seeing, watch.Tally())
    for number in range(1, 2 * PAGE):
        record.end(number, 100.0 + number)
    record.failures = [None, JournalError("gone")]
    with pytest.raises(JournalError):
        await follower.look()
    assert len(seeing.numbers) == PAGE
    record.failures = [JournalError("gone"), Damaged("torn")]
    follower.every_seconds = 0
    with pytest.raises(Damaged):
        await follower.follow()
    await follower.look()
    assert seeing.numbers == list(range(1, 2 * PAGE))


def test_rates_of_workers() -> None:
    """Calls add up over the outposts of a worker, and over workers; who was not heard of lately is not named."""
    rates = Rates()
    assert rates.note(0.0) == "waiting for a worker of the cluster"
    rates.did("a1", "node1:7", (1, 2, 0), 10.0)
    rates.did("a1", "node1:7", (9, 9, 8), 14.0)
    rates.did("a2", "node1:7", (4, 4, 4), 14.0)
    rates.did("b1", "node2:7", (5, 5, 5), 3.0)
    assert rates.calls == (18, 18, 17)
    assert rates.per_second(14.0) == {"node1:7": 3.0}
    assert rates.note(14.0) == "node1:7 brings 3.0/s"
    for number in range(4):
        rates.did("c", f"node{number}:9", (1, 1, 0), 14.0)
    assert rates.note(14.0) == "5 workers bring 3.0 pictures a second"
