"""A SQLite journal in a folder, with a clock that the test moves."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager

from batchgen.journal import Identity, Record
from batchgen.journal.record import SqliteRecord
from batchgen.journal.schema import Machine
from batchgen.journal.sqlite import SqliteJournal, open_journal
from tests.contracts.journal import ME
from tests.lives import SINCE


class SqliteDesk:
    """A folder that holds one journal; `vfs` names a SQLite VFS to reach it through."""

    def __init__(self, folder: str, vfs: str | None = None) -> None:
        self.now = SINCE
        self.folder = folder
        self.path = f"{folder}/journal.sqlite3"
        self.machine = Machine(lambda: self.now, vfs)

    def open(self, identity: Identity | None = ME) -> AbstractAsyncContextManager[SqliteJournal]:
        """Begin a run."""
        return open_journal(self.path, identity, verb="run", machine=self.machine)

    @contextmanager
    def record(self) -> Iterator[Record]:
        """Look into it."""
        with SqliteRecord(self.path, self.machine) as record:
            yield record
