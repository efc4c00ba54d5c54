"""A SQLite journal as readers see it: a connection of its own that takes no lock and writes nothing."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Final, Self

import apsw

from batchgen.errors import FailureClass, Foreign
from batchgen.job import Draft
from batchgen.journal import (
    EVERYTHING,
    Choice,
    Comparison,
    Identity,
    Mark,
    Progress,
    Redo,
    Run,
    Selection,
    Totals,
    Written,
    facets,
    lock,
    rows,
)
from batchgen.journal.choosing import selected
from batchgen.journal.newest import Newest
from batchgen.journal.reading import reading
from batchgen.journal.schema import Machine, connect_to_read, is_older, read_identity
from batchgen.lifecycle import Milestone

_BEFORE: Final = """
    SELECT job, position, run, at, kind, attempt, body, checksum FROM milestones WHERE job = ? AND position = ?"""

_NAME: Final = "iif(json_valid(body), json_extract(body, '$.assets[0].name'), NULL)"
_ELSEWHERE: Final = f"""
    NOT coalesce(substr({_NAME}, 1, length(path) + 1) = path || '.'
        AND substr({_NAME}, length(path) + 2) NOT GLOB '*[./]*', 0)"""
# Of a million stored pictures nearly all are in place, and need not be made objects to be seen so.


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
        self._newest: Newest | None = None
        with reading(self._path):
            self._connection = connect_to_read(self._path, machine or Machine())
            try:
                if is_older(self._connection):
                    self._connection = _made_new(self._connection, self._path)
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

    def before(self, progress: Progress) -> Milestone | None:
        """The milestone before a job's newest, None before its first."""
        with reading(self._path):
            row = self._connection.execute(_BEFORE, (progress.job.number, progress.position - 1)).fetchone()
            return None if row is None else rows.milestone(row)

    def prove(self) -> int:
        """Prove the whole journal, every milestone and every sum; returns the number of milestones."""
        with reading(self._path):
            from batchgen.journal import proof  # noqa: PLC0415 - figures alone are asked for most

            count = proof.prove(self._connection, self._path)
            proof.prove_lives(self._connection, self._path)
        return count

    def totals(self) -> Totals:
        """The figures, as of one moment."""
        with reading(self._path):
            return rows.totals(self._connection)

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

    def columns(self) -> Sequence[str]:
        """The headers of all input rows that count, as the table has them."""
        with reading(self._path):
            return facets.columns(self._connection)

    def views(self) -> Sequence[facets.View]:
        """The views of all jobs that count, in the manifest's order."""
        with reading(self._path):
            return facets.views(self._connection)

    def ids(self) -> Iterator[str]:
        """The ids of the jobs that count, in the manifest's order."""
        with reading(self._path):
            yield from facets.ids(self._connection)

    def named(self, job_id: str) -> Sequence[int]:
        """The numbers of the jobs of an id, the current one first."""
        with reading(self._path):
            return facets.named(self._connection, job_id)

    def bought(self, sha256: str) -> Sequence[int]:
        """The numbers of the jobs that ever stored a picture of these bytes, or received them; current ones first."""
        with reading(self._path):
            return facets.bought(self._connection, sha256)

    def life(self, number: int) -> Sequence[Written]:
        """All milestones of a job, the first one first."""
        with reading(self._path):
            query = f"SELECT {rows.MILESTONE} FROM milestones WHERE job = ? ORDER BY position"  # noqa: S608
            found = self._connection.execute(query, (number,))
            return [Written(row[1], rows.milestone(row), row[2], row[3]) for row in found]

    def _order(self) -> Newest:
        if self._newest is None:
            self._newest = Newest(self._connection)
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


def _narrowed(selection: Selection) -> tuple[str, tuple[str | int, ...]]:
    """The part of a selection that an index or a column can answer."""
    columns: list[tuple[str, Iterable[str | int]]] = [
        ("state", selection.states),
        ("standing", selection.standings),
        ("jobs.run", () if selection.run is None else (selection.run,)),
        ("model", selection.models),
        ("number", selection.numbers if len(selection.numbers) < 1000 else ()),
    ]
    parts, bindings = [], []
    for column, wanted in columns:
        if values := sorted(wanted, key=str):
            parts.append(f"{column} IN ({','.join('?' * len(values))})")
            bindings += values
    if selection.misplaced or selection.beside:
        parts.append(_ELSEWHERE)
    return ("WHERE " + " AND ".join(parts) if parts else ""), tuple(bindings)
