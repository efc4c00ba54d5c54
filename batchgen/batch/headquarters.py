"""A run whose jobs are carried in other processes: the head hands out, counts, tells and ends, and carries nothing."""

import logging
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import anyio
from anyio.abc import TaskGroup

from batchgen import watch
from batchgen.api import cadence
from batchgen.batch.asked import Asked
from batchgen.batch.command import Command
from batchgen.batch.ending import end_in_time, end_when_cancelled, listen
from batchgen.batch.following import Follower, Rates
from batchgen.batch.measuring import measure
from batchgen.batch.outpost import Brief
from batchgen.batch.seller import GATEWAY
from batchgen.batch.sharing import Sharing, shared_windows
from batchgen.batch.turns import Marshal
from batchgen.batch.ways import Ways
from batchgen.brake import Brake
from batchgen.engine import Word
from batchgen.engine.dask import DaskEngine
from batchgen.engine.joining import joined
from batchgen.gateway.child import child
from batchgen.halt import Shelter
from batchgen.journal import Totals, unrecorded
from batchgen.lifecycle import AttemptFailed, Planned
from batchgen.manifest.provider import KeyFromFile, Local, Remote

FIGURES_EVERY_SECONDS = 1.0
ENDING_SECONDS = 10
"""How long the head waits beyond the grace for what its outposts say at the end."""

logger = logging.getLogger(__name__)


async def carry_elsewhere(command: Command, address: str, ways: Ways, known: Mapping[str, Sequence[float]]) -> None:
    """Carry everything unfinished at the workers of a cluster, as far as it goes in this run.

    `known` are the durations of tasks in seconds that earlier runs have seen, by model.

    Raises:
        Unfinished: the cluster is gone.
        BatchgenError: a worker could not begin, or could not go on.
    """
    totals = await command.journal.totals()
    expected = totals.counts["queued"] + totals.counts["running"]
    async with (
        _provider(command.asked) as provider,
        joined(address) as client,
        shared_windows(command.asked) as sharing,
    ):
        brief = _brief(command, provider, ways, known)
        head = _Head(
            command,
            DaskEngine(
                client,
                brief.terms.limits.in_flight,
                away=brief,
                expected=expected,
                patience_seconds=brief.grace_seconds + ENDING_SECONDS,
            ),
            sharing,
        )
        await head.run(totals)


@asynccontextmanager
async def _provider(asked: Asked) -> AsyncIterator[Remote]:
    """The server that outposts speak to; of a rehearsal it is started here."""
    match asked.manifest.provider:
        case Local():
            async with child(asked.location.hidden / GATEWAY) as local:
                yield Remote(local.url, KeyFromFile(local.credential_file))
        case Remote() as remote:
            yield remote


def _brief(command: Command, provider: Remote, ways: Ways, known: Mapping[str, Sequence[float]]) -> Brief:
    manifest, buying = command.asked.manifest, command.asked.buying
    local = isinstance(manifest.provider, Local)
    return Brief(
        batch=manifest.name,
        folder=manifest.folder,
        root=manifest.root,
        provider=provider,
        output=manifest.output,
        terms=manifest.terms,
        ways=ways,
        price=buying.price,
        caps=buying.caps,
        known=known,
        shortest_hint_seconds=cadence.LOCAL_HINT_SECONDS if local else cadence.REMOTE_HINT_SECONDS,
        grace_seconds=command.options.grace_seconds,
    )


class _Shared(Shelter):
    """A grace that ends in every process."""

    def __init__(self, engine: DaskEngine) -> None:
        super().__init__()
        self._engine = engine

    def expire(self, deadline: float) -> None:
        """End it here and there."""
        super().expire(deadline)
        self._engine.tell({"grace": float(max(self.deadline - anyio.current_time(), 0))})


@dataclass(frozen=True, slots=True)
class _Owed:
    """The jobs of a run by their numbers; what they are the journal tells whoever carries them."""

    command: Command

    async def items(self) -> AsyncIterator[int]:
        asked, halt = self.command.asked, self.command.halt
        async for progress in self.command.journal.unfinished(asked.manifest.terms):
            if not halt.buying and isinstance(progress.milestone, Planned | AttemptFailed):
                return
            if watch.worked_on(progress, asked.buying.choice):
                yield progress.job.number

    async def carry(self, item: int) -> None:
        raise NotImplementedError(f"the head carries nothing, and so not job {item}")


@asynccontextmanager
async def _open(owed: _Owed) -> AsyncIterator[_Owed]:
    yield owed


class _Head:
    """The head of one run: what it hears from its outposts and says to them."""

    def __init__(self, command: Command, engine: DaskEngine, sharing: Sharing) -> None:
        self._command = command
        self._sharing = sharing
        self._group: TaskGroup | None = None
        self._rates, self._tally = Rates(), watch.Tally()
        self._follower = Follower(command.record, command.journal.run, command.observer, self._tally)
        self._engine = engine
        self._engine.heard = self._heard
        terms = command.asked.manifest.terms
        self._marshal = Marshal(terms, lambda word, seat: engine.tell_once(word, seat=seat), windows=sharing.windows)
        command.halt.tell = engine.tell

    async def run(self, before: Totals) -> None:
        """Carry all; errors are raised as they are, and not in groups."""
        failure: Exception | None = None
        start = watch.Start(anyio.current_time(), before.counts["stored"], self._command.asked.buying.caps.batch)
        look = partial(watch.figures, tally=self._tally, start=start)
        async with anyio.create_task_group() as self._group:
            self._attend(self._group)
            self._group.start_soon(self._show, look, before)
            try:
                with self._command.halt.scope:
                    await self._engine.run(partial(_open, _Owed(self._command)))
            except Exception as error:
                failure = error
            self._group.cancel_scope.cancel()
        if failure is not None:
            raise failure
        await self._follower.look()
        self._command.observer.figures(look(await self._command.journal.totals(), note=self._note()))

    def _attend(self, group: TaskGroup) -> None:
        """Hear what may end the run, and see what becomes of its pictures."""
        command, shelter, grace = self._command, _Shared(self._engine), self._command.options.grace_seconds
        deadline = command.asked.manifest.terms.limits.deadline_seconds
        if command.options.signals:
            group.start_soon(listen, command.halt, shelter, grace)
        group.start_soon(end_in_time, command.halt, shelter, deadline, grace)
        group.start_soon(end_when_cancelled, shelter, grace)
        group.start_soon(self._follower.follow)
        group.start_soon(measure, str(command.asked.location.folder), self._tally)

    def _heard(self, seat: int, word: Word) -> None:
        match word:
            case {"ask": str(model), "turn": [*turn]} if self._group is not None:
                self._group.start_soon(self._marshal.give, seat, model, turn)
            case {"throttled": float(seconds)}:
                self._marshal.pause.throttled(seconds)
                if self._sharing.hold is not None:
                    self._sharing.hold(seconds)
                self._engine.tell_once({"hold": float(self._marshal.pause.remaining_seconds)})
            case {"did": str(who), "at": str(place), "calls": [int(submits), int(polls), int(downloads)]}:
                self._rates.did(who, place, (submits, polls, downloads), anyio.current_time())
                self._tally.submits, self._tally.polls, self._tally.downloads = self._rates.calls
            case {"paid": [*lines]}:
                kept = unrecorded.add(str(self._command.asked.location.hidden), [str(line) for line in lines])
                logger.critical("what a worker paid for and could not record is kept in %s", kept)
            case _:
                self._command.halt.take(word)

    async def _show(self, look: watch.Look, before: Totals) -> None:
        rule = Brake(self._command.asked.manifest.terms.failures.stop_at)
        while True:
            totals = await self._command.journal.totals()
            self._brake(rule, before, totals)
            self._command.observer.figures(look(totals, note=self._note()))
            await anyio.sleep(FIGURES_EVERY_SECONDS)

    def _brake(self, rule: Brake, before: Totals, now: Totals) -> None:
        """Stop when too many of the jobs that this run ended have failed, wherever they were carried."""
        stored, failed = (now.counts[state] - before.counts[state] for state in ("stored", "failed"))
        if reason := rule.judged(max(stored, 0) + max(failed, 0), max(failed, 0)):
            self._command.halt.stop_buying(4, reason)

    def _note(self) -> str:
        """The one thing that holds the run back now, or else who carries it."""
        if not self._command.halt.buying:
            return f"ending: {self._command.halt.worst()[1]}"
        pause = self._marshal.pause.remaining_seconds
        if pause > 0:
            return f"paused for {math.ceil(pause)} s: the server asks for it"
        return self._rates.note(anyio.current_time())
