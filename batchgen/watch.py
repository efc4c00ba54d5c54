"""A run observed from outside: every milestone passes by here on its way to the journal, and nothing is decided.

The figures come from the journal; only calls, which leave no milestone, are counted here.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import anyio

from batchgen.api import Order, Provider, Receipt, Standing
from batchgen.errors import FailureClass
from batchgen.job import Draft
from batchgen.journal import Caps, Choice, Comparison, Entry, Identity, Journal, Progress, Redo, Totals, state_of
from batchgen.lifecycle import Accepted, AttemptFailed, JobFailed, Planned, Stored
from batchgen.report.figures import Figures, ModelFigures
from batchgen.report.summary import FailureCount
from batchgen.terms import Terms

FAILURES = 5
"""So many causes are shown."""

SHARE = 0.1
"""How much the newest picture weighs in the usual time of its model."""


@dataclass(slots=True)
class Tally:
    """What a run did so far, and the room it has left; `seconds` is the usual time to a picture, by model."""

    submits: int = 0
    polls: int = 0
    downloads: int = 0
    free_bytes: int | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    failures: Counter[tuple[FailureClass, str]] = field(default_factory=Counter)


class WatchedProvider:
    """A provider whose calls are counted."""

    def __init__(self, provider: Provider, tally: Tally) -> None:
        self._provider = provider
        self._tally = tally

    def submit(self, order: Order) -> Coroutine[Any, Any, Receipt]:
        """Count and pass on."""
        self._tally.submits += 1
        return self._provider.submit(order)

    def status(self, task_id: str) -> Coroutine[Any, Any, Standing]:
        """Count and pass on."""
        self._tally.polls += 1
        return self._provider.status(task_id)

    def download(self, url: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Count and pass on."""
        self._tally.downloads += 1
        return self._provider.download(url)


class WatchedJournal:
    """A journal whose milestones are shown to an observer once they are durable."""

    def __init__(
        self,
        journal: Journal,
        tally: Tally,
        finished: Callable[[Progress], None],
        choice: Choice | None = None,
    ) -> None:
        self._journal = journal
        self._choice = choice
        self._tally = tally
        self._finished = finished
        self._carried: dict[int, Progress] = {}
        self._accepted: dict[int, float] = {}

    @property
    def identity(self) -> Identity:
        """Whose journal this is."""
        return self._journal.identity

    @property
    def run(self) -> int:
        """The number of the run that holds it."""
        return self._journal.run

    async def owe(
        self, drafts: Iterable[Draft], inputs: str, redo: Redo | None = None, choice: Choice | None = None
    ) -> Comparison:
        """Pass on."""
        return await self._journal.owe(drafts, inputs, redo, choice)

    async def unfinished(self, terms: Terms) -> AsyncIterator[Progress]:
        """Pass on the jobs that are worked on, and remember them while they are carried."""
        async for progress in self._journal.unfinished(terms):
            if not worked_on(progress, self._choice):
                continue
            self._carried[progress.job.number] = progress
            yield progress

    async def append(self, entries: Sequence[Entry], caps: Caps | None = None) -> None:
        """Pass on, then show."""
        await self._journal.append(entries, caps)
        for entry in entries:
            self._show(entry)

    async def reached(self, number: int) -> Progress | None:
        """Pass on."""
        return await self._journal.reached(number)

    async def totals(self) -> Totals:
        """Pass on."""
        return await self._journal.totals()

    def _show(self, entry: Entry) -> None:
        progress = self._carried.get(entry.job)
        if progress is None:
            return
        match entry.milestone:
            case Accepted():
                self._accepted[entry.job] = time.monotonic()
            case Stored():
                self._time(progress)
                self._end(progress.moved(entry, progress.at))
            case JobFailed() as failed:
                self._tally.failures[failed.failure, failed.reason] += 1
                self._end(progress.moved(entry, progress.at))

    def _time(self, progress: Progress) -> None:
        since = self._accepted.pop(progress.job.number, None)
        if since is not None:
            model, took = progress.job.request.model, time.monotonic() - since
            usual = self._tally.seconds.get(model, took)
            self._tally.seconds[model] = usual + SHARE * (took - usual)

    def _end(self, progress: Progress) -> None:
        self._carried.pop(progress.job.number, None)
        self._accepted.pop(progress.job.number, None)
        self._finished(progress)


def worked_on(progress: Progress, choice: Choice | None) -> bool:
    """Whether a job is worked on in this run: what is paid for always is, new work if it was chosen."""
    if choice is None or not isinstance(progress.milestone, Planned | AttemptFailed):
        return True
    return choice(progress.job.id, state_of(progress.milestone), progress.row, progress.axes)


class Look(Protocol):
    """`figures`, for one run."""

    def __call__(self, totals: Totals, *, note: str) -> Figures:
        """Where the run stands."""
        ...


@dataclass(frozen=True, slots=True)
class Start:
    """A run when it began: `at` on the event loop's clock, `stored` by earlier runs, the bound of the batch."""

    at: float
    stored: int
    budget_micro_usd: int | None = None


def figures(totals: Totals, *, tally: Tally, start: Start, note: str) -> Figures:
    """Where the run stands."""
    models = tuple(
        ModelFigures(model, counts["running"], counts["stored"], tally.seconds.get(model), counts["failed"])
        for model, counts in sorted(totals.models.items())
    )
    failed = tuple(
        FailureCount(failure, reason, jobs) for (failure, reason), jobs in tally.failures.most_common(FAILURES)
    )
    return Figures(
        total=sum(totals.counts.values()),
        counts=totals.counts,
        stored_at_start=start.stored,
        elapsed_seconds=anyio.current_time() - start.at,
        in_flight=totals.counts["running"],
        submits=tally.submits,
        polls=tally.polls,
        downloads=tally.downloads,
        money=totals.money,
        models=models,
        failures=failed,
        note=note,
        budget_micro_usd=start.budget_micro_usd,
        free_bytes=tally.free_bytes,
    )
