"""The work of one run: its tools are opened, everything unfinished is carried, signals and watchers are heard."""

import math
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from functools import partial
from importlib import import_module

import anyio

from batchgen import watch
from batchgen.api import cadence
from batchgen.api.limits import Gates, Reach
from batchgen.batch.asked import Asked, Observer, RunOptions
from batchgen.batch.command import Command
from batchgen.batch.ending import end_in_time, end_when_cancelled, listen
from batchgen.batch.experience import known_durations
from batchgen.batch.hanging import hang
from batchgen.batch.labelling import labels
from batchgen.batch.measuring import measure
from batchgen.batch.seller import preparer, seller
from batchgen.batch.sharing import shared_windows
from batchgen.batch.storing import pictures_of
from batchgen.brake import Brake
from batchgen.engine.local import BEGUN, LocalEngine
from batchgen.errors import BatchgenError, JournalError
from batchgen.halt import Halt
from batchgen.journal import Record, Selection
from batchgen.journal.writing import SqlJournal
from batchgen.manifest.provider import Local
from batchgen.retry import REAL
from batchgen.store.decode import Check, Decoder, Structure
from batchgen.store.local import LocalStore
from batchgen.store.space import floor_bytes, shortage
from batchgen.store.thumbs import tidy
from batchgen.terms import Terms
from batchgen.wheel import Wheel
from batchgen.worker import Worker
from batchgen.worker.room import Room
from batchgen.worker.tools import Clocks, Tools

FIGURES_EVERY_SECONDS = 0.25
UNDER_WAY = Selection(states=frozenset({"running"}))
"""The jobs whose pictures a killed run may have saved and not recorded."""


async def work(asked: Asked, journal: SqlJournal, record: Record, options: RunOptions, observer: Observer) -> Halt:
    """Carry everything unfinished as far as it goes in this run; says what ended it short.

    Raises:
        JournalError: the journal failed; the run has no end.
    """
    command = Command(asked, journal, record, options, observer, Halt())
    async with _judge(asked) as judge:
        most = asked.manifest.terms.limits.expert.max_bytes
        store = pictures_of(asked.location, disk=options.means.disk, max_bytes=most).store(judge)
        await store.ready()
        await anyio.to_thread.run_sync(tidy, str(asked.location.folder))
        try:
            await _tidy(journal, record, store)
            if await _anything(asked, journal):
                await _carried(command, store)
                await hang(record, journal, store)
        except ConnectionError as away:  # of a store on another machine; what is not in place is put there next time
            command.halt.note(75, away.strerror or "the store does not answer")
    return command.halt


async def _carried(command: Command, store: LocalStore) -> None:
    try:
        if command.options.dask is None:
            await _carry_all(command, store)
        else:
            abroad = await anyio.to_thread.run_sync(import_module, "batchgen.batch.abroad")  # Dask takes its time
            await abroad.carry_at_cluster(command)
    except JournalError:
        raise
    except BatchgenError as error:  # the provider could not even be opened; the journal is as it was
        command.halt.note(error.exit_code, str(error))


async def _carry_all(command: Command, store: LocalStore) -> None:  # what a run is made of meets here and nowhere else
    asked, journal, options = command.asked, command.journal, command.options
    observer, halt = command.observer, command.halt
    terms, tally, reach, means = asked.manifest.terms, watch.Tally(), Reach(), options.means
    stored = (await journal.totals()).counts["stored"]
    watched = watch.WatchedJournal(journal, tally, observer.finished, asked.buying.choice)
    async with seller(asked, reach) as client, shared_windows(asked) as sharing:
        tools = Tools(
            provider=sharing.overheard(watch.WatchedProvider(means.provider(client), tally)),
            journal=watched,
            store=means.store(store),
            terms=terms,
            gates=Gates(terms, reach, client.probe, windows=sharing.windows),
            cadence=await anyio.to_thread.run_sync(_cadence, asked) if means.cadence is None else means.cadence,
            prepare=preparer(asked.manifest.root, asked.buying.signed),
            halt=halt,
            clocks=Clocks(time.time, replace(REAL, sleep=Wheel().sleep)),
            caps=asked.buying.caps,
            price=asked.buying.price,
            label=labels(asked.manifest.name, asked.manifest.output),
            brake=Brake(terms.failures.stop_at),
            room=Room(partial(_shortage, asked)),
        )
        start = watch.Start(anyio.current_time(), stored, asked.buying.caps.batch)
        look = partial(watch.figures, tally=tally, start=start)
        async with anyio.create_task_group() as background:
            if options.signals:
                background.start_soon(listen, halt, tools.shelter, options.grace_seconds)
            background.start_soon(
                end_in_time, halt, tools.shelter, terms.limits.deadline_seconds, options.grace_seconds
            )
            background.start_soon(end_when_cancelled, tools.shelter, options.grace_seconds)
            background.start_soon(_show, tools, look, observer)
            background.start_soon(measure, str(asked.location.folder), tally)
            with halt.scope:
                engine = LocalEngine(terms.limits.in_flight, begun=_begun_at_once(terms), timing=tools.clocks.timing)
                await engine.run(partial(_open, Worker(tools)))
            background.cancel_scope.cancel()
        observer.figures(look(await journal.totals(), note=_note(tools)))


def _begun_at_once(terms: Terms) -> int:
    """So many jobs are begun at once that every slot for a submit has another one behind it."""
    return max(BEGUN, 2 * sum(each.expert.submit_slots_most for each in (terms.limits, *terms.models.values())))


@asynccontextmanager
async def _open(worker: Worker) -> AsyncIterator[Worker]:
    yield worker


async def _shortage(asked: Asked) -> str:
    """What is short on the volumes of the pictures and of the journal."""
    folders = (str(asked.location.folder), str(asked.location.journal.parent))
    floor = floor_bytes(asked.manifest.terms.limits.in_flight)
    return await anyio.to_thread.run_sync(shortage, folders, floor)


def _cadence(asked: Asked) -> cadence.Cadence:
    """What earlier runs have seen of this provider is where this one begins."""
    local = isinstance(asked.manifest.provider, Local)
    shortest = cadence.LOCAL_HINT_SECONDS if local else cadence.REMOTE_HINT_SECONDS
    return cadence.experienced(known_durations(asked.location), shortest_hint_seconds=shortest)


def _judge(asked: Asked) -> AbstractAsyncContextManager[Check]:
    return Decoder() if asked.manifest.output.check == "decode" else nullcontext(Structure())


async def _tidy(journal: SqlJournal, record: Record, store: LocalStore) -> None:
    """Remove what a killed run left behind, and give stored pictures the names that are asked for now."""
    # After every run: a power cut may bring back the proof of a picture that a run had stored before it ended well.
    waiting = {each.job.number for each in record.entries(UNDER_WAY)}
    await store.sweep(lambda number: number not in waiting)
    await hang(record, journal, store)


async def _anything(asked: Asked, journal: SqlJournal) -> bool:
    choice = asked.buying.choice
    async for progress in journal.unfinished(asked.manifest.terms):
        if watch.worked_on(progress, choice):
            return True
    return False


async def _show(tools: Tools, look: watch.Look, observer: Observer) -> None:
    while True:
        observer.figures(look(await tools.journal.totals(), note=_note(tools)))
        await anyio.sleep(FIGURES_EVERY_SECONDS)


def _note(tools: Tools) -> str:
    """The one thing that holds the run back now."""
    pause = tools.gates.pause.remaining_seconds
    if not tools.halt.buying:
        return f"ending: {tools.halt.worst()[1]}"
    if tools.gates.out_of_reach:
        return "the provider does not answer; it is asked again every few seconds"
    return f"paused for {math.ceil(pause)} s: the server asks for it" if pause > 0 else ""
