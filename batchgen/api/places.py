"""How many at once: slots that grow with success and shrink with 429, and places given to whoever is due first."""

import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import anyio

from batchgen.api.pace import REAL, Timing

CUT: Final = 0.7
CUT_EVERY_SECONDS: Final = 1.0


class Slots:
    """How many submits are under way at once: one more after a full window of successes, fewer after a 429."""

    def __init__(self, start: int, most: int, timing: Timing = REAL) -> None:
        self._most = max(most, 1)
        self._limiter = anyio.CapacityLimiter(max(min(start, self._most), 1))
        self._timing = timing
        self._successes = 0
        self._cut_at: float | None = None

    @property
    def open(self) -> int:
        """How many there are now."""
        return int(self._limiter.total_tokens)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Wait for a slot and hold it."""
        async with place(self._limiter):
            yield

    def taken(self) -> None:
        """A submit was taken."""
        self._successes += 1
        if self._successes >= self.open:
            self._successes = 0
            self._limiter.total_tokens = min(self.open + 1, self._most)

    def throttled(self) -> None:
        """A submit was answered with 429; several in one second count once."""
        now = self._timing.clock()
        self._successes = 0
        if self._cut_at is None or now - self._cut_at >= CUT_EVERY_SECONDS:
            self._cut_at = now
            self._limiter.total_tokens = max(int(self.open * CUT), 1)


class Places:
    """So many places, given to whoever is due first; equal ones in order of asking."""

    def __init__(self, count: int) -> None:
        self._free = max(count, 1)
        self._order = itertools.count()
        self._waiting: list[tuple[float, int, anyio.Event]] = []

    @asynccontextmanager
    async def held(self, due: float) -> AsyncIterator[None]:
        """Wait for a place and hold it."""
        await self._take(due)
        try:
            yield
        finally:
            self._give()

    async def _take(self, due: float) -> None:
        if self._free:
            self._free -= 1
            return
        turn = anyio.Event()
        entry = (due, next(self._order), turn)
        heapq.heappush(self._waiting, entry)
        try:
            await turn.wait()
        except BaseException:
            if turn.is_set():
                self._give()
            else:
                self._waiting.remove(entry)
                heapq.heapify(self._waiting)
            raise

    def _give(self) -> None:
        """Hand a place on, or keep it free."""
        if self._waiting:
            heapq.heappop(self._waiting)[2].set()
        else:
            self._free += 1


@asynccontextmanager
async def place(limiter: anyio.CapacityLimiter) -> AsyncIterator[None]:
    """A place that belongs to the work, not to the task that happens to carry it."""
    holder = object()
    await limiter.acquire_on_behalf_of(holder)
    try:
        yield
    finally:
        limiter.release_on_behalf_of(holder)
