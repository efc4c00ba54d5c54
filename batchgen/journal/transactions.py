"""How a database begins, keeps and undoes what the writer's thread does with it."""

import contextlib
from dataclasses import dataclass
from typing import Protocol

import apsw

from batchgen.errors import Damaged, JournalError
from batchgen.journal.database import Connection


class Transactions(Protocol):
    """The database in which work is done, as the writer's thread sees it; it is closed with the writer."""

    @property
    def connection(self) -> Connection:
        """What the work is done with, from one `begin` to the next."""
        ...

    @property
    def errors(self) -> type[Exception] | tuple[type[Exception], ...]:
        """What the database raises."""
        ...

    @property
    def beat_seconds(self) -> float | None:
        """After how long without work an empty transaction is to be made, None for never."""
        ...

    def begin(self) -> None:
        """Begin."""
        ...

    def commit(self) -> None:
        """End; what was written is durable on return."""
        ...

    def roll_back(self) -> None:
        """Undo what is open, if that can still be done."""
        ...

    def mended(self, error: Exception, *, patient: bool) -> bool:
        """After `error`: whether nothing of the transaction was kept, and the same may be tried again.

        Only for the `patient`, whose work can be done twice.

        Raises:
            JournalError: no; this run records nothing any more.
            Exception: `error`, when it is not the database's.
        """
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...


@dataclass(frozen=True, slots=True)
class SqliteTransactions:
    """Transactions of a SQLite connection."""

    connection: apsw.Connection
    beat_seconds: float | None = None
    errors: type[Exception] = apsw.Error

    def begin(self) -> None:
        """Begin, and keep others from writing."""
        self.connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """End; what was written is durable on return."""
        self.connection.execute("COMMIT")

    def roll_back(self) -> None:
        """Undo what is open, if that can still be done."""
        if self.connection.in_transaction:
            with contextlib.suppress(apsw.Error):
                self.connection.execute("ROLLBACK")

    def mended(self, error: Exception, *, patient: bool) -> bool:  # noqa: ARG002  # a disk does not come back
        """Never."""
        match error:
            case apsw.CorruptError() | apsw.NotADBError():
                raise Damaged(
                    f"The journal is damaged ({error}); see `batchgen verify`, and run again then."
                ) from error
            case apsw.Error():
                raise JournalError(
                    f"The journal could not be written ({error}); nothing more is recorded by this run. Mend the disk"
                    " and run again."
                ) from error
            case _:
                raise error

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()
