"""A journal in PostgreSQL as it is opened by processes that carry jobs for a run whose head is elsewhere.

They append and look up, under the number and the epoch of that run, and neither plan nor end anything. Each commits for
itself; what keeps them apart is what keeps one run from another (`holding`), and (job, position).
"""

import os
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

import anyio
import psycopg

from batchgen.errors import SettingsError
from batchgen.job import Draft
from batchgen.journal import Choice, Comparison, Identity, Progress, Redo
from batchgen.journal.database import Connection
from batchgen.journal.postgres import holding
from batchgen.journal.postgres.connection import PostgresConnection, Target
from batchgen.journal.postgres.reading import PAUSE_SECONDS, Reader, reading
from batchgen.journal.postgres.transactions import PostgresTransactions, said
from batchgen.journal.recording import Recorder
from batchgen.journal.writing import Begun, SqlJournal
from batchgen.terms import Terms

Result = TypeVar("Result")

JOINING_SECONDS: Final = 20.0
"""How long a server that does not answer is waited for by who joins; it may just be starting again."""


@dataclass(frozen=True, slots=True)
class Joined:
    """How the journal of a run that goes on is opened elsewhere; can be pickled, and holds no password."""

    target: Target
    identity: Identity
    run: int
    epoch: int

    def __call__(
        self, folder: str, connect: Callable[[Target], PostgresConnection] = PostgresConnection
    ) -> AbstractAsyncContextManager["JoinedJournal"]:
        """Open it here; `folder` is where payments are written down that the server does not take any more.

        Raises:
            JournalError: the run has ended.
        SettingsError: the server cannot be reached from here.
        """
        return _joined(self, folder, connect)


class JoinedJournal(SqlJournal):
    """A Journal as those see it who carry jobs, from `Joined`."""

    def __init__(self, begun: Begun, transactions: PostgresTransactions, reader: Reader) -> None:
        self._reader = reader
        super().__init__(begun, transactions, Recorder(others=lambda: transactions.others))

    async def reached(self, number: int) -> Progress | None:
        """A job with its newest milestone; it is carried on from there, and need not be read again for that."""
        known = self._recorder.known
        found = await super().reached(number)
        if found is not None:
            self._recorder.know(found, known)
        return found

    async def owe(
        self, drafts: Iterable[Draft], inputs: str, redo: Redo | None = None, choice: Choice | None = None
    ) -> Comparison:
        """Only the head plans."""
        raise NotImplementedError

    async def unfinished(self, terms: Terms) -> AsyncIterator[Progress]:  # noqa: ARG002
        """Only the head hands out."""
        raise NotImplementedError
        yield  # type: ignore[unreachable]  # it makes this an iterator

    async def end(self, exit_code: int, reason: str) -> None:
        """Only the head ends."""
        raise NotImplementedError

    def _looked_up(self, read: Callable[[Connection], Result]) -> Result:
        return self._reader.read(read)

    def _prove(self, connection: Connection) -> None:
        """Nothing: what is owed was proven by the head."""

    def _let_go(self) -> None:
        self._reader.close()

    def _free(self) -> None:
        """Nothing: the part in the batch was given back with the writer's last transaction."""

    def _lost(self) -> str:
        return ""

    def _tell(self) -> None:
        """Nothing: how far the journal has come is noted by the head."""


@asynccontextmanager
async def _joined(
    joined: Joined, folder: str, connect: Callable[[Target], PostgresConnection]
) -> AsyncIterator[JoinedJournal]:
    journal = JoinedJournal(*await anyio.to_thread.run_sync(partial(_open, joined, folder, connect)))
    try:
        yield journal
    finally:
        await journal.close()


def _open(
    joined: Joined, folder: str, connect: Callable[[Target], PostgresConnection]
) -> tuple[Begun, PostgresTransactions, Reader]:
    os.makedirs(folder, mode=0o700, exist_ok=True)
    with reading(joined.target), ExitStack() as undo:
        writer = _reached(joined.target, connect)
        undo.callback(writer.close)
        with writer:
            hold = holding.join(writer, joined.epoch)
        transactions = PostgresTransactions(joined.target, hold, writer, connect)
        undo.callback(transactions.close)
        reader = Reader(joined.target, connect)
        undo.pop_all()
    begun = Begun(joined.identity, joined.run, False, 0, True, folder, time.time)  # noqa: FBT003  # as its fields are
    return begun, transactions, reader


def _reached(target: Target, connect: Callable[[Target], PostgresConnection]) -> PostgresConnection:
    """A connection; a server that is just starting again is waited for."""
    until = time.monotonic() + JOINING_SECONDS
    while True:
        try:
            return connect(target)
        except psycopg.OperationalError as error:
            if time.monotonic() > until or _is_refused(error):
                raise SettingsError(
                    f"the journal {target.shown} cannot be reached ({said(error)}); a password comes from PGPASSWORD, "
                    "~/.pgpass or PGSERVICE of the process that writes it"
                ) from error
        time.sleep(PAUSE_SECONDS)


def _is_refused(error: psycopg.OperationalError) -> bool:
    """Whether a server answers, and a password is missing or wrong: waiting mends nothing."""
    attempt = error.pgconn
    return attempt is not None and bool(attempt.needs_password or attempt.used_password)
