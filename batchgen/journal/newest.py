"""Jobs by the time of their newest milestone, a page at a time, for somebody who watches.

The journal keeps no order by time, since writing it would cost every commit. A reader that asks for it keeps one of its
own, in a temporary table that no other connection sees, and brings it up to date whenever it is asked.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, TypeAlias

import apsw

from batchgen.journal import Mark, Progress, Selection, rows
from batchgen.journal.choosing import folded, selected

_TABLE: Final = """
    CREATE TEMP TABLE newest (
        number INTEGER PRIMARY KEY, head INTEGER NOT NULL, standing TEXT NOT NULL, state TEXT NOT NULL,
        model TEXT NOT NULL, at REAL NOT NULL) STRICT;
    CREATE INDEX temp.by_time ON newest (at, number)"""

_FOLLOW: Final = """
    INSERT OR REPLACE INTO newest
    SELECT number, head, standing, state, model,
        coalesce((SELECT at FROM milestones WHERE job = number AND position = head), 0)
    FROM jobs
    WHERE NOT EXISTS (
        SELECT 1 FROM newest AS known
        WHERE known.number = jobs.number AND known.head = jobs.head AND known.standing = jobs.standing)"""

_AXES: Final = """
    SELECT each.key, each.value FROM jobs, json_each(axes) AS each
    WHERE standing = 'current' AND json_valid(axes) GROUP BY 1, 2 ORDER BY min(place), min(each.id)"""

Value: TypeAlias = str | int | float


class Newest:
    """The order of one connection."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._seen = 0
        connection.create_scalar_function("folded", _folded, 1, deterministic=True)
        connection.execute(_TABLE)

    def page(self, selection: Selection, most: int, mark: Mark | None, *, newer: bool) -> Sequence[Progress]:
        """The selected jobs on one side of a mark, nearest first."""
        self._follow()
        where, bindings = _narrowed(selection, mark, newer=newer)
        way = "" if newer else "DESC"
        found = self._connection.execute(
            f"SELECT newest.number FROM newest {where} ORDER BY at {way}, newest.number {way}",  # noqa: S608
            bindings,
        )
        return list(islice(self._progress((number for (number,) in found), selection), most))

    def axes(self) -> dict[str, tuple[str, ...]]:
        """The values of every axis."""
        found: dict[str, list[str]] = {}
        for name, value in self._connection.execute(_AXES):
            found.setdefault(name, []).append(value)
        return {name: tuple(values) for name, values in found.items()}

    def _follow(self) -> None:
        version = self._connection.pragma("data_version")
        if version != self._seen:
            self._connection.execute(_FOLLOW)
            self._seen = int(str(version))

    def _progress(self, numbers: Iterable[int], selection: Selection) -> Iterator[Progress]:
        entries = rows.Entries()
        for number in numbers:
            for row in self._connection.execute(f"{rows.ENTRIES} WHERE number = ?", (number,)):
                progress = entries.progress(row)
                if selected(progress, selection):
                    yield progress


def _folded(*texts: object) -> str:
    return folded(str(texts[0]))


def _narrowed(selection: Selection, mark: Mark | None, *, newer: bool) -> tuple[str, tuple[Value, ...]]:
    """The parts of a selection that cost less to ask here than of every job; all are asked of each one found."""
    parts: list[str] = []
    bindings: list[Value] = []
    for column, wanted in (
        ("state", selection.states),
        ("standing", selection.standings),
        ("model", selection.models),
    ):
        if values := sorted(wanted):
            parts.append(f"newest.{column} IN ({','.join('?' * len(values))})")
            bindings += values
    if mark is not None:
        parts.append(f"(at, newest.number) {'>' if newer else '<'} (?, ?)")
        bindings += (mark.at, mark.job)
    if selection.text or selection.axes:
        inner, more = _of_jobs(selection)
        parts.append(f"EXISTS (SELECT 1 FROM jobs WHERE jobs.number = newest.number AND {inner})")  # noqa: S608
        bindings += more
    return ("WHERE " + " AND ".join(parts) if parts else ""), tuple(bindings)


def _of_jobs(selection: Selection) -> tuple[str, list[Value]]:
    parts: list[str] = []
    bindings: list[Value] = []
    if selection.text:
        parts.append("(instr(folded(id), ?) OR instr(folded(iif(json_valid(request), request ->> '$.prompt', '')), ?))")
        bindings += [folded(selection.text)] * 2
    for name, value in selection.axes.items():
        parts.append("EXISTS (SELECT 1 FROM json_each(iif(json_valid(axes), axes, '{}')) WHERE key = ? AND value = ?)")
        bindings += [name, value]
    return " AND ".join(parts), bindings
