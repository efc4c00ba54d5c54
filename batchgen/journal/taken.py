"""What is taken into a transaction of the journal: milestones that were judged, as rows and sums to be written."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, Final, TypeAlias

from batchgen.journal import Entry, State, state_of
from batchgen.journal.codec import Sealable, encode_milestone, seal
from batchgen.journal.database import Connection
from batchgen.journal.effects import Effect
from batchgen.journal.rows import RUN
from batchgen.ledger import Money
from batchgen.lifecycle import Accepted, Milestone

Key: TypeAlias = tuple[str, str, str]
"""Which total: model, standing, what."""

_MONEY = tuple(each.name for each in fields(Money))
_ADD_TO_DAY = """
    INSERT INTO days VALUES (?1, ?2, seal(?1, ?2))
    ON CONFLICT (day)
    DO UPDATE SET committed = days.committed + ?2, seal = seal(days.day, days.committed + ?2)"""
_ADD_TO_RUN = f"""
    UPDATE runs SET committed = committed + ?1, started = started + ?2,
        seal = seal({RUN.replace("committed", "committed + ?1").replace("started", "started + ?2")})
    WHERE number = ?3"""  # noqa: S608  # columns named in the program
_MOVE = """
    UPDATE jobs SET head = moved.column1, kind = moved.column2, state = moved.column3, run = moved.column4
    FROM (VALUES {}) AS moved WHERE number = moved.column5"""
_WRITE = "INSERT INTO milestones VALUES {}"

_AT_ONCE: Final = 32
"""So many rows in one statement: the interpreter's lock changes hands once for each, not once for every row."""


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a job: its newest milestone, and where it is counted."""

    position: int
    milestone: Milestone
    model: str
    standing: str
    changed: bool


def _sums() -> dict[Any, int]:
    return defaultdict(int)


@dataclass(frozen=True, slots=True)
class Judged:
    """A milestone that may be recorded: after what it comes, what it changes, and which run began its attempt."""

    entry: Entry
    head: Head
    effect: Effect
    begun_by: int

    @property
    def after(self) -> Head:
        """The job with it."""
        head = self.head
        return Head(self.entry.position, self.entry.milestone, head.model, head.standing, head.changed)


@dataclass(slots=True)
class Taken:
    """What was taken and is not yet written; in the end it is only sums and rows."""

    heads: dict[int, Head] = field(default_factory=dict)
    moves: dict[int, tuple[Sealable, ...]] = field(default_factory=dict)
    rows: list[tuple[Sealable, ...]] = field(default_factory=list)
    tasks: dict[str, int] = field(default_factory=dict)
    totals: dict[Key, int] = field(default_factory=_sums)
    days: dict[str, int] = field(default_factory=_sums)
    committed: dict[int, int] = field(default_factory=_sums)
    started: dict[int, int] = field(default_factory=_sums)
    exposed: int = 0
    resent: int = 0

    def take(self, judged: Judged, stamp: tuple[int, float]) -> None:
        """Take one."""
        entry, head, effect = judged.entry, judged.head, judged.effect
        milestone = entry.milestone
        kind, old, new = type(milestone).__name__, state_of(head.milestone), state_of(milestone)
        row = (entry.job, entry.position, *stamp, kind, milestone.attempt, encode_milestone(milestone))
        self.rows.append((*row, seal(*row)))
        self.moves[entry.job] = (entry.position, kind, new, stamp[0], entry.job)
        self.heads[entry.job] = judged.after
        if isinstance(milestone, Accepted) and milestone.task_id is not None:
            self.tasks[milestone.task_id] = entry.job
        for key, change in _changes((head.model, head.standing, head.changed), (old, new), effect.money):
            self.totals[key] += change
        self.exposed += effect.money.exposed
        self.resent += effect.money.resent
        if effect.begun:
            self.days[effect.day] += effect.money.committed
            self.committed[judged.begun_by] += effect.money.committed
            self.started[judged.begun_by] += effect.begun

    def write(self, connection: Connection) -> None:
        """Write all of it but the totals."""
        _written(connection, _WRITE, self.rows)
        _written(connection, _MOVE, list(self.moves.values()))
        connection.executemany(_ADD_TO_DAY, list(self.days.items()))
        counted = [(self.committed[number], started, number) for number, started in self.started.items()]
        connection.executemany(_ADD_TO_RUN, counted)


def _written(connection: Connection, statement: str, rows: Sequence[tuple[Sealable, ...]]) -> None:
    """Write rows, many with one statement."""
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        row = f"({','.join('?' * len(some[0]))})"
        connection.execute(statement.format(",".join([row] * len(some))), [value for each in some for value in each])


@lru_cache(4096)
def _changes(where: tuple[str, str, bool], states: tuple[State, State], moved: Money) -> tuple[tuple[Key, int], ...]:
    """Which totals a milestone changes, for a job of this model, standing and change, and by how much."""
    (model, standing, changed), (old, new) = where, states
    found: list[tuple[Key, int]] = []
    if old != new:
        found += [((model, standing, f"jobs:{old}"), -1), ((model, standing, f"jobs:{new}"), 1)]
        if changed:
            found.append(((model, standing, "kept"), (new == "stored") - (old == "stored")))
    found += [((model, "", f"money:{name}"), getattr(moved, name)) for name in _MONEY]
    return tuple((key, change) for key, change in found if change)
