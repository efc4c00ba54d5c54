"""Workers of a Dask cluster: the work is cut into shards, and each is carried by one of their threads.

Dask only distributes. A shard whose worker dies is carried again elsewhere, and when the scheduler dies the run ends,
to be gone on with by the next: what is done and what is paid for stands in the journal alone.
"""

import logging
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Generic, TypeAlias

import anyio
from distributed import Client, Future
from distributed.scheduler import KilledWorker

from batchgen.engine import Away, Item, Opener, Word, Work
from batchgen.engine.apart import apart
from batchgen.engine.local import close
from batchgen.engine.mail import Mail, reaching
from batchgen.engine.plain import plain
from batchgen.engine.post import CANCEL, HERE, Posting, carry_shard
from batchgen.engine.shards import Outcome, Seats, Shard, size
from batchgen.engine.versions import versions
from batchgen.errors import Unfinished

CARRIED_AT_MOST: Final = 3
"""So often a shard is handed out whose workers died; Dask itself hands it out some times more before it says so."""

LOOK_SECONDS: Final = 1.0
"""How often a cluster is asked for its threads while all seats are taken."""

logger = logging.getLogger(__name__)


Heard: TypeAlias = Callable[[int, Word], None]
"""Takes what an outpost says, and the seat by which it can be told something."""


def _ignore(_: int, __: Word) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class _Course:
    """What is known of a run beside its work."""

    heard: Heard
    expected: int | None
    patience_seconds: float


class DaskEngine:
    """Runs the work at the workers of a cluster, carrying at most `most` items at a time.

    `away` opens the work at a worker; without it that is the opener of the run, which must be one that can be pickled.
    `heard` is told what outposts say, `expected` is how many items there are about. Cancelled, it waits for its
    outposts for `patience_seconds`.
    """

    def __init__(
        self,
        client: Client,
        most: int,
        *,
        away: Away[Any] | None = None,
        heard: Heard = _ignore,
        expected: int | None = None,
        patience_seconds: float = 60,
    ) -> None:
        if most < 1:
            raise ValueError(f"an engine carries something at a time, not {most}")
        self._client = client
        self._most = most
        self._away = away
        self.heard = heard
        self._expected = expected
        self._patience_seconds = patience_seconds
        self._head: _Head[Any] | None = None

    async def run(self, opener: Opener[Item]) -> None:
        """Carry every item; the first exception of a carry ends the others and is raised.

        Raises:
            Unfinished: the scheduler is gone, or a shard ended every worker that took it.
            SettingsError: the workers cannot do this work.
        """
        away: Away[Item] = self._away or partial(plain, opener)
        posting = Posting(f"batchgen-{uuid.uuid4().hex}", versions(), self._most, away)
        async with opener() as work:
            course = _Course(self.heard, self._expected, self._patience_seconds)
            self._head = head = _Head(self._client, posting, Seats(self._most), course)
            try:
                await head.run(work)
            finally:
                self._head = None

    def tell(self, word: Word) -> None:
        """Say something to every outpost there is and will be in this run; it may be heard twice."""
        if self._head is not None:
            self._head.mail.tell(word)

    def tell_once(self, word: Word, *, seat: int | None = None) -> None:
        """Say something to every outpost there is now, or to the one of a seat; it may be lost."""
        if self._head is not None:
            self._head.mail.tell_once(word, seat)


class _Head(Generic[Item]):
    """The head of one run: who sits where, and what is said."""

    def __init__(self, client: Client, posting: Posting[Item], seats: Seats, course: _Course) -> None:
        self._client = client
        self._posting = posting
        self._seats = seats
        self._course = course
        self._out: dict[int, Future[Outcome]] = {}
        self.mail = Mail(client, posting.name)
        self._free = anyio.Event()
        self._handed = 0
        self._failure: Exception | None = None

    async def run(self, work: Work[Item]) -> None:
        items = work.items()
        self._client.subscribe_topic(self._posting.name, self._heard)
        try:
            await self._carry_all(items)
        finally:
            with anyio.CancelScope(shield=True):
                await self._call_back()
                await close(items)
                with suppress(ValueError, OSError):  # a client that lost its scheduler has nothing to unsubscribe
                    self._client.unsubscribe_topic(self._posting.name)
                self.mail.close()
            if self._failure:
                raise self._failure

    async def _carry_all(self, items: AsyncIterator[Item]) -> None:
        async with anyio.create_task_group() as saying:
            saying.start_soon(self.mail.deliver)
            async with anyio.create_task_group() as group:
                try:
                    while shard := await self._next(items):
                        group.start_soon(self._see_through, group.cancel_scope, shard)
                except Exception as error:
                    self._fail(error, group.cancel_scope)
            saying.cancel_scope.cancel()

    async def _next(self, items: AsyncIterator[Item]) -> Shard[Item] | None:
        """Wait for a free seat, then take items for it; None when there are no more."""
        (seat, share), threads = await self._seat()
        most, taken = size(share, threads, self._course.expected, self._handed), list[Item]()
        while len(taken) < most:
            try:
                taken.append(await anext(items))
            except StopAsyncIteration:
                break
        self._handed += len(taken)
        return Shard(seat, share, tuple(taken)) if taken else None

    async def _seat(self) -> tuple[tuple[int, int], int]:
        while True:
            with reaching():
                threads = sum((await apart(self._client.nthreads())).values())
            if found := self._seats.take(threads):
                return found, threads
            self._free = anyio.Event()
            with anyio.move_on_after(LOOK_SECONDS):
                await self._free.wait()

    async def _see_through(self, everything: anyio.CancelScope, shard: Shard[Item]) -> None:
        """Hand a shard out until somebody has carried it to its end."""
        try:
            await self._carried(shard)
        except Exception as error:
            self._fail(error, everything)
        self._seats.leave(shard.seat)
        self._free.set()

    async def _carried(self, shard: Shard[Item]) -> None:
        self.mail.seats.add(shard.seat)
        for _ in range(CARRIED_AT_MOST):
            with suppress(KilledWorker):
                outcome = await self._outcome(shard)
                logger.info("%d items carried in %.1f s by %s", len(shard.items), outcome.seconds, outcome.worker)
                if outcome.error is not None:
                    raise outcome.error
                return
        raise Unfinished(
            f"every worker that took a shard of {len(shard.items)} items has died of it; look into the workers' logs "
            "(most often it is memory), and run the same command again"
        )

    async def _outcome(self, shard: Shard[Item]) -> Outcome:
        with reaching():
            future = self._client.submit(carry_shard, self._posting, shard, pure=False)
            self._out[shard.seat] = future
            try:
                outcome: Outcome = await apart(future)
            except anyio.get_cancelled_exc_class():
                raise  # it is still out there, and called back
            except BaseException:
                self._out.pop(shard.seat).release()
                raise
            self._out.pop(shard.seat).release()
            return outcome

    def _fail(self, error: Exception, everything: anyio.CancelScope) -> None:
        self._failure = self._failure or error
        everything.cancel()

    async def _call_back(self) -> None:
        """Cancel what is still carried, and wait for its end; what does not end in time is left to itself."""
        if not self._out:
            return
        self.mail.tell(CANCEL)
        async with anyio.create_task_group() as group:
            group.start_soon(self.mail.deliver)
            with anyio.move_on_after(self._course.patience_seconds) as waiting:
                await self._last_outcomes()
            group.cancel_scope.cancel()
        if waiting.cancelled_caught:
            logger.warning("%d shards did not end in time; their workers let go of them", len(self._out))
        for future in self._out.values():
            future.release()

    async def _last_outcomes(self) -> None:
        for seat, future in list(self._out.items()):
            with suppress(Unfinished, KilledWorker), reaching():
                outcome = await apart(future)
                self._failure = self._failure or outcome.error
            self._out.pop(seat).release()

    def _heard(self, event: tuple[float, Any]) -> None:
        """An outpost says something."""
        seat, word = event[1]["seat"], event[1]["word"]
        if word == HERE:
            self.mail.welcome(seat)
        else:
            self._course.heard(seat, word)
