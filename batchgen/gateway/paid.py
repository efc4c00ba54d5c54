"""What was sold, one JSON line per task: the list that a rehearsal is checked against."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator

from batchgen.gateway.task import Task


class PaidLog:
    """The file `paid.jsonl`; append-only, one thread at a time.

    A line is durable before its task is answered. After a crash the file may lack lines of tasks that were never
    answered, or end in a torn one; `mend` puts both right.
    """

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = 0
        self._owed: list[Task] = []

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def mend(self, tasks: Iterable[Task]) -> None:
        """Cut off what is torn, and add the lines of those tasks that have none."""
        known = set()
        self._size = 0
        for line in self._lines():
            task_id = _task_of(line)
            if task_id is None:
                break
            known.add(task_id)
            self._size += len(line)
        os.ftruncate(self._file, self._size)
        self.append([task for task in tasks if task.id not in known])

    def append(self, tasks: list[Task]) -> None:
        """Add one line for each task, durable on return.

        Raises:
            OSError: the disk refused; the lines are owed, and go with the next append or the next start.
        """
        self._owed += tasks
        if not self._owed:
            return
        lines = b"".join(_line(task) for task in self._owed)
        try:
            with os.fdopen(os.dup(self._file), "ab") as file:
                file.write(lines)
            os.fsync(self._file)
        except OSError:
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(lines)
        self._owed.clear()

    def _lines(self) -> Iterator[bytes]:
        with os.fdopen(os.dup(self._file), "rb") as file:
            file.seek(0)
            yield from file


def _task_of(line: bytes) -> str | None:
    """The task of a whole line; None for one that a crash or a power cut has torn."""
    try:
        return str(json.loads(line)["task_id"]) if line.endswith(b"\n") else None
    except (ValueError, KeyError, TypeError):
        return None


def _line(task: Task) -> bytes:
    document = {
        "task_id": task.id,
        "token": task.token,
        "body_sha256": task.body_sha256,
        "prompt_sha256": hashlib.sha256(task.asked.prompt.encode()).hexdigest(),
        "model": task.asked.model,
        "price_micro_usd": task.price_micro_usd,
        "at": task.created_at,
    }
    return json.dumps(document, separators=(",", ":")).encode("ascii") + b"\n"
