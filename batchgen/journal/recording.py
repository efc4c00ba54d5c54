"""Milestones into a SQLite journal: what is written for each, inside a transaction that somebody else commits."""

from collections.abc import Iterator, Sequence
from dataclasses import fields

import apsw

from batchgen.errors import Superseded, TaskTaken
from batchgen.journal import Caps, Entry, state_of
from batchgen.journal.codec import encode_milestone, seal
from batchgen.journal.effects import Effect, Used, bounded, effect, hold_to
from batchgen.journal.rows import RUN, amount_of_day, milestone, money, run
from batchgen.ledger import Money
from batchgen.lifecycle import Accepted, IllegalMilestone, Milestone, advance

_MONEY = tuple(each.name for each in fields(Money))
_HEAD = """
    SELECT job, position, milestones.run, at, milestones.kind, attempt, body, checksum, model, standing, changed
    FROM jobs JOIN milestones ON job = number AND position = head WHERE number = ?"""
_ADD = """
    INSERT INTO totals VALUES (?1, ?2, ?3, ?4, seal(?1, ?2, ?3, ?4))
    ON CONFLICT DO UPDATE SET amount = amount + ?4, seal = seal(model, standing, what, amount + ?4)"""
_ADD_TO_DAY = """
    INSERT INTO days VALUES (?1, ?2, seal(?1, ?2))
    ON CONFLICT DO UPDATE SET committed = committed + ?2, seal = seal(day, committed + ?2)"""
_ADD_TO_RUN = f"""
    UPDATE runs SET committed = committed + ?1, started = started + ?2,
        seal = seal({RUN.replace("committed", "committed + ?1").replace("started", "started + ?2")})
    WHERE number = ?3"""  # noqa: S608  # columns named in the program
_BEGUN_BY = """
    SELECT run FROM milestones WHERE job = ?1 AND position > (
        SELECT max(position) FROM milestones
        WHERE job = ?1 AND position < ?2 AND kind IN ('Planned', 'AttemptFailed'))
    ORDER BY position LIMIT 1"""

_TASK_OF_ANOTHER = """
    SELECT 1 FROM milestones WHERE kind = 'Accepted'
    AND iif(json_valid(body), json_extract(body, '$.task_id'), NULL) = ? AND job <> ? LIMIT 1"""


def record(connection: apsw.Connection, entries: Sequence[Entry], caps: Caps | None, stamp: tuple[int, float]) -> None:
    """Write entries in order, each held to the life of its job and to the caps; `stamp` is this run and the time."""
    for entry in entries:
        _record(connection, entry, caps or Caps(), stamp)
        if caps is not None and caps.own_task:
            _check_task(connection, entry)


def _check_task(connection: apsw.Connection, entry: Entry) -> None:
    match entry.milestone:
        case Accepted(task_id=str(task_id)):
            if connection.execute(_TASK_OF_ANOTHER, (task_id, entry.job)).fetchone() is not None:
                raise TaskTaken


def add(connection: apsw.Connection, key: tuple[str, str, str], amount: int) -> None:
    """Change one total (model, standing, what)."""
    if amount:
        connection.execute(_ADD, (*key, amount))


def _record(connection: apsw.Connection, entry: Entry, caps: Caps, stamp: tuple[int, float]) -> None:
    row = connection.execute(_HEAD, (entry.job,)).fetchone()
    if row is None:
        raise IllegalMilestone(f"There is no job {entry.job} in this journal")
    if entry.position != row[1] + 1:
        raise Superseded(f"Job {entry.job} has moved on to milestone {row[1]}; this run lets go of it.")
    before = milestone(row[:8])
    after = advance(before, entry.milestone)
    _write(connection, entry, stamp)
    what = effect(before, after)
    for key, amount in _changes(row[8:], before, after, what.money):
        add(connection, key, amount)
    if what.begun:
        _count(connection, entry, what, stamp[0])
    if bounded(before, after):
        hold_to(caps, after, _used(connection, what, stamp[0]))


def _write(connection: apsw.Connection, entry: Entry, stamp: tuple[int, float]) -> None:
    kind, state = type(entry.milestone).__name__, state_of(entry.milestone)
    row = (entry.job, entry.position, *stamp, kind, entry.milestone.attempt, encode_milestone(entry.milestone))
    connection.execute("INSERT INTO milestones VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*row, seal(*row)))
    connection.execute(
        "UPDATE jobs SET head = ?, kind = ?, state = ?, run = ? WHERE number = ?",
        (entry.position, kind, state, stamp[0], entry.job),
    )


def _changes(
    job: Sequence[str | int], before: Milestone, after: Milestone, moved: Money
) -> Iterator[tuple[tuple[str, str, str], int]]:
    model, standing, changed = str(job[0]), str(job[1]), job[2]
    old, new = state_of(before), state_of(after)
    if old != new:
        yield (model, standing, f"jobs:{old}"), -1
        yield (model, standing, f"jobs:{new}"), 1
        if changed:
            yield (model, standing, "kept"), (new == "stored") - (old == "stored")
    for name in _MONEY:
        yield (model, "", f"money:{name}"), getattr(moved, name)


def _count(connection: apsw.Connection, entry: Entry, what: Effect, this_run: int) -> None:
    """Count an attempt with its day and run; one proven not taken is given back to the run that had begun it."""
    begun_by = this_run if what.begun > 0 else connection.execute(_BEGUN_BY, (entry.job, entry.position)).get
    connection.execute(_ADD_TO_DAY, (what.day, what.money.committed))
    connection.execute(_ADD_TO_RUN, (what.money.committed, what.begun, begun_by))


def _used(connection: apsw.Connection, what: Effect, this_run: int) -> Used:
    sums, now = money(connection), run(connection, this_run)
    return Used(sums.exposed, amount_of_day(connection, what.day), now.committed, now.started, sums.resent)
