"""A journal lent to other processes: what it takes it has taken, what it refuses is refused there as here."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial

import pytest

from batchgen.errors import JournalError
from batchgen.journal import Journal
from batchgen.journal.lent import Borrow, lent
from batchgen.journal.memory import Book, open_memory
from tests.contracts.journal import ME
from tests.contracts.sharing import DRAFTS, SharingContract, Way


class _Lending:
    """A journal in memory, lent."""

    def __init__(self) -> None:
        self._book = Book()

    def head(self) -> AbstractAsyncContextManager[Journal]:
        return open_memory(self._book, ME, verb="run")

    @asynccontextmanager
    async def share(self, journal: Journal) -> AsyncIterator[Way]:
        async with lent(journal) as borrow:
            yield partial(borrow, "")


class TestLent(SharingContract):
    """Every promise, over a socket."""

    @pytest.fixture
    def counter(self) -> _Lending:
        """A journal of one test."""
        return _Lending()


@pytest.mark.anyio
async def test_a_lender_that_is_gone() -> None:
    """When the run that lends is gone, whoever borrows is told what to do, and so is who comes later."""
    async with open_memory(Book(), ME, verb="run") as journal:
        await journal.owe(DRAFTS, "inputs")
        async with lent(journal) as borrow:
            pass
    for path in (borrow.path, "/nowhere/journal"):
        with pytest.raises(JournalError, match="is gone; run the same command again"):
            async with Borrow(path)(""):
                pass


@pytest.mark.anyio
async def test_an_error_of_the_lender_is_raised_as_it_is() -> None:
    """What goes wrong while a journal is lent is no group of errors."""
    async with open_memory(Book(), ME, verb="run") as journal:
        with pytest.raises(JournalError, match="disk"):
            async with lent(journal):
                raise JournalError("the disk is gone")
