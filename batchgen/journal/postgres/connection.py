"""A connection to PostgreSQL that the rooms of the journal use as they use one to SQLite."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import Any, Final, LiteralString, Self

import psycopg
from psycopg import errors, sql
from psycopg.pq import TransactionStatus

from batchgen.journal.database import Duplicate
from batchgen.journal.postgres.dialect import Statement, translated
from batchgen.journal.postgres.sealing import seal_all

_CHUNK: Final = 1000
_FETCHED_AT_ONCE: Final = 2000
_WEAK: Final = {"off", "local", "remote_write"}
"""What `synchronous_commit` may say for which a commit could be lost with the server, or with its standby."""
_IDLE: Final = "15s"
"""So long a transaction may stand still: one whose process froze, or lost its machine, must not keep all others out."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a journal lies: how the server is reached, in libpq's words, and the schema of the batch."""

    conninfo: str
    schema: str

    @property
    def shown(self) -> str:
        """As people may read it: host and database, never a credential."""
        known = psycopg.conninfo.conninfo_to_dict(self.conninfo)
        where = known.get("host") or known.get("service") or "the default server"
        return f"{self.schema} in {known.get('dbname') or 'the default database'} on {where}"


class Rows:
    """What a statement answers."""

    def __init__(self, rows: Iterator[Any]) -> None:
        self._rows = rows

    def __iter__(self) -> Iterator[Any]:
        return self._rows

    def fetchone(self) -> Any:
        """The next row, None when there is none."""
        return next(self._rows, None)

    def fetchall(self) -> list[Any]:
        """The rows that were not read yet."""
        return list(self._rows)

    @property
    def get(self) -> Any:
        """The one value of the first row, None when there is none."""
        row = self.fetchone()
        return None if row is None else row[0]


NOTHING: Final = Rows(iter(()))


class PostgresConnection:
    """One connection, for one thread at a time; as a context manager a transaction, or a savepoint inside one.

    Raises (from every method):
        psycopg.Error: the server refuses, or is gone.
        Duplicate: a row is there already.
    """

    def __init__(self, target: Target) -> None:
        # Without prepared statements, which poolers hand to others.
        self._connection = psycopg.connect(
            target.conninfo,
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=10,
            application_name="batchgen",
            keepalives_idle=30,
        )
        self._schema = target.schema
        self._nested: list[str] = []
        self._long = 0
        self._unsealed: set[str] = set()
        # Asked of the server each time it is connected to: it may have been set anew meanwhile.
        weak = self._connection.execute("SHOW synchronous_commit").fetchone() or ("off",)
        self._durably = " SET LOCAL synchronous_commit = on;" if weak[0] in _WEAK else ""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, be it one that has failed."""
        return self._connection.info.transaction_status in {TransactionStatus.INTRANS, TransactionStatus.INERROR}

    @property
    def lost(self) -> bool:
        """Whether the server is not at the other end any more."""
        return self._connection.closed or self._connection.broken

    def begin(self, *, repeatable: bool = False) -> None:
        """Begin a transaction in which the batch's tables are found; a repeatable one sees one moment."""
        level = "REPEATABLE READ" if repeatable else "READ COMMITTED"  # whatever the server is set to
        idle = f"SET LOCAL idle_in_transaction_session_timeout = '{_IDLE}';"
        words = sql.SQL(f"BEGIN ISOLATION LEVEL {level}; SET LOCAL search_path = {{}};" + idle + self._durably)
        self._unsealed.clear()
        self._connection.execute(words.format(sql.Identifier(self._schema)))

    def commit(self) -> None:
        """Seal what was written, and end the transaction."""
        self.seal()
        self._connection.execute("COMMIT")

    def roll_back(self) -> None:
        """End the transaction and undo it; nothing when the server is gone, which does the same."""
        self._unsealed.clear()
        if not self.lost and self.in_transaction:
            self._connection.execute("ROLLBACK")

    def execute(self, statements: str, bindings: Any = None, /) -> Rows:
        """Statements in SQLite's words, the last one's answer."""
        answer = NOTHING
        for each in translated(statements):
            answer = self._one(each, bindings)
        return answer

    def executemany(self, statements: str, sequenceofbindings: Iterable[Any], /) -> Rows:
        """One statement for each of these bindings, many to a journey."""
        (statement,) = translated(statements)
        waiting = iter(sequenceofbindings)
        while chunk := list(islice(waiting, _CHUNK)):  # drawn first, for they may come through this connection
            self._note(statement)
            with _our_words(), self._connection.cursor() as cursor:
                cursor.executemany(_trusted(statement.text), [statement.bound(each) for each in chunk])
        return NOTHING

    def raw(self, words: LiteralString | sql.Composed, given: tuple[Any, ...] | None = None) -> list[Any]:
        """What is said in PostgreSQL's own words, and all that it answers; seals nothing."""
        trusted = sql.SQL(words) if isinstance(words, str) else words
        cursor = self._connection.execute(trusted, given)
        return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """Let go of the server; callable twice."""
        self._connection.close()

    def __enter__(self) -> Self:
        if not self.in_transaction:
            self.begin()
            self._nested.append("")
        else:
            name = f"part_{len(self._nested)}"
            self._connection.execute(f"SAVEPOINT {name}")
            self._nested.append(name)
        return self

    def __exit__(
        self,
        etype: type[BaseException] | None,
        evalue: BaseException | None,
        etraceback: TracebackType | None,
        /,
    ) -> bool | None:
        name = self._nested.pop()
        if evalue is None:
            if name:
                self._connection.execute(f"RELEASE {name}")
            else:
                self.commit()
        elif not name:
            self.roll_back()
        elif not self.lost:
            self._connection.execute(f"ROLLBACK TO {name}; RELEASE {name}")
        return None

    def _one(self, statement: Statement, bindings: Any) -> Rows:
        if statement.reads:
            self.seal()
        self._note(statement)
        if not statement.text:
            return NOTHING
        with _our_words():
            if statement.long and self.in_transaction:
                return Rows(self._piecemeal(statement, bindings))
            cursor = self._connection.execute(_trusted(statement.text), statement.bound(bindings))
            return Rows(iter(cursor.fetchall())) if cursor.description else NOTHING

    def _piecemeal(self, statement: Statement, bindings: Any) -> Iterator[Any]:
        """An answer that may be as long as the journal, fetched a piece at a time as the transaction lasts."""
        # Not psycopg's own, which must be closed in time: who stops reading early may have ended the transaction.
        self._long += 1
        name = f"long_{self._long}"
        declared = f"DECLARE {name} NO SCROLL CURSOR FOR {statement.text}"
        self._connection.execute(_trusted(declared), statement.bound(bindings))
        while page := self._connection.execute(_trusted(f"FETCH {_FETCHED_AT_ONCE} FROM {name}")).fetchall():
            yield from page
        self._connection.execute(_trusted(f"CLOSE {name}"))

    def _note(self, statement: Statement) -> None:
        if statement.unsealed:
            self._unsealed.add(statement.unsealed)

    def seal(self) -> None:
        """Seal the rows that were written without one."""
        if self._unsealed:
            names, self._unsealed = self._unsealed, set()
            seal_all(self, names)


class _our_words:  # noqa: N801  # used as a word
    """Says a broken key as either database does."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, errors.UniqueViolation):
            raise Duplicate(str(error)) from error


def _trusted(words: Any) -> sql.SQL:
    return sql.SQL(words)  # written in the program, never by others
