"""The journal in PostgreSQL: one run writes it, known by its heartbeat, and every commit checks that it still may."""

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import anyio

from batchgen.errors import Foreign
from batchgen.journal import Identity, epoch, opening, rows, running, unrecorded
from batchgen.journal.database import Connection
from batchgen.journal.postgres import holding, schema
from batchgen.journal.postgres.connection import PostgresConnection, Target
from batchgen.journal.postgres.joining import Joined
from batchgen.journal.postgres.proof import prove
from batchgen.journal.postgres.reading import Reader, reading
from batchgen.journal.postgres.transactions import PostgresTransactions
from batchgen.journal.proof import milestones_at_end
from batchgen.journal.recording import Recorder
from batchgen.journal.schema import kept_identity, write_identity
from batchgen.journal.writing import Begun, SqlJournal

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a journal needs beside its server.

    `folder` is where this machine keeps what belongs to the batch: payments that could not be recorded, and how far
    the journal had come, so that a database put back from an old copy is noticed.
    """

    folder: str
    clock: Callable[[], float] = time.time
    lease_seconds: float = holding.LEASE_SECONDS
    connect: Callable[[Target], PostgresConnection] = PostgresConnection


@dataclass(frozen=True, slots=True)
class _Asked:
    target: Target
    identity: Identity | None
    verb: str
    also_known_as: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Opened:
    target: Target
    transactions: PostgresTransactions
    reader: Reader
    begun: Begun


@asynccontextmanager
async def open_journal(
    target: Target,
    identity: Identity | None,
    around: Surroundings,
    *,
    verb: str,
    also_known_as: frozenset[str] = frozenset(),
) -> AsyncIterator["PostgresJournal"]:
    """Take the batch, make or prove its journal and begin a run; without an `end` the run was killed.

    `identity` is whose journal it must be; a new one is made with its batch id, an old one keeps its own. None takes
    a journal as it is. `also_known_as` are other names of the provider.

    Raises:
        HeldElsewhere: another run has it, and showed a sign of life.
        Foreign: of another batch or provider, a newer version, or an older copy of itself.
        Damaged: something in it is not as it was written; nothing was changed.
        JournalError: the server cannot be reached, or refuses.
        OSError: the folder cannot be made or written.
    """
    asked = _Asked(target, identity, verb, also_known_as)
    journal = PostgresJournal(await anyio.to_thread.run_sync(partial(_open, asked, around)))
    try:
        yield journal
    finally:
        await journal.close()


class PostgresJournal(SqlJournal):
    """A Journal over a schema, from `open_journal`."""

    def __init__(self, opened: _Opened) -> None:
        self._opened = opened
        self._shared = False
        # Nobody else writes while the epoch is ours, and a commit fails when it is not.
        transactions = opened.transactions
        super().__init__(opened.begun, transactions, Recorder(others=lambda: transactions.others))

    def joined(self) -> Joined:
        """How other processes write for this run, wherever they are."""
        self._shared = True
        return Joined(self._opened.target, self.identity, self.run, self._opened.transactions.hold.epoch)

    @property
    def carried_here(self) -> bool:
        """Whether what is handed out comes back through this journal."""
        return not self._shared

    def _looked_up(self, read: Callable[[Connection], Result]) -> Result:
        return self._opened.reader.read(read)

    def _written(self, connection: Connection) -> int:
        return rows.milestones(connection) if self._shared else super()._written(connection)

    def _prove(self, connection: Connection) -> None:
        prove(connection, self._opened.target.shown)

    def _let_go(self) -> None:
        self._opened.reader.close()

    def _free(self) -> None:
        """Nothing: the batch was given back with the writer's last transaction."""

    def _lost(self) -> str:
        return ""


def _open(asked: _Asked, around: Surroundings) -> _Opened:
    target = asked.target
    os.makedirs(around.folder, mode=0o700, exist_ok=True)
    with reading(target), ExitStack() as undo:
        writer = around.connect(target)
        undo.callback(writer.close)
        _make(writer, asked, around.folder)
        with writer:
            hold = holding.take(writer, around.lease_seconds)
        transactions = PostgresTransactions(target, hold, writer, around.connect, around.lease_seconds)
        undo.callback(transactions.close)
        unrecorded.keep_room(around.folder)
        begun = _begin(writer, asked, around)
        reader = Reader(target, around.connect)
        undo.pop_all()
    return _Opened(target, transactions, reader, begun)


def _make(writer: PostgresConnection, asked: _Asked, folder: str) -> None:
    """Make the tables if there are none, or bring them up to date."""
    shown = asked.target.shown
    with writer:
        if not schema.is_there(writer, asked.target.schema):
            if asked.identity is None:
                raise Foreign(f"There is no journal {shown}; nothing has been run there.")
            epoch.check(folder, 0, 0)
        schema.bring_up(writer, asked.target.schema, shown)
        if asked.identity is not None and not writer.execute("SELECT count(*) FROM journal").get:
            write_identity(writer, asked.identity)


def _begin(writer: PostgresConnection, asked: _Asked, around: Surroundings) -> Begun:
    """Prove the journal and begin a run, in one transaction."""
    shown, now = asked.target.shown, float(around.clock())
    with writer:
        kept_identity(writer, shown)
        known = milestones_at_end(writer)
        milestones = prove(writer, shown) if known is None else known
        runs = rows.runs(writer)
        rows.totals(writer)
        epoch.check(around.folder, len(runs), milestones)
        if asked.identity is not None:
            opening.claim(writer, asked.identity, asked.also_known_as, shown)
        run, killed = running.begin(writer, asked.verb, now)
        identity = kept_identity(writer, shown)
    brought = running.bring_in(writer, around.folder, identity, now)
    return Begun(identity, run, killed, milestones + brought, known is None, around.folder, around.clock)
