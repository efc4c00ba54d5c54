"""Milestones into a SQLite journal: each is judged as it comes, and all of a transaction are written together."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias, TypeVar

import apsw

from batchgen.errors import Superseded, TaskTaken
from batchgen.journal import Caps, Entry, state_of
from batchgen.journal.codec import Sealable, encode_milestone, seal
from batchgen.journal.effects import Effect, Used, bounded, effect, hold_to
from batchgen.journal.rows import RUN, amount_of_day, milestone, money, run
from batchgen.ledger import Money
from batchgen.lifecycle import Accepted, IllegalMilestone, JobFailed, Milestone, Stored, advance

Name = TypeVar("Name")
Key: TypeAlias = tuple[str, str, str]
"""Which total: model, standing, what."""

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


_MOVE = "UPDATE jobs SET head = ?, kind = ?, state = ?, run = ? WHERE number = ?"
_WRITE = "INSERT INTO milestones VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


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

    def join(self, others: "_Taken") -> None:
        """Take over what others hold; they came later."""
        self.heads |= others.heads
        self.moves |= others.moves
        self.rows += others.rows
        self.tasks |= others.tasks
        _gather(self.totals, others.totals)
        _gather(self.days, others.days)
        _gather(self.committed, others.committed)
        _gather(self.started, others.started)

    def money(self, name: str) -> int:
        """One sum of money over all models."""
        return sum(amount for (_, _, what), amount in self.totals.items() if what == f"money:{name}")


class Recorder:
    """Takes milestones of a transaction against what is known of their jobs, and writes them all in `settle`.

    What it wrote itself it need not read again: that holds as long as no other connection changes the file, which
    SQLite tells (`begin`), and nobody else writes through this one (`forget`).
    """

    def __init__(self) -> None:
        self._heads: dict[int, _Head] = {}
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
        self._heads.clear()
        self._sums.clear()

    def take(
        self, connection: apsw.Connection, entries: Sequence[Entry], caps: Caps | None, stamp: tuple[int, float]
    ) -> None:
        """Take entries in order, all or none.

        Raises:
            Superseded, IllegalMilestone, TaskTaken, NoHeadroom: one of them cannot be recorded.
        """
        taken, caps = _Taken(), caps or Caps()
        for entry in entries:
            self._one(connection, entry, (caps, stamp), taken)
        self._open.join(taken)

    def settle(self, connection: apsw.Connection) -> None:
        """Write all that was taken."""
        taken, self._open = self._open, _Taken()
        if not taken.rows:
            return
        connection.executemany(_WRITE, taken.rows)
        connection.executemany(_MOVE, list(taken.moves.values()))
        for key, amount in taken.totals.items():
            add(connection, key, amount)
        connection.executemany(_ADD_TO_DAY, list(taken.days.items()))
        counted = [(taken.committed[number], started, number) for number, started in taken.started.items()]
        connection.executemany(_ADD_TO_RUN, counted)
        self._sums.clear()
        self._heads |= taken.heads
        for number, head in taken.heads.items():
            if isinstance(head.milestone, Stored | JobFailed):
                del self._heads[number]

    def _one(
        self, connection: apsw.Connection, entry: Entry, under: tuple[Caps, tuple[int, float]], taken: _Taken
    ) -> None:
        (caps, stamp), head = under, taken.heads.get(entry.job) or self._head(connection, entry.job)
        if entry.position != head.position + 1:
            raise Superseded(f"Job {entry.job} has moved on to milestone {head.position}; this run lets go of it.")
        before, after = head.milestone, advance(head.milestone, entry.milestone)
        if caps.own_task:
            self._check_task(connection, entry, taken)
        _write(taken, entry, stamp)
        taken.heads[entry.job] = _Head(entry.position, after, head.model, head.standing, head.changed)
        what = effect(before, after)
        for key, amount in _changes(head, before, after, what.money):
            taken.totals[key] += amount
        if what.begun:
            begun_by = stamp[0] if what.begun > 0 else self._begun_by(connection, entry, stamp[0])
            taken.days[what.day] += what.money.committed
            taken.committed[begun_by] += what.money.committed
            taken.started[begun_by] += what.begun
        if caps.bounding and bounded(before, after):
            hold_to(caps, after, self._used(connection, taken, what, stamp[0]))

    def _head(self, connection: apsw.Connection, job: int) -> _Head:
        known = self._open.heads.get(job) or self._heads.get(job)
        if known is not None:
            return known
        row = connection.execute(_HEAD, (job,)).fetchone()
        if row is None:
            raise IllegalMilestone(f"There is no job {job} in this journal")
        return _Head(row[1], milestone(row[:8]), str(row[8]), str(row[9]), bool(row[10]))

    def _check_task(self, connection: apsw.Connection, entry: Entry, taken: _Taken) -> None:
        match entry.milestone:
            case Accepted(task_id=str(task_id)):
                holder = self._open.tasks.get(task_id, entry.job)
                found = connection.execute(_TASK_OF_ANOTHER, (task_id, entry.job)).fetchone()
                if holder != entry.job or found is not None:
                    raise TaskTaken
                taken.tasks[task_id] = entry.job

    def _begun_by(self, connection: apsw.Connection, entry: Entry, this_run: int) -> int:
        """The run that began an attempt which is now proven not taken, and gets it back."""
        self.settle(connection)
        found = connection.execute(_BEGUN_BY, (entry.job, entry.position)).get
        return this_run if found is None else int(found)

    def _used(self, connection: apsw.Connection, taken: _Taken, what: Effect, this_run: int) -> Used:
        """What stands against the caps with what was taken so far."""
        both = self._open, taken
        exposed = sum(each.money(name) for each in both for name in ("spent", "reserved", "in_doubt"))
        return Used(
            exposed + self._sum("exposed", lambda: money(connection).exposed),
            sum(each.days[what.day] for each in both)
            + self._sum(what.day, lambda: amount_of_day(connection, what.day)),
            sum(each.committed[this_run] for each in both)
            + self._sum("committed", lambda: run(connection, this_run).committed),
            sum(each.started[this_run] for each in both)
            + self._sum("started", lambda: run(connection, this_run).started),
            sum(each.money("resent") for each in both) + self._sum("resent", lambda: money(connection).resent),
        )

    def _sum(self, name: str, read: Callable[[], int]) -> int:
        """What the file says, read once in a transaction."""
        if name not in self._sums:
            self._sums[name] = read()
        return self._sums[name]


def _gather(into: dict[Name, int], amounts: dict[Name, int]) -> None:
    for name, amount in amounts.items():
        into[name] += amount


def _write(taken: _Taken, entry: Entry, stamp: tuple[int, float]) -> None:
    kind, state = type(entry.milestone).__name__, state_of(entry.milestone)
    row = (entry.job, entry.position, *stamp, kind, entry.milestone.attempt, encode_milestone(entry.milestone))
    taken.rows.append((*row, seal(*row)))
    taken.moves[entry.job] = (entry.position, kind, state, stamp[0], entry.job)


def _changes(head: _Head, before: Milestone, after: Milestone, moved: Money) -> Iterator[tuple[Key, int]]:
    model, standing = head.model, head.standing
    old, new = state_of(before), state_of(after)
    if old != new:
        yield (model, standing, f"jobs:{old}"), -1
        yield (model, standing, f"jobs:{new}"), 1
        if head.changed:
            yield (model, standing, "kept"), (new == "stored") - (old == "stored")
    for name in _MONEY:
        if amount := getattr(moved, name):
            yield (model, "", f"money:{name}"), amount
