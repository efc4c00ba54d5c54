"""Milestones into a SQLite journal: each is judged as it comes, and all of a transaction are written together."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, Final, TypeAlias

import apsw

from batchgen.errors import Superseded, TaskTaken
from batchgen.journal import Caps, Entry, Progress, State, state_of
from batchgen.journal.codec import Sealable, encode_milestone, seal
from batchgen.journal.effects import Effect, Used, bounded, effect, hold_to
from batchgen.journal.rows import RUN, amount, amount_of_day, milestone, money, run
from batchgen.ledger import Money
from batchgen.lifecycle import Accepted, IllegalMilestone, JobFailed, Milestone, Stored, advance

Key: TypeAlias = tuple[str, str, str]
"""Which total: model, standing, what."""

_MONEY = tuple(each.name for each in fields(Money))
_HEAD = """
    SELECT job, position, milestones.run, at, milestones.kind, attempt, body, checksum, model, standing, changed
    FROM jobs JOIN milestones ON job = number AND position = head WHERE number = ?"""
_ADD = """
    INSERT INTO totals VALUES (?1, ?2, ?3, ?4, seal(?1, ?2, ?3, ?4))
    ON CONFLICT DO UPDATE SET amount = amount + ?4, seal = seal(model, standing, what, amount + ?4)"""
_NEW_TOTAL = "INSERT INTO totals VALUES (?, ?, ?, ?, ?)"
_TOTAL = "UPDATE totals SET amount = ?, seal = ? WHERE (model, standing, what) = (?, ?, ?)"
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


_NO_CAPS: Final = Caps()

_MOVE = """
    UPDATE jobs SET head = moved.column1, kind = moved.column2, state = moved.column3, run = moved.column4
    FROM (VALUES {}) AS moved WHERE number = moved.column5"""
_WRITE = "INSERT INTO milestones VALUES {}"

_AT_ONCE: Final = 32
"""So many rows in one statement: the interpreter's lock changes hands once for each, not once for every row."""


def record(connection: apsw.Connection, entries: Sequence[Entry], caps: Caps | None, stamp: tuple[int, float]) -> None:
    """Write entries in order, each held to the life of its job and to the caps; `stamp` is this run and the time."""
    recorder = Recorder()
    recorder.take(connection, entries, caps, stamp)
    recorder.settle(connection)


def add(connection: apsw.Connection, key: Key, amount: int) -> None:
    """Change one total."""
    if amount:
        connection.execute(_ADD, (*key, amount))


@dataclass(frozen=True, slots=True)
class _Head:
    """What is known of a job: its newest milestone, and where it is counted."""

    position: int
    milestone: Milestone
    model: str
    standing: str
    changed: bool


def _sums() -> dict[Any, int]:
    return defaultdict(int)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A milestone that may be recorded: after what it comes, what it changes, and which run began its attempt."""

    entry: Entry
    head: _Head
    effect: Effect
    begun_by: int

    @property
    def after(self) -> _Head:
        """The job with it."""
        head = self.head
        return _Head(self.entry.position, self.entry.milestone, head.model, head.standing, head.changed)


@dataclass(slots=True)
class _Taken:
    """What was taken and is not yet written; in the end it is only sums and rows."""

    heads: dict[int, _Head] = field(default_factory=dict)
    moves: dict[int, tuple[Sealable, ...]] = field(default_factory=dict)
    rows: list[tuple[Sealable, ...]] = field(default_factory=list)
    tasks: dict[str, int] = field(default_factory=dict)
    totals: dict[Key, int] = field(default_factory=_sums)
    days: dict[str, int] = field(default_factory=_sums)
    committed: dict[int, int] = field(default_factory=_sums)
    started: dict[int, int] = field(default_factory=_sums)
    exposed: int = 0
    resent: int = 0

    def take(self, judged: _Judged, stamp: tuple[int, float]) -> None:
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


class Recorder:
    """Takes milestones of a transaction against what is known of their jobs, and writes them all in `settle`.

    What it wrote itself it need not read again: that holds as long as no other connection changes the file, which
    SQLite tells (`begin`), and nobody else writes through this one (`forget`). `known` counts how often it forgot, for
    whoever reads jobs and tells it of them (`know`).
    """

    def __init__(self) -> None:
        self.known = 0
        self._heads: dict[int, _Head] = {}
        self._amounts: dict[Key, int | None] = {}
        self._version: object = None
        self._open = _Taken()
        self._sums: dict[str, int] = {}

    def begin(self, connection: apsw.Connection) -> None:
        """Begin with a transaction that has just begun."""
        version = connection.pragma("data_version")
        if version != self._version:
            self.forget()
        self._version = version
        self._open = _Taken()

    def forget(self) -> None:
        """Believe nothing that was not read again."""
        self.known += 1
        self._heads.clear()
        self._amounts.clear()
        self._sums.clear()

    def know(self, progress: Progress, known: int) -> None:
        """Be told of a job that was read since it last forgot, if `known` was the count before the reading."""
        if known == self.known:
            job = progress.job
            head = _Head(progress.position, progress.milestone, job.request.model, progress.standing, progress.changed)
            self._heads.setdefault(job.number, head)
            if known != self.known:  # the writer's thread forgot just now
                self._heads.pop(job.number, None)

    def take(
        self, connection: apsw.Connection, entries: Sequence[Entry], caps: Caps | None, stamp: tuple[int, float]
    ) -> None:
        """Take entries of one job in order, all or none.

        Raises:
            Superseded, IllegalMilestone, TaskTaken, NoHeadroom: one of them cannot be recorded.
        """
        judged: list[_Judged] = []
        for entry in entries:
            judged.append(self._judged(connection, entry, judged, (caps or _NO_CAPS, stamp)))
        for each in judged:
            self._open.take(each, stamp)

    def settle(self, connection: apsw.Connection) -> None:
        """Write all that was taken.

        Raises:
            Damaged: a total is not as it was written.
        """
        taken, self._open = self._open, _Taken()
        if not taken.rows:
            return
        _written(connection, _WRITE, taken.rows)
        _written(connection, _MOVE, list(taken.moves.values()))
        self._add(connection, taken.totals)
        connection.executemany(_ADD_TO_DAY, list(taken.days.items()))
        counted = [(taken.committed[number], started, number) for number, started in taken.started.items()]
        connection.executemany(_ADD_TO_RUN, counted)
        self._sums.clear()
        self._heads |= taken.heads
        for number, head in taken.heads.items():
            if isinstance(head.milestone, Stored | JobFailed):
                del self._heads[number]

    def _add(self, connection: apsw.Connection, totals: dict[Key, int]) -> None:
        """Write totals as they are now: they are read once, and remembered like heads."""
        new: list[tuple[Sealable, ...]] = []
        more: list[tuple[Sealable, ...]] = []
        for key, change in totals.items():
            if not change:
                continue
            if key not in self._amounts:
                self._amounts[key] = amount(connection, key)
            known = self._amounts[key]
            now = self._amounts[key] = change + (known or 0)
            if known is None:
                new.append((*key, now, seal(*key, now)))
            else:
                more.append((now, seal(*key, now), *key))
        connection.executemany(_NEW_TOTAL, new)
        connection.executemany(_TOTAL, more)

    def _judged(
        self,
        connection: apsw.Connection,
        entry: Entry,
        before: Sequence[_Judged],
        under: tuple[Caps, tuple[int, float]],
    ) -> _Judged:
        (caps, stamp), head = under, before[-1].after if before else self._head(connection, entry.job)
        if entry.position != head.position + 1:
            raise Superseded(f"Job {entry.job} has moved on to milestone {head.position}; this run lets go of it.")
        after = advance(head.milestone, entry.milestone)
        if caps.own_task:
            self._check_task(connection, entry)
        what, begun_by = effect(head.milestone, after), stamp[0]
        if what.begun < 0:
            begun_by = self._begun_by(connection, entry, stamp[0])
        judged = _Judged(entry, head, what, begun_by)
        if caps.bounding and bounded(head.milestone, after):
            hold_to(caps, after, self._used(connection, (*before, judged), stamp[0]))
        return judged

    def _head(self, connection: apsw.Connection, job: int) -> _Head:
        known = self._open.heads.get(job) or self._heads.get(job)
        if known is not None:
            return known
        row = connection.execute(_HEAD, (job,)).fetchone()
        if row is None:
            raise IllegalMilestone(f"There is no job {job} in this journal")
        return _Head(row[1], milestone(row[:8]), str(row[8]), str(row[9]), bool(row[10]))

    def _check_task(self, connection: apsw.Connection, entry: Entry) -> None:
        match entry.milestone:
            case Accepted(task_id=str(task_id)):
                holder = self._open.tasks.get(task_id, entry.job)
                found = connection.execute(_TASK_OF_ANOTHER, (task_id, entry.job)).fetchone()
                if holder != entry.job or found is not None:
                    raise TaskTaken

    def _begun_by(self, connection: apsw.Connection, entry: Entry, this_run: int) -> int:
        """The run that began an attempt which is now proven not taken, and gets it back."""
        self.settle(connection)
        found = connection.execute(_BEGUN_BY, (entry.job, entry.position)).get
        return this_run if found is None else int(found)

    def _used(self, connection: apsw.Connection, judged: Sequence[_Judged], this_run: int) -> Used:
        """What stands against the caps with what was taken so far, and with these."""
        open_, day, moved = self._open, judged[-1].effect.day, [each.effect.money for each in judged]
        mine = [each for each in judged if each.effect.begun and each.begun_by == this_run]
        return Used(
            self._sum("exposed", lambda: money(connection).exposed)
            + open_.exposed
            + sum(each.exposed for each in moved),
            self._sum(day, lambda: amount_of_day(connection, day))
            + open_.days.get(day, 0)
            + sum(each.effect.money.committed for each in judged if each.effect.day == day),
            self._sum("committed", lambda: run(connection, this_run).committed)
            + open_.committed.get(this_run, 0)
            + sum(each.effect.money.committed for each in mine),
            self._sum("started", lambda: run(connection, this_run).started)
            + open_.started.get(this_run, 0)
            + sum(each.effect.begun for each in mine),
            self._sum("resent", lambda: money(connection).resent) + open_.resent + sum(each.resent for each in moved),
        )

    def _sum(self, name: str, read: Callable[[], int]) -> int:
        """What the file says, read once in a transaction."""
        if name not in self._sums:
            self._sums[name] = read()
        return self._sums[name]


def _written(connection: apsw.Connection, statement: str, rows: Sequence[tuple[Sealable, ...]]) -> None:
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
