"""A SQLite journal as readers see it: a connection of its own that takes no lock and writes nothing."""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager

import apsw

from batchgen.errors import FailureClass, Foreign
from batchgen.job import Draft
from batchgen.journal import (
    Choice,
    Comparison,
    Mark,
    Progress,
    Redo,
    Selection,
    lock,
    rows,
)
from batchgen.journal.newest import Newest
from batchgen.journal.reading import reading
from batchgen.journal.schema import Machine, connect_to_read, is_older, read_identity
from batchgen.journal.telling import SqlRecord


class SqliteRecord(SqlRecord):
    """A Record over a file; open it in one thread at a time, close it or use it as a context manager.

    Raises (from the start and from every method):
        Foreign: no journal there, or not one that this batchgen reads.
        Damaged: something in it is not as it was written.
    """

    def __init__(self, path: str, machine: Machine | None = None) -> None:
        self._path = os.path.abspath(path)
        if not os.path.exists(self._path):
            raise Foreign(f"There is no journal at {self._path}; nothing has been run there.")
        self._newest: Newest | None = None
        with reading(self._path):
            self._reader = connect_to_read(self._path, machine or Machine())
            try:
                if is_older(self._reader):
                    self._reader = _made_new(self._reader, self._path)
                super().__init__(self._reader, read_identity(self._reader, self._path))
            except BaseException:
                self._reader.close()
                raise

    def close(self) -> None:
        """Let go of the file; callable twice."""
        self._reader.close(force=True)

    @property
    def live(self) -> bool:
        """Whether a run holds the batch now; if not, a Started of an ended run is really in doubt."""
        return lock.is_held(os.path.dirname(self._path))

    def _reading(self) -> AbstractContextManager[None]:
        return reading(self._path)

    def newest(
        self, selection: Selection, most: int, mark: Mark | None = None, *, newer: bool = False
    ) -> Sequence[Progress]:
        """The selected jobs by the time of their newest milestone."""
        with reading(self._path):
            return self._order().page(selection, most, mark, newer=newer)

    def axes(self) -> Mapping[str, Sequence[str]]:
        """All axes of current jobs with their values."""
        with reading(self._path):
            return self._order().axes()

    def prove(self) -> int:
        """Prove the whole journal, every milestone and every sum; returns the number of milestones."""
        with reading(self._path):
            from batchgen.journal import proof  # noqa: PLC0415 - figures alone are asked for most

            count = proof.prove(self._reader, self._path)
            proof.prove_lives(self._connection, self._path)
        return count

    def failures(self) -> Mapping[tuple[FailureClass, str], int]:
        """How many current jobs failed for good, by class and reason."""
        with reading(self._path):
            return rows.failures(self._connection)

    def compare(self, drafts: Iterable[Draft], redo: Redo | None = None, choice: Choice | None = None) -> Comparison:
        """What `owe` would do with these drafts; its scratch table is temporary and outside the journal."""
        from batchgen.journal import owing  # noqa: PLC0415 - as above

        with reading(self._path):
            self._connection.execute("BEGIN")
            try:
                return owing.compare(self._connection, drafts, owing.Wish(redo, choice))
            finally:
                self._connection.execute("ROLLBACK")

    def _order(self) -> Newest:
        if self._newest is None:
            self._newest = Newest(self._reader)
        return self._newest


def _made_new(older: apsw.Connection, path: str) -> apsw.Connection:
    """A private copy of a journal of an older format, brought to this one; the journal itself stays as it is."""
    from batchgen.journal import migration  # noqa: PLC0415 - rarely needed

    try:
        copy = migration.copied(older)
    finally:
        older.close()
    try:
        migration.migrate(copy, path)
    except BaseException:
        copy.close()
        raise
    return copy
