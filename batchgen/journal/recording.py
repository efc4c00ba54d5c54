"""Milestones into a SQLite journal: each is judged as it comes, and all of a transaction are written together."""

from collections.abc import Callable, Sequence
from typing import Final

from batchgen.errors import Superseded, TaskTaken
from batchgen.journal import Caps, Entry, Progress
from batchgen.journal.codec import Sealable, seal
from batchgen.journal.database import Connection
from batchgen.journal.effects import Used, bounded, effect, hold_to
from batchgen.journal.rows import amount, amount_of_day, milestone, money, run
from batchgen.journal.taken import Head, Judged, Key, Taken
from batchgen.lifecycle import Accepted, IllegalMilestone, JobFailed, Stored, advance

_HEAD = """
    SELECT job, position, milestones.run, at, milestones.kind, attempt, body, checksum, model, standing, changed
    FROM jobs JOIN milestones ON job = number AND position = head WHERE number = ?"""
_ADD = """
    INSERT INTO totals VALUES (?1, ?2, ?3, ?4, seal(?1, ?2, ?3, ?4))
    ON CONFLICT (model, standing, what)
    DO UPDATE SET amount = totals.amount + ?4,
        seal = seal(totals.model, totals.standing, totals.what, totals.amount + ?4)"""
_NEW_TOTAL = "INSERT INTO totals VALUES (?, ?, ?, ?, ?)"
_TOTAL = "UPDATE totals SET amount = ?, seal = ? WHERE (model, standing, what) = (?, ?, ?)"
_BEGUN_BY = """
    SELECT run FROM milestones WHERE job = ?1 AND position > (
        SELECT max(position) FROM milestones
        WHERE job = ?1 AND position < ?2 AND kind IN ('Planned', 'AttemptFailed'))
    ORDER BY position LIMIT 1"""

_TASK_OF_ANOTHER = """
    SELECT 1 FROM milestones WHERE kind = 'Accepted'
    AND iif(json_valid(body), json_extract(body, '$.task_id'), NULL) = ? AND job <> ? LIMIT 1"""


_NO_CAPS: Final = Caps()


def record(connection: Connection, entries: Sequence[Entry], caps: Caps | None, stamp: tuple[int, float]) -> None:
    """Write entries in order, each held to the life of its job and to the caps; `stamp` is this run and the time."""
    recorder = Recorder()
    recorder.take(connection, entries, caps, stamp)
    recorder.settle(connection)


def add(connection: Connection, key: Key, amount: int) -> None:
    """Change one total."""
    if amount:
        connection.execute(_ADD, (*key, amount))


class Recorder:
    """Takes milestones of a transaction against what is known of their jobs, and writes them all in `settle`.

    What it wrote itself it need not read again: that holds as long as no other connection changes the file, which
    `version` tells (asked in `begin`), and nobody else writes through this one (`forget`). Other processes of the same
    run may write, of which `others` tells: amounts are read again then, and a job that one of them has moved on betrays
    itself, as its next milestone is there already. `known` counts how often it forgot, for whoever reads jobs and tells
    it of them (`know`).
    """

    def __init__(
        self, version: Callable[[], object] = lambda: None, others: Callable[[], object] = lambda: None
    ) -> None:
        self.known = 0
        self._told = version
        self._others = others
        self._by_others: object = None
        self._heads: dict[int, Head] = {}
        self._amounts: dict[Key, int | None] = {}
        self._version: object = None
        self._open = Taken()
        self._sums: dict[str, int] = {}

    def begin(self, connection: Connection) -> None:  # noqa: ARG002  # what was remembered is asked for elsewhere
        """Begin with a transaction that has just begun."""
        version = self._told()
        if version != self._version:
            self.forget()
        others = self._others()
        if others != self._by_others:
            self._amounts.clear()
            self._sums.clear()
        self._version, self._by_others = version, others
        self._open = Taken()

    def forget(self) -> None:
        """Believe nothing that was not read again."""
        self.known += 1
        self._heads.clear()
        self._amounts.clear()
        self._sums.clear()

    def know(self, progress: Progress, known: int) -> None:
        """Be told of a job that was read since it last forgot, if `known` was the count before the reading."""
        job = progress.job
        head = Head(progress.position, progress.milestone, job.request.model, progress.standing, progress.changed)
        self._heads.setdefault(job.number, head)
        if known != self.known:  # asked last: the writer's thread may forget at any moment
            self._heads.pop(job.number, None)

    def take(
        self, connection: Connection, entries: Sequence[Entry], caps: Caps | None, stamp: tuple[int, float]
    ) -> None:
        """Take entries of one job in order, all or none.

        Raises:
            Superseded, IllegalMilestone, TaskTaken, NoHeadroom: one of them cannot be recorded.
        """
        judged: list[Judged] = []
        for entry in entries:
            judged.append(self._judged(connection, entry, judged, (caps or _NO_CAPS, stamp)))
        for each in judged:
            self._open.take(each, stamp)

    def settle(self, connection: Connection) -> None:
        """Write all that was taken.

        Raises:
            Damaged: a total is not as it was written.
        """
        taken, self._open = self._open, Taken()
        if not taken.rows:
            return
        taken.write(connection)
        self._add(connection, taken.totals)
        self._sums.clear()
        self._heads |= taken.heads
        for number, head in taken.heads.items():
            if isinstance(head.milestone, Stored | JobFailed):
                del self._heads[number]

    def _add(self, connection: Connection, totals: dict[Key, int]) -> None:
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
        connection: Connection,
        entry: Entry,
        before: Sequence[Judged],
        under: tuple[Caps, tuple[int, float]],
    ) -> Judged:
        (caps, stamp), head = under, before[-1].after if before else self._head(connection, entry)
        if entry.position != head.position + 1:
            raise Superseded(f"Job {entry.job} has moved on to milestone {head.position}; this run lets go of it.")
        after = advance(head.milestone, entry.milestone)
        if caps.own_task:
            self._check_task(connection, entry)
        what, begun_by = effect(head.milestone, after), stamp[0]
        if what.begun < 0:
            begun_by = self._begun_by(connection, entry, stamp[0])
        judged = Judged(entry, head, what, begun_by)
        if caps.bounding and bounded(head.milestone, after):
            hold_to(caps, after, self._used(connection, (*before, judged), stamp[0]))
        return judged

    def _head(self, connection: Connection, entry: Entry) -> Head:
        taken, known = self._open.heads.get(entry.job), self._heads.get(entry.job)
        if taken is not None:
            return taken
        if known is not None and known.position + 1 == entry.position:  # else others may have moved it on since
            return known
        row = connection.execute(_HEAD, (entry.job,)).fetchone()
        if row is None:
            raise IllegalMilestone(f"There is no job {entry.job} in this journal")
        return Head(row[1], milestone(row[:8]), str(row[8]), str(row[9]), bool(row[10]))

    def _check_task(self, connection: Connection, entry: Entry) -> None:
        match entry.milestone:
            case Accepted(task_id=str(task_id)):
                holder = self._open.tasks.get(task_id, entry.job)
                found = connection.execute(_TASK_OF_ANOTHER, (task_id, entry.job)).fetchone()
                if holder != entry.job or found is not None:
                    raise TaskTaken

    def _begun_by(self, connection: Connection, entry: Entry, this_run: int) -> int:
        """The run that began an attempt which is now proven not taken, and gets it back."""
        self.settle(connection)
        found = connection.execute(_BEGUN_BY, (entry.job, entry.position)).get
        return this_run if found is None else int(found)

    def _used(self, connection: Connection, judged: Sequence[Judged], this_run: int) -> Used:
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
