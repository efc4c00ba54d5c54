"""A job on its way through this run: what it has reached, and how reaching something becomes durable."""

import logging
from dataclasses import dataclass

from batchgen.api import Standing
from batchgen.errors import JournalError, Superseded, TaskTaken
from batchgen.job import Job
from batchgen.journal import Caps, Entry, Progress
from batchgen.lifecycle import Accepted, AttemptFailed, Generated, JobFailed, Milestone, Stored, advance
from batchgen.terms import Limits
from batchgen.worker.tools import Tools

logger = logging.getLogger(__name__)


class LetGo(Exception):  # it is no error, and never leaves the worker
    """This run does nothing more for this job, and there is nothing to say about it."""


class PutOff(Exception):  # nor is this
    """Nothing can be done for this job for so many seconds: its task goes on."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


@dataclass(slots=True)
class Asking:
    """How often a task was asked for, how often it succeeded without a picture, and when it is asked next.

    `interval` is what lies before the next look, None before the first one; `due` says that it has passed.
    """

    asked: int = 0
    empty: int = 0
    interval: float | None = None
    due: bool = False


class Carried:
    """One job in a worker's hands, or put off. `at` is what it has reached; `pending` is reached but not yet written.

    `copied_at` is what an old copy of the journal knew last of it, in unix seconds; None if it was not in one.
    `posting` is true while a POST of it may have left and is not known to be untaken; `asking` is kept while the job is
    put off.
    """

    __slots__ = (
        "asking",
        "at",
        "begun",
        "copied_at",
        "doubts",
        "found_at",
        "job",
        "not_taken_since",
        "pending",
        "posting",
        "standing",
        "tools",
    )

    def __init__(self, tools: Tools, progress: Progress) -> None:
        self.tools = tools
        self.at = progress
        self.job: Job = progress.job
        self.found_at = tools.now()
        self.copied_at = progress.at if progress.copied else None
        self.pending: list[Entry] = []
        self.standing: Standing | None = None
        self.doubts = 0
        self.posting = self.begun = False
        self.asking: Asking | None = None
        self.not_taken_since: float | None = None

    @property
    def limits(self) -> Limits:
        """The limits of this job's model."""
        return self.tools.terms.of(self.job.request.model)

    async def reach(self, milestone: Milestone, caps: Caps | None = None) -> None:
        """Record a milestone, durable on return whatever is being cancelled.

        Generated waits for what follows it, and so does a failure that an old copy may have forgotten more after:
        asking again is free.
        """
        entry = self.at.then(advance(self.at.milestone, milestone))
        entries = (*self.pending, entry)
        if isinstance(milestone, Generated) or (isinstance(milestone, AttemptFailed) and self.copied_at is not None):
            self.pending.append(entry)
        else:
            await self._write(entries, caps)
            self.pending.clear()
        self._brake(milestone)
        logger.info("%s: %s, attempt %d", self.job.id, type(milestone).__name__, milestone.attempt)
        self.at = self.at.moved(entry, self.tools.clock())

    async def settle(self) -> None:
        """Record what waits for what follows it, since nothing follows in this run."""
        if self.pending:
            await self._write(tuple(self.pending), None)
            self.pending.clear()

    def _brake(self, milestone: Milestone) -> None:
        match milestone:
            case Stored():
                self.tools.brake.stored()
            case JobFailed() if reason := self.tools.brake.failed():
                self.tools.halt.stop_buying(4, reason)

    async def _write(self, entries: tuple[Entry, ...], caps: Caps | None) -> None:
        last = entries[-1].milestone
        try:
            await self.tools.journal.append(entries, caps)
        except (TaskTaken, Superseded):
            raise  # whoever is told of them sees to what was paid
        except JournalError:
            if isinstance(last, Accepted) and last.task_id is not None:
                logger.critical("paid, and not recorded: job %s is task %s", self.job.id, last.task_id)
            raise
