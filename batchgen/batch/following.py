"""What a head sees of jobs that are carried elsewhere: their ends in the journal, and how fast each worker is."""

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

import anyio

from batchgen import watch
from batchgen.batch.asked import Observer
from batchgen.errors import Damaged, Foreign, JournalError
from batchgen.journal import Mark, Progress, Record, Selection
from batchgen.lifecycle import JobFailed

EVERY_SECONDS: Final = 1.0

LATE_SECONDS: Final = 5.0
"""A milestone may be seen so long after the time that it names: clocks differ, and commits take theirs."""

PAGE: Final = 500
SPAN_SECONDS: Final = 10.0
NAMED: Final = 3
"""So many workers are named; of more only the number is told."""

logger = logging.getLogger(__name__)

Calls: TypeAlias = tuple[int, int, int]
"""Submits, polls, downloads."""


class Follower:
    """Shows an observer the jobs that end in a run, each once, as the journal tells of them."""

    def __init__(self, record: Record, run: int, observer: Observer, tally: watch.Tally) -> None:
        self.every_seconds = EVERY_SECONDS
        self._record = record
        self._over = Selection(states=frozenset({"stored", "failed"}), run=run)
        self._observer = observer
        self._tally = tally
        self._mark = Mark(0.0, 0)
        self._seen: set[tuple[int, int]] = set()

    async def follow(self) -> None:
        """Look every second, until cancelled."""
        while True:
            try:
                await self.look()
            except (Damaged, Foreign):
                raise
            except JournalError as away:
                logger.info("what has ended could not be looked for, and is in a second (%s)", away)
            await anyio.sleep(self.every_seconds)

    async def look(self) -> None:
        """Show what has ended since the last look, or is seen only now."""
        seen, mark, page = set[tuple[int, int]](), self._mark, [*await self._page(self._mark)]
        while page:
            for each in page:
                seen.add((each.job.number, each.position))
                if (each.job.number, each.position) not in self._seen:
                    self._seen.add((each.job.number, each.position))
                    _show(each, self._observer, self._tally)
            mark, page = page[-1].mark, [*await self._page(page[-1].mark)]
        self._mark, self._seen = Mark(max(self._mark.at, mark.at - LATE_SECONDS), 0), seen

    async def _page(self, mark: Mark) -> Sequence[Progress]:
        return await anyio.to_thread.run_sync(partial(self._record.newest, self._over, PAGE, mark, newer=True))


def _show(progress: Progress, observer: Observer, tally: watch.Tally) -> None:
    if isinstance(progress.milestone, JobFailed):
        tally.failures[progress.milestone.failure, progress.milestone.reason] += 1
    observer.finished(progress)


@dataclass(slots=True)
class _Worker:
    """The calls of a worker's outposts, and when it had brought how many pictures, of late."""

    calls: dict[str, Calls] = field(default_factory=dict)
    brought: deque[tuple[float, int]] = field(default_factory=deque)


@dataclass(slots=True)
class Rates:
    """How much each worker does, by what its outposts say of themselves."""

    workers: dict[str, _Worker] = field(default_factory=dict)

    def did(self, who: str, place: str, calls: Calls, now: float) -> None:
        """An outpost at a place has made so many calls since it was opened."""
        worker = self.workers.setdefault(place, _Worker())
        worker.calls[who] = calls
        worker.brought.append((now, sum(each[2] for each in worker.calls.values())))
        while worker.brought[0][0] < now - SPAN_SECONDS:
            worker.brought.popleft()

    @property
    def calls(self) -> Calls:
        """The calls of all."""
        found = [each for worker in self.workers.values() for each in worker.calls.values()]
        return sum(each[0] for each in found), sum(each[1] for each in found), sum(each[2] for each in found)

    def per_second(self, now: float) -> dict[str, float]:
        """Pictures a second by worker, of those that were heard of lately."""
        found = {}
        for place, worker in self.workers.items():
            (since, before), (at, brought) = worker.brought[0], worker.brought[-1]
            if at >= now - SPAN_SECONDS:
                found[place] = (brought - before) / max(at - since, 1.0)
        return found

    def note(self, now: float) -> str:
        """One line about who carries the run."""
        rates = self.per_second(now)
        if not rates:
            return "waiting for a worker of the cluster"
        if len(rates) > NAMED:
            return f"{len(rates)} workers bring {sum(rates.values()):.1f} pictures a second"
        return ", ".join(f"{place} brings {rate:.1f}/s" for place, rate in sorted(rates.items()))
