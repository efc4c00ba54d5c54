"""Workers in this process: as many tasks as there is work for, one shared iterator, one failure that ends them all."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Generic

import anyio
from anyio.abc import TaskGroup

from batchgen.engine import Item, Opener, Work


class LocalEngine:
    """Runs the work here, carrying at most `workers` items at a time."""

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise ValueError(f"an engine needs a worker, not {workers}")
        self._workers = workers

    async def run(self, opener: Opener[Item]) -> None:
        """Carry every item once; the first exception of a carry ends the others and is raised as it is."""
        async with opener() as work:
            await _Crew(work, self._workers).run()


class _Crew(Generic[Item]):
    """The workers of one run. A further one joins only when an item was taken and nobody waits for the next."""

    def __init__(self, work: Work[Item], most: int) -> None:
        self._work = work
        self._most = most
        self._turn = anyio.Lock(fast_acquire=True)
        self._joined = self._waiting = 0
        self._ended = False
        self._failure: BaseException | None = None

    async def run(self) -> None:
        items = self._work.items()
        try:
            async with anyio.create_task_group() as group:
                self._join(group, items)
        finally:
            await _close(items)
            if self._failure:
                raise self._failure

    def _join(self, group: TaskGroup, items: AsyncIterator[Item]) -> None:
        self._joined += 1
        group.start_soon(self._serve, group, items)

    async def _serve(self, group: TaskGroup, items: AsyncIterator[Item]) -> None:
        try:
            await self._carry_on(group, items)
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:
            self._failure = self._failure or error
            group.cancel_scope.cancel()

    async def _carry_on(self, group: TaskGroup, items: AsyncIterator[Item]) -> None:
        while True:
            self._waiting += 1
            try:
                async with self._turn:
                    if self._ended:
                        return
                    item = await anext(items)
            except StopAsyncIteration:
                self._ended = True
                return
            finally:
                self._waiting -= 1
            if not self._waiting and self._joined < self._most:
                self._join(group, items)
            await self._work.carry(item)


async def _close(items: AsyncIterator[Item]) -> None:
    if isinstance(items, AsyncGenerator):
        with anyio.CancelScope(shield=True):
            await items.aclose()
