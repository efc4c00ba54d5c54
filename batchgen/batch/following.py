"""What a head sees of jobs that are carried elsewhere: their ends in the journal, and how fast each worker is."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import anyio

from batchgen import watch
from batchgen.batch.asked import Observer
from batchgen.journal import Mark, Progress, Record, Selection
from batchgen.lifecycle import JobFailed

EVERY_SECONDS: Final = 1.0

LATE_SECONDS: Final = 5.0
"""A milestone may be seen so long after the time that it names: clocks differ, and commits take theirs."""

PAGE: Final = 500
SPAN_SECONDS: Final = 10.0
NAMED: Final = 3
"""So many workers are named; of more only the number is told."""

Calls: TypeAlias = tuple[int, int, int]
"""Submits, polls, downloads."""


async def follow(record: Record, run: int, observer: Observer, tally: watch.Tally) -> None:
    """Show an observer the jobs that end, as the journal tells of them, until cancelled; the last may be missed."""
    over = Selection(states=frozenset({"stored", "failed"}), run=run)
    mark, seen = Mark(0.0, 0), set[tuple[int, int]]()
    while True:
        page = await anyio.to_thread.run_sync(_newer, record, over, mark)
        for each in page:
            if (key := (each.job.number, each.position)) not in seen:
                seen.add(key)
                _show(each, observer, tally)
        if len(page) == PAGE and page[-1].mark > mark:
            mark = page[-1].mark
            continue
        if page:
            mark = Mark(max(mark.at, page[-1].at - LATE_SECONDS), 0)
            seen &= {(each.job.number, each.position) for each in page}
        await anyio.sleep(EVERY_SECONDS)


def _newer(record: Record, over: Selection, mark: Mark) -> list[Progress]:
    return list(record.newest(over, PAGE, mark, newer=True))


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
