"""Payments that the journal could not take any more, in a file whose room was kept; the next run brings them in.

Each line is one sealed milestone. The room is written and synced when the journal is opened, so that a full disk does
not take it.
"""

import fcntl
import json
import os
from collections.abc import Sequence
from typing import Any, Final

from batchgen.errors import Damaged
from batchgen.journal import Entry
from batchgen.journal.codec import decode_milestone, encode_milestone, seal
from batchgen.journal.database import Connection
from batchgen.journal.recording import record
from batchgen.journal.schema import sync_folder
from batchgen.lifecycle import Accepted, InDoubt, Started

NAME: Final = "unrecorded"
ROOM_BYTES: Final = 64 * 1024


def keep_room(folder: str) -> None:
    """Make sure that there is a file with room, durably; what is in it stays."""
    path = os.path.join(folder, NAME)
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if size >= ROOM_BYTES:
            return
        os.pwrite(descriptor, bytes(ROOM_BYTES - size), size)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(folder)


def keep(folder: str, batch_id: str, entries: Sequence[Entry]) -> str:
    """Write down what was paid for, durably; returns the file.

    Raises:
        OSError: not even that was possible.
    """
    return add(folder, [_line(batch_id, entry) for entry in entries])


def add(folder: str, lines: Sequence[str]) -> str:
    """Write down lines that `lines` gave, here or on another machine, durably; returns the file.

    Raises:
        OSError: not even that was possible.
    """
    path = os.path.join(folder, NAME)
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # all processes of a run may come at once
        os.pwrite(descriptor, "".join(lines).encode("ascii", "replace"), len(_content(descriptor)))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return path


def bring_in(connection: Connection, folder: str, batch_id: str, now: float) -> tuple[int, list[str]]:
    """Record what was kept, inside a transaction; says how many were recorded, and what fits no job any more.

    It is recorded for the run that began the attempt: to this one it is found work, to be carried on.

    Raises:
        Damaged: the file is not as it was written.
    """
    recorded, strange = 0, []
    for job, accepted in _kept(folder, batch_id):
        row = connection.execute(
            """SELECT head, milestones.kind, attempt, milestones.run
            FROM jobs JOIN milestones ON job = number AND position = head WHERE number = ?""",
            (job,),
        ).fetchone()
        if row and row[1] in {Started.__name__, InDoubt.__name__} and row[2] == accepted.attempt:
            record(connection, [Entry(job, row[0] + 1, accepted)], None, (row[3], now))
            recorded += 1
        elif not _known(connection, job, accepted):
            strange.append(f"job {job} is task {accepted.task_id}")
    return recorded, strange


def lines(folder: str) -> list[str]:
    """What is kept there, a payment a line, unread."""
    try:
        descriptor = os.open(os.path.join(folder, NAME), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return []
    try:
        return _content(descriptor).decode("ascii", "replace").splitlines(keepends=True)
    finally:
        os.close(descriptor)


def clear(folder: str) -> None:
    """Forget what is recorded now; the room stays."""
    path = os.path.join(folder, NAME)
    descriptor = os.open(f"{path}.new", os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(descriptor, bytes(ROOM_BYTES), 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(f"{path}.new", path)
    sync_folder(folder)


def _line(batch_id: str, entry: Entry) -> str:
    values = (batch_id, entry.job, type(entry.milestone).__name__, entry.milestone.attempt)
    row = (*values, encode_milestone(entry.milestone))
    return json.dumps([*row, seal(*row).hex()]) + "\n"


def _kept(folder: str, batch_id: str) -> list[tuple[int, Accepted]]:
    return [_read(line, folder, batch_id) for line in lines(folder)]


def _read(line: str, folder: str, batch_id: str) -> tuple[int, Accepted]:
    try:
        *row, sealed = json.loads(line)
        whole = seal(*row).hex() == sealed and row[0] == batch_id
    except (ValueError, TypeError):
        whole = False
    if not whole:
        raise Damaged(
            f"{os.path.join(folder, NAME)} holds a payment that cannot be read: {line[:200]!r}; write the task down for"
            " `batchgen resolve --paid`, then move the file away."
        )
    accepted = decode_milestone(*row[2:])
    assert isinstance(accepted, Accepted)
    return row[1], accepted


def _known(connection: Connection, job: int, accepted: Accepted) -> bool:
    """Whether this was recorded before a crash that came before `clear`."""
    values: tuple[Any, ...] = (job, accepted.attempt, encode_milestone(accepted))
    found = "SELECT 1 FROM milestones WHERE job = ? AND kind = 'Accepted' AND attempt = ? AND body = ?"
    return connection.execute(found, values).fetchone() is not None


def _content(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0).rstrip(b"\0")
