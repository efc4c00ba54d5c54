"""A SQLite journal as readers see it: a connection of its own that takes no lock and writes nothing."""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

import apsw

from batchgen.errors import Damaged, Foreign, JournalError
from batchgen.job import Draft
from batchgen.journal import (
    EVERYTHING,
    Choice,
    Comparison,
    Identity,
    Progress,
    Redo,
    Run,
    Selection,
    Totals,
    Written,
    lock,
    owing,
    rows,
)
from batchgen.journal.choosing import selected
from batchgen.journal.schema import Machine, connect_to_read, read_identity


class SqliteRecord:
    """A Record over a file; open it in one thread at a time, close it or use it as a context manager.

    Raises (from the start and from every method):
        Foreign: no journal there, or not one that this batchgen reads.
        Damaged: something in it is not as it was written.
    """

    def __init__(self, path: str, machine: Machine | None = None) -> None:
        self._path = os.path.abspath(path)
        if not os.path.exists(self._path):
            raise Foreign(f"There is no journal at {self._path}; nothing has been run there.")
        with reading(self._path):
            self._connection = connect_to_read(self._path, machine or Machine())
            try:
                self._identity = read_identity(self._connection, self._path)
            except BaseException:
                self._connection.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; callable twice."""
        self._connection.close(force=True)

    @property
    def identity(self) -> Identity:
        """Whose journal this is."""
        return self._identity

    @property
    def live(self) -> bool:
        """Whether a run holds the batch now; if not, a Started of an ended run is really in doubt."""
        return lock.is_held(os.path.dirname(self._path))

    @property
    def runs(self) -> Sequence[Run]:
        """All runs, the newest first."""
        with reading(self._path):
            return rows.runs(self._connection)

    def entries(self, selection: Selection = EVERYTHING) -> Iterator[Progress]:
        """The selected jobs with their newest milestone, as of the moment of the first one."""
        where, bindings = _narrowed(selection)
        query, entries = f"{rows.ENTRIES} {where} ORDER BY (standing <> 'current'), place, number", rows.Entries()
        with reading(self._path):
            for row in self._connection.execute(query, bindings):
                progress = entries.progress(row)
                if selected(progress, selection):
                    yield progress

    def totals(self) -> Totals:
        """The figures, as of one moment."""
        with reading(self._path):
            return rows.totals(self._connection)

    def compare(self, drafts: Iterable[Draft], redo: Redo | None = None, choice: Choice | None = None) -> Comparison:
        """What `owe` would do with these drafts; its scratch table is temporary and outside the journal."""
        with reading(self._path):
            self._connection.execute("BEGIN")
            try:
                return owing.compare(self._connection, drafts, owing.Wish(redo, choice))
            finally:
                self._connection.execute("ROLLBACK")

    def life(self, number: int) -> Sequence[Written]:
        """All milestones of a job, the first one first."""
        with reading(self._path):
            query = f"SELECT {rows.MILESTONE} FROM milestones WHERE job = ? ORDER BY position"  # noqa: S608
            found = self._connection.execute(query, (number,))
            return [Written(row[1], rows.milestone(row), row[2], row[3]) for row in found]


@contextlib.contextmanager
def reading(path: str) -> Iterator[None]:
    """Say what is wrong with a journal in batchgen's words.

    Raises:
        Damaged: SQLite finds the file malformed, or not a database at all.
        JournalError: it cannot be read.
    """
    try:
        yield
    except (apsw.CorruptError, apsw.NotADBError, apsw.SQLError, apsw.FormatError, UnicodeDecodeError) as error:
        raise Damaged(f"{path} is damaged ({error}); keep it, and put a copy back or ask for help.") from error
    except apsw.Error as error:
        raise JournalError(f"{path} could not be read ({error}); mend that and run again.") from error


def _narrowed(selection: Selection) -> tuple[str, tuple[str | int, ...]]:
    """The part of a selection that an index or a column can answer."""
    columns: list[tuple[str, Iterable[str | int]]] = [
        ("state", selection.states),
        ("standing", selection.standings),
        ("jobs.run", () if selection.run is None else (selection.run,)),
        ("number", selection.numbers if len(selection.numbers) < 1000 else ()),
    ]
    parts, bindings = [], []
    for column, wanted in columns:
        if values := sorted(wanted, key=str):
            parts.append(f"{column} IN ({','.join('?' * len(values))})")
            bindings += values
    return ("WHERE " + " AND ".join(parts) if parts else ""), tuple(bindings)
