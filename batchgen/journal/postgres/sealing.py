"""The seals of a journal in PostgreSQL, made here for rows that were written without one, and held against them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from batchgen.journal.codec import seal
from batchgen.journal.database import Connection
from batchgen.journal.rows import MILESTONE, RUN, SEALED, Row

_PAGE: Final = 5000


@dataclass(frozen=True, slots=True)
class Sealed:
    """How a table is sealed: its key with the types of PostgreSQL, what the seal proves, and where it stands."""

    name: str
    key: tuple[tuple[str, str], ...]
    proven: str
    seal: str = "seal"

    def unsealed(self, connection: Connection) -> Iterator[list[Row]]:
        """The rows that have no seal yet, a page at a time: key, then what the seal proves."""
        key = ", ".join(name for name, _ in self.key)
        query = f"SELECT {key}, {self.proven} FROM {self.name} WHERE {self.seal} IS NULL"  # noqa: S608  # named here
        order = f" ORDER BY {key} LIMIT {_PAGE}"
        page = connection.execute(query + order).fetchall()
        beyond = f" AND ({key}) > ({', '.join('?' * len(self.key))})"
        while page:
            yield page
            page = connection.execute(query + beyond + order, page[-1][: len(self.key)]).fetchall()

    def put(self, connection: Connection, page: list[Row]) -> None:
        """Seal these rows."""
        wide = len(self.key)
        columns = [[row[place] for row in page] for place in range(wide)]
        seals = [seal(*row[wide:]) for row in page]
        arrays = ", ".join(f"CAST(? AS {kind}[])" for _, kind in self.key)
        names = ", ".join(f"k{place}" for place in range(wide))
        same = " AND ".join(f"{self.name}.{name} = k{place}" for place, (name, _) in enumerate(self.key))
        connection.execute(
            f"UPDATE {self.name} SET {self.seal} = made FROM unnest({arrays}, CAST(? AS bytea[])) AS by_key ({names}, made)"  # noqa: S608, E501
            f" WHERE {same}",
            (*columns, seals),
        )

    def unsound(self, connection: Connection) -> int:
        """How many rows are not as they were written."""
        key = ", ".join(name for name, _ in self.key)
        query = f"SELECT {self.proven}, {self.seal} FROM {self.name} ORDER BY {key}"  # noqa: S608  # named here
        return sum(not whole(row) for row in connection.execute(query))


def whole(row: tuple[Any, ...]) -> bool:
    """Whether a row is as its seal, its last column, says."""
    return bool(seal(*row[:-1]) == row[-1])


_TABLES: Final = (
    Sealed("runs", (("number", "bigint"),), RUN),
    Sealed("jobs", (("number", "bigint"),), SEALED),
    Sealed("milestones", (("job", "bigint"), ("position", "bigint")), MILESTONE.removesuffix(", checksum"), "checksum"),
    Sealed("totals", (("model", "text"), ("standing", "text"), ("what", "text")), "model, standing, what, amount"),
    Sealed("days", (("day", "text"),), "day, committed"),
    Sealed("rows", (("key", "bigint"),), "key, line, name, cells", "proof"),
    Sealed("redone", (("run", "bigint"), ("job", "bigint")), "run, job, position"),
)
TABLES: Final = {table.name: table for table in _TABLES}


def seal_all(connection: Connection, names: set[str]) -> None:
    """Seal every row of these tables that has no seal yet."""
    for name in sorted(names):
        for page in TABLES[name].unsealed(connection):
            TABLES[name].put(connection, page)
