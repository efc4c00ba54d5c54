"""The journal in memory keeps the contract."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager

import pytest
from hypothesis.stateful import run_state_machine_as_test

from batchgen.journal import Identity, Record
from batchgen.journal.memory import Book, MemoryJournal, MemoryRecord, open_memory
from tests.contracts.journal import ME, JournalContract
from tests.contracts.journal_machine import MACHINE, JournalMachine
from tests.lives import SINCE


class MemoryDesk:
    """A book and a clock."""

    def __init__(self) -> None:
        self.now = SINCE
        self.book = Book()

    def open(self, identity: Identity = ME) -> AbstractAsyncContextManager[MemoryJournal]:
        """Begin a run."""
        return open_memory(self.book, identity, verb="run", clock=lambda: self.now)

    @contextmanager
    def record(self) -> Iterator[Record]:
        """Look into it."""
        yield MemoryRecord(self.book)


class TestMemory(JournalContract):
    """Every promise, without a disk."""

    @pytest.fixture
    def desk(self) -> MemoryDesk:
        """A fresh book."""
        return MemoryDesk()


class MemoryMachine(JournalMachine):
    """The model against a book."""

    def make_desk(self) -> MemoryDesk:
        """A fresh book."""
        return MemoryDesk()


def test_any_history_is_that_of_the_model() -> None:
    """Expansions, milestones, refusals and crashes in any order leave what the model says."""
    run_state_machine_as_test(MemoryMachine, settings=MACHINE)
