"""When the next call may go: pauses that a server asks for, windows, and an even pace; in order of asking."""

import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import anyio

from batchgen.terms import Rate

BACK_OFF_SECONDS: Final = (1.0, 20.0)
"""How long everybody waits after a throttle that names no time: at most the first, doubled each time up to the last."""
JITTER: Final = 0.1
"""The share by which a time that a server asks for is lengthened at random, so that not all come at its end."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Clock (seconds, monotonic), sleep and chance (0 to 1), so that tests need not wait."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep
    chance: Callable[[], float] = random.random


REAL: Final = Timing()


class Pause:
    """A time before which nobody calls."""

    def __init__(self, timing: Timing = REAL) -> None:
        self._timing = timing
        self._until = 0.0
        self._throttles = 0

    def throttled(self, seconds: float | None) -> None:
        """A call was throttled: hold everybody as long as the server asks and a little longer, else by full jitter."""
        base, most = BACK_OFF_SECONDS
        step = min(base * 2.0 ** min(self._throttles, 16), most)
        self._throttles += 1
        chance = self._timing.chance()
        self.hold(chance * step if seconds is None else seconds + chance * min(JITTER * seconds, 1.0))

    def eased(self) -> None:
        """A call was taken."""
        self._throttles = 0

    @property
    def remaining_seconds(self) -> float:
        """How long it still lasts; 0 or less when it is over."""
        return self._until - self._timing.clock()

    def hold(self, seconds: float) -> None:
        """Hold everybody for this long from now; a longer pause stays as it is."""
        self._until = max(self._until, self._timing.clock() + seconds)


class Window:
    """At most `rate.count` passes in any window of `rate.seconds`, and none during a pause."""

    def __init__(self, rate: Rate | None, pause: Pause, timing: Timing = REAL) -> None:
        self._rate = rate
        self._pause = pause
        self._timing = timing
        self._passes: deque[float] = deque(maxlen=rate.count if rate else 0)
        self._queue = anyio.Lock(fast_acquire=True)

    def passed_now(self) -> bool:
        """Pass if nobody has to wait now."""
        if self._queue.locked() or self._remaining() > 0:
            return False
        self._passes.append(self._timing.clock())
        return True

    async def passed(self) -> None:
        """Wait for one's turn; the lock hands it on in order."""
        async with self._queue:
            while (seconds := self._remaining()) > 0:
                await self._timing.sleep(seconds)
            self._passes.append(self._timing.clock())

    def _remaining(self) -> float:
        pause = self._pause.remaining_seconds
        if self._rate is None or len(self._passes) < self._rate.count:
            return pause
        return max(pause, self._passes[0] + self._rate.seconds - self._timing.clock())


class Pace:
    """At most so many a second, evenly spaced, in order of asking, none in a pause; costs the same however many wait.

    Whoever already waits for a turn that falls into a pause takes a new one behind it.
    """

    def __init__(self, per_second: float, pause: Pause, timing: Timing = REAL) -> None:
        self._gap = 1 / per_second
        self._pause = pause
        self._timing = timing
        self._free_at = 0.0

    async def passed(self) -> None:
        """Wait for one's turn."""
        while True:
            now = self._timing.clock()
            turn = max(now + max(self._pause.remaining_seconds, 0.0), self._free_at)
            self._free_at = turn + self._gap
            if turn > now:
                await self._timing.sleep(turn - now)
            if self._pause.remaining_seconds <= 0:
                return
