"""One run: plan, open the tools, feed the engine, say how it ended."""

import time
from contextlib import AsyncExitStack
from dataclasses import replace

import anyio

from batchgen import decide as decisions
from batchgen.api import models
from batchgen.api.limits import Reach
from batchgen.batch.allowing import allow, buying_of
from batchgen.batch.asked import Asked, Ending, Observer, RunOptions, asked, where
from batchgen.batch.means import Means
from batchgen.batch.planning import Planned, idle, planned
from batchgen.batch.records import open_journal, open_record, require_free
from batchgen.batch.seller import client_of, require_credential
from batchgen.batch.storing import pictures_of
from batchgen.batch.telling import tell
from batchgen.batch.ways import require_shared, shared_by
from batchgen.batch.wishes import chosen_totals
from batchgen.batch.working import work
from batchgen.errors import SettingsError
from batchgen.expansion import Expansion, expanded
from batchgen.halt import Halt
from batchgen.journal import Record, Selection, Totals
from batchgen.journal.writing import SqlJournal
from batchgen.lifecycle import Accepted
from batchgen.manifest.load import load
from batchgen.manifest.provider import Remote
from batchgen.manifest.rejects import NAME as REJECTS
from batchgen.plan import Plan
from batchgen.report.summary import reported, summary, write_report
from batchgen.store.decode import Structure
from batchgen.verdict import verdict

LONG_PARKED_SECONDS = 24 * 3600
"""A task that waits longer than this needs a person."""

RUNNING = Selection(states=frozenset({"running"}))


async def plan(options: RunOptions) -> Plan:
    """What `run` would do; writes nothing and buys nothing.

    Raises:
        ManifestError: with every problem found, in the file and in what would be sent.
        SettingsError, JournalError: there is something to mend first.
    """
    read = await anyio.to_thread.run_sync(asked, options)
    with await anyio.to_thread.run_sync(expanded, read.manifest) as expansion:
        return (await planned(read, expansion, options)).plan


async def catalogue(options: RunOptions) -> models.Catalogue:
    """What the manifest's provider says about its models."""
    manifest = load(options.manifest, options.provider)
    if not isinstance(manifest.provider, Remote):
        return models.Catalogue()
    async with client_of(manifest, manifest.provider, Reach(), options.environ) as client:
        return await client.models()


async def run(options: RunOptions, observer: Observer) -> Ending:
    """Buy what is owed. The same call again goes on where the last one stopped.

    Raises:
        BatchgenError: nothing could be begun, or the journal failed; the exit code is the error's.
    """
    began = time.monotonic()
    await anyio.to_thread.run_sync(_turned_away, options)
    read = await anyio.to_thread.run_sync(asked, options)
    if await anyio.to_thread.run_sync(idle, read, options):
        return _idle(read, time.monotonic() - began)
    require_credential(read.manifest, read.environ)
    rejects = read.location.hidden / REJECTS
    with await anyio.to_thread.run_sync(expanded, read.manifest, rejects) as expansion:
        found = await planned(read, expansion, options)
        observer.opened(found.plan.folder, found.plan.run, found.plan.new)
        allow(read, found.plan, options)
        if options.dask is not None:
            require_shared(options.dask, shared_by(read, signed=expansion.scratch.signs()))
        buying = buying_of(found, expansion, options)
        return await _carried_out(replace(read, buying=buying), found, expansion, (options, observer, began))


async def _carried_out(
    read: Asked, found: Planned, expansion: Expansion, by: tuple[RunOptions, Observer, float]
) -> Ending:
    options, observer, began = by
    choice = found.wishes.choice
    async with AsyncExitStack() as stack:
        journal = await _opened(read, stack, options.means)
        before = await journal.totals()
        await journal.owe(expansion.scratch, expansion.inputs, found.wishes.redo, choice)
        await journal.note_prices(found.plan.prices)
        with open_record(read.location) as record:
            halt = await work(read, journal, record, options, observer)
            totals = await journal.totals()
            _note_long_parked(record, totals, halt)
            meant = totals if choice is None else await anyio.to_thread.run_sync(chosen_totals, record, choice)
        code, reason = verdict(meant, halt, read.manifest.terms.failures.accept)
        await journal.end(code, reason)
        number = journal.run
    told = tell(read.location)
    spent = totals.money.spent - before.money.spent
    return Ending(code, reason, found.plan.folder, number, time.monotonic() - began, spent, told)


def _turned_away(options: RunOptions) -> None:
    """Say at once that another run holds the batch, before its tables are read for a long time."""
    require_free(where(options))


async def _opened(read: Asked, stack: AsyncExitStack, means: Means) -> SqlJournal:
    """Take the batch: its folder must be writable before anything else happens."""
    kept = pictures_of(read.location, disk=means.disk)
    await kept.store(Structure()).ready()
    aliases = read.aliases
    try:
        journal = await stack.enter_async_context(
            open_journal(read.location, read.identity(), verb="run", also_known_as=aliases)
        )
        await kept.take(journal.identity.batch_id)
        return means.journal(journal)
    except OSError as broken:
        raise SettingsError(
            f"the journal {read.location.journal} cannot be written: {broken.strerror or broken}"
        ) from broken


def _idle(read: Asked, seconds: float) -> Ending:
    """Nothing to do: nobody is asked, and only a report that a killed run did not come to is written."""
    folder = str(read.location.folder)
    with open_record(read.location) as record:
        code, reason = verdict(record.totals(), Halt(), read.manifest.terms.failures.accept)
        told = summary(record, folder, read.location.kept_in())
    report = str(read.location.folder / "report.json")
    if not reported(report, told):
        write_report(report, told)
    return Ending(code, reason, folder, run=0, seconds=seconds, spent_micro_usd=0, summary=told)


def _note_long_parked(record: Record, totals: Totals, halt: Halt) -> None:
    """A task that is not done after a day is named, and wakes somebody."""
    if not totals.counts["running"]:
        return
    before = time.time() - LONG_PARKED_SECONDS
    old = [each for each in record.entries(RUNNING) if isinstance(each.milestone, Accepted) and each.at < before]
    if old:
        names = ", ".join(decisions.address(each) for each in old[:3])
        more = f" and {len(old) - 3} more" if len(old) > 3 else ""
        halt.note(4, f"not done after a day: {names}{more}; `batchgen resolve --drop ID` ends them")
