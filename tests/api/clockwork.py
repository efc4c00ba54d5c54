"""A clock that only sleeps move, for the gates: sleepers wake in order of their time."""

import heapq
import itertools
from dataclasses import dataclass, field

import anyio
from anyio.lowlevel import checkpoint

from batchgen.api.pace import Timing


@dataclass
class Clockwork:
    now: float = 1000.0
    slept: list[float] = field(default_factory=list)
    _sleepers: list[tuple[float, int, anyio.Event]] = field(default_factory=list)
    _order: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def timing(self) -> Timing:
        return Timing(lambda: self.now, self.sleep, lambda: 0.0)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        event = anyio.Event()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._order), event))
        await event.wait()

    async def settle(self) -> None:
        """Let everything run that need not wait for time."""
        for _ in range(25):
            await checkpoint()

    async def pass_by(self, seconds: float) -> None:
        """Let so much time pass, waking sleepers on the way."""
        end = self.now + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self.now, _, event = heapq.heappop(self._sleepers)
            event.set()
            await self.settle()
        self.now = end
