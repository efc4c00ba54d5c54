"""What a cluster costs and where it ends: the overhead of a shard, measured, and runs of any size, simulated.

`python -m tests.benchmarks.cluster` measures shards and turns on two processes of this machine, then simulates.
`python -m tests.benchmarks.cluster simulate JOBS WORKERS [IN_FLIGHT] [SECONDS]` simulates one run.
`python -m tests.benchmarks.cluster table` makes the table of docs/cluster/sizing.md alone.
`python -m tests.benchmarks.cluster waves` simulates what shards of other lengths would give.
"""

import heapq
import math
import random
import resource
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
from distributed import Client, LocalCluster

from batchgen.batch.turns import Marshal, Turns
from batchgen.engine import Outpost, Post, Word, Work, shards
from batchgen.engine.dask import DaskEngine
from batchgen.engine.shards import WAVES, Seats, size
from batchgen.terms import Limits, Rate, Terms

SHARDS = 300
ASKS = 2000

HEAD_SECONDS = 0.010
"""What one shard takes of the head, as measured on a busy machine."""

JOB_CPU_SECONDS = 0.040
"""CPU of one job at its worker, picture decoded and sent to an object store: tests/benchmarks/elsewhere.py."""

IN_FLIGHT_EACH = 200
"""Jobs in flight for each thread, so that its CPU is just not used up."""

MEDIAN_SECONDS, SIGMA = 8.0, 0.5
"""How long a task takes: lognormal, as providers' do."""


@dataclass(frozen=True)
class Nothing:
    """Work without anything to do: `count` items, each carried at once."""

    count: int

    async def items(self) -> AsyncIterator[int]:
        for item in range(self.count):
            yield item

    async def carry(self, item: int) -> None:
        return

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Work[int]]:
        yield self


@dataclass
class Asking:
    """An outpost whose items each ask the head for a turn."""

    turns: Turns

    async def carry(self, item: int) -> None:
        await self.turns.ask("")

    def hear(self, word: Word) -> None:
        if "go" in word:
            self.turns.go(*word["go"])


@asynccontextmanager
async def asking(post: Post) -> AsyncIterator[Outpost[int]]:
    """Opens one."""
    yield Asking(Turns(post))


def cpu_seconds() -> float:
    """CPU of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def measure() -> None:
    """Shards and turns over two worker processes."""
    async with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", asynchronous=True) as cluster,
        Client(cluster, asynchronous=True) as client,
    ):
        await DaskEngine(client, 2).run(Nothing(2 * WAVES))  # everything is loaded
        began, used = time.monotonic(), cpu_seconds()
        await DaskEngine(client, 2).run(Nothing(SHARDS * WAVES))
        wall, cpu = time.monotonic() - began, cpu_seconds() - used
        print(
            f"a shard   {wall / SHARDS * 1000:6.1f} ms of the clock, {cpu / SHARDS * 1000:5.1f} ms of CPU at the head"
        )
        marshal = Marshal(
            Terms(limits=Limits(rate=Rate(10**6, 1))), lambda word, seat: engine.tell_once(word, seat=seat)
        )
        async with anyio.create_task_group() as group:

            def heard(seat: int, word: Word) -> None:
                group.start_soon(marshal.give, seat, word["ask"], word["turn"])

            engine = DaskEngine(client, 64, away=asking, heard=heard, expected=ASKS)
            began, used = time.monotonic(), cpu_seconds()
            await engine.run(Nothing(ASKS))
        wall, cpu = time.monotonic() - began, cpu_seconds() - used
        print(f"a turn    {wall / ASKS * 1000:6.2f} ms of the clock, {cpu / ASKS * 1000:5.2f} ms of CPU at the head")


@dataclass(frozen=True)
class Simulated:
    """A simulated run; times in seconds, `head_busy` the share of the time in which the head handed out."""

    seconds: float
    ideal_seconds: float
    shards: int
    head_busy: float

    @property
    def efficiency(self) -> float:
        """Ideal time by time."""
        return self.ideal_seconds / self.seconds


def simulate(jobs: int, workers: int, in_flight: int, median: float = MEDIAN_SECONDS, seed: int = 1) -> Simulated:
    """A run of so many jobs on so many threads, handed out by the very rules of the engine, one event per shard."""
    chance, seats = random.Random(seed), Seats(in_flight)
    running: list[tuple[float, int]] = []
    waiting: list[tuple[int, int, int]] = []
    now = head_free = 0.0
    handed = shards = free = 0
    free = workers
    shapes: dict[tuple[int, int], list[float]] = {}
    while handed < jobs or running or waiting:
        while handed < jobs and (found := seats.take(workers)):
            seat, share = found
            count = min(size(share, workers, jobs, handed), jobs - handed)
            handed, shards = handed + count, shards + 1
            head_free = max(head_free, now) + HEAD_SECONDS
            waiting.append((seat, share, count))
        while waiting and free:
            seat, share, count = waiting.pop(0)
            free -= 1
            heapq.heappush(running, (max(now, head_free) + _lasts(chance, share, count, median, shapes), seat))
        now, seat = heapq.heappop(running)
        seats.leave(seat)
        free += 1
    mean = median * math.exp(SIGMA**2 / 2)
    ideal = max(jobs * mean / min(in_flight, jobs), jobs * JOB_CPU_SECONDS / workers)
    return Simulated(now, ideal, shards, shards * HEAD_SECONDS / now)


def _lasts(
    chance: random.Random, share: int, count: int, median: float, shapes: dict[tuple[int, int], list[float]]
) -> float:
    """How long a shard takes: its items by lot, the next one as soon as a place is free, no faster than its CPU."""
    known = shapes.setdefault((share, count), [])
    if len(known) < 40:
        ends = [0.0] * min(share, count)
        for _ in range(count):
            heapq.heapreplace(ends, ends[0] + chance.lognormvariate(math.log(median), SIGMA))
        known.append(max(*ends, count * JOB_CPU_SECONDS))
        return known[-1]
    return chance.choice(known)


def sizes() -> Iterator[tuple[int, int, int]]:
    """Jobs, worker threads, and jobs in flight that are told of in docs/cluster/sizing.md."""
    for jobs, threads in ((10**6, 4), (10**6, 16), (10**7, 16), (10**7, 64), (10**8, 64), (10**8, 256)):
        yield jobs, threads, threads * IN_FLIGHT_EACH


def table() -> None:
    """The simulated runs as a table."""
    print("\n| jobs | threads | in flight | hours | pictures/s | of the ideal | shards | head busy |")
    print("|---|---|---|---|---|---|---|---|")
    for jobs, workers, in_flight in sizes():
        told(jobs, workers, in_flight)


def waves() -> None:
    """The share of the ideal that shards of other lengths give, by the least and the most of the runs in the table."""
    usual = shards.WAVES
    for length in (4, 8, 16, 32, 64, 128):
        shards.WAVES = length  # type: ignore[misc]
        found = [simulate(*each).efficiency for each in sizes()]
        mark = "   as it is" if length == usual else ""
        print(f"{length:4} waves   {min(found):6.1%} to {max(found):6.1%}{mark}")


def told(jobs: int, workers: int, in_flight: int, median: float = MEDIAN_SECONDS) -> None:
    """One simulated run as a row."""
    run = simulate(jobs, workers, in_flight, median)
    print(
        f"| {jobs:,} | {workers} | {in_flight:,} | {run.seconds / 3600:.1f} | {jobs / run.seconds:,.0f} "
        f"| {run.efficiency:.1%} | {run.shards:,} | {run.head_busy:.1%} |"
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            anyio.run(measure)
            table()
        case ["table"]:
            table()
        case ["waves"]:
            waves()
        case ["simulate", jobs, workers, *rest]:
            told(int(jobs), int(workers), int(rest[0]) if rest else 100, float(rest[1]) if rest[1:] else MEDIAN_SECONDS)
        case _:
            sys.exit(__doc__)
