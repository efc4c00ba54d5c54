"""What the jobs of a journal have in common: columns, views, ids, the bytes of their pictures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from batchgen.journal.codec import decode_texts
from batchgen.journal.database import Connection

_COUNTED: Final = "(standing = 'current' OR (standing = 'replaced' AND state = 'in_doubt'))"
"""The jobs that count for people."""

_CELLS: Final = f"SELECT cells FROM rows WHERE key IN (SELECT input FROM jobs WHERE {_COUNTED}) ORDER BY line"  # noqa: S608
_VIEWS: Final = f"""
    SELECT axes, json_extract(request, '$.take') AS take, min(place) AS first FROM jobs WHERE {_COUNTED}
    GROUP BY axes, take ORDER BY first"""  # noqa: S608  # a condition named above


@dataclass(frozen=True, slots=True)
class View:
    """One of the pictures that a row has: its values by axis, and the take."""

    axes: Mapping[str, str]
    take: int = 1

    @property
    def name(self) -> str:
        """As the ids of jobs end: the values with slashes between, `.t2` for a second take; `picture` alone."""
        return ("/".join(self.axes.values()) or "picture") + (f".t{self.take}" if self.take > 1 else "")


def columns(connection: Connection) -> tuple[str, ...]:
    """The headers of all input rows that count, as the table has them."""
    seen: dict[tuple[str, ...], None] = {}
    for (cells,) in connection.execute(_CELLS):
        seen.setdefault(tuple(decode_texts(cells)))
    return tuple(dict.fromkeys(name for header in seen for name in header))


def views(connection: Connection) -> tuple[View, ...]:
    """The views of all jobs that count, in the manifest's order."""
    found = connection.execute(_VIEWS)
    return tuple(View(decode_texts(axes), int(take)) for axes, take, _ in found)


def ids(connection: Connection) -> Iterator[str]:
    """The ids of the jobs that count, in the manifest's order."""
    query = f"SELECT id FROM jobs WHERE {_COUNTED} ORDER BY (standing <> 'current'), place, number"  # noqa: S608
    return (job_id for (job_id,) in connection.execute(query))


def named(connection: Connection, job_id: str) -> list[int]:
    """The numbers of the jobs of an id, the current one first."""
    query = "SELECT number FROM jobs WHERE id = ? ORDER BY (standing <> 'current'), number DESC"
    return [number for (number,) in connection.execute(query, (job_id,))]


def bought(connection: Connection, sha256: str) -> list[int]:
    """The numbers of the jobs that ever stored a picture of these bytes, or received them; the current ones first."""
    query = """SELECT number FROM jobs
        WHERE number IN (SELECT job FROM milestones WHERE milestones.kind = 'Stored' AND instr(body, ?) > 0)
        ORDER BY (standing <> 'current'), number"""
    return [number for (number,) in connection.execute(query, (f'"{sha256}"',))]
