"""A run as it goes on in another process: opened from a brief, it carries jobs by number and tells the head.

The brief can be pickled, and holds no credential, no job and no prompt: jobs come from the journal that all share, and
the credential from the surroundings of the process.
"""

import math
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import anyio

from batchgen import watch
from batchgen.api import cadence
from batchgen.api.client import Client
from batchgen.api.limits import Gates, Reach
from batchgen.batch.ending import end_when_cancelled
from batchgen.batch.labelling import labels
from batchgen.batch.reaching import Reached, at_worker, reached
from batchgen.batch.seller import client_of, require_credential
from batchgen.batch.sharing import Overheard
from batchgen.batch.turns import Turns
from batchgen.batch.ways import Ways
from batchgen.brake import Brake
from batchgen.engine import Later, Outpost, Post, Word
from batchgen.halt import Halt
from batchgen.job import Job
from batchgen.journal import Caps, Progress, unrecorded
from batchgen.lifecycle import AttemptFailed, Planned
from batchgen.manifest.load import Output
from batchgen.manifest.provider import Remote
from batchgen.retry import REAL
from batchgen.settings import environment
from batchgen.store.decode import Check, Decoder, Structure
from batchgen.store.space import floor_bytes, shortage
from batchgen.terms import Limits, Terms
from batchgen.wheel import Wheel
from batchgen.worker import Worker
from batchgen.worker.carried import Carried
from batchgen.worker.room import Room
from batchgen.worker.tools import Clocks, Tools

TALLY_SECONDS = 1.0
"""How often an outpost tells what it did."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What carrying the jobs of a batch takes beside them. `known` are durations of tasks in seconds, by model."""

    batch: str
    folder: Path
    root: Path
    provider: Remote
    output: Output
    terms: Terms
    ways: Ways
    price: Callable[[Job], int | None]
    caps: Caps = field(default_factory=Caps)
    known: Mapping[str, Sequence[float]] = field(default_factory=dict)
    shortest_hint_seconds: float = cadence.REMOTE_HINT_SECONDS
    grace_seconds: float = 25

    def __call__(self, post: Post) -> AbstractAsyncContextManager[Outpost[int | Carried]]:
        """Open an outpost here.

        Raises:
            SettingsError: this process lacks something, such as the credential; the message names its host.
        """
        return _opened(self, post)


@dataclass(frozen=True, slots=True)
class _Outpost:
    tools: Tools
    turns: Turns

    async def carry(self, item: int | Carried) -> Later[Carried] | None:
        """Carry a job of this number from where it has come, or one that was put off from where it stands."""
        if isinstance(item, Carried):
            return await Worker(self.tools).carry(item)
        progress = await self.tools.journal.reached(item)
        return await Worker(self.tools).carry(progress) if progress is not None and self._wanted(progress) else None

    def hear(self, word: Word) -> None:
        match word:
            case {"go": [str(name), int(number)]}:
                self.turns.go(name, number)
            case {"hold": float(seconds)}:
                self.tools.gates.pause.hold(seconds)
            case {"grace": float(seconds)}:
                self.tools.shelter.expire(anyio.current_time() + seconds)
            case _:
                self.tools.halt.take(word)

    def _wanted(self, progress: Progress) -> bool:
        return self.tools.halt.buying or not isinstance(progress.milestone, Planned | AttemptFailed)


@asynccontextmanager
async def _opened(brief: Brief, post: Post) -> AsyncIterator[Outpost[int | Carried]]:
    failure: Exception | None = None
    judge: AbstractAsyncContextManager[Check] = (
        Decoder() if brief.output.check == "decode" else nullcontext(Structure())
    )
    reach = Reach()
    selling = await anyio.to_thread.run_sync(_client, brief, reach)
    async with judge as check, selling as client, reached(brief.ways, check, brief.root) as at_hand:
        bench = _Bench(post, client, at_hand, reach, watch.Tally(), Turns(post))
        tools = _tools(brief, bench)
        try:
            async with anyio.create_task_group() as background:
                background.start_soon(end_when_cancelled, tools.shelter, brief.grace_seconds)
                background.start_soon(_tell, bench)
                try:
                    yield _Outpost(tools, bench.turns)
                except Exception as error:  # raised as it is, and not as one of a group
                    failure = error
                background.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await tell_last(bench, apart=brief.ways.apart)
    if failure is not None:
        raise failure


def _client(brief: Brief, reach: Reach) -> Client:
    environ = environment()
    with at_worker():
        require_credential(brief, environ)
        return client_of(brief, brief.provider, reach, environ)


@dataclass(frozen=True, slots=True)
class _Bench:
    """What one outpost has of its own."""

    post: Post
    client: Client
    at_hand: Reached
    reach: Reach
    tally: watch.Tally
    turns: Turns


def _tools(brief: Brief, bench: _Bench) -> Tools:
    terms = shared_out(brief.terms, bench.post.share)
    halt = Halt(tell=bench.post.say)
    return Tools(
        provider=Overheard(
            watch.WatchedProvider(bench.client, bench.tally), lambda seconds: bench.post.say({"throttled": seconds})
        ),
        journal=bench.at_hand.journal,
        store=bench.at_hand.store,
        terms=terms,
        gates=Gates(terms, bench.reach, bench.client.probe, windows=bench.turns.window),
        cadence=cadence.experienced(brief.known, shortest_hint_seconds=brief.shortest_hint_seconds),
        prepare=bench.at_hand.prepare,
        halt=halt,
        clocks=Clocks(time.time, replace(REAL, sleep=Wheel().sleep)),
        caps=brief.caps,
        price=brief.price,
        label=labels(brief.batch, brief.output),
        brake=Brake(brief.terms.failures.stop_at),
        room=Room(partial(_shortage, bench.at_hand.folders, floor_bytes(brief.terms.limits.in_flight))),
    )


async def _shortage(folders: tuple[str, ...], floor: int) -> str:
    return await anyio.to_thread.run_sync(shortage, folders, floor)


def shared_out(terms: Terms, share: float) -> Terms:
    """The terms of one outpost: its share of what the manifest allows to go on at a time, and of polls a second.

    The rate stays as it is, since the head counts it, and so does everything that concerns one job.
    """

    def part(limits: Limits) -> Limits:
        expert = limits.expert
        return replace(
            limits,
            in_flight=math.ceil(limits.in_flight * share),
            expert=replace(
                expert,
                submit_slots=math.ceil(expert.submit_slots * share),
                submit_slots_most=math.ceil(expert.submit_slots_most * share),
                polls_per_second=expert.polls_per_second * share,
                downloads=math.ceil(expert.downloads * share),
            ),
        )

    models = {model: part(limits) for model, limits in terms.models.items()}
    return replace(terms, limits=part(terms.limits), models=models)


async def _tell(bench: _Bench) -> None:
    while True:
        await anyio.sleep(TALLY_SECONDS)
        bench.post.say(_told(bench))


async def tell_last(bench: _Bench, *, apart: bool) -> None:
    """What the head should know when this outpost closes: payments, too, that stand on this machine alone."""
    bench.post.say(_told(bench))
    if apart and (paid := await anyio.to_thread.run_sync(unrecorded.lines, bench.at_hand.hidden)):
        bench.post.say({"paid": paid})


def _told(bench: _Bench) -> Word:
    """What this outpost did so far."""
    tally = bench.tally
    place = f"{socket.gethostname()}:{os.getpid()}"
    return {"did": bench.turns.name, "at": place, "calls": [tally.submits, tally.polls, tally.downloads]}
