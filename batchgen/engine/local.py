"""Workers in this process: as many tasks as there is work for, one shared iterator, one failure that ends them all.

An item that is put off has no task and no timer of its own, only an entry in a heap.
"""

import heapq
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Final, Generic

import anyio
from anyio.abc import TaskGroup

from batchgen.engine import Item, Later, Opener, Work
from batchgen.retry import REAL, Timing

BEGUN: Final = 256
"""So many items are carried at once that were not put off yet: more would only queue for what they need to begin."""


class LocalEngine:
    """Runs the work here, carrying at most `workers` items at a time; `timing` is what is put off by."""

    def __init__(self, workers: int, *, begun: int = BEGUN, timing: Timing = REAL) -> None:
        if workers < 1:
            raise ValueError(f"an engine needs a worker, not {workers}")
        self._workers = workers
        self._begun = min(begun, workers)
        self._timing = timing

    async def run(self, opener: Opener[Item]) -> None:
        """Carry every item once; the first exception of a carry ends the others and is raised as it is."""
        async with opener() as work:
            await _Crew(work, self._workers, self._begun, self._timing).run()


class _Crew(Generic[Item]):
    """The workers of one run. A further one joins only when an item was taken and nobody waits for the next."""

    def __init__(self, work: Work[Item], most: int, begun: int, timing: Timing) -> None:
        self._work = work
        self._places = anyio.Semaphore(most, fast_acquire=True)
        self._begun = begun
        self._turn = anyio.Lock(fast_acquire=True)
        self._joined = self._waiting = 0
        self._ended = False
        self._failure: BaseException | None = None
        self._later = _Later[Item](timing)

    async def run(self) -> None:
        items = self._work.items()
        try:
            async with anyio.create_task_group() as group:
                self._join(group, items)
        finally:
            await close(items)
            if self._failure:
                raise self._failure

    def _join(self, group: TaskGroup, items: AsyncIterator[Item]) -> None:
        self._joined += 1
        group.start_soon(self._serve, group, partial(self._begin, group, items))

    async def _serve(self, group: TaskGroup, what: Callable[[], Awaitable[None]]) -> None:
        try:
            await what()
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:
            self._failure = self._failure or error
            group.cancel_scope.cancel()

    async def _begin(self, group: TaskGroup, items: AsyncIterator[Item]) -> None:
        while True:
            self._waiting += 1
            try:
                async with self._turn:
                    if self._ended:
                        return
                    await self._places.acquire()
                    item = await anext(items)
            except StopAsyncIteration:
                self._ended = True
                return
            finally:
                self._waiting -= 1
            if not self._waiting and self._joined < self._begun:
                self._join(group, items)
            await self._carry(group, item)

    async def _carry(self, group: TaskGroup, item: Item) -> None:
        later = await self._work.carry(item)
        if later is None:
            self._places.release()
        elif self._later.put(later):
            group.start_soon(self._serve, group, partial(self._go_on, group))

    async def _go_on(self, group: TaskGroup) -> None:
        """Have carried on what was put off, as long as anything is."""
        async for item in self._later.due():
            group.start_soon(self._serve, group, partial(self._carry, group, item))


class _Later(Generic[Item]):
    """What was put off, and until when."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._order = itertools.count()
        self._heap: list[tuple[float, int, Item]] = []
        self._watched = False
        self._nap = anyio.CancelScope()

    def put(self, later: Later[Item]) -> bool:
        """Put an item off; says whether nobody watches for what is due."""
        entry = (self._timing.clock() + later.seconds, next(self._order), later.item)
        heapq.heappush(self._heap, entry)
        if self._heap[0] is entry:
            self._nap.cancel()
        nobody, self._watched = not self._watched, True
        return nobody

    async def due(self) -> AsyncIterator[Item]:
        """Each item when it is due, until none is left."""
        while self._heap:
            seconds = self._heap[0][0] - self._timing.clock()
            if seconds <= 0:
                yield heapq.heappop(self._heap)[2]
                continue
            self._nap = anyio.CancelScope()
            with self._nap:
                await self._timing.sleep(seconds)
        self._watched = False


async def close(items: AsyncIterator[Item]) -> None:
    """Let go of items that nobody takes any more."""
    if isinstance(items, AsyncGenerator):
        with anyio.CancelScope(shield=True):
            await items.aclose()
