"""What the rooms of a journal need of a database: its SQL is written once, for SQLite and PostgreSQL alike."""

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Final, Protocol, Self

import apsw


class Duplicate(Exception):
    """A row is there already; what SQLite calls a broken constraint."""


DUPLICATE: Final = (apsw.ConstraintError, Duplicate)
"""What either database raises for a row that is there already."""


class Cursor(Protocol):
    """The rows of a statement, each a tuple; to be read once."""

    def __iter__(self) -> Iterator[Any]:
        """Those that were not read yet."""
        ...

    def fetchone(self) -> Any:
        """The next row, None when there is none."""
        ...

    def fetchall(self) -> list[Any]:
        """All rows."""
        ...

    @property
    def get(self) -> Any:
        """The one value of the first row, None when there is none."""
        ...


class Connection(Protocol):
    """A connection; used as a context manager it is a transaction, or a part of one that may fail by itself."""

    def execute(self, statements: str, bindings: Any = None, /) -> Cursor:
        """One statement, or several that are separated by semicolons and share their bindings."""
        ...

    def executemany(self, statements: str, sequenceofbindings: Iterable[Any], /) -> Cursor:
        """One statement, for each of these bindings."""
        ...

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(
        self,
        etype: type[BaseException] | None,
        evalue: BaseException | None,
        etraceback: TracebackType | None,
        /,
    ) -> bool | None:
        """Keep what was done, or undo it after an exception."""
        ...
