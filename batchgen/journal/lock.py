"""One writer per batch: a lock that the kernel frees when its holder dies, however it dies."""

import fcntl
import os
import time
from datetime import UTC, datetime
from typing import Final

from batchgen.errors import HeldElsewhere
from batchgen.journal.schema import whoami

_TRIES: Final = 8
_PAUSE_SECONDS: Final = 0.05


def take(folder: str, now: float) -> int:
    """Take the folder's lock; closing the descriptor that is returned frees it.

    It is a file of its own, because closing a stray descriptor of the journal would free SQLite's locks.

    Raises:
        HeldElsewhere: another run has it; says who, within a second.
    """
    descriptor = os.open(os.path.join(folder, "lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        _wait(descriptor)
        host, pid, user = whoami()
        since = datetime.fromtimestamp(now, UTC).isoformat(sep=" ", timespec="seconds")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {pid} of {user} on {host} since {since}\n".encode(), 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def require_free(folder: str) -> None:
    """Make sure that no run holds the folder's lock now; takes nothing.

    Raises:
        HeldElsewhere: one has it; says who, within a second.
    """
    try:
        descriptor = os.open(os.path.join(folder, "lock"), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        _wait(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def is_held(folder: str) -> bool:
    """Whether some run holds the folder's lock now."""
    try:
        descriptor = os.open(os.path.join(folder, "lock"), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _try(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _wait(descriptor: int, kind: int = fcntl.LOCK_EX) -> None:
    # A few tries, because a reader that only asks holds the lock for an instant.
    for _ in range(_TRIES):
        if _try(descriptor, kind):
            return
        time.sleep(_PAUSE_SECONDS)
    holder = os.pread(descriptor, 500, 0).decode("utf-8", "replace").strip() or "another process"
    raise HeldElsewhere(f"This batch is held by {holder}; run again when it has ended.")


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
