"""The tables of a SQLite journal, how its file is made and opened, and what its first bytes must say."""

import getpass
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import apsw

from batchgen.errors import Damaged, Foreign
from batchgen.journal import Identity
from batchgen.journal.codec import seal
from batchgen.journal.database import Connection
from batchgen.journal.filesystem import network_kind

_PATIENCE_MILLISECONDS: Final = 120_000

APPLICATION: Final = 0x42474A4C
FORMAT: Final = 4

_KEEP_IDENTITY: Final = """
    INSERT INTO journal VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (one) DO UPDATE SET
    format = ?1, batch_id = ?2, name = ?3, manifest = ?4, provider = ?5, inputs = ?6, seal = ?7"""

TABLES: Final = (
    """CREATE TABLE journal (
        one INTEGER PRIMARY KEY CHECK (one = 1), format INTEGER NOT NULL,
        batch_id TEXT NOT NULL, name TEXT NOT NULL, manifest TEXT NOT NULL, provider TEXT NOT NULL,
        inputs TEXT NOT NULL, seal BLOB NOT NULL) STRICT""",
    """CREATE TABLE runs (
        number INTEGER PRIMARY KEY, verb TEXT NOT NULL, began REAL NOT NULL, ended REAL,
        host TEXT NOT NULL, pid INTEGER NOT NULL, user TEXT NOT NULL, version TEXT NOT NULL,
        exit_code INTEGER, reason TEXT NOT NULL, counts TEXT NOT NULL, money TEXT NOT NULL,
        committed INTEGER NOT NULL, started INTEGER NOT NULL, redo TEXT NOT NULL, prices TEXT NOT NULL,
        seal BLOB NOT NULL) STRICT""",
    """CREATE TABLE rows (
        key INTEGER PRIMARY KEY, line INTEGER NOT NULL, name TEXT NOT NULL, cells TEXT NOT NULL,
        proof BLOB NOT NULL) STRICT""",
    """CREATE TABLE jobs (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL, fingerprint TEXT NOT NULL, recipe INTEGER NOT NULL,
        request TEXT NOT NULL, model TEXT NOT NULL, path TEXT NOT NULL, place INTEGER NOT NULL,
        input INTEGER, axes TEXT NOT NULL,
        standing TEXT NOT NULL CHECK (standing IN ('current', 'replaced', 'gone')),
        changed INTEGER NOT NULL CHECK (changed IN (0, 1)), seal BLOB,
        head INTEGER NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, run INTEGER NOT NULL REFERENCES runs,
        UNIQUE (id, fingerprint)) STRICT""",
    "CREATE UNIQUE INDEX one_current ON jobs (id) WHERE standing = 'current'",
    "CREATE INDEX in_order ON jobs (standing <> 'current', place, number)",
    """CREATE INDEX under_way ON jobs (kind, number)
        WHERE kind IN ('Generated', 'Accepted', 'Started', 'InDoubt')""",
    """CREATE INDEX to_buy ON jobs (place, number)
        WHERE standing = 'current' AND kind IN ('Planned', 'AttemptFailed')""",
    """CREATE INDEX given_up ON jobs (number, head)
        WHERE standing = 'current' AND state = 'failed'""",
    """CREATE TABLE milestones (
        job INTEGER NOT NULL REFERENCES jobs, position INTEGER NOT NULL CHECK (position >= 0),
        run INTEGER NOT NULL REFERENCES runs, at REAL NOT NULL, kind TEXT NOT NULL, attempt INTEGER NOT NULL,
        body TEXT NOT NULL, checksum BLOB NOT NULL,
        PRIMARY KEY (job, position)) STRICT, WITHOUT ROWID""",
    """CREATE INDEX tasks ON milestones (iif(json_valid(body), json_extract(body, '$.task_id'), NULL))
        WHERE kind = 'Accepted'""",
    """CREATE TRIGGER never_changed BEFORE UPDATE ON milestones
        BEGIN SELECT raise(ABORT, 'a milestone is never changed'); END""",
    """CREATE TRIGGER never_removed BEFORE DELETE ON milestones
        BEGIN SELECT raise(ABORT, 'a milestone is never removed'); END""",
    """CREATE TABLE redone (
        run INTEGER NOT NULL REFERENCES runs, job INTEGER NOT NULL REFERENCES jobs, position INTEGER NOT NULL,
        seal BLOB NOT NULL, PRIMARY KEY (run, job)) STRICT, WITHOUT ROWID""",
    """CREATE TABLE totals (
        model TEXT NOT NULL, standing TEXT NOT NULL, what TEXT NOT NULL, amount INTEGER NOT NULL, seal BLOB NOT NULL,
        PRIMARY KEY (model, standing, what)) STRICT, WITHOUT ROWID""",
    """CREATE TRIGGER one_more_total AFTER INSERT ON totals WHEN NEW.what <> 'rows'
        BEGIN INSERT INTO totals VALUES ('', '', 'rows', 1, seal('', '', 'rows', 1))
        ON CONFLICT DO UPDATE SET amount = amount + 1, seal = seal('', '', 'rows', amount + 1); END""",
    """CREATE TRIGGER one_total_less AFTER DELETE ON totals WHEN OLD.what <> 'rows'
        BEGIN UPDATE totals SET amount = amount - 1, seal = seal('', '', 'rows', amount - 1)
        WHERE what = 'rows'; END""",
    """CREATE TABLE days (
        day TEXT PRIMARY KEY, committed INTEGER NOT NULL, seal BLOB NOT NULL) STRICT, WITHOUT ROWID""",
)
"""Each row carries a seal over its own columns; those of `jobs` from `head` on are proven by their milestone.

The totals count their own rows, so that a reader misses one that damage took away. `rows` are the input rows of jobs,
each once and known by its content; `redone` names the milestones with which a run began what it was told to do again.
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a journal needs of the machine: a clock in unix seconds and, for tests, a SQLite VFS by name.

    `network` tells the kind of a folder's file system if other machines may write it too, else nothing.
    """

    clock: Callable[[], float] = time.time
    vfs: str | None = None
    network: Callable[[str], str] = network_kind


def connect(path: str, machine: Machine) -> apsw.Connection:
    """A connection for the one writer, which has not touched the file yet."""
    return _opened(path, machine, apsw.SQLITE_OPEN_READWRITE)


def make_durable(connection: apsw.Connection, *, network: bool = False) -> None:
    """From here on a commit is on the disk when it returns.

    Readers never wait for it, but on a network file system: a WAL needs memory that all who use it share.
    """
    connection.pragma("journal_mode", "TRUNCATE" if network else "WAL")
    connection.pragma("synchronous", "EXTRA" if network else "FULL")
    if network:
        connection.set_busy_timeout(_PATIENCE_MILLISECONDS)  # for whoever reads meanwhile
    connection.pragma("foreign_keys", True)  # noqa: FBT003  # a pragma's value


def connect_to_read(path: str, machine: Machine) -> apsw.Connection:
    """A read-only connection of its own; it takes no lock that a writer would feel."""
    return _opened(path, machine, apsw.SQLITE_OPEN_READONLY)


def _opened(path: str, machine: Machine, flags: int) -> apsw.Connection:
    connection = apsw.Connection(path, flags=flags, vfs=machine.vfs)
    connection.set_busy_timeout(5000)
    connection.create_scalar_function("seal", seal, deterministic=True)
    return connection


def create(path: str, identity: Identity, machine: Machine) -> None:
    """Make a journal: under another name first, so that after a crash there is a whole one or none."""
    part = f"{path}.new"
    for leftover in (part, f"{part}-journal", f"{part}-wal", f"{part}-shm"):
        if os.path.exists(leftover):
            os.unlink(leftover)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    connection = _opened(part, machine, apsw.SQLITE_OPEN_READWRITE)
    try:
        connection.pragma("synchronous", "EXTRA")
        connection.execute("BEGIN IMMEDIATE")
        for statement in TABLES:
            connection.execute(statement)
        write_identity(connection, identity)
        connection.pragma("application_id", APPLICATION)
        connection.pragma("user_version", FORMAT)
        connection.execute("COMMIT")
        make_durable(connection)  # here, because a crash in the middle of it leaves what no reader may mend
    finally:
        connection.close()
    os.rename(part, path)
    sync_folder(os.path.dirname(path))


def sync_folder(folder: str) -> None:
    """Make names given in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_identity(connection: Connection, identity: Identity) -> None:
    """Record whose journal this is."""
    row = (identity.batch_id, identity.name, identity.manifest, identity.provider, identity.inputs)
    sealed = seal(FORMAT, *row)
    connection.execute(_KEEP_IDENTITY, (FORMAT, *row, sealed))


def read_identity(connection: apsw.Connection, path: str) -> Identity:
    """Whose journal this is, once its first bytes have shown that it is one.

    Raises:
        Foreign: another program's file, or a newer format.
        Damaged: a row that is not as it was written.
    """
    if connection.pragma("application_id") != APPLICATION:
        raise Foreign(f"{path} is not a journal of batchgen; it was left alone.")
    written = connection.pragma("user_version")
    if isinstance(written, int) and written > FORMAT:
        raise Foreign(f"{path} has format {written}, this batchgen knows {FORMAT}; use the newer one.")
    if written != FORMAT:
        raise Damaged(f"{path} is damaged in its first bytes; keep it, and put a copy back.")
    return kept_identity(connection, path)


def kept_identity(connection: Connection, path: str) -> Identity:
    """What the table says that names whose journal this is.

    Raises:
        Damaged: it is not as it was written.
    """
    row = connection.execute("SELECT format, batch_id, name, manifest, provider, inputs, seal FROM journal").fetchone()
    if row is None or row[0] != FORMAT or seal(*row[:-1]) != row[-1]:
        raise Damaged(f"{path} is damaged in its first table; keep it, and put a copy back.")
    return Identity(*row[1:-1])


def whoami() -> tuple[str, int, str]:
    """Host, process and user, as a run and its lock name them."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return socket.gethostname(), os.getpid(), user


def is_older(connection: apsw.Connection) -> bool:
    """Whether a journal has to be migrated before it can be used."""
    return connection.pragma("application_id") == APPLICATION and connection.pragma("user_version") in range(1, FORMAT)
