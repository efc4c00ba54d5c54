"""What PostgreSQL finds wrong, in batchgen's words; and reading in one moment."""

import contextlib
from collections.abc import Iterator

import psycopg

from batchgen.errors import Damaged, JournalError
from batchgen.journal.postgres.connection import PostgresConnection, Target
from batchgen.journal.postgres.transactions import said


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
