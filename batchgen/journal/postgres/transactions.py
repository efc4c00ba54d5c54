"""Commits to PostgreSQL: fenced, and when the server is lost in one, read again whether it was kept."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import psycopg
from psycopg import errors as pg_errors

from batchgen.errors import JournalError
from batchgen.journal.database import Duplicate
from batchgen.journal.postgres import holding
from batchgen.journal.postgres.connection import PostgresConnection, Target
from batchgen.journal.postgres.holding import Hold, Number

PATIENCE_SECONDS: Final = 60.0
"""How long a server that went away is waited for: longer than it needs to start again."""

_GOING_AWAY: Final = (pg_errors.AdminShutdown, pg_errors.CrashShutdown, pg_errors.CannotConnectNow)
_PAUSE_SECONDS: Final = 0.25
_MOST_PAUSE_SECONDS: Final = 4.0


@dataclass(slots=True, eq=False)
class PostgresTransactions:
    """Transactions of the run that holds a batch; `connect` is how the server is reached again.

    `others` is how many commits other processes of the run had made when the last transaction began.
    """

    target: Target
    hold: Hold
    connection: PostgresConnection
    connect: Callable[[Target], PostgresConnection] = PostgresConnection
    lease_seconds: float = holding.LEASE_SECONDS
    errors: tuple[type[Exception], ...] = (psycopg.Error, Duplicate)
    others: int = field(default=0, init=False)
    _number: Number = field(default=Number(0, 0), init=False)
    _committing: bool = field(default=False, init=False)
    _again: bool = field(default=False, init=False)

    @property
    def beat_seconds(self) -> float | None:
        """Three signs of life in a lease; only the head shows them."""
        return self.lease_seconds / 3 if self.hold.head else None

    def begin(self) -> None:
        """Begin, and make sure that the batch is still ours."""
        self._committing = False
        self.connection.begin()
        self._number = holding.fence(self.connection, self.hold)
        self.others = self._number.others

    def commit(self) -> None:
        """End; what was written is durable on return."""
        self.connection.seal()
        self._committing = True
        self.connection.commit()
        self._again = False

    def roll_back(self) -> None:
        """Undo what is open, if that can still be done."""
        try:
            self.connection.roll_back()
        except psycopg.Error:
            self.connection.close()

    def mended(self, error: Exception, *, patient: bool) -> bool:
        """After an error: find the server again, and read whether the commit that it ended in was kept.

        Raises:
            JournalError: the server refuses, or stays away.
        """
        if not isinstance(error, self.errors):
            raise error
        if isinstance(error, Duplicate) and patient and not self._again:
            self._again = True  # somebody else has moved a job on; it is read again, and refused to whoever came late
            self.roll_back()
            return True
        if not self.connection.lost and not isinstance(error, _GOING_AWAY):
            raise JournalError(
                f"The journal {self.target.shown} could not be written ({said(error)}); nothing more is recorded by"
                " this run. Mend that and run again."
            ) from error
        if self._kept_after_all():
            return False
        if not patient:
            raise JournalError(
                f"The server of the journal {self.target.shown} was lost while much was written; nothing of it was"
                " kept. Run again."
            ) from error
        return True

    def close(self) -> None:
        """Give the batch back, or one's part in it, and let go of the server."""
        try:
            if not self.connection.lost:
                self.connection.roll_back()
                with self.connection:
                    holding.release(self.connection, self.hold)
        except psycopg.Error:
            pass  # the lease ends by itself
        finally:
            self.connection.close()

    def _kept_after_all(self) -> bool:
        """Reach the server again; whether the lost transaction was kept."""
        pause, until = _PAUSE_SECONDS, time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self.connection.close()
                self.connection = self.connect(self.target)
                if not self._committing:
                    return False
                with self.connection:
                    return holding.was_kept(self.connection, self.hold, self._number)
            except psycopg.OperationalError as error:
                if time.monotonic() + pause > until:
                    raise JournalError(
                        f"The server of the journal {self.target.shown} went away ({said(error)}); nothing more is"
                        " recorded by this run. Start it and run again."
                    ) from error
            time.sleep(pause)
            pause = min(2 * pause, _MOST_PAUSE_SECONDS)


def said(error: Exception) -> str:
    """The first line of what the server or libpq says; the others may hold values."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
