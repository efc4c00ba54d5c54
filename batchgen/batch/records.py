"""A batch's journal, opened for reading; needs nothing of what a run needs."""

from contextlib import AbstractContextManager

from batchgen.journal import Record
from batchgen.journal.record import SqliteRecord
from batchgen.location import Location


def open_record(location: Location) -> AbstractContextManager[Record]:
    """A batch's journal for reading."""
    return SqliteRecord(str(location.journal))
