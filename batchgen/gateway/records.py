"""The gateway's tasks in SQLite: written by one thread in groups, read by another."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

import apsw

from batchgen.gateway.painter import Elsewhere, Sample
from batchgen.gateway.task import Asked, Ended, Forget, Missing, Order, Remove, Stored, Task

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS tasks (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    key TEXT,
    token TEXT,
    body_sha256 TEXT NOT NULL,
    asked TEXT NOT NULL,
    price_micro_usd INTEGER NOT NULL,
    created_at REAL NOT NULL,
    latency_seconds REAL NOT NULL,
    picture TEXT NOT NULL UNIQUE,
    ended_at REAL,
    sha256 TEXT,
    error TEXT,
    payload_sha256 TEXT,
    UNIQUE (owner, key)
) STRICT;
CREATE INDEX IF NOT EXISTS unfinished ON tasks (number) WHERE ended_at IS NULL;
CREATE INDEX IF NOT EXISTS ended ON tasks (ended_at) WHERE ended_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS removed (owner TEXT PRIMARY KEY, spent_micro_usd INTEGER NOT NULL) STRICT;
"""
_KINDS: Final[dict[str, type[Stored | Sample | Elsewhere | Missing]]] = {
    "stored": Stored,
    "sample": Sample,
    "elsewhere": Elsewhere,
    "missing": Missing,
}
_COLUMNS: Final = (
    "id, owner, key, token, body_sha256, asked, price_micro_usd, created_at, latency_seconds, picture,"
    " ended_at, sha256, error, payload_sha256"
)
_INSERT: Final = f"INSERT INTO tasks ({_COLUMNS}) VALUES ({','.join('?' * 14)}) ON CONFLICT DO NOTHING"  # noqa: S608 - our own names
_SELECT: Final = f"SELECT {_COLUMNS} FROM tasks "  # noqa: S608 - our own names
_FORGET: Final = "UPDATE tasks SET key = NULL WHERE owner = ? AND key = ? AND created_at <= ?"
_KEEP_SPENT: Final = """
INSERT INTO removed SELECT owner, sum(price_micro_usd) FROM tasks WHERE ended_at <= ? AND error IS NULL GROUP BY owner
ON CONFLICT (owner) DO UPDATE SET spent_micro_usd = spent_micro_usd + excluded.spent_micro_usd
"""
_SPENT: Final = """
SELECT owner, sum(spent) FROM (
    SELECT owner, spent_micro_usd AS spent FROM removed
    UNION ALL SELECT owner, price_micro_usd FROM tasks WHERE ended_at IS NOT NULL AND error IS NULL
) GROUP BY owner
"""


class Records:
    """One connection to the tasks; keep it to one thread at a time."""

    def __init__(self, path: str) -> None:
        self._connection = apsw.Connection(path)
        self._connection.set_busy_timeout(5000)
        for pragma in ("journal_mode = wal", "synchronous = full"):
            self._connection.pragma(*pragma.split(" = "))
        with self._connection:
            self._connection.execute(_SCHEMA)
            self._add_what_older_folders_lack()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def write(self, orders: Sequence[Order]) -> list[Task | None]:
        """Write all in one transaction, durable on return; for each new task, the one that now holds its key."""
        kept: list[Task | None] = []
        with self._connection:
            kept += [self._write(each) for each in orders]
        return kept

    def task(self, task_id: str) -> Task | None:
        """One task by its id."""
        return self._one("WHERE id = ?", task_id)

    def by_key(self, owner: str, key: str) -> Task | None:
        """The task that an idempotency key of this owner has bought."""
        return self._one("WHERE owner = ? AND key = ?", owner, key)

    def by_picture(self, name: str) -> Task | None:
        """The task whose picture has this name."""
        return self._one("WHERE picture = ?", name)

    def all(self) -> Iterator[Task]:
        """Every task in the order of sale."""
        return (_task(row) for row in self._connection.execute(_SELECT + "ORDER BY number"))

    def unfinished(self) -> list[Task]:
        """The tasks that are still to be painted, oldest first."""
        return [_task(row) for row in self._connection.execute(_SELECT + "WHERE ended_at IS NULL ORDER BY number")]

    def ended_between(self, since: float, until: float) -> list[Task]:
        """The tasks that ended after one moment and up to another."""
        return [
            _task(row)
            for row in self._connection.execute(_SELECT + "WHERE ended_at > ? AND ended_at <= ?", (since, until))
        ]

    def spent(self) -> dict[str, int]:
        """What ended tasks have cost, in micro USD by owner; failed ones cost nothing."""
        return dict(self._connection.execute(_SPENT))

    def count(self) -> int:
        """How many tasks are known."""
        return int(self._connection.execute("SELECT count(*) FROM tasks").get)

    def _write(self, order: Order) -> Task | None:
        match order:
            case Forget(owner, key, until):
                self._connection.execute(_FORGET, (owner, key, until))
                return None
            case Remove(until):
                self._connection.execute(_KEEP_SPENT, (until,))
                self._connection.execute("DELETE FROM tasks WHERE ended_at <= ?", (until,))
                return None
            case Ended():
                error = json.dumps(order.error) if order.error else None
                values = (order.at, order.sha256, error, order.task_id)
                self._connection.execute("UPDATE tasks SET ended_at = ?, sha256 = ?, error = ? WHERE id = ?", values)
                return None
            case Task():
                self._connection.execute(_INSERT, _row(order))
                if self._connection.changes():
                    return order
                assert order.key is not None  # ids and picture names are random: only a key is met twice
                return self.by_key(order.owner, order.key)

    def _add_what_older_folders_lack(self) -> None:
        columns = {row[1] for row in self._connection.execute("PRAGMA table_info(tasks)")}
        if "payload_sha256" not in columns:
            self._connection.execute("ALTER TABLE tasks ADD COLUMN payload_sha256 TEXT")

    def _one(self, where: str, *values: str) -> Task | None:
        row = self._connection.execute(_SELECT + where, values).fetchone()
        return None if row is None else _task(row)


def _row(task: Task) -> tuple[Any, ...]:
    return (
        task.id,
        task.owner,
        task.key,
        task.token,
        task.body_sha256,
        _dumped(task.asked),
        task.price_micro_usd,
        task.created_at,
        task.latency_seconds,
        task.picture,
        task.ended_at,
        task.sha256,
        json.dumps(task.error) if task.error else None,
        task.payload_sha256,
    )


def _task(row: tuple[Any, ...]) -> Task:
    values = list(row)
    values[5] = _loaded(values[5])
    values[12] = json.loads(values[12]) if values[12] else None
    return Task(*values)


def _dumped(asked: Asked) -> str:
    document = {name: getattr(asked, name) for name in asked.__slots__ if name != "references"}
    return json.dumps({**document, "references": [_reference(each) for each in asked.references]})


def _reference(reference: Stored | Sample | Elsewhere | Missing) -> list[str]:
    match reference:
        case Missing(digest):
            return ["missing", digest]
        case Stored(sha256):
            return ["stored", sha256]
        case Sample(name):
            return ["sample", name]
        case Elsewhere(digest):
            return ["elsewhere", digest]


def _loaded(text: str) -> Asked:
    document = json.loads(text)
    references = tuple(_KINDS[kind](value) for kind, value in document.pop("references"))
    return Asked(**document, references=references)
