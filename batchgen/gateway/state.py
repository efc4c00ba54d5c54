"""The gateway's folder: one process at a time, its credential, its keys, its tasks and files."""

import fcntl
import os
import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from batchgen.errors import Foreign, HeldElsewhere
from batchgen.gateway.paid import PaidLog
from batchgen.gateway.records import Records

LOCK_WAIT_SECONDS: Final = 5.0
"""A predecessor that is dying gets this long."""

_POLL_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class State:
    """An open state folder; nobody else has it open. `writing` belongs to the writer's thread."""

    folder: str
    credential_file: str
    signing_key: bytes
    writing: Records
    reading: Records
    paid: PaidLog
    lock: int

    def close(self) -> None:
        """Let go of everything; the lock goes last."""
        self.reading.close()
        self.writing.close()
        self.paid.close()
        os.close(self.lock)

    def picture(self, name: str) -> str:
        """Where a picture lies; the name comes from the tasks, never from a URL."""
        return os.path.join(self.folder, "pictures", name)

    def reference(self, sha256: str) -> str:
        """Where the bytes of a reference lie."""
        return os.path.join(self.folder, "references", sha256)

    def credential(self) -> str:
        """The folder's own credential, made once and readable by its owner alone."""
        return _kept(self.credential_file, f"bg-local-{secrets.token_urlsafe(24)}".encode()).decode()


def open_state(
    folder: str, *, wait_seconds: float = LOCK_WAIT_SECONDS, sleep: Callable[[float], None] = time.sleep
) -> State:
    """Take a state folder, make it if need be, and put right what a crash left.

    Raises:
        HeldElsewhere: another gateway has it and did not let go in time.
        Foreign: its signing key is damaged.
    """
    folder = os.path.abspath(folder)
    for each in (folder, os.path.join(folder, "pictures"), os.path.join(folder, "references")):
        os.makedirs(each, mode=0o700, exist_ok=True)
    os.chmod(folder, 0o700)
    with ExitStack() as opened:
        lock = _locked(os.path.join(folder, "lock"), wait_seconds, sleep)
        opened.callback(os.close, lock)
        state = _opened(folder, lock)
        opened.pop_all()
    return state


def _opened(folder: str, lock: int) -> State:
    key = _kept(os.path.join(folder, "signing.key"), secrets.token_bytes(32))
    if len(key) != 32:
        raise Foreign(f"{folder}/signing.key is damaged; remove it and start the gateway again")
    database = os.path.join(folder, "gateway.db")
    writing, paid = Records(database), PaidLog(os.path.join(folder, "paid.jsonl"))
    sync_folder(folder)  # the names in it, and its own, before anything is sold
    sync_folder(os.path.dirname(folder))
    paid.mend(writing.all())
    return State(folder, os.path.join(folder, "credential"), key, writing, Records(database), paid, lock)


def sync_folder(folder: str) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def save_file(path: str, data: bytes) -> None:
    """Put a whole file under its name at once, durable on return, readable by its owner alone."""
    part = f"{path}.{secrets.token_hex(8)}.part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise
    sync_folder(os.path.dirname(path))


def _locked(path: str, wait_seconds: float, sleep: Callable[[float], None]) -> int:
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    waited = 0.0
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waited >= wait_seconds:
                os.close(lock)
                raise HeldElsewhere(
                    f"another gateway uses {os.path.dirname(path)}; stop it, or name another --state folder"
                ) from None
            sleep(_POLL_SECONDS)
            waited += _POLL_SECONDS
        else:
            return lock


def _kept(path: str, fresh: bytes) -> bytes:
    """The content of a small secret file; a fresh one is saved when there is none."""
    try:
        with open(path, "rb") as file:
            return file.read().strip() if path.endswith("credential") else file.read()
    except FileNotFoundError:
        save_file(path, fresh)
        return fresh
