"""Windows of submits that all runs share which use one credential and keep their journals in one database."""

import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import anyio
from anyio.to_thread import run_sync

from batchgen.api import Order, Provider, Receipt, Standing
from batchgen.api.limits import Passing, Windows, windows_here
from batchgen.api.pace import Pause, Timing, Window
from batchgen.batch.asked import Asked
from batchgen.batch.seller import credential_of
from batchgen.errors import JournalError, Throttled
from batchgen.manifest.provider import Remote
from batchgen.terms import Rate

if TYPE_CHECKING:
    from batchgen.journal.postgres.rates import Given, Rates  # an extra

logger = logging.getLogger(__name__)

MOST_WAIT_SECONDS: Final = 5.0
"""So often at least is asked again: what another run does may have made the wait another one."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """How a run counts: `windows` for its gates, and `hold` for what the server asked it to wait, in seconds."""

    windows: Windows = windows_here
    hold: Callable[[float], object] | None = None

    def overheard(self, provider: Provider) -> Provider:
        """The provider, whose wish to be left alone is told to the other runs."""
        return provider if self.hold is None else Overheard(provider, self.hold)


@asynccontextmanager
async def shared_windows(asked: Asked) -> AsyncIterator[Sharing]:
    """Windows that other runs count in, too, where there are a rate and a database; else those of this run alone.

    Raises:
        JournalError: the database refuses.
    """
    terms, database = asked.manifest.terms, asked.location.database
    rated = any(limits.rate is not None for limits in (terms.limits, *terms.models.values()))
    provider = asked.manifest.provider
    if not (rated and database and isinstance(provider, Remote)):
        yield Sharing()
        return
    from batchgen.journal.postgres.rates import digest, open_rates  # noqa: PLC0415 - an extra

    credential = credential_of(asked.manifest, provider, asked.environ)
    rates = await run_sync(open_rates, database, digest(provider.base_url, credential))
    if rates is None:
        yield Sharing()
        return
    failure: Exception | None = None
    counter = _Counter(rates)
    try:
        async with anyio.create_task_group() as group:
            try:
                yield Sharing(counter.window, lambda seconds: group.start_soon(counter.hold, seconds))
            except Exception as error:  # raised as it is, and not as one of a group
                failure = error
    finally:
        with anyio.CancelScope(shield=True):
            await run_sync(rates.close)
    if failure is not None:
        raise failure


class _Counter:
    """Asks the server that counts, one question at a time."""

    def __init__(self, rates: "Rates") -> None:
        self._rates = rates
        self._one = anyio.CapacityLimiter(1)

    def window(self, lane: str, rate: Rate | None, pause: Pause, timing: Timing) -> Passing:
        """The window of one model; without a rate there is nothing to ask for."""
        if rate is None:
            return Window(rate, pause, timing)
        return SharedWindow(partial(self._take, lane, rate), pause, timing)

    async def hold(self, seconds: float) -> None:
        """Let all runs wait; it is a courtesy, and a server that is away is not waited for by the run."""
        try:
            await run_sync(self._rates.hold, seconds, limiter=self._one)
        except JournalError as away:
            logger.warning("other runs could not be told to wait: %s", away)

    async def _take(self, lane: str, rate: Rate, wanted: int) -> "Given":
        return await run_sync(self._rates.take, lane, rate, wanted, limiter=self._one)


class SharedWindow:
    """A window that is counted elsewhere: whoever comes to it first asks for all who wait.

    `take` is told how many turns are wanted, and gives some, or a time to wait.
    """

    def __init__(self, take: Callable[[int], Awaitable["Given"]], pause: Pause, timing: Timing) -> None:
        self._take = take
        self._pause = pause
        self._timing = timing
        self._asking = anyio.Lock()
        self._waiting: deque[anyio.Event] = deque()

    def passed_now(self) -> bool:
        """Never: it is not known here whether anybody has to wait."""
        return False

    async def passed(self) -> None:
        """Wait for one's turn. A turn that was given and is not used any more is lost to all."""
        turn = anyio.Event()
        self._waiting.append(turn)
        try:
            while not turn.is_set():
                async with self._asking:
                    if not turn.is_set():
                        await self._ask()
        finally:
            if not turn.is_set():
                self._waiting.remove(turn)
        while (seconds := self._pause.remaining_seconds) > 0:
            await self._timing.sleep(seconds)

    async def _ask(self) -> None:
        while (seconds := self._pause.remaining_seconds) > 0:
            await self._timing.sleep(seconds)
        given = await self._take(len(self._waiting))
        for _ in range(min(given.turns, len(self._waiting))):
            self._waiting.popleft().set()
        if not given.turns:
            await self._timing.sleep(min(given.wait_seconds, MOST_WAIT_SECONDS))


@dataclass(frozen=True, slots=True)
class Overheard:
    """A provider whose wish to be left alone is told on, in seconds."""

    provider: Provider
    told: Callable[[float], object]

    async def submit(self, order: Order) -> Receipt:
        """Submit; a throttle that names a time is told on."""
        try:
            return await self.provider.submit(order)
        except Throttled as slow:
            if slow.retry_after_seconds is not None:
                self.told(float(slow.retry_after_seconds))
            raise

    async def status(self, task_id: str) -> Standing:
        """As it is."""
        return await self.provider.status(task_id)

    def download(self, url: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """As it is."""
        return self.provider.download(url)
