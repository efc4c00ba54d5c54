"""What a journal of many jobs in PostgreSQL costs: `python -m tests.benchmarks.postgres [JOBS]`, 100,000 by default.

Its server is one of its own that syncs, as a real one does. Seconds of the clock, and of this process's CPU: the rest
is the server's, and the way there.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from batchgen.job import Draft, Request, draft
from batchgen.journal import Caps, Entry, Journal, Selection
from batchgen.journal.postgres.joining import Joined
from batchgen.lifecycle import Accepted, Generated, Started, Stored
from batchgen.terms import Terms
from tests.journal.postgres_desk import PostgresDesk
from tests.lives import asset
from tests.postgres import cluster

AT_ONCE = 256
"""So many jobs are carried at a time, as a run with that many in flight does."""

FINISHED = 5_000
WRITERS = 3


def drafts(count: int) -> Iterator[Draft]:
    """Different jobs."""
    for number in range(count):
        name = f"shoes/{number:07}"
        yield draft(name, Request("nano-banana-pro", f"A shoe on a rock by the sea, number {number}"), name)


@contextmanager
def told(what: str, count: int = 1) -> Iterator[None]:
    """Time a block, and say what one of so many took."""
    began, used = time.monotonic(), time.process_time()
    yield
    wall, cpu = time.monotonic() - began, time.process_time() - used
    each = f"   {1e6 * wall / count:9,.0f} µs each" if count > 1 else ""
    print(f"{what:<58} {wall:8.3f} s   {cpu:7.3f} s CPU{each}", flush=True)


async def finish(journal: Journal, numbers: list[int]) -> None:
    """Carry jobs to their end, as a worker writes them: each payment announced, taken, and its picture recorded."""
    caps, waiting = Caps(batch=10**12, own_task=True), iter(numbers)

    async def carry() -> None:
        for number in waiting:
            progress = await journal.reached(number)
            assert progress is not None
            started = progress.then(Started(1, f"bg-{number}", 40_000, 1.0))
            await journal.append([started], caps)
            at = progress.position + 2
            task = f"task-{number}"
            await journal.append([Entry(number, at, Accepted(1, task, 40_000))], caps)
            stored = Stored(1, task, 40_000, (asset(f"shoes/{number:07}.png"),))
            entries = [Entry(number, at + 1, Generated(1, task, 40_000)), Entry(number, at + 2, stored)]
            await journal.append(entries, caps)

    async with anyio.create_task_group() as group:
        for _ in range(AT_ONCE):
            group.start_soon(carry)


async def measure(desk: PostgresDesk, count: int) -> None:
    """Own, hand out, finish, look."""
    async with desk.open() as journal:
        with told(f"owe {count:,} new jobs", count):
            await journal.owe(drafts(count), "inputs")
        with told("owe them again, nothing changed", count):
            await journal.owe(drafts(count), "inputs")
        handed = journal.unfinished(Terms())
        with told("the first jobs to carry (a page)"):
            first = await anext(handed)
        with told("all jobs to carry", count):
            numbers = [first.job.number, *[each.job.number async for each in handed]]
        with told(f"one process finishes {FINISHED:,} jobs, {AT_ONCE} at a time", FINISHED):
            await finish(journal, numbers[:FINISHED])
        mine = numbers[FINISHED : (1 + WRITERS) * FINISHED]
        joined = journal.joined()
        with told(f"{WRITERS} writers finish {len(mine):,} jobs", len(mine)):
            async with anyio.create_task_group() as group:
                for place in range(WRITERS):
                    group.start_soon(_write, joined, f"{desk.folder}/{place}", mine[place::WRITERS])
        with desk.record() as record:
            with told("status: the totals"):
                record.totals()
            with told("status: the failures by cause"):
                record.failures()
            with told("the page of the newest 500"):
                newest = record.newest(Selection(), 500)
            with told("what has ended since, as a head looks every second"):
                over = Selection(states=frozenset({"stored", "failed"}), run=journal.run)
                record.newest(over, 500, newest[20].mark, newer=True)
        with told("the end of the run, with its count of milestones"):
            await journal.end(0, "done")
    with told("open it again"):
        async with desk.open() as journal:
            with told("the first jobs to carry, after what is done"):
                await anext(journal.unfinished(Terms()), None)


async def _write(joined: Joined, folder: str, numbers: list[int]) -> None:
    async with joined(folder) as journal:
        await finish(journal, numbers)


def main(count: int) -> None:
    """Measure on a server of one's own."""
    real = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "256MB", "autovacuum": "on"}
    with cluster(real) as server, tempfile.TemporaryDirectory() as folder:
        anyio.run(measure, PostgresDesk(server.conninfo, os.path.join(folder, ".batchgen")), count)


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 100_000)
