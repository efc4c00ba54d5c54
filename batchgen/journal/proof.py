"""The whole proof of a SQLite journal: its file, its tables, every newest milestone, and the sums that follow.

It reads everything, about a second for each hundred thousand jobs. What it does not prove is every older milestone;
those are read by `verify` alone.
"""

from typing import Final

import apsw

from batchgen.errors import Damaged
from batchgen.journal import owing, rows
from batchgen.journal.database import Connection
from batchgen.journal.folding import Sums
from batchgen.journal.reading import reading
from batchgen.journal.schema import TABLES
from batchgen.ledger import Money
from batchgen.lifecycle import IllegalMilestone, Milestone, advance

ENDED: Final = "ended"
"""The total that a run leaves at its end: how many milestones there are, under the run's number."""

_ADVICE: Final = "keep it, and try `batchgen verify --repair`, or put a copy back."

_LIVES: Final = """
    SELECT job, position, milestones.run, at, milestones.kind, attempt, body, checksum, model
    FROM milestones JOIN jobs ON number = job ORDER BY job, position"""
_MONEY: Final = "SELECT model, substr(what, 7), amount FROM totals WHERE what LIKE 'money:%'"
_NAMES: Final = tuple(Money.__dataclass_fields__)

_UNSOUND: Final = (
    "SELECT count(*) FROM rows WHERE proof IS NOT seal(key, line, name, cells)",
    "SELECT count(*) FROM jobs WHERE input IS NOT NULL AND input NOT IN (SELECT key FROM rows)",
    "SELECT count(*) FROM redone WHERE seal IS NOT seal(run, job, position)",
    "SELECT count(*) FROM days WHERE seal IS NOT seal(day, committed)",
)


def prove(connection: apsw.Connection, path: str) -> int:
    """Hold everything that a run relies on against how it was written; returns the number of milestones.

    Raises:
        Damaged: something is not.
    """
    with reading(path), connection:  # a run may go on meanwhile
        # Not quick_check, which would believe an index that has lost a job.
        if connection.pragma("integrity_check") != "ok":
            raise Damaged(f"{path} is damaged; {_ADVICE}")
        prove_tables(connection, path)
        if any(connection.execute(each).get for each in _UNSOUND):
            raise Damaged(f"{path} has rows that are not as they were written; {_ADVICE}")
        count = prove_rows(connection, path)
    return count  # noqa: RET504  # mypy takes a connection for one that may swallow what is raised in it


def prove_lives(connection: Connection, path: str) -> None:
    """Hold every milestone against its seal and the one before it, and all sums of money against their own addition.

    Raises:
        Damaged: one of them is not as it was written.
    """
    with connection:  # a run may go on meanwhile
        _prove_lives(connection, path)


def _prove_lives(connection: Connection, path: str) -> None:
    sums, life, model = Sums(), [], ""  # type: tuple[Sums, list[tuple[Milestone, int]], str]
    for *row, of in connection.execute(_LIVES):
        found = rows.milestone(tuple(row))
        if row[1] == 0:
            sums.add(model, life)
            life, model = [], of
        elif not life or row[1] != len(life):
            raise Damaged(f"{path} lacks a milestone of job {row[0]}; {_ADVICE}")
        life.append((_following(life, found, path), row[2]))
    sums.add(model, life)
    told = {key: value for *key_, value in connection.execute(_MONEY) for key in [tuple(key_)]}
    mine = {(model, name): getattr(money, name) for model, money in sums.money.items() for name in _NAMES}
    days = dict(connection.execute("SELECT day, committed FROM days"))
    if any(told.get(key, 0) != mine.get(key, 0) for key in told | mine) or days != dict(sums.days):
        raise Damaged(f"{path} has sums of money that contradict its milestones; {_ADVICE}")


def _following(life: list[tuple[Milestone, int]], found: Milestone, path: str) -> Milestone:
    try:
        return advance(life[-1][0], found) if life else found
    except IllegalMilestone as illegal:
        raise Damaged(f"{path} holds a life that cannot be ({illegal}); {_ADVICE}") from illegal


def prove_tables(connection: Connection, path: str) -> None:
    """Make sure that the journal has its tables, guards and indexes, and nothing else.

    Raises:
        Damaged: it has not.
    """
    written = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")}
    if written != set(TABLES):
        raise Damaged(f"{path} does not have the tables of a journal; {_ADVICE}")


def milestones_at_end(connection: Connection) -> int | None:
    """How many milestones the last run left; None when it has no end, or left no such mark."""
    last = connection.execute("SELECT number, ended FROM runs ORDER BY number DESC LIMIT 1").fetchone()
    if last is None or last[1] is None:
        return None
    return rows.amount(connection, (str(last[0]), "", ENDED))


def mark_end(connection: Connection, run: int, milestones: int) -> None:
    """Leave the mark of a run that ends in order, so that the next one need not prove everything."""
    connection.execute("DELETE FROM totals WHERE what = ?", (ENDED,))
    row = (str(run), "", ENDED, milestones)
    connection.execute("INSERT INTO totals VALUES (?1, ?2, ?3, ?4, seal(?1, ?2, ?3, ?4))", row)


def prove_rows(connection: Connection, path: str) -> int:
    """Hold every head against its milestone, every run, the totals against a recount; returns how many milestones.

    Raises:
        Damaged: one of them is not as it was written.
    """
    count = 0
    for row in connection.execute(f"{rows.PROGRESS} ORDER BY number"):
        rows.prove(row)
        count += row[rows.HEAD] + 1
    rows.runs(connection)
    rows.totals(connection)
    told = set(
        connection.execute("SELECT model, standing, what, amount FROM totals WHERE standing <> '' AND amount <> 0")
    )
    written = int(connection.execute("SELECT count(*) FROM milestones").get)
    if count != written or told != set(connection.execute(owing.RECOUNT)):
        raise Damaged(f"{path} has sums that contradict its jobs; {_ADVICE}")
    return written
