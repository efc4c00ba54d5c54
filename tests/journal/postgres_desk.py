"""A journal in PostgreSQL, with a clock that the test moves."""

import uuid
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager

from batchgen.journal import Identity, Record
from batchgen.journal.postgres.connection import Target
from batchgen.journal.postgres.journal import PostgresJournal, Surroundings, open_journal
from batchgen.journal.postgres.record import PostgresRecord
from tests.contracts.journal import ME
from tests.lives import SINCE


class PostgresDesk:
    """A schema that holds one journal, and the folder of its batch."""

    def __init__(self, conninfo: str, folder: str, lease_seconds: float = 30.0) -> None:
        self.now = SINCE
        self.folder = folder
        self.target = Target(conninfo, f"batch_{uuid.uuid4().hex}")
        self.around = Surroundings(folder, lambda: self.now, lease_seconds)

    def open(self, identity: Identity | None = ME) -> AbstractAsyncContextManager[PostgresJournal]:
        """Begin a run."""
        return open_journal(self.target, identity, self.around, verb="run")

    @contextmanager
    def record(self) -> Iterator[Record]:
        """Look into it."""
        with PostgresRecord(self.target) as record:
            yield record
