"""The journal in a SQLite file: one run writes it under a lock, the disk has every milestone before it is believed."""

import json
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeVar

import anyio
import apsw

from batchgen.errors import JournalError
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
    running,
    unrecorded,
)
from batchgen.journal.choosing import PAGE, UNDER_WAY, goes_on
from batchgen.journal.commits import Commits
from batchgen.journal.filesystem import require_locks
from batchgen.journal.proof import prove
from batchgen.journal.reading import reading
from batchgen.journal.schema import Machine, connect_to_read, read_identity
from batchgen.lifecycle import Accepted
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
    proven: bool
    files: tuple[tuple[int, int] | None, ...]


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
        self._proven = opened.proven
        self._recorder = recording.Recorder()
        self._commits = Commits(opened.writer, self._after_commit, self._lost, self._recorder)

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
        """Make the journal owe exactly this whole expansion; the drafts are drawn in another thread.

        The whole journal is proven before, once: what is owed is decided in sets, by rows that nobody looks at.
        """

        def work(connection: apsw.Connection) -> tuple[Comparison, int]:
            if not self._proven:
                prove(connection, self._opened.path)
            return owing.owe(connection, drafts, inputs, owing.Wish(redo, choice), self._stamp())

        comparison, added = await self._commits.do(work)
        self._milestones += added
        self._proven = True
        self._identity = replace(self._identity, inputs=inputs)
        return comparison

    async def unfinished(self, terms: Terms) -> AsyncIterator[Progress]:
        """The jobs to carry on, each once, read a page at a time."""
        accepted = await self._read(running.accepted)
        for query, column in _PAGES:
            last, entries, known = -1, rows.Entries(), self._recorder.known
            while page := await self._read(partial(_page, query=query, bindings=(self.run, last, PAGE))):
                last = page[-1][column]
                now = self._opened.machine.clock()
                for progress in map(entries.progress, page):
                    if goes_on(progress, terms, now):
                        self._recorder.know(progress, known)
                        yield replace(progress, copied=progress.run < accepted) if accepted else progress
                known = self._recorder.known

    async def append(self, entries: Sequence[Entry], caps: Caps | None = None) -> None:
        """Record milestones of one job, all or none; durable on return."""

        def work(connection: apsw.Connection) -> None:
            self._recorder.take(connection, entries, caps, self._stamp())

        try:
            await self._commits.note(work)
        except JournalError as error:
            if self._commits.broken:
                await self._keep_paid(entries, error)
            raise
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
        ending = (float(self._opened.machine.clock()), exit_code, reason)
        await self._commits.do(partial(running.end, run=self.run, milestones=self._milestones, ending=ending))

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

    async def _keep_paid(self, entries: Sequence[Entry], error: JournalError) -> None:
        """Write down elsewhere what was paid for and cannot be recorded."""
        paid = [each for each in entries if isinstance(each.milestone, Accepted)]
        if not paid:
            return
        keep = partial(unrecorded.keep, os.path.dirname(self._opened.path), self._identity.batch_id, paid)
        with anyio.CancelScope(shield=True):
            try:
                path = await anyio.to_thread.run_sync(keep)
            except OSError as broken:
                _log.critical("paid, and recorded nowhere (%s): write down the task that is named here", broken)
                return
        raise type(error)(f"{error} What was paid for meanwhile is kept in {path}; the next run records it.") from error

    def _lost(self) -> str:
        # SQLite goes on writing to files that nobody can find any more, and says that all is well.
        if running.files(self._opened.path) == self._opened.files:
            return ""
        return f"{self._opened.path} was removed or replaced while this run wrote it; put it back and run again."

    def _after_commit(self) -> None:
        if abs(self._opened.machine.clock() - self._told_at) >= epoch.EVERY_SECONDS:
            self._tell()

    def _tell(self) -> None:
        self._told_at = self._opened.machine.clock()
        try:
            epoch.write(os.path.dirname(self._opened.path), self.run, self._milestones)
        except OSError as error:
            _log.warning("how far the journal has come could not be noted beside it: %s", error)


def _open(path: str, prove: Callable[[str], opening.Opened], machine: Machine, verb: str) -> _Opened:
    path = os.path.abspath(path)
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    if machine.network(folder):
        require_locks(folder)
    with ExitStack() as undo:
        held = lock.take(folder, machine.clock())
        undo.callback(os.close, held)
        unrecorded.keep_room(folder)
        found = prove(path)
        undo.callback(found.connection.close)
        with reading(path):
            run, killed = running.begin(found.connection, verb, machine.clock())
            identity = read_identity(found.connection, path)
            brought = running.bring_in(found.connection, folder, identity, float(machine.clock()))
            reader = connect_to_read(path, machine)
        undo.pop_all()
    count, files = found.milestones + brought, running.files(path)
    return _Opened(path, machine, held, found.connection, reader, identity, count, run, killed, found.proven, files)


def _page(connection: apsw.Connection, *, query: str, bindings: tuple[int, int, int]) -> list[rows.Row]:
    return connection.execute(query, bindings).fetchall()
