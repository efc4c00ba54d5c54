"""What a run does with its journal, whatever database keeps it: it owes, records, and hands out what is left."""

import json
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeVar

import anyio

from batchgen.errors import JournalError
from batchgen.job import Draft
from batchgen.journal import (
    Caps,
    Choice,
    Comparison,
    Entry,
    Identity,
    Joining,
    Progress,
    Redo,
    Totals,
    epoch,
    owing,
    recording,
    rows,
    running,
    unrecorded,
)
from batchgen.journal.choosing import PAGE, UNDER_WAY, goes_on
from batchgen.journal.commits import Commits
from batchgen.journal.database import Connection
from batchgen.journal.transactions import Transactions
from batchgen.lifecycle import Accepted
from batchgen.terms import Terms

Result = TypeVar("Result")

_log = logging.getLogger(__name__)

_UNDER_WAY = """{} WHERE jobs.kind = '{}' AND jobs.run <> ?1 AND number > ?2 ORDER BY number LIMIT ?3"""
_TO_BUY = """{} WHERE standing = 'current' AND jobs.kind IN ('Planned', 'AttemptFailed')
    AND (jobs.run <> ?1 OR head = 0
        OR EXISTS (SELECT 1 FROM redone WHERE redone.run = ?1 AND redone.job = number AND redone.position = head))
    AND place > ?2 ORDER BY place LIMIT ?3"""
_ONE: Final = f"{rows.PROGRESS} WHERE number = ?1"
# What this run wrote itself is being carried by somebody; only what it planned first is still nobody's, and what it
# was told to do again, until a worker has moved it. Since every
# step of a worker moves a job out of these sets for good, none is handed out twice, however the pages fall.
_PAGES: Final = (
    *((_UNDER_WAY.format(rows.ENTRIES, kind), 0) for kind in UNDER_WAY),
    (_TO_BUY.format(rows.ENTRIES), 7),
)


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that has begun: `folder` is where the batch keeps what is not in its journal, `clock` tells unix seconds.

    `proven` says that the whole journal was held against its seals, of which it has `milestones`.
    """

    identity: Identity
    run: int
    killed_before: bool
    milestones: int
    proven: bool
    folder: str
    clock: Callable[[], float]


class SqlJournal(ABC):
    """A Journal over tables; what opens one says how they are read and proven."""

    def __init__(self, begun: Begun, transactions: Transactions, recorder: recording.Recorder) -> None:
        self._begun = begun
        self._identity = begun.identity
        self._milestones = begun.milestones
        self._told_at = begun.clock()
        self._proven = begun.proven
        self._reading = anyio.CapacityLimiter(1)
        self._recorder = recorder
        self._commits = Commits(transactions, self._after_commit, self._lost, self._recorder)

    @abstractmethod
    def _looked_up(self, read: Callable[[Connection], Result]) -> Result:
        """Read beside the writer, in a thread."""

    @abstractmethod
    def _prove(self, connection: Connection) -> None:
        """Hold the whole journal against its seals, inside a transaction.

        Raises:
            Damaged: something is not as it was written.
        """

    @abstractmethod
    def _let_go(self) -> None:
        """Close what reads, in a thread; nothing reads any more."""

    @abstractmethod
    def _free(self) -> None:
        """Let others have the batch, in a thread; nothing writes any more."""

    @abstractmethod
    def _lost(self) -> str:
        """Why nobody will ever find what was just committed, or nothing."""

    def joined(self) -> Joining | None:
        """How other processes open this journal themselves to write for this run; None where only this one may."""
        return None

    @property
    def carried_here(self) -> bool:
        """Whether what is handed out comes back through this journal."""
        return True

    def _written(self, connection: Connection) -> int:  # noqa: ARG002  # who is alone has counted
        """How many milestones there are, inside a transaction."""
        return self._milestones

    @property
    def identity(self) -> Identity:
        """Whose journal this is."""
        return self._identity

    @property
    def run(self) -> int:
        """The number of this run."""
        return self._begun.run

    @property
    def killed_before(self) -> bool:
        """Whether the run before this one has no end."""
        return self._begun.killed_before

    async def owe(
        self, drafts: Iterable[Draft], inputs: str, redo: Redo | None = None, choice: Choice | None = None
    ) -> Comparison:
        """Make the journal owe exactly this whole expansion; the drafts are drawn in another thread.

        The whole journal is proven before, once: what is owed is decided in sets, by rows that nobody looks at.
        """

        def work(connection: Connection) -> tuple[Comparison, int]:
            if not self._proven:
                self._prove(connection)
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
                now = self._begun.clock()
                for progress in map(entries.progress, page):
                    if goes_on(progress, terms, now):
                        if self.carried_here:
                            self._recorder.know(progress, known)
                        yield replace(progress, copied=progress.run < accepted) if accepted else progress
                known = self._recorder.known

    async def append(self, entries: Sequence[Entry], caps: Caps | None = None) -> None:
        """Record milestones of one job, all or none; durable on return."""

        def work(connection: Connection) -> None:
            self._recorder.take(connection, entries, caps, self._stamp())

        try:
            await self._commits.note(work)
        except JournalError as error:
            if self._commits.broken:
                await self._keep_paid(entries, error)
            raise
        self._milestones += len(entries)

    async def reached(self, number: int) -> Progress | None:
        """A job with its newest milestone, as of the last commit; None where there is no such job."""
        found = await self._read(partial(_page, query=_ONE, bindings=(number,)))
        return rows.progress(found[0]) if found else None

    async def totals(self) -> Totals:
        """The figures, as of the last commit."""
        return await self._read(rows.totals)

    async def note_prices(self, prices: Mapping[str, int]) -> None:
        """Keep with this run what pictures cost when it was planned, for the next plan to compare."""

        def work(connection: Connection) -> None:
            connection.execute("UPDATE runs SET prices = ? WHERE number = ?", (json.dumps(dict(prices)), self.run))
            connection.execute(f"UPDATE runs SET seal = seal({rows.RUN}) WHERE number = ?", (self.run,))  # noqa: S608

        await self._commits.do_patiently(work)

    async def end(self, exit_code: int, reason: str) -> None:
        """End this run in the journal; nothing else may follow."""
        ending = (float(self._begun.clock()), exit_code, reason)

        def work(connection: Connection) -> None:
            self._milestones = self._written(connection)
            running.end(connection, run=self.run, milestones=self._milestones, ending=ending)

        await self._commits.do_patiently(work)

    async def close(self) -> None:
        """Let go of the file and the lock; the run stays without an end unless `end` was called."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._let_go)
            try:
                await self._commits.close()
                await anyio.to_thread.run_sync(self._tell)
            finally:
                await anyio.to_thread.run_sync(self._free)

    async def _read(self, read: Callable[[Connection], Result]) -> Result:
        return await anyio.to_thread.run_sync(partial(self._looked_up, read), limiter=self._reading)

    def _stamp(self) -> tuple[int, float]:
        return self.run, float(self._begun.clock())

    async def _keep_paid(self, entries: Sequence[Entry], error: JournalError) -> None:
        """Write down elsewhere what was paid for and cannot be recorded."""
        paid = [each for each in entries if isinstance(each.milestone, Accepted)]
        if not paid:
            return
        keep = partial(unrecorded.keep, self._begun.folder, self._identity.batch_id, paid)
        with anyio.CancelScope(shield=True):
            try:
                path = await anyio.to_thread.run_sync(keep)
            except OSError as broken:
                _log.critical("paid, and recorded nowhere (%s): write down the task that is named here", broken)
                return
        raise type(error)(f"{error} What was paid for meanwhile is kept in {path}; the next run records it.") from error

    def _after_commit(self) -> None:
        if abs(self._begun.clock() - self._told_at) >= epoch.EVERY_SECONDS:
            self._tell()

    def _tell(self) -> None:
        self._told_at = self._begun.clock()
        try:
            epoch.write(self._begun.folder, self.run, self._milestones)
        except OSError as error:
            _log.warning("how far the journal has come could not be noted beside it: %s", error)


def _page(connection: Connection, *, query: str, bindings: tuple[int, ...]) -> list[rows.Row]:
    return connection.execute(query, bindings).fetchall()
