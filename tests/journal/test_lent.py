"""A journal lent to other processes: what it takes it has taken, what it refuses is refused there as here."""

import pickle
from contextlib import AsyncExitStack

import anyio
import pytest

from batchgen.errors import JournalError, NoHeadroom, Superseded
from batchgen.job import Request, draft
from batchgen.journal import Caps, Identity
from batchgen.journal.lent import Borrow, lent
from batchgen.journal.memory import Book, open_memory
from batchgen.lifecycle import Accepted, IllegalMilestone, Planned, Started
from batchgen.terms import Terms

pytestmark = pytest.mark.anyio

ME = Identity("ab" * 16, "lent", "m.yaml", "local")
DRAFTS = [draft(f"job{number}", Request("nano-banana-pro", f"x {number}"), f"job{number}") for number in range(20)]


async def test_what_is_borrowed_is_the_same_journal() -> None:
    """Milestones that a borrower appends are in the journal, and it sees what others have appended."""
    async with open_memory(Book(), ME, verb="run") as journal:
        await journal.owe(DRAFTS, "inputs")
        async with lent(journal) as borrow, pickle.loads(pickle.dumps(borrow))() as borrowed:
            assert (borrowed.identity, borrowed.run) == (journal.identity, journal.run)
            job = await borrowed.reached(1)
            assert job is not None
            assert job.milestone == Planned(0)
            await borrowed.append([job.then(Started(1, "bg-1", 40_000, 1.0))])
            assert (await journal.totals()).money.reserved == 40_000
            assert await borrowed.totals() == await journal.totals()
            assert await borrowed.reached(99) is None
            here = await journal.reached(1)
            assert here is not None
            await journal.append([here.then(Accepted(1, "task-1", 40_000))])
            found = await borrowed.reached(1)
            assert found is not None
            assert found.milestone == Accepted(1, "task-1", 40_000)


async def test_refusals_come_as_they_are() -> None:
    """A milestone out of its place, an illegal one and a cap are told to the borrower by the same errors."""
    async with open_memory(Book(), ME, verb="run") as journal:
        await journal.owe(DRAFTS, "inputs")
        async with lent(journal) as borrow, borrow() as borrowed:
            job = await borrowed.reached(1)
            assert job is not None
            with pytest.raises(IllegalMilestone):
                await borrowed.append([job.then(Accepted(1, "task-1", 1))])
            with pytest.raises(NoHeadroom) as full:
                await borrowed.append([job.then(Started(1, "bg-1", 40_000, 1.0))], Caps(batch=1))
            assert (full.value.cap, full.value.exit_code) == ("batch", 4)
            await borrowed.append([job.then(Started(1, "bg-1", 40_000, 1.0))])
            with pytest.raises(Superseded):
                await borrowed.append([job.then(Started(1, "bg-1", 40_000, 1.0))])


async def test_many_ask_at_once() -> None:
    """However many questions are open, each gets its own answer, over two borrowers too."""
    async with open_memory(Book(), ME, verb="run") as journal, AsyncExitStack() as stack:
        await journal.owe(DRAFTS, "inputs")
        borrow = await stack.enter_async_context(lent(journal))
        borrowers = [await stack.enter_async_context(borrow()) for _ in range(2)]
        seen: list[int] = []

        async def ask(number: int) -> None:
            found = await borrowers[number % 2].reached(number)
            assert found is not None
            assert found.job.number == number
            seen.append(number)

        async with anyio.create_task_group() as group:
            for number in range(1, 21):
                group.start_soon(ask, number)
        assert sorted(seen) == list(range(1, 21))


async def test_a_lender_that_is_gone() -> None:
    """When the run that lends is gone, whoever borrows is told so, then and later, and what to do."""
    async with open_memory(Book(), ME, verb="run") as journal, AsyncExitStack() as stack:
        await journal.owe(DRAFTS, "inputs")
        async with lent(journal) as borrow:
            borrowed = await stack.enter_async_context(borrow())
        with pytest.raises(JournalError, match="run the same command again"):
            await borrowed.reached(1)
    for path in (borrow.path, "/nowhere/journal"):
        with pytest.raises(JournalError, match="is gone; run the same command again"):
            async with Borrow(path)():
                pass


async def test_borrowers_only_carry() -> None:
    """Planning and handing out are for the run that lends."""
    async with open_memory(Book(), ME, verb="run") as journal, lent(journal) as borrow, borrow() as borrowed:
        with pytest.raises(NotImplementedError):
            await borrowed.owe(DRAFTS, "inputs")
        with pytest.raises(NotImplementedError):
            await anext(borrowed.unfinished(Terms()))


async def test_an_error_of_the_lender_is_raised_as_it_is() -> None:
    """What goes wrong while a journal is lent is no group of errors."""
    async with open_memory(Book(), ME, verb="run") as journal:
        with pytest.raises(JournalError, match="disk"):
            async with lent(journal):
                raise JournalError("the disk is gone")
