"""What readers ask of a journal, whatever database keeps it; it takes no lock and writes nothing."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final, Self

from batchgen.errors import FailureClass
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
    rows,
)
from batchgen.journal.choosing import selected
from batchgen.journal.database import Connection
from batchgen.lifecycle import Milestone

_BEFORE: Final = """
    SELECT job, position, run, at, kind, attempt, body, checksum FROM milestones WHERE job = ? AND position = ?"""

_NAME: Final = "iif(json_valid(body), json_extract(body, '$.assets[0].name'), NULL)"
_ELSEWHERE: Final = f"""
    CASE WHEN substr({_NAME}, 1, length(path) + 1) = path || '.'
        AND instr(substr({_NAME}, length(path) + 2), '.') = 0 AND instr(substr({_NAME}, length(path) + 2), '/') = 0
        THEN 0 ELSE 1 END = 1"""
# Of a million stored pictures nearly all are in place, and need not be made objects to be seen so.


class SqlRecord(ABC):
    """A Record over tables; use it in one thread at a time, close it or use it as a context manager.

    Raises (from every method):
        Damaged: something in it is not as it was written.
        JournalError: it cannot be read.
    """

    def __init__(self, connection: Connection, identity: Identity) -> None:
        self._connection = connection
        self._identity = identity

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Let go of the database; callable twice."""

    @abstractmethod
    def _reading(self) -> AbstractContextManager[None]:
        """Read in it, and say what is wrong in batchgen's words."""

    @property
    def identity(self) -> Identity:
        """Whose journal this is."""
        return self._identity

    @property
    @abstractmethod
    def live(self) -> bool:
        """Whether a run holds the batch now; if not, a Started of an ended run is really in doubt."""

    @abstractmethod
    def newest(
        self, selection: Selection, most: int, mark: Mark | None = None, *, newer: bool = False
    ) -> Sequence[Progress]:
        """The selected jobs by the time of their newest milestone."""

    @abstractmethod
    def axes(self) -> Mapping[str, Sequence[str]]:
        """All axes of current jobs with their values."""

    @abstractmethod
    def prove(self) -> int:
        """Prove the whole journal, every milestone and every sum; returns the number of milestones."""

    @abstractmethod
    def failures(self) -> Mapping[tuple[FailureClass, str], int]:
        """How many current jobs failed for good, by class and reason."""

    @abstractmethod
    def compare(self, drafts: Iterable[Draft], redo: Redo | None = None, choice: Choice | None = None) -> Comparison:
        """What `owe` would do with these drafts; its scratch table is temporary and outside the journal."""

    @property
    def runs(self) -> Sequence[Run]:
        """All runs, the newest first."""
        with self._reading():
            return rows.runs(self._connection)

    def entries(self, selection: Selection = EVERYTHING) -> Iterator[Progress]:
        """The selected jobs with their newest milestone, as of the moment of the first one."""
        where, bindings = narrowed(selection)
        query, entries = f"{rows.ENTRIES} {where} ORDER BY (standing <> 'current'), place, number", rows.Entries()
        with self._reading():
            for row in self._connection.execute(query, bindings):
                progress = entries.progress(row)
                if selected(progress, selection):
                    yield progress

    def before(self, progress: Progress) -> Milestone | None:
        """The milestone before a job's newest, None before its first."""
        with self._reading():
            row = self._connection.execute(_BEFORE, (progress.job.number, progress.position - 1)).fetchone()
            return None if row is None else rows.milestone(row)

    def totals(self) -> Totals:
        """The figures, as of one moment."""
        with self._reading():
            return rows.totals(self._connection)

    def columns(self) -> Sequence[str]:
        """The headers of all input rows that count, as the table has them."""
        with self._reading():
            return facets.columns(self._connection)

    def views(self) -> Sequence[facets.View]:
        """The views of all jobs that count, in the manifest's order."""
        with self._reading():
            return facets.views(self._connection)

    def ids(self) -> Iterator[str]:
        """The ids of the jobs that count, in the manifest's order."""
        with self._reading():
            yield from facets.ids(self._connection)

    def named(self, job_id: str) -> Sequence[int]:
        """The numbers of the jobs of an id, the current one first."""
        with self._reading():
            return facets.named(self._connection, job_id)

    def bought(self, sha256: str) -> Sequence[int]:
        """The numbers of the jobs that ever stored a picture of these bytes, or received them; current ones first."""
        with self._reading():
            return facets.bought(self._connection, sha256)

    def life(self, number: int) -> Sequence[Written]:
        """All milestones of a job, the first one first."""
        with self._reading():
            query = f"SELECT {rows.MILESTONE} FROM milestones WHERE job = ? ORDER BY position"  # noqa: S608
            found = self._connection.execute(query, (number,))
            return [Written(row[1], rows.milestone(row), row[2], row[3]) for row in found]


def narrowed(selection: Selection) -> tuple[str, tuple[str | int, ...]]:
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
