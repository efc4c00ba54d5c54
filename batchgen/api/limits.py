"""The gates that a worker passes: slots, rate, pauses, the pace of polls, downloads, and whether anybody answers.

All gates are first come, first served, and none is entered after a submit has been journaled.
"""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import anyio

from batchgen.errors import Unfinished
from batchgen.terms import Limits, Rate, Terms

CUT: Final = 0.7
CUT_EVERY_SECONDS: Final = 1.0
SILENT_CALLS: Final = 10
SILENT_SECONDS: Final = 600.0
FIRST_PROBES: Final = 3
PROBE_SECONDS: Final = (2.0, 30.0)


@dataclass(frozen=True, slots=True)
class Timing:
    """Clock (seconds, monotonic) and sleep, so that tests need not wait."""

    clock: Callable[[], float] = anyio.current_time
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep


REAL: Final = Timing()


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
        async with _place(self._limiter):
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


class Pause:
    """A time before which nobody submits."""

    def __init__(self, timing: Timing = REAL) -> None:
        self._timing = timing
        self._until = 0.0

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
        self._queue = anyio.Lock()

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
    """At most so many a second, evenly spaced, in order of asking; costs the same however many wait."""

    def __init__(self, per_second: float, timing: Timing = REAL) -> None:
        self._gap = 1 / per_second
        self._timing = timing
        self._free_at = 0.0

    async def passed(self) -> None:
        """Wait for one's turn."""
        now = self._timing.clock()
        turn = max(now, self._free_at)
        self._free_at = turn + self._gap
        if turn > now:
            await self._timing.sleep(turn - now)


class Reach:
    """Whether the server is there: after 10 calls in a row without an answer everybody waits while it is probed.

    It is the client's listener. Nobody else keeps such a count.
    """

    def __init__(self, timing: Timing = REAL) -> None:
        self._timing = timing
        self._probing = anyio.Lock()
        self._silent = 0
        self._probes = 0
        self._since: float | None = None
        self._ever = False

    @property
    def silent(self) -> bool:
        """Whether so many calls in a row went unanswered that everybody waits for a probe."""
        return self._silent >= SILENT_CALLS

    def heard(self) -> None:
        """A call was answered."""
        self._silent, self._since, self._ever = 0, None, True

    def lost(self) -> None:
        """A call was not answered."""
        self._silent += 1
        if self._since is None:
            self._since = self._timing.clock()

    async def ready(self, probe: Callable[[], Awaitable[object]]) -> None:
        """Return at once while the server answers, else when a probe has been answered; `probe` tells heard and lost.

        Raises:
            Unfinished: no answer for 10 minutes, or none to 3 probes of a run that was never answered.
        """
        if not self.silent:
            return
        async with self._probing:
            pause = PROBE_SECONDS[0]
            while self.silent:
                self._give_up()
                await probe()
                self._probes += 1
                if self.silent:
                    self._give_up()
                    await self._timing.sleep(pause)
                    pause = min(pause * 2, PROBE_SECONDS[1])

    def _give_up(self) -> None:
        silent = self._timing.clock() - self._since if self._since is not None else 0.0
        if silent >= SILENT_SECONDS or (not self._ever and self._probes >= FIRST_PROBES):
            raise Unfinished(
                f"the provider is out of reach: {self._silent} calls in a row without an answer, the first "
                f"{silent:.0f} s ago; check the network and run the same command again"
            )


@dataclass(frozen=True, slots=True)
class _Lane:
    """The submit gates of one model, or of all models without limits of their own."""

    slots: Slots
    window: Window
    in_flight: anyio.CapacityLimiter


class Gates:
    """All gates of a run. Models with limits of their own pass theirs; pauses and silence concern everybody."""

    def __init__(
        self, terms: Terms, reach: Reach, probe: Callable[[], Awaitable[object]], timing: Timing = REAL
    ) -> None:
        self.pause = Pause(timing)
        self._reach = reach
        self._probe = probe
        self._timing = timing
        self._common = self._lane(terms.limits)
        self._lanes = {model: self._lane(limits) for model, limits in terms.models.items()}
        self._pace = Pace(terms.limits.expert.polls_per_second, timing)
        self._downloads = anyio.CapacityLimiter(terms.limits.expert.downloads)

    @property
    def out_of_reach(self) -> bool:
        """Whether everybody waits because the server does not answer."""
        return self._reach.silent

    @asynccontextmanager
    async def job(self, model: str) -> AsyncIterator[None]:
        """Hold one of the model's places in flight."""
        async with _place(self._of(model).in_flight):
            yield

    @asynccontextmanager
    async def submit(self, model: str) -> AsyncIterator[None]:
        """Pass every gate before a submit and hold a slot; raises Unfinished when the server is out of reach."""
        lane = self._of(model)
        async with lane.slots.held():
            await self._reach.ready(self._probe)
            await lane.window.passed()
            yield

    async def poll(self) -> None:
        """Wait for one's turn to poll; raises Unfinished when the server is out of reach."""
        await self._reach.ready(self._probe)
        await self._pace.passed()

    @asynccontextmanager
    async def download(self) -> AsyncIterator[None]:
        """Hold one of the places for downloads."""
        async with _place(self._downloads):
            yield

    def taken(self, model: str) -> None:
        """A submit of this model was taken."""
        self._of(model).slots.taken()

    def throttled(self, model: str, retry_after_seconds: float | None) -> None:
        """A submit of this model was throttled: fewer slots, and everybody waits as long as the server asks."""
        self._of(model).slots.throttled()
        if retry_after_seconds is not None:
            self.pause.hold(retry_after_seconds)

    def _of(self, model: str) -> _Lane:
        return self._lanes.get(model, self._common)

    def _lane(self, limits: Limits) -> _Lane:
        expert = limits.expert
        return _Lane(
            Slots(expert.submit_slots, expert.submit_slots_most, self._timing),
            Window(limits.rate, self.pause, self._timing),
            anyio.CapacityLimiter(limits.in_flight),
        )


@asynccontextmanager
async def _place(limiter: anyio.CapacityLimiter) -> AsyncIterator[None]:
    """A place that belongs to the work, not to the task that happens to carry it."""
    place = object()
    await limiter.acquire_on_behalf_of(place)
    try:
        yield
    finally:
        limiter.release_on_behalf_of(place)
