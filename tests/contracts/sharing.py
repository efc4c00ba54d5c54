"""What must hold wherever processes elsewhere carry jobs for the run of a journal; inherit SharingContract."""

import pickle
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Protocol, TypeAlias

import anyio
import pytest

from batchgen.errors import JournalError, NoHeadroom, Superseded
from batchgen.job import Request, draft
from batchgen.journal import Caps, Journal, Progress
from batchgen.lifecycle import Accepted, Generated, IllegalMilestone, Planned, Started, Stored
from batchgen.terms import Terms
from tests.lives import successor

DRAFTS = [draft(f"job{number}", Request("nano-banana-pro", f"x {number}"), f"job{number}") for number in range(20)]

Way: TypeAlias = Callable[[], AbstractAsyncContextManager[Journal]]


class Counter(Protocol):
    """Where one journal is shared."""

    def head(self) -> AbstractAsyncContextManager[Journal]:
        """Begin a run."""
        ...

    def share(self, journal: Journal) -> AbstractAsyncContextManager[Way]:
        """The way to its journal, which can be pickled, until the end of the block."""
        ...


async def job(journal: Journal, number: int = 1) -> Progress:
    """A job as it is seen there."""
    found = await journal.reached(number)
    assert found is not None
    return found


def started(cost: int = 40_000) -> Started:
    """A first attempt."""
    return Started(1, "bg-1", cost, 1.0)


@pytest.mark.anyio
class SharingContract:
    """Inherit this, and give a fixture `counter`."""

    async def test_what_is_shared_is_the_same_journal(self, counter: Counter) -> None:
        """Milestones that are appended elsewhere are in the journal, and what others appended is seen there."""
        async with counter.head() as journal:
            await journal.owe(DRAFTS, "inputs")
            async with counter.share(journal) as way, pickle.loads(pickle.dumps(way))() as there:
                assert (there.identity.batch_id, there.run) == (journal.identity.batch_id, journal.run)
                first = await job(there)
                assert first.milestone == Planned(0)
                await there.append([first.then(started())])
                assert (await journal.totals()).money.reserved == 40_000
                assert await there.totals() == await journal.totals()
                assert await there.reached(99) is None
                await journal.append([(await job(journal)).then(Accepted(1, "task-1", 40_000))])
                assert (await job(there)).milestone == Accepted(1, "task-1", 40_000)

    async def test_refusals_come_as_they_are(self, counter: Counter) -> None:
        """A milestone out of its place, an illegal one and a cap are told there by the same errors."""
        async with counter.head() as journal:
            await journal.owe(DRAFTS, "inputs")
            async with counter.share(journal) as way, way() as there:
                first = await job(there)
                with pytest.raises(IllegalMilestone):
                    await there.append([first.then(Accepted(1, "task-1", 1))])
                with pytest.raises(NoHeadroom) as full:
                    await there.append([first.then(started())], Caps(batch=1))
                assert (full.value.cap, full.value.exit_code) == ("batch", 4)
                await there.append([first.then(started())])
                with pytest.raises(Superseded):
                    await there.append([first.then(started())])

    async def test_whoever_comes_late_is_superseded(self, counter: Counter) -> None:
        """A process that slept while another moved its job on is refused, and its neighbours are not concerned."""
        async with counter.head() as journal, AsyncExitStack() as stack:
            await journal.owe(DRAFTS, "inputs")
            way = await stack.enter_async_context(counter.share(journal))
            sleeper, other = [await stack.enter_async_context(way()) for _ in range(2)]
            first = await job(sleeper)
            await sleeper.append([first.then(started())])  # it remembers where this job stands
            seen = await job(other)
            await other.append([seen.then(Accepted(1, "task-2", 40_000))])
            refused: list[int] = []

            async def append(number: int) -> None:
                known = seen if number == 1 else await job(sleeper, number)
                milestone = Accepted(1, "task-1", 40_000) if number == 1 else started()
                try:
                    await sleeper.append([known.then(milestone)])
                except Superseded:
                    refused.append(number)

            async with anyio.create_task_group() as group:
                for number in range(1, 6):
                    group.start_soon(append, number)
            assert refused == [1]
            assert (await job(other)).milestone == Accepted(1, "task-2", 40_000)
            assert isinstance((await job(other, 5)).milestone, Started)
            assert (await journal.totals()).money.reserved == 5 * 40_000

    async def test_processes_take_turns(self, counter: Counter) -> None:
        """Jobs that are carried a step here and a step there go on where they stand, and the totals follow."""
        async with counter.head() as journal, AsyncExitStack() as stack:
            await journal.owe(DRAFTS, "inputs")
            way = await stack.enter_async_context(counter.share(journal))
            theirs = [journal, *[await stack.enter_async_context(way()) for _ in range(2)]]
            for turn, kind in enumerate((Started, Accepted, Generated, Stored)):
                for number in range(1, 10):
                    where = theirs[(turn + number) % 3]
                    progress = await job(where, number)
                    await where.append([progress.then(successor(progress.milestone, kind))])
                    totals = await journal.totals()
                    assert (await where.totals()).counts == totals.counts
                    assert totals.counts["stored"] == (number if kind is Stored else 0)
            assert (totals.counts["queued"], totals.counts["stored"]) == (11, 9)
            assert (totals.money.reserved, totals.money.spent) == (0, 9 * 39_000)

    @pytest.mark.parametrize("caps", [Caps(batch=200_000), Caps(day=200_000), Caps(run=200_000), Caps(run_pictures=5)])
    async def test_caps_hold_over_all(self, counter: Counter, caps: Caps) -> None:
        """However many append at once, no cap is exceeded, and all that it allows is used."""
        async with counter.head() as journal, AsyncExitStack() as stack:
            await journal.owe(DRAFTS, "inputs")
            way = await stack.enter_async_context(counter.share(journal))
            theirs = [journal, *[await stack.enter_async_context(way()) for _ in range(3)]]
            refused: list[int] = []

            async def begin(number: int) -> None:
                where = theirs[number % 4]
                try:
                    await where.append([(await job(where, number)).then(started())], caps)
                except NoHeadroom:
                    refused.append(number)

            async with anyio.create_task_group() as group:
                for number in range(1, 21):
                    group.start_soon(begin, number)
            assert (await journal.totals()).counts["running"] == 5
            assert len(refused) == 15

    async def test_what_others_spent_counts_at_once(self, counter: Counter) -> None:
        """Whoever was refused a dear picture is refused a cheap one, too, once others have used up the cap."""
        async with counter.head() as journal, AsyncExitStack() as stack:
            await journal.owe(DRAFTS, "inputs")
            way, caps = await stack.enter_async_context(counter.share(journal)), Caps(batch=100_000)
            first, second = [await stack.enter_async_context(way()) for _ in range(2)]
            with pytest.raises(NoHeadroom):
                await first.append([(await job(first)).then(started(100_001))], caps)
            await second.append([(await job(second, 2)).then(started(90_000))], caps)
            with pytest.raises(NoHeadroom):
                await first.append([(await job(first)).then(started(20_000))], caps)

    async def test_many_ask_at_once(self, counter: Counter) -> None:
        """However many questions are open, each gets its own answer, in two processes too."""
        async with counter.head() as journal, AsyncExitStack() as stack:
            await journal.owe(DRAFTS, "inputs")
            way = await stack.enter_async_context(counter.share(journal))
            theirs = [await stack.enter_async_context(way()) for _ in range(2)]
            seen: list[int] = []

            async def ask(number: int) -> None:
                assert (await job(theirs[number % 2], number)).job.number == number
                seen.append(number)

            async with anyio.create_task_group() as group:
                for number in range(1, 21):
                    group.start_soon(ask, number)
            assert sorted(seen) == list(range(1, 21))

    async def test_a_head_that_is_gone(self, counter: Counter) -> None:
        """When the run is over, nothing more is recorded for it, and nobody else can begin to."""
        async with AsyncExitStack() as late:
            async with counter.head() as journal:
                await journal.owe(DRAFTS, "inputs")
                async with counter.share(journal) as way:
                    there = await late.enter_async_context(way())
                    first = await job(there)
            with pytest.raises(JournalError):
                await there.append([first.then(started())])
            with pytest.raises(JournalError):
                await late.enter_async_context(way())
        async with counter.head() as journal:
            assert (await job(journal)).milestone == Planned(0)

    async def test_elsewhere_jobs_are_only_carried(self, counter: Counter) -> None:
        """Planning and handing out are for the head."""
        async with counter.head() as journal, counter.share(journal) as way, way() as there:
            with pytest.raises(NotImplementedError):
                await there.owe(DRAFTS, "inputs")
            with pytest.raises(NotImplementedError):
                await anext(there.unfinished(Terms()))
