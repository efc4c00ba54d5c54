"""A journal in PostgreSQL as readers see it: a connection of its own, each question answered as of one moment."""

import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import psycopg

from batchgen.errors import FailureClass, Foreign
from batchgen.job import Draft
from batchgen.journal import Choice, Comparison, Identity, Mark, Progress, Redo, Selection, owing, proof, rows
from batchgen.journal.choosing import selected
from batchgen.journal.postgres import holding, schema
from batchgen.journal.postgres.connection import PostgresConnection, Target
from batchgen.journal.postgres.proof import prove
from batchgen.journal.postgres.reading import PAUSE_SECONDS, Moment, reading
from batchgen.journal.schema import kept_identity
from batchgen.journal.telling import SqlRecord, narrowed
from batchgen.lifecycle import JobFailed

_PATIENCE_SECONDS: Final = 15.0
"""How long a server that went away is waited for by who had read there before."""

_PAGE: Final = 200
_NEWEST: Final = Mark(math.inf, 2**62)
_OLDEST: Final = Mark(-math.inf, -1)

_AXES: Final = """
    SELECT name, value, min(place) AS first, min(nth) AS within
    FROM jobs, json_each_text(CAST(axes AS json)) WITH ORDINALITY AS each (name, value, nth)
    WHERE standing = 'current' GROUP BY name, value ORDER BY first, within"""
_FAILED: Final = f"""
    SELECT {rows.MILESTONE.replace("run", "milestones.run").replace("kind", "milestones.kind")}
    FROM jobs JOIN milestones ON job = number AND position = head
    WHERE standing = 'current' AND state = 'failed' ORDER BY number"""  # noqa: S608  # columns named in the program


class PostgresRecord(SqlRecord):
    """A Record over a schema.

    Raises (from the start and from every method):
        Foreign: no journal there, or one of a newer batchgen.
        Damaged: something in it is not as it was written.
        JournalError: the server cannot be reached, or refuses.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        with reading(target):
            self._reader = PostgresConnection(target)
            self._moment = Moment(self._reader)
            try:
                with self._moment.entered():
                    super().__init__(self._reader, _identity(self._reader, target))
            except BaseException:
                self._reader.close()
                raise

    def close(self) -> None:
        """Let go of the server; callable twice."""
        self._reader.close()

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with reading(self._target):
            if not self._moment.open:
                self._wake()
            with self._moment.entered():
                yield

    def _wake(self) -> None:
        """Make sure that the server is at the other end; one that is being started anew is waited for."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                if self._reader.lost:
                    self._connection = self._reader = PostgresConnection(self._target)
                    self._moment = Moment(self._reader)
                self._reader.raw("SELECT 1")
                return
            except psycopg.OperationalError:
                self._reader.close()
                if time.monotonic() > until:
                    raise
                time.sleep(PAUSE_SECONDS)

    @property
    def live(self) -> bool:
        """Whether a run holds the batch now, by its signs of life."""
        with self._reading():
            return holding.is_held(self._reader)

    def newest(
        self, selection: Selection, most: int, mark: Mark | None = None, *, newer: bool = False
    ) -> Sequence[Progress]:
        """The selected jobs by the time of their newest milestone."""
        found, size, mark = list[Progress](), max(most, _PAGE), mark or (_OLDEST if newer else _NEWEST)
        with self._reading():
            while len(found) < most:
                page = self._page(selection, size, mark, newer=newer)
                found += (each for each in page if selected(each, selection))
                if len(page) < size:
                    break
                mark = page[-1].mark
        return found[:most]

    def _page(self, selection: Selection, most: int, mark: Mark, *, newer: bool) -> list[Progress]:
        """So many jobs beyond a mark, of those that the database can tell to be selected."""
        where, bindings = narrowed(selection)  # type: tuple[str, tuple[str | float, ...]]
        way, beyond = ("", ">") if newer else ("DESC", "<")
        # The time alone as well: of a pair over two tables no index knows.
        where += f"{' AND' if where else 'WHERE'} at {beyond}= ? AND (at, number) {beyond} (?, ?)"
        order = f"ORDER BY at {way}, number {way} LIMIT ?"
        bound = (*bindings, mark.at, mark.at, mark.job, most)
        entries = rows.Entries()
        return [entries.progress(row) for row in self._reader.execute(f"{rows.ENTRIES} {where} {order}", bound)]

    def axes(self) -> Mapping[str, Sequence[str]]:
        """All axes of current jobs with their values."""
        found: dict[str, list[str]] = {}
        with self._reading():
            for name, value, *_ in self._reader.execute(_AXES):
                found.setdefault(name, []).append(value)
        return {name: tuple(values) for name, values in found.items()}

    def prove(self) -> int:
        """Prove the whole journal, every milestone and every sum; returns the number of milestones."""
        with self._reading():
            count = prove(self._reader, self._target.shown)
            proof.prove_lives(self._reader, f"The journal {self._target.shown}")
        return count

    def failures(self) -> Mapping[tuple[FailureClass, str], int]:
        """How many current jobs failed for good, by class and reason."""
        with self._reading():
            failed = (rows.milestone(row) for row in self._reader.execute(_FAILED))
            return Counter((each.failure, each.reason) for each in failed if isinstance(each, JobFailed))

    def compare(self, drafts: Iterable[Draft], redo: Redo | None = None, choice: Choice | None = None) -> Comparison:
        """What `owe` would do with these drafts; its scratch table is temporary and outside the journal."""
        with self._reading():
            return owing.compare(self._reader, drafts, owing.Wish(redo, choice))


def _identity(reader: PostgresConnection, target: Target) -> Identity:
    if not schema.is_there(reader, target.schema):
        raise Foreign(f"There is no journal {target.shown}; nothing has been run there.")
    schema.version(reader, target.schema, target.shown)
    return kept_identity(reader, target.shown)
