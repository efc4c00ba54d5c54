"""The journal in a SQLite file: one run writes it under a lock, the disk has every milestone before it is believed."""

import json
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Final, TypeVar

import anyio
import apsw

import batchgen
from batchgen.job import Draft
from batchgen.journal import (
    Caps,
    Choice,
    Comparison,
    Entry,
    Identity,
    Progress,
    Redo,
    Totals,
    epoch,
    lock,
    opening,
    owing,
    recording,
    rows,
)
from batchgen.journal.choosing import PAGE, UNDER_WAY, goes_on
from batchgen.journal.codec import seal
from batchgen.journal.commits import Commits
from batchgen.journal.record import reading
from batchgen.journal.schema import Machine, connect_to_read, read_identity, whoami
from batchgen.terms import Terms

Result = TypeVar("Result")

_log = logging.getLogger(__name__)

_UNDER_WAY = """{} WHERE jobs.kind = '{}' AND jobs.run <> ?1 AND number > ?2 ORDER BY number LIMIT ?3"""
_TO_BUY = """{} WHERE standing = 'current' AND jobs.kind IN ('Planned', 'AttemptFailed')
    AND (jobs.run <> ?1 OR head = 0
        OR EXISTS (SELECT 1 FROM redone WHERE redone.run = ?1 AND redone.job = number AND redone.position = head))
    AND place > ?2 ORDER BY place LIMIT ?3"""
# What this run wrote itself is being carried by somebody; only what it planned first is still nobody's, and what it
# was told to do again, until a worker has moved it. Since every
# step of a worker moves a job out of these sets for good, none is handed out twice, however the pages fall.
_PAGES: Final = (
    *((_UNDER_WAY.format(rows.ENTRIES, kind), 0) for kind in UNDER_WAY),
    (_TO_BUY.format(rows.ENTRIES), 7),
)


@dataclass(frozen=True, slots=True)
class _Opened:
    path: str
    machine: Machine
    lock: int
    writer: apsw.Connection
    reader: apsw.Connection
    identity: Identity
    milestones: int
    run: int
    killed_before: bool
    file: tuple[int, int] | None


@asynccontextmanager
async def open_journal(
    path: str,
    identity: Identity | None,
    *,
    verb: str,
    also_known_as: frozenset[str] = frozenset(),
    machine: Machine | None = None,
) -> AsyncIterator["SqliteJournal"]:
    """Take the batch's lock, make or prove its journal and begin a run; without an `end` the run was killed.

    `identity` is whose journal it must be; a new one is made with its batch id, an old one keeps its own. None takes
    a journal as it is. `also_known_as` are other names of the provider.

    Raises:
        HeldElsewhere: another run has it.
        Foreign: of another batch or provider, a newer format, or an older copy of itself.
        Damaged: something in it is not as it was written; nothing was changed.
        OSError: the folder cannot be made or written.
    """
    machine = machine or Machine()
    prove = partial(opening.opened, identity=identity, also_known_as=also_known_as, machine=machine)
    journal = SqliteJournal(await anyio.to_thread.run_sync(partial(_open, path, prove, machine, verb)))
    try:
        yield journal
    finally:
        await journal.close()


class SqliteJournal:
    """A Journal over a file, from `open_journal`."""

    def __init__(self, opened: _Opened) -> None:
        self._opened = opened
        self._identity = opened.identity
        self._milestones = opened.milestones
        self._told_at = opened.machine.clock()
        self._reading = anyio.CapacityLimiter(1)
        self._commits = Commits(opened.writer, self._after_commit)

    @property
    def identity(self) -> Identity:
        """Whose journal this is."""
        return self._identity

    @property
    def run(self) -> int:
        """The number of this run."""
        return self._opened.run

    @property
    def killed_before(self) -> bool:
        """Whether the run before this one has no end."""
        return self._opened.killed_before

    async def owe(
        self, drafts: Iterable[Draft], inputs: str, redo: Redo | None = None, choice: Choice | None = None
    ) -> Comparison:
        """Make the journal owe exactly this whole expansion; the drafts are drawn in another thread."""

        def work(connection: apsw.Connection) -> tuple[Comparison, int]:
            return owing.owe(connection, drafts, inputs, owing.Wish(redo, choice), self._stamp())

        comparison, added = await self._commits.do(work)
        self._milestones += added
        self._identity = replace(self._identity, inputs=inputs)
        return comparison

    async def unfinished(self, terms: Terms) -> AsyncIterator[Progress]:
        """The jobs to carry on, each once, read a page at a time."""
        for query, column in _PAGES:
            last, entries = -1, rows.Entries()
            while page := await self._read(partial(_page, query=query, bindings=(self.run, last, PAGE))):
                last = page[-1][column]
                now = self._opened.machine.clock()
                for progress in map(entries.progress, page):
                    if goes_on(progress, terms, now):
                        yield progress

    async def append(self, entries: Sequence[Entry], caps: Caps | None = None) -> None:
        """Record milestones of one job, all or none; durable on return."""

        def work(connection: apsw.Connection) -> None:
            recording.record(connection, entries, caps, self._stamp())

        await self._commits.do(work)
        self._milestones += len(entries)

    async def totals(self) -> Totals:
        """The figures, as of the last commit."""
        return await self._read(rows.totals)

    async def note_prices(self, prices: Mapping[str, int]) -> None:
        """Keep with this run what pictures cost when it was planned, for the next plan to compare."""

        def work(connection: apsw.Connection) -> None:
            connection.execute("UPDATE runs SET prices = ? WHERE number = ?", (json.dumps(dict(prices)), self.run))
            connection.execute(f"UPDATE runs SET seal = seal({rows.RUN}) WHERE number = ?", (self.run,))  # noqa: S608

        await self._commits.do(work)

    async def end(self, exit_code: int, reason: str) -> None:
        """End this run in the journal; nothing else may follow."""
        await self._commits.do(
            partial(_end, run=self.run, now=self._opened.machine.clock(), ending=(exit_code, reason))
        )

    async def close(self) -> None:
        """Let go of the file and the lock; the run stays without an end unless `end` was called."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._opened.reader.close)
            try:
                await self._commits.close()
                await anyio.to_thread.run_sync(self._tell)
            finally:
                await anyio.to_thread.run_sync(os.close, self._opened.lock)

    async def _read(self, read: Callable[[apsw.Connection], Result]) -> Result:
        def work() -> Result:
            with reading(self._opened.path):
                return read(self._opened.reader)

        return await anyio.to_thread.run_sync(work, limiter=self._reading)

    def _stamp(self) -> tuple[int, float]:
        return self.run, float(self._opened.machine.clock())

    def _after_commit(self) -> None:
        if abs(self._opened.machine.clock() - self._told_at) < epoch.EVERY_SECONDS:
            return
        # SQLite goes on writing to a file that nobody can find any more, and says that all is well.
        if _file(self._opened.path) != self._opened.file:
            self._commits.refuse(f"{self._opened.path} was removed or replaced while this run wrote it; put it back.")
        else:
            self._tell()

    def _tell(self) -> None:
        self._told_at = self._opened.machine.clock()
        try:
            epoch.write(os.path.dirname(self._opened.path), self.run, self._milestones)
        except OSError as error:
            _log.warning("how far the journal has come could not be noted beside it: %s", error)


def _open(path: str, prove: Callable[[str], apsw.Connection], machine: Machine, verb: str) -> _Opened:
    path = os.path.abspath(path)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with ExitStack() as undo:
        held = lock.take(os.path.dirname(path), machine.clock())
        undo.callback(os.close, held)
        writer = prove(path)
        undo.callback(writer.close)
        with reading(path):
            run, killed = _begin(writer, verb, machine.clock())
            identity, milestones = read_identity(writer, path), opening.milestones(writer)
            reader = connect_to_read(path, machine)
        undo.pop_all()
        return _Opened(path, machine, held, writer, reader, identity, milestones, run, killed, _file(path))


def _file(path: str) -> tuple[int, int] | None:
    """Which file a name stands for."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _begin(connection: apsw.Connection, verb: str, now: float) -> tuple[int, bool]:
    """Begin a run; says its number and whether the one before has no end."""
    before = connection.execute("SELECT number, ended FROM runs ORDER BY number DESC LIMIT 1").fetchone() or (0, now)
    run = before[0] + 1
    row = (run, verb, float(now), None, *whoami(), batchgen.__version__, None, "", "{}", "{}", 0, 0, "", "{}")
    with connection:
        connection.execute(f"INSERT INTO runs VALUES ({'?, ' * len(row)}?)", (*row, seal(*row)))  # noqa: S608
    return run, before[1] is None


def _end(connection: apsw.Connection, *, run: int, now: float, ending: tuple[int, str]) -> None:
    totals = rows.totals(connection)
    counts, money = json.dumps(totals.counts), json.dumps(asdict(totals.money))
    connection.execute(
        "UPDATE runs SET ended = ?, exit_code = ?, reason = ?, counts = ?, money = ? WHERE number = ?",
        (float(now), *ending, counts, money, run),
    )
    connection.execute(f"UPDATE runs SET seal = seal({rows.RUN}) WHERE number = ?", (run,))  # noqa: S608


def _page(connection: apsw.Connection, *, query: str, bindings: tuple[int, int, int]) -> list[rows.Row]:
    return connection.execute(query, bindings).fetchall()
