"""What a person chose, on the drafts that a comparison has classified: which are worked on, which are done again."""

from collections.abc import Iterator
from typing import Any, Final

from batchgen.job import InputRow
from batchgen.journal import Choice, Entry, Redo
from batchgen.journal.choosing import again, anew
from batchgen.journal.codec import decode_milestone, decode_texts, seal
from batchgen.journal.database import Connection
from batchgen.journal.recording import record
from batchgen.journal.rows import RUN, Row, milestone
from batchgen.lifecycle import Milestone, Planned, Stored, inherit

_FOR_CHOICE: Final = """
    SELECT draft.place, draft.id, coalesce(state, 'queued'), draft.axes, key, line, name, cells FROM temp.draft
    LEFT JOIN jobs ON number = job LEFT JOIN temp.input ON key = draft.input ORDER BY draft.place"""
_FOR_REDO: Final = """
    SELECT draft.place, draft.id, draft.kind = 'changed' AND draft.job IS NOT DISTINCT FROM held,
        milestones.kind, attempt, body
    FROM temp.draft JOIN jobs ON number = draft.job
    JOIN milestones ON milestones.job = number AND position = head
    WHERE chosen = 1 AND jobs.kind IN ('Stored', 'JobFailed', 'InDoubt', 'Started', 'Accepted', 'Generated')
    ORDER BY draft.place"""
_NOTED: Final = "CREATE TEMP TABLE noted (place INTEGER PRIMARY KEY)"
_TO_CARRY_OUT: Final = """
    SELECT draft.place, milestones.job, position, milestones.run, at, milestones.kind, attempt, body, checksum
    FROM temp.draft JOIN jobs ON number = draft.job
    JOIN milestones ON milestones.job = number AND position = head
    WHERE again = 1 AND jobs.kind IN ('Stored', 'JobFailed', 'InDoubt', 'Started') AND draft.place > ?
    ORDER BY draft.place LIMIT 500"""


def choose(connection: Connection, choice: Choice) -> None:
    """Leave out of the drafts those that are not worked on now."""
    connection.execute(_NOTED)
    left_out = ((place,) for place, is_chosen in _choices(connection, choice) if not is_chosen)
    connection.executemany("INSERT INTO temp.noted VALUES (?)", left_out)
    connection.execute("UPDATE temp.draft SET chosen = 0 WHERE place IN (SELECT place FROM temp.noted)")
    connection.execute("DROP TABLE temp.noted")


def _choices(connection: Connection, choice: Choice) -> Iterator[tuple[int, bool]]:
    row: tuple[int, InputRow] | None = None
    for place, job_id, state, axes, key, line, name, cells in connection.execute(_FOR_CHOICE):
        if key is None:
            row = None
        elif row is None or row[0] != key:
            row = (key, InputRow(line, name, decode_texts(cells)))
        yield place, choice(job_id, state, row and row[1], decode_texts(axes))


def mark(connection: Connection, redo: Redo) -> None:
    """Mark the drafts to be done again; those bought by another request become jobs of their own."""
    connection.execute(_NOTED)
    connection.executemany("INSERT INTO temp.noted VALUES (?)", ((place,) for place in _marked(connection, redo)))
    connection.execute("""
        UPDATE temp.draft SET again = 1, job = iif(kind = 'changed' AND job IS NOT DISTINCT FROM held, same, job)
            WHERE place IN (SELECT place FROM temp.noted);
        DROP TABLE temp.noted""")


def _marked(connection: Connection, redo: Redo) -> Iterator[int]:
    for place, job_id, kept, kind, attempt, body in connection.execute(_FOR_REDO):
        if kept:
            wanted = anew(redo, job_id, attempt if kind == "Stored" else None)
        else:
            wanted = again(redo, job_id, _reached(kind, attempt, body))
        if wanted:
            yield place


def _reached(kind: str, attempt: int, body: str) -> Milestone:
    # Of a stored picture only the attempt is asked; there may be a million of them.
    return Stored(attempt, None, None, ()) if kind == "Stored" else decode_milestone(kind, attempt, body)


def carry_out(connection: Connection, words: str, stamp: tuple[int, float]) -> None:
    """Plan the marked jobs again, and keep with the run what it was told."""
    last: Any = -1
    while page := connection.execute(_TO_CARRY_OUT, (last,)).fetchall():
        for place, *row in page:
            _plan_again(connection, tuple(row), stamp)
            last = place
    run = stamp[0]
    connection.execute("UPDATE runs SET redo = ? WHERE number = ?", (words, run))
    connection.execute(f"UPDATE runs SET seal = seal({RUN}) WHERE number = ?", (run,))  # noqa: S608


def _plan_again(connection: Connection, row: Row, stamp: tuple[int, float]) -> None:
    job, position, reached = row[0], row[1], milestone(row)
    entries = [Entry(job, position + 1, known)] if (known := inherit(reached)) is not reached else []
    entries.append(Entry(job, position + len(entries) + 1, Planned(reached.attempt)))
    record(connection, entries, None, stamp)
    line = (stamp[0], job, entries[-1].position)
    connection.execute("INSERT INTO redone VALUES (?, ?, ?, ?)", (*line, seal(*line)))
