"""What PostgreSQL finds wrong, in batchgen's words; and reading in one moment."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

import psycopg

from batchgen.errors import Damaged, JournalError
from batchgen.journal.postgres.connection import PostgresConnection, Target
from batchgen.journal.postgres.transactions import PATIENCE_SECONDS, said

Result = TypeVar("Result")

PAUSE_SECONDS: Final = 0.25


@contextlib.contextmanager
def reading(target: Target) -> Iterator[None]:
    """Say what is wrong with a journal in batchgen's words.

    Raises:
        Damaged: its pages or its tables are not what they were.
        JournalError: the server cannot be reached, or refuses.
    """
    try:
        yield
    except (psycopg.errors.DataCorrupted, psycopg.errors.IndexCorrupted, psycopg.ProgrammingError) as error:
        raise Damaged(f"The journal {target.shown} is damaged ({said(error)}); put a copy back.") from error
    except psycopg.Error as error:
        raise JournalError(
            f"The journal {target.shown} could not be read ({said(error)}); mend that, and run again."
        ) from error


class Moment:
    """A transaction of a reader: all that is asked inside of it sees the same moment; it may be entered again."""

    def __init__(self, connection: PostgresConnection) -> None:
        self._connection = connection
        self._depth = 0

    @property
    def open(self) -> bool:
        """Whether it goes on."""
        return self._depth > 0

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Read inside of it; what was written is undone at its end."""
        if self._depth == 0:
            self._connection.begin(repeatable=True)
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._connection.roll_back()


class Reader:
    """Reads beside a writer; a server that went away is waited for, as the writer does."""

    def __init__(self, target: Target, connect: Callable[[Target], PostgresConnection]) -> None:
        self._target = target
        self._connect = connect
        self._connection = connect(target)

    def read(self, read: Callable[[PostgresConnection], Result]) -> Result:
        """Read in one moment, from the beginning when the server went away meanwhile.

        Raises:
            Damaged, JournalError: what is wrong with the journal.
        """
        until = time.monotonic() + PATIENCE_SECONDS
        with reading(self._target):
            while True:
                try:
                    if self._connection.lost:
                        self._connection = self._connect(self._target)
                    with Moment(self._connection).entered():
                        return read(self._connection)
                except psycopg.OperationalError:
                    self.close()
                    if time.monotonic() > until:
                        raise
                    time.sleep(PAUSE_SECONDS)

    def close(self) -> None:
        """Let go of the server; callable twice."""
        self._connection.close()
