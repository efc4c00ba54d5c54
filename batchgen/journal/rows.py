"""Rows of a SQLite journal as jobs, runs and totals; every row is held against its seal before it is believed."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias, cast

from batchgen.errors import Damaged, FailureClass
from batchgen.job import InputRow, Job
from batchgen.journal import STATES, Place, Progress, Run, State, Totals
from batchgen.journal.codec import decode_milestone, decode_request, decode_texts, seal
from batchgen.journal.database import Connection
from batchgen.ledger import Money
from batchgen.lifecycle import JobFailed, Milestone

SEALED: Final = "number, id, fingerprint, recipe, request, model, path, place, input, axes, standing, changed"
"""The columns of `jobs` that its seal proves; only an expansion changes them."""

PROGRESS: Final = f"""
    SELECT {SEALED}, seal, head, jobs.kind, jobs.run, state,
        milestones.kind, attempt, body, milestones.run, at, checksum,
        EXISTS (SELECT 1 FROM milestones AS later WHERE later.job = number AND later.position = head + 1)
    FROM jobs LEFT JOIN milestones ON job = number AND position = head"""  # noqa: S608  # columns named in the program
ENTRIES: Final = (
    PROGRESS.replace("head + 1)\n", "head + 1),\n        key, line, name, cells, proof\n")
    + " LEFT JOIN rows ON key = input"
)
"""PROGRESS with the input row of each job."""
MILESTONE: Final = "job, position, run, at, kind, attempt, body, checksum"
RUN: Final = """number, verb, began, ended, host, pid, "user", version, exit_code, reason, counts, money, committed,
    started, redo, prices"""

FAILED: Final = """
    SELECT body, count(*), sum(checksum IS NOT
        seal(job, position, milestones.run, at, milestones.kind, attempt, body))
    FROM jobs JOIN milestones ON job = number AND position = head
    WHERE standing = 'current' AND state = 'failed' GROUP BY body"""
"""Failed jobs by what their newest milestone says, and how many of these are not as they were written."""

_SEAL: Final = 12
HEAD: Final = _SEAL + 1
"""Where the columns of the newest milestone begin in a row of PROGRESS."""
_PROGRESS: Final = HEAD + 11

_AMOUNTS: Final = "SELECT model, standing, what, amount, seal FROM totals"

# The word for people follows from the kind alone, but for the two ways in which a job ends without a picture.
_STATES: Final = {
    "Planned": {"queued"},
    "AttemptFailed": {"queued"},
    "Started": {"running"},
    "Accepted": {"running"},
    "Generated": {"running"},
    "Stored": {"stored"},
    "InDoubt": {"in_doubt"},
    "JobFailed": {"failed", "dropped"},
}

Row: TypeAlias = tuple[Any, ...]


def prove(row: Row) -> None:
    """Hold a job and its newest milestone, from PROGRESS, against their seals.

    Raises:
        Damaged: one of them is not as it was written.
    """
    head, job_kind, job_run, state, kind, attempt, body, run, at, checksum, later = row[HEAD:_PROGRESS]
    whole = seal(*row[:_SEAL]) == row[_SEAL] and (job_kind, job_run) == (kind, run) and not later
    whole = whole and seal(row[0], head, run, at, kind, attempt, body) == checksum
    if not whole or state not in _STATES.get(kind, ()):
        raise Damaged(f"The journal's row of job {row[0]} is damaged; keep it, and put a copy back or ask for help.")


def progress(row: Row, input_row: InputRow | None = None, axes: Mapping[str, str] | None = None) -> Progress:
    """A job with its newest milestone, from PROGRESS, and what it was made from.

    Raises:
        Damaged: the row, or its milestone, is not as it was written.
    """
    prove(row)
    number, job_id, fingerprint, recipe, request, _, path, _, _, _, standing, changed = row[:_SEAL]
    head, _, _, _, kind, attempt, body, run, at, *_ = row[HEAD:_PROGRESS]
    job = Job(number, job_id, fingerprint, recipe, decode_request(request), path)
    milestone = decode_milestone(kind, attempt, body)
    return Progress(job, head, milestone, at, run, cast(Place, standing), bool(changed), input_row, axes or {})


class Entries:
    """Rows of ENTRIES as progress with input rows; jobs of one row that stand together share one object."""

    def __init__(self) -> None:
        self._key: int | None = None
        self._input: InputRow | None = None

    def progress(self, row: Row) -> Progress:
        """A job with its newest milestone, its input row and its axes.

        Raises:
            Damaged: one of them is not as it was written.
        """
        made_of_row, (key, *values) = row[_SEAL - 4] is not None, row[_PROGRESS:]
        if made_of_row and key != self._key:
            _prove(row[_PROGRESS:], "input row")
            self._key, self._input = key, InputRow(values[0], values[1], decode_texts(values[2]))
        return progress(row, self._input if made_of_row else None, decode_texts(row[_SEAL - 3]))


def milestone(row: Row) -> Milestone:
    """The milestone of a row (job, position, run, at, kind, attempt, body, checksum).

    Raises:
        Damaged: it is not as it was written.
    """
    *values, checksum = row
    if seal(*values) != checksum:
        raise Damaged(f"A milestone of job {row[0]} is damaged; keep the journal, and put a copy back or ask for help.")
    return decode_milestone(*row[4:7])


def runs(connection: Connection) -> list[Run]:
    """All runs, the newest first."""
    rows = connection.execute(f"SELECT {RUN}, seal FROM runs ORDER BY number DESC")  # noqa: S608  # as above
    found = [_run(row) for row in rows]
    begun = found or not connection.execute("SELECT EXISTS (SELECT 1 FROM jobs)").get
    if not begun or [each.number for each in found] != list(range(len(found), 0, -1)):
        raise Damaged("A run in the journal is missing; keep it, and put a copy back or ask for help.")
    return found


def run(connection: Connection, number: int) -> Run:
    """One run, which must have begun."""
    row = connection.execute(f"SELECT {RUN}, seal FROM runs WHERE number = ?", (number,)).fetchone()  # noqa: S608
    assert row is not None
    return _run(row)


def _run(row: Row) -> Run:
    _prove(row, "run")
    number, verb, began, ended, host, pid, user, version, exit_code, reason, *figures, _ = row
    counts, _, committed, started, redo, prices = figures
    return Run(
        number=number,
        verb=verb,
        began=began,
        ended=ended,
        host=host,
        pid=pid,
        user=user,
        version=version,
        exit_code=exit_code,
        reason=reason,
        counts=json.loads(counts),
        committed=committed,
        started=started,
        redo=redo,
        prices=json.loads(prices),
    )


def totals(connection: Connection) -> Totals:
    """The figures, as of one moment."""
    counts, sums, kept = dict.fromkeys(STATES, 0), dict.fromkeys(Money.__dataclass_fields__, 0), 0
    models: dict[str, dict[State, int]] = {}
    with connection:  # between two statements a run may begin to owe
        found = list(_amounts(connection, ""))
        _prove_none_missing(connection, found)
    for model, standing, what, amount in found:
        area, _, name = what.partition(":")
        match area:
            case "jobs" if standing == "current" or (standing, name) == ("replaced", "in_doubt"):
                counts[cast(State, name)] += amount
                models.setdefault(model, dict.fromkeys(STATES, 0))[cast(State, name)] += amount
            case "kept" if standing == "current":
                kept += amount
            case "money":
                sums[name] += amount
    return Totals(counts, kept, Money(**sums), {model: each for model, each in models.items() if any(each.values())})


def failures(connection: Connection) -> dict[tuple[FailureClass, str], int]:
    """How many current jobs failed for good, by class and reason; told without looking at any other job."""
    counted: Counter[tuple[FailureClass, str]] = Counter()
    for body, jobs, unsound in connection.execute(FAILED):
        if unsound:
            raise Damaged("A milestone of a failed job is damaged; keep the journal, and put a copy back.")
        found = decode_milestone("JobFailed", 0, body)
        assert isinstance(found, JobFailed)
        counted[found.failure, found.reason] += jobs
    return dict(counted)


def money(connection: Connection) -> Money:
    """The money of the whole batch."""
    sums = dict.fromkeys(Money.__dataclass_fields__, 0)
    for _, _, what, amount in _amounts(connection, "WHERE standing = '' AND what LIKE 'money:%'"):
        sums[what.removeprefix("money:")] += amount
    return Money(**sums)


def amount(connection: Connection, key: tuple[str, str, str]) -> int | None:
    """One total (model, standing, what), None when there is none."""
    row = connection.execute(f"{_AMOUNTS} WHERE (model, standing, what) = (?, ?, ?)", key).fetchone()
    if row is None:
        return None
    _prove(row, "total")
    return int(row[3])


def amount_of_day(connection: Connection, day: str) -> int:
    """What was committed on a UTC day, in micro-USD."""
    row = connection.execute("SELECT day, committed, seal FROM days WHERE day = ?", (day,)).fetchone()
    if row is None:
        return 0
    _prove(row, "day")
    return int(row[1])


def milestones(connection: Connection) -> int:
    """How many milestones there are, counted by the newest of each job."""
    return int(connection.execute("SELECT coalesce(sum(head + 1), 0) FROM jobs").get)


def _amounts(connection: Connection, where: str) -> Iterator[Row]:
    for row in connection.execute(f"{_AMOUNTS} {where}"):
        _prove(row, "total")
        yield row[:-1]


def _prove_none_missing(connection: Connection, found: list[Row]) -> None:
    counted = sum(amount for _, _, what, amount in found if what == "rows")
    owed = connection.execute("SELECT EXISTS (SELECT 1 FROM jobs)").get
    of_jobs = any(what.startswith("jobs:") for _, _, what, _ in found)
    if counted != sum(what != "rows" for _, _, what, _ in found) or bool(owed) != of_jobs:
        raise Damaged("A total in the journal is missing; keep it, and put a copy back or ask for help.")


def _prove(row: Row, what: str) -> None:
    if seal(*row[:-1]) != row[-1]:
        raise Damaged(f"A {what} in the journal is damaged; keep it, and put a copy back or ask for help.")
