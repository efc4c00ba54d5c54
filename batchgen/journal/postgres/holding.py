"""Who writes a batch: a row with a heartbeat in place of a lock, fenced by an epoch that every commit checks.

A lock of a session would be lost with the connection, and means nothing behind a pooler. So whoever takes the batch
raises its epoch; each commit first moves `writes` on where the epoch is still its own, and finds nothing to move when
another run has taken over. Who moves it keeps all others waiting until the commit ends: commits of a batch are made one
after another, whichever process makes them, and so no sum is read by two at once.

Each process that writes for the run has a row of its own, whose number is how a commit is recognised when its reply was
lost. Only the head's commits are signs of life: a run whose head is gone can be taken over.
"""

import os
import uuid
from dataclasses import dataclass
from typing import Final

from psycopg import errors

from batchgen.errors import HeldElsewhere, JournalError
from batchgen.journal.postgres.connection import PostgresConnection
from batchgen.journal.schema import whoami

LEASE_SECONDS: Final = 30.0
"""After this long without a sign of life a holder is taken for dead."""

WAIT: Final = "2s"
"""How long a run that begins waits for a commit of others to end."""

_WHO: Final = """
    SELECT held AND clock_timestamp() < beat + make_interval(secs => lease), pid, "user", host,
        to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
        to_char((beat + make_interval(secs => lease)) AT TIME ZONE 'UTC', 'HH24:MI:SS'), epoch
    FROM holder"""
_TAKE: Final = """
    UPDATE holder SET epoch = epoch + 1, held = true, host = %s, pid = %s, "user" = %s,
        since = clock_timestamp(), beat = clock_timestamp(), lease = %s RETURNING epoch"""
_FENCE: Final = """
    WITH ours AS (
        UPDATE holder SET writes = writes + 1, beat = CASE WHEN %s THEN clock_timestamp() ELSE beat END
        WHERE epoch = %s AND held RETURNING writes)
    UPDATE writers SET writes = writers.writes + 1 FROM ours WHERE name = %s RETURNING writers.writes, ours.writes"""


@dataclass(frozen=True, slots=True)
class Hold:
    """A batch that is held: its epoch, and the name of one process that writes for the run; `head` is who took it."""

    epoch: int
    writer: str
    head: bool = True


@dataclass(frozen=True, slots=True)
class Number:
    """A commit: how many this process has made with it, and how many others have made until then."""

    ours: int
    others: int


def take(connection: PostgresConnection, lease: float = LEASE_SECONDS) -> Hold:
    """Take the batch, in the transaction that is open.

    Raises:
        HeldElsewhere: another run has it, and showed a sign of life; says who.
    """
    try:
        connection.raw(f"SET LOCAL lock_timeout = '{WAIT}'")
        connection.raw("SELECT 1 FROM holder FOR UPDATE")
    except errors.LockNotAvailable:
        connection.roll_back()
        connection.begin()
        raise _held(connection) from None
    if is_held(connection):
        raise _held(connection)
    ((epoch,),) = connection.raw(_TAKE, (*whoami(), lease))
    connection.raw("DELETE FROM writers")
    return _entered(connection, Hold(int(epoch), _name()))


def join(connection: PostgresConnection, epoch: int) -> Hold:
    """Write for the run that holds the batch, in the transaction that is open.

    Raises:
        JournalError: that run has ended, or another one has the batch.
    """
    ((held, known),) = connection.raw("SELECT held, epoch FROM holder FOR SHARE")
    if not held or known != epoch:
        raise _taken_over(connection, epoch)
    return _entered(connection, Hold(epoch, _name(), head=False))


def is_held(connection: PostgresConnection) -> bool:
    """Whether a run holds the batch now."""
    return bool(connection.raw(_WHO)[0][0])


def fence(connection: PostgresConnection, hold: Hold) -> Number:
    """Begin a commit, which keeps others from writing until it ends.

    Raises:
        JournalError: the run has ended, or another one has taken the batch over.
    """
    found = connection.raw(_FENCE, (hold.head, hold.epoch, hold.writer))
    if not found:
        raise _taken_over(connection, hold.epoch)
    ((ours, all_of_them),) = found
    return Number(int(ours), int(all_of_them) - int(ours))


def was_kept(connection: PostgresConnection, hold: Hold, number: Number) -> bool:
    """Whether this commit is there, in a transaction that is open; waits for one that still goes on.

    Raises:
        JournalError: another run has taken the batch over, so that nobody can say.
    """
    ((epoch,),) = connection.raw("SELECT epoch FROM holder FOR UPDATE")
    if epoch != hold.epoch:
        raise JournalError(
            f"The server was lost in a commit, and the batch is held by {_holder(connection)} now; run again."
        )
    found = connection.raw("SELECT writes FROM writers WHERE name = %s", (hold.writer,))
    return bool(found) and int(found[0][0]) >= number.ours


def release(connection: PostgresConnection, hold: Hold) -> None:
    """Let go, in the transaction that is open: the head of the batch, others of their part in it."""
    if hold.head:
        connection.raw("UPDATE holder SET held = false WHERE epoch = %s", (hold.epoch,))
    connection.raw("DELETE FROM writers WHERE name = %s", (hold.writer,))


def _name() -> str:
    return f"{os.getpid()}-{uuid.uuid4().hex}"


def _entered(connection: PostgresConnection, hold: Hold) -> Hold:
    connection.raw("INSERT INTO writers VALUES (%s, 0)", (hold.writer,))
    return hold


def _held(connection: PostgresConnection) -> HeldElsewhere:
    until = connection.raw(_WHO)[0][5]
    return HeldElsewhere(
        f"This batch is held by {_holder(connection)}; run again when it has ended. If it died, its hold ends at"
        f" {until} UTC by the clock of the server."
    )


def _taken_over(connection: PostgresConnection, epoch: int) -> JournalError:
    if connection.raw(_WHO)[0][6] == epoch:
        return JournalError("The run that jobs were carried for has ended; nothing more is recorded for it.")
    return JournalError(
        f"This run was taken for dead, and the batch is held by {_holder(connection)}; it records nothing more."
    )


def _holder(connection: PostgresConnection) -> str:
    _, pid, user, host, since, *_ = connection.raw(_WHO)[0]
    return f"process {pid} of {user} on {host} since {since}"
