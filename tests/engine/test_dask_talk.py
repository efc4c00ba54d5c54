"""What the head of a cluster and its outposts say to each other, and what the head says when the cluster fails it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import pytest
from distributed import Client
from distributed.scheduler import KilledWorker

from batchgen.engine import Outpost, Post, Word
from batchgen.engine.dask import CARRIED_AT_MOST, DaskEngine
from batchgen.engine.joining import joined
from batchgen.engine.post import Posting, carry_shard
from batchgen.engine.shards import Outcome, Shard
from batchgen.engine.versions import require_same, versions
from batchgen.errors import SettingsError, Unfinished
from tests.contracts.engine import Watched

pytestmark = pytest.mark.anyio

HEARD: list[Word] = []


@dataclass
class Talking:
    """An outpost that says what it carries, and goes on when it is told to."""

    post: Post

    async def carry(self, item: int) -> None:
        self.post.say({"carries": item, "share": self.post.share})
        while {"go": item} not in HEARD:  # noqa: ASYNC110  # the word comes on another event loop
            await anyio.sleep(0.005)

    def hear(self, word: Word) -> None:
        HEARD.append(word)


@asynccontextmanager
async def talking(post: Post) -> AsyncIterator[Outpost[int]]:
    """Opens one; can be pickled."""
    yield Talking(post)


@pytest.fixture
def nothing_heard() -> Iterator[None]:
    """No words of another test."""
    HEARD.clear()
    yield
    HEARD.clear()


@pytest.mark.usefixtures("nothing_heard")
async def test_words_go_both_ways(client: Client) -> None:
    """The head hears every outpost with its seat and share, and what it says comes to all, or to one."""
    said: list[tuple[int, Word]] = []

    def heard(seat: int, word: Word) -> None:
        said.append((seat, word))
        if word["carries"] % 2:
            engine.tell({"go": word["carries"]})
        else:
            engine.tell_once({"go": word["carries"]}, seat=seat)

    engine = DaskEngine(client, 4, away=talking, heard=heard, expected=8)
    work = Watched(8)
    with anyio.fail_after(60):
        await engine.run(work.opener)
    assert sorted(word["carries"] for _, word in said) == list(range(8))
    assert {word["share"] for _, word in said} == {0.25}
    assert len({seat for seat, _ in said}) > 1
    engine.tell({"go": 99})  # the run is over, and nobody is there
    engine.tell_once({"go": 99}, seat=0)
    assert work.begun == []


@pytest.mark.usefixtures("nothing_heard")
async def test_who_comes_later_hears_what_was_said(client: Client) -> None:
    """What was told to all before an outpost was opened is the first thing that it hears."""

    def heard(_: int, word: Word) -> None:
        if word["carries"] == 0:
            for item in range(40):
                engine.tell({"go": item})

    engine = DaskEngine(client, 1, away=talking, heard=heard, expected=8)
    with anyio.fail_after(60):
        await engine.run(Watched(40).opener)
    assert len([each for each in HEARD if each == {"go": 39}]) > 1


class FakeClient:
    """A client whose futures end as the test says."""

    def __init__(self, *ends: Any) -> None:
        self.ends = list(ends)
        self.submitted = 0

    async def nthreads(self) -> dict[str, int]:
        return {"tcp://w": 1}

    def submit(self, *_: Any, **__: Any) -> "FakeFuture":
        self.submitted += 1
        return FakeFuture(self.ends.pop(0))

    def subscribe_topic(self, topic: str, handler: Callable[[Any], None]) -> None:
        """Nobody says anything."""

    def unsubscribe_topic(self, topic: str) -> None:
        raise ValueError("no such topic")

    async def log_event(self, topics: list[str], word: Any) -> None:
        raise OSError("the scheduler is gone")


@dataclass
class FakeFuture:
    """A future with its end."""

    end: Any

    def __await__(self) -> Any:
        yield from asyncio.sleep(0).__await__()
        if isinstance(self.end, BaseException):
            raise self.end
        return self.end

    def release(self) -> None:
        """Nothing holds it."""


def over(*ends: Any) -> tuple[DaskEngine, FakeClient]:
    """An engine over a cluster whose shards end so."""
    client = FakeClient(*ends)
    return DaskEngine(client, 2), client  # type: ignore[arg-type]


def killed() -> KilledWorker:
    """What Dask says of a task whose workers died."""
    return KilledWorker("task", None, 3)  # type: ignore[arg-type]


async def test_a_shard_that_kills_its_workers_is_tried_again() -> None:
    """A shard whose workers died is handed out again, and when the next one carries it all is well."""
    engine, client = over(killed(), Outcome("tcp://w", 1.0))
    await engine.run(Watched(3).opener)
    assert client.submitted == 2


async def test_a_shard_that_kills_every_worker_ends_the_run() -> None:
    """A shard is not handed out for ever: the run ends, and says where to look."""
    engine, client = over(*(killed() for _ in range(CARRIED_AT_MOST)))
    with pytest.raises(Unfinished, match="every worker that took a shard of 3 items has died"):
        await engine.run(Watched(3).opener)
    assert client.submitted == CARRIED_AT_MOST


@pytest.mark.parametrize("gone", [CancelledError("scheduler-connection-lost"), OSError("connection lost")])
async def test_the_scheduler_is_lost(gone: Exception) -> None:
    """When the scheduler is gone the run ends as one that goes on with the same command, and closes its work."""
    engine, _ = over(gone)
    work = Watched(3)
    with pytest.raises(Unfinished, match="the Dask scheduler is gone") as raised:
        await engine.run(work.opener)
    assert raised.value.exit_code == 75
    assert work.closed == work.opened == 1
    assert work.items_closed


async def test_an_error_of_a_worker_is_raised_here() -> None:
    """What a worker met is what the run ends with."""
    engine, _ = over(Outcome("tcp://w", 1.0, SettingsError("no credential")))
    with pytest.raises(SettingsError, match="no credential"):
        await engine.run(Watched(3).opener)


async def test_what_cannot_be_sent_is_told_in_words(client: Client) -> None:
    """An exception that Python cannot rebuild elsewhere still says what happened."""

    class Strange(Exception):
        def __init__(self, *, number: int) -> None:
            super().__init__(f"number {number}")

    async def carry(_: Watched, __: int) -> None:
        raise Strange(number=7)

    work = Watched(3, carry)
    with anyio.fail_after(60), pytest.raises(RuntimeError, match="Strange: number 7"):
        await DaskEngine(client, 2).run(work.opener)


async def test_another_version_at_a_worker_is_no_work(client: Client) -> None:
    """A worker that joined with another version of the program carries nothing, and is named."""
    for name in versions():
        posting: Posting[int] = Posting("batchgen-test", versions() | {name: "0.0.1"}, 1, talking)
        outcome: Outcome = await client.submit(carry_shard, posting, Shard(0, 1, (1,)), pure=False)
        assert isinstance(outcome.error, SettingsError)
        assert f"the worker {outcome.worker} has {name}" in str(outcome.error)
        assert "and the machine of the run 0.0.1; install the same in both places" in str(outcome.error)


def test_an_engine_that_carries_nothing() -> None:
    """An engine that may carry nothing at a time would never end, and is refused."""
    with pytest.raises(ValueError, match="something at a time"):
        DaskEngine(FakeClient(), 0)  # type: ignore[arg-type]


def test_versions_are_held_against_ours() -> None:
    """Workers that have the same are taken; one with another version, or without the program, is named."""
    require_same({"tcp://a": versions(), "tcp://b": versions()})
    for name in versions():
        with pytest.raises(SettingsError, match=rf"the worker tcp://b has {name} 0\.1\.2x, and the machine of the run"):
            require_same({"tcp://a": versions(), "tcp://b": versions() | {name: "0.1.2x"}})
    with pytest.raises(SettingsError, match="the worker tcp://a cannot load batchgen"):
        require_same({"tcp://a": ModuleNotFoundError("batchgen")})


async def test_joining_a_cluster(client: Client) -> None:
    """A cluster that answers at its address is joined, with workers of our version."""
    async with joined(client.scheduler_info()["address"]) as another:
        assert len(await another.nthreads()) == 2


async def test_nobody_answers(free_tcp_port: int) -> None:
    """Where no scheduler answers the run ends as one that can go on, and says where it looked."""
    address = f"tcp://127.0.0.1:{free_tcp_port}"
    with pytest.raises(Unfinished, match=f"no Dask scheduler answers at {address}"):
        async with joined(address, patience_seconds=0.2):
            pass


@pytest.mark.parametrize("address", ["nonsense://x:1", "tcp://127.0.0.1:port"])
async def test_an_address_that_is_none(address: str) -> None:
    """What cannot be an address is refused with how one is written."""
    with pytest.raises(SettingsError, match="write tcp://host:8786, or local"):
        async with joined(address):
            pass


async def test_a_scheduler_with_tls_needs_a_certificate_here() -> None:
    """Where Dask's settings name no certificate, the variables that do are named."""
    with pytest.raises(SettingsError, match="no certificate for it; set DASK_DISTRIBUTED__COMM__TLS__CA_FILE"):
        async with joined("tls://127.0.0.1:1", patience_seconds=5):
            pass
