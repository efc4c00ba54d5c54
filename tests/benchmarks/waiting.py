"""What jobs cost that wait: `python -m tests.benchmarks.waiting [JOBS]`; the engine, the worker and its gates are real.

The provider takes every job at once and is never done; the journal is the one in memory, less what it keeps itself.
"""

import gc
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import anyio

from batchgen.api import Order, Receipt, Standing, Waiting
from batchgen.api.cadence import Cadence
from batchgen.api.limits import Gates, Reach
from batchgen.engine.local import LocalEngine
from batchgen.halt import Halt
from batchgen.job import Job, Request, draft
from batchgen.journal import Caps, Entry, Identity, Progress
from batchgen.lifecycle import Planned
from batchgen.store.memory import MemoryStore
from batchgen.terms import Expert, Limits, Terms
from batchgen.worker import Worker
from batchgen.worker.tools import Clocks, Tools

SECONDS = 4.0
"""How long is watched, from when everything waits."""


class Never:
    """A provider whose tasks are never done, and say so for an hour."""

    def __init__(self) -> None:
        self.submits = self.polls = 0

    async def submit(self, order: Order) -> Receipt:
        """Take it."""
        self.submits += 1
        return Receipt(f"t{self.submits}", Waiting("waiting", 50.0))

    async def status(self, task_id: str) -> Standing:
        """Not yet."""
        self.polls += 1
        return Waiting("waiting", 50.0)

    def download(self, url: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """There is nothing."""
        raise NotImplementedError


class Blank:
    """A journal that hands out jobs and keeps nothing, so that what grows is what carries them."""

    def __init__(self, jobs: list[Progress]) -> None:
        self._jobs = jobs
        self.identity = Identity("b" * 32, "waiting", "m.yaml", "loopback")

    async def unfinished(self, terms: Terms) -> AsyncIterator[Progress]:
        """All of them."""
        for each in self._jobs:
            yield each

    async def append(self, entries: tuple[Entry, ...], caps: Caps | None = None) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Place:
    """Memory (kilobytes) and CPU (seconds) at one moment."""

    kilobytes: float
    cpu: float

    @classmethod
    def now(cls) -> "Place":
        """This one."""
        gc.collect()
        with open("/proc/self/statm") as file:
            pages = int(file.read().split()[1])
        return cls(pages * os.sysconf("SC_PAGE_SIZE") / 1024, time.process_time())


def owed(count: int) -> list[Progress]:
    """Jobs that nobody has begun."""
    jobs = []
    for number in range(1, count + 1):
        made = draft(f"job-{number}", Request("gpt-image-2", f"A shoe, number {number}"), f"job-{number}")
        job = Job(number, made.id, made.fingerprint, made.recipe, made.request, made.path)
        jobs.append(Progress(job, 0, Planned(0), 0.0, 0))
    return jobs


async def watched(count: int) -> dict[str, float]:
    """Let so many wait, and watch them."""
    provider, jobs = Never(), owed(count)
    expert = Expert(submit_slots=100, submit_slots_most=100, polls_per_second=10_000)
    terms = Terms(limits=Limits(in_flight=count, rate=None, expert=expert))

    async def probe() -> None:
        """Nobody asks."""

    async def prepare(job: Job, token: str) -> Order:
        return Order(token, job.request.model, "application/json", b"{}")

    tools = Tools(
        provider=provider,
        journal=Blank(jobs),  # type: ignore[arg-type]  # as much of one as a worker asks for
        store=MemoryStore(),
        terms=terms,
        gates=Gates(terms, Reach(), probe),
        cadence=Cadence(),
        prepare=prepare,
        halt=Halt(),
        clocks=Clocks(time.time),
    )

    @asynccontextmanager
    async def opened() -> AsyncIterator[Worker]:
        yield Worker(tools)

    before = Place.now()
    async with anyio.create_task_group() as group:
        group.start_soon(LocalEngine(count).run, opened)
        while provider.submits < count:
            await anyio.sleep(0.05)
        await anyio.sleep(0.5)
        begun, at = Place.now(), time.monotonic()
        await anyio.sleep(SECONDS)
        spent = time.process_time() - begun.cpu
        group.cancel_scope.cancel()
        seconds = time.monotonic() - at
    return {
        "cpu_per_second": spent / seconds,
        "kb_per_job": (begun.kilobytes - before.kilobytes) / count,
        "polls": float(provider.polls),
    }


if __name__ == "__main__":
    print(json.dumps(anyio.run(watched, int(sys.argv[1]) if sys.argv[1:] else 10_000)))
