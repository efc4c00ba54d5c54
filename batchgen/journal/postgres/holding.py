"""Who writes a batch: a row with a heartbeat in place of a lock, fenced by an epoch that every commit checks.

A lock of a session would be lost with the connection, and means nothing behind a pooler. So whoever takes the batch
raises its epoch; each commit first moves `writes` on where the epoch is still its own, and finds nothing to move when
another run has taken over. That number is also how a commit is recognised whose reply was lost.
"""

from dataclasses import dataclass
from typing import Final

from psycopg import errors

from batchgen.errors import HeldElsewhere, JournalError
from batchgen.journal.postgres.connection import PostgresConnection
from batchgen.journal.schema import whoami

LEASE_SECONDS: Final = 30.0
"""After this long without a sign of life a holder is taken for dead."""

_WHO: Final = """
    SELECT held AND clock_timestamp() < beat + make_interval(secs => lease), pid, "user", host,
        to_char(since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
        to_char((beat + make_interval(secs => lease)) AT TIME ZONE 'UTC', 'HH24:MI:SS')
    FROM holder"""
_TAKE: Final = """
    UPDATE holder SET epoch = epoch + 1, held = true, host = %s, pid = %s, "user" = %s,
        since = clock_timestamp(), beat = clock_timestamp(), lease = %s RETURNING epoch, writes"""
_FENCE: Final = """
    UPDATE holder SET writes = writes + 1, beat = clock_timestamp() WHERE epoch = %s AND held RETURNING writes"""


@dataclass(slots=True)
class Hold:
    """A batch that is held: its epoch, and how many commits were made in it."""

    epoch: int
    writes: int


def take(connection: PostgresConnection, lease: float = LEASE_SECONDS) -> Hold:
    """Take the batch, in the transaction that is open.

    Raises:
        HeldElsewhere: another run has it, and showed a sign of life; says who.
    """
    try:
        connection.raw("SELECT 1 FROM holder FOR UPDATE NOWAIT")
    except errors.LockNotAvailable:
        connection.roll_back()
        connection.begin()
        raise _held(connection) from None
    if is_held(connection):
        raise _held(connection)
    ((epoch, writes),) = connection.raw(_TAKE, (*_named(), lease))
    return Hold(epoch, writes)


def is_held(connection: PostgresConnection) -> bool:
    """Whether a run holds the batch now."""
    return bool(connection.raw(_WHO)[0][0])


def fence(connection: PostgresConnection, hold: Hold) -> int:
    """Begin a commit, which keeps others from writing until it ends; says its number.

    Raises:
        JournalError: another run has taken the batch over.
    """
    found = connection.raw(_FENCE, (hold.epoch,))
    if not found:
        raise JournalError(
            f"This run was taken for dead, and the batch is held by {_holder(connection)}; it records nothing more."
        )
    return int(found[0][0])


def was_kept(connection: PostgresConnection, hold: Hold, number: int) -> bool:
    """Whether the commit of this number is there, in a transaction that is open; waits for one that still goes on.

    Raises:
        JournalError: another run has taken the batch over, so that nobody can say.
    """
    ((epoch, writes),) = connection.raw("SELECT epoch, writes FROM holder FOR UPDATE")
    if epoch != hold.epoch:
        raise JournalError(
            f"The server was lost in a commit, and the batch is held by {_holder(connection)} now; run again."
        )
    return int(writes) >= number


def release(connection: PostgresConnection, hold: Hold) -> None:
    """Let go of the batch, in the transaction that is open; nothing if another run has it."""
    connection.raw("UPDATE holder SET held = false WHERE epoch = %s", (hold.epoch,))


def _named() -> tuple[str, int, str]:
    return whoami()


def _held(connection: PostgresConnection) -> HeldElsewhere:
    until = connection.raw(_WHO)[0][5]
    return HeldElsewhere(
        f"This batch is held by {_holder(connection)}; run again when it has ended. If it died, its hold ends at"
        f" {until} UTC by the clock of the server."
    )


def _holder(connection: PostgresConnection) -> str:
    _, pid, user, host, since, _ = connection.raw(_WHO)[0]
    return f"process {pid} of {user} on {host} since {since}"
