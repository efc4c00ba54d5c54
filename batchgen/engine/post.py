"""What a Dask worker does with a shard: it opens the work and carries the items with the same crew as anywhere.

The event loop of the work is another than the worker's own, in the thread that Dask gives to the task: however busy
the one is, the other answers.
"""

import asyncio
import pickle
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import Context
from dataclasses import dataclass
from typing import Any, Final, Generic

import anyio
from distributed import Client, Worker, get_client, get_worker
from distributed.core import Status

from batchgen.engine import Away, Item, Later, Outpost, Post, Word, Work
from batchgen.engine.local import LocalEngine
from batchgen.engine.shards import Outcome, Shard
from batchgen.engine.versions import difference, versions
from batchgen.errors import SettingsError

CANCEL: Final[Word] = {"engine": "cancel"}
HERE: Final[Word] = {"engine": "here"}
BEGIN: Final[Word] = {"engine": "begin"}
LOOK_SECONDS: Final = 1.0
AGAIN_SECONDS: Final = 0.2
MOST_AGAIN_SECONDS: Final = 5.0
_GOING: Final = frozenset({Status.running, Status.paused})


@dataclass(frozen=True, slots=True)
class Posting(Generic[Item]):
    """What all shards of one work have in common: its name among the cluster's topics, and how it is opened.

    `most` is how many items are carried at a time in all, `versions` those of the head.
    """

    name: str
    versions: Mapping[str, str]
    most: int
    away: Away[Item]


def heard_at(name: str, seat: int) -> str:
    """The topic of what is said to a seat of a run."""
    return f"{name}-{seat}"


def several(words: list[Word]) -> dict[str, Any]:
    """Words as one message."""
    return {"engine": "several", "words": [dict(word) for word in words]}


def carry_shard(posting: Posting[Item], shard: Shard[Item]) -> Outcome:
    """Carry a shard in the thread of a Dask worker; blocks until its last item has ended."""
    worker, began = get_worker(), time.monotonic()
    error: Exception | None
    if strange := difference(versions(), posting.versions):
        error = SettingsError(f"the worker {worker.address} {strange}; install the same in both places")
    else:
        # in a context of its own: the one that Dask hands down says that an event loop runs here
        error = Context().run(anyio.run, _carry, posting, shard, (worker, get_client()))
    return Outcome(str(worker.address), time.monotonic() - began, error and _sendable(error))


async def _carry(posting: Posting[Item], shard: Shard[Item], at: tuple[Worker, Client]) -> Exception | None:
    return await _Carrier(posting, shard, *at).carry()


class _Carrier(Generic[Item]):
    """One shard at one worker, whose client hears what the head says."""

    def __init__(self, posting: Posting[Item], shard: Shard[Item], worker: Worker, client: Client) -> None:
        self._posting = posting
        self._shard = shard
        self._worker = worker
        self._task = worker.get_current_task()
        self._client = client
        self._scope = anyio.CancelScope()
        self._begun = anyio.Event()

    async def carry(self) -> Exception | None:
        """Carry all; what went wrong is returned."""
        failure: Exception | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(self._end_when_lost)
            with self._scope:
                try:
                    await LocalEngine(self._shard.share).run(self._open)
                except Exception as error:
                    failure = error
            group.cancel_scope.cancel()
        return failure

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Work[Item]]:
        loop = asyncio.get_running_loop()
        async with self._posting.away(Post(self._say, self._shard.share / self._posting.most)) as outpost:
            # What Dask hears it must not wait for: its own loop keeps the worker's place in the cluster.
            with self._listening(lambda word: loop.call_soon_threadsafe(self._hear, outpost, word)):
                await self._report()
                yield _Handed(outpost, self._shard.items)

    async def _report(self) -> None:
        """Say that we are here until the head says begin: before that comes what it has said to everybody so far.

        So nothing is begun once the head is gone, or after it has said stop. What is said may be lost, as it goes
        another way than that we listen.
        """
        pause = AGAIN_SECONDS
        while not self._begun.is_set():
            self._say(HERE)
            with anyio.move_on_after(pause):
                await self._begun.wait()
            pause = min(2 * pause, MOST_AGAIN_SECONDS)

    def _hear(self, outpost: Outpost[Item], word: Word) -> None:
        match word:
            case {"engine": "several", "words": [*words]}:
                for each in words:
                    self._hear(outpost, each)
            case {"engine": "cancel"}:
                self._scope.cancel()
            case {"engine": "begin"}:
                self._begun.set()
            case _:
                outpost.hear(word)

    @contextmanager
    def _listening(self, hear: Callable[[Word], Any]) -> Iterator[None]:
        topic = heard_at(self._posting.name, self._shard.seat)

        def handle(event: tuple[float, Word]) -> None:
            with suppress(RuntimeError):  # the shard is over; an error in here would end the hearing of all others
                hear(event[1])

        self._client.subscribe_topic(topic, handle)
        try:
            yield
        finally:
            with suppress(ValueError):
                self._client.unsubscribe_topic(topic)

    def _say(self, word: Word) -> None:
        self._worker.log_event(self._posting.name, {"seat": self._shard.seat, "word": dict(word)})

    async def _end_when_lost(self) -> None:
        """Carry nothing on that nobody waits for: the head is gone, or this worker was told to leave."""
        while self._worker.status in _GOING and self._wanted():  # noqa: ASYNC110  # Dask tells nobody in this thread
            await anyio.sleep(LOOK_SECONDS)
        self._scope.cancel()

    def _wanted(self) -> bool:
        task = self._worker.state.tasks.get(self._task)
        return task is not None and task.state != "cancelled"


@dataclass(frozen=True, slots=True)
class _Handed(Generic[Item]):
    """The items of a shard, and the outpost that carries them."""

    outpost: Outpost[Item]
    shard: tuple[Item, ...]

    async def items(self) -> AsyncIterator[Item]:
        for each in self.shard:
            yield each

    async def carry(self, item: Item) -> Later[Item] | None:
        return await self.outpost.carry(item)


def _sendable(error: Exception) -> Exception:
    """The error, or where it cannot be sent as it is, what it says."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
