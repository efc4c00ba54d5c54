"""Paints what was sold, in worker processes, so that no poll waits for a brush."""

import hashlib
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import anyio
import anyio.to_process
from anyio.streams.memory import MemoryObjectReceiveStream

from batchgen.api.wire import TaskError
from batchgen.gateway.painter import PaintRequest, UnreadableReference, Upload, paint
from batchgen.gateway.state import State, save_file
from batchgen.gateway.task import Ended, Missing, Stored, Task, seed
from batchgen.gateway.writer import Writer
from batchgen.picture import describe, sniff

_NICE: Final = 5
_UNREADABLE: Final[TaskError] = {
    "code": "422",
    "message": "a reference picture could not be read",
    "type": "invalid_request_error",
}
_MISSING: Final[TaskError] = {
    "code": "422",
    "message": "media file unavailable: a reference could not be fetched",
    "type": "invalid_request_error",
}
_BROKEN: Final[TaskError] = {"code": "500", "message": "the painter broke off", "type": "server_error"}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """One picture to paint: the task, where it goes, and the files of its references by their hashes."""

    task: Task
    path: str
    files: dict[str, str]


Paint: TypeAlias = Callable[[Work], Awaitable[str]]
"""Paints a work into its file and returns the sha256; raises UnreadableReference, or anything when it breaks."""


Painter: TypeAlias = Callable[[PaintRequest, int], bytes]
"""The contract: the picture of a request under a seed, as the bytes of a file in its `output_format`.

The same request and seed should give the same bytes; another seed is another take. It runs in a process of its own,
one call at a time. `UnreadableReference` fails the task as a bad request, any other exception as a broken painter.
"""


async def paint_elsewhere(work: Work) -> str:
    """Paint in a worker process; cancelling it ends that process."""
    return await anyio.to_process.run_sync(paint_file, work, cancellable=True)


def paint_file(work: Work, painter: Painter = paint) -> str:
    """Paint into a work's file, unless a crash left it painted already; runs in a worker process.

    Raises:
        UnreadableReference: a reference is no picture.
        ValueError: what was painted is no picture of the format that was asked for.
    """
    if os.path.exists(work.path):  # whole, since it came under its name at once
        return hashlib.sha256(_read(work.path)).hexdigest()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the server ends its workers itself
    os.setpriority(os.PRIO_PROCESS, 0, _NICE)  # answers go before brushes
    asked = work.task.asked
    references = tuple(
        Upload(_read(work.files[each.sha256])) if isinstance(each, Stored) else each
        for each in asked.references
        if not isinstance(each, Missing)
    )
    request = PaintRequest(asked.prompt, asked.aspect_ratio, asked.resolution, asked.file_format, references)
    data = painter(request, seed(work.task.id))
    found = sniff(data)
    if found is None or found.extension != request.output_format:
        raise ValueError(f"the painter gave {describe(data)} instead of {request.output_format}")
    save_file(work.path, data)
    return hashlib.sha256(data).hexdigest()


class Studio:
    """The queue of works and as many painters as there are cores; `run` must be running."""

    def __init__(
        self, state: State, writer: Writer, clock: Callable[[], float], paint: Paint = paint_elsewhere
    ) -> None:
        self._state, self._writer, self._clock, self._paint = state, writer, clock, paint
        self._send, self._receive = anyio.create_memory_object_stream[Task](float("inf"))
        self._busy: dict[str, anyio.Event] = {}

    @property
    def backlog(self) -> int:
        """How many tasks are not painted yet."""
        return len(self._busy)

    def ask(self, task: Task) -> None:
        """Have a task painted, unless it is in hand already."""
        if task.ended_at is None and task.id not in self._busy:
            self._busy[task.id] = anyio.Event()
            self._send.send_nowait(task)

    async def ended(self, task_id: str) -> None:
        """Wait until a task that was asked for is painted or has failed."""
        if (event := self._busy.get(task_id)) is not None:
            await event.wait()

    async def run(self) -> None:
        """Paint until cancelled."""
        painters = max(1, len(os.sched_getaffinity(0)))
        with self._send, self._receive:
            async with anyio.create_task_group() as group:
                for _ in range(painters):
                    group.start_soon(self._work, self._receive.clone())

    async def _work(self, tasks: MemoryObjectReceiveStream[Task]) -> None:
        with tasks:
            async for task in tasks:
                await self._writer.end(await self._painted(task))
                self._busy.pop(task.id).set()

    async def _painted(self, task: Task) -> Ended:
        if any(isinstance(each, Missing) for each in task.asked.references):
            return Ended(task.id, self._clock(), error=_MISSING)
        stored = [each.sha256 for each in task.asked.references if isinstance(each, Stored)]
        work = Work(task, self._state.picture(task.picture), {each: self._state.reference(each) for each in stored})
        try:
            return Ended(task.id, self._clock(), sha256=await self._paint(work))
        except UnreadableReference:
            return Ended(task.id, self._clock(), error=_UNREADABLE)
        except Exception:
            logger.exception("task %s could not be painted", task.id)
            return Ended(task.id, self._clock(), error=_BROKEN)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
